import type { Peer } from '../config/index.ts';
import type { Problem } from '../core/problem.ts';
import type { BgpDesiredState, BgpRouter } from '../reconciler/index.ts';
import { blameFor } from '../frr-render/index.ts';
import type { RefusedLine } from '../frr-vty/index.ts';

/** Parts of the desired state that FRR did not take, by the very version it did not take. */
export interface Refusals {
  readonly extras?: { readonly text: string; readonly problem: Problem };
  /** By BGPPeer name. */
  readonly peers: ReadonlyMap<string, { readonly peer: Peer; readonly problem: Problem }>;
}

export const NO_REFUSALS: Refusals = { peers: new Map() };

/**
 * Adds what FRR refused just now.
 *
 * @returns undefined when no part of the desired state can be blamed, so that leaving one out would not help
 */
export function withRefused(
  refusals: Refusals,
  refused: readonly RefusedLine[],
  options: { readonly bgp: BgpDesiredState; readonly namespace: string },
): Refusals | undefined {
  const { bgp, namespace } = options;
  const blame = blameFor(
    refused.map(({ line }) => line),
    bgp,
  );
  if (!blame.extras && blame.peers.length === 0) return undefined;
  const words = refused.map(({ line, words: said }) => `"${line}": ${said}`).join('; ');
  const problem = (kind: string, name: string, field: string): Problem => ({
    resource: { kind, namespace, name },
    field,
    reason: 'FrrRefused',
    message: `FRR refuses ${words}; the last good version stays in use`,
    transient: false,
    severity: 'error',
  });
  const peers = new Map(refusals.peers);
  for (const peer of blame.peers) peers.set(peer.name, { peer, problem: problem('BGPPeer', peer.name, 'spec') });
  const extras = blame.extras
    ? { text: bgp.extras, problem: problem('ConfigMap', 'bgpextras', 'data.extras') }
    : refusals.extras;
  return { peers, ...(extras ? { extras } : {}) };
}

/** Forgets refusals of versions that are no longer wanted: an edit deserves a new try. */
export function stillWanted(refusals: Refusals, bgp: BgpDesiredState): Refusals {
  const wanted = new Set(bgp.routers.flatMap((router) => router.neighbors));
  const peers = new Map([...refusals.peers].filter(([, { peer }]) => wanted.has(peer)));
  const extras = refusals.extras?.text === bgp.extras ? refusals.extras : undefined;
  return { peers, ...(extras ? { extras } : {}) };
}

/** The desired state with every refused part in its last good version, or left out when there never was one. */
export function withoutRefused(
  bgp: BgpDesiredState,
  refusals: Refusals,
  lastGood: BgpDesiredState | undefined,
): BgpDesiredState {
  if (!refusals.extras && refusals.peers.size === 0) return bgp;
  const goodPeers = new Map(
    lastGood?.routers.flatMap((router) => router.neighbors.map((peer) => [peer.name, peer] as const)),
  );
  return {
    ...bgp,
    routers: bgp.routers.flatMap((router) => routerWithout(router, refusals, goodPeers)),
    extras: refusals.extras ? (lastGood?.extras ?? '') : bgp.extras,
  };
}

function routerWithout(
  router: BgpRouter,
  refusals: Refusals,
  goodPeers: ReadonlyMap<string, Peer>,
): BgpRouter[] {
  const neighbors = router.neighbors.flatMap((peer) => {
    if (!refusals.peers.has(peer.name)) return [peer];
    const good = goodPeers.get(peer.name);
    return good?.vrf === router.vrf && good.myAsn === router.asn ? [good] : [];
  });
  return neighbors.length === 0 ? [] : [{ ...router, neighbors }];
}

export function refusalProblems(refusals: Refusals): Problem[] {
  return [
    ...(refusals.extras ? [refusals.extras.problem] : []),
    ...[...refusals.peers.values()].map(({ problem }) => problem),
  ];
}
