import type { BfdProfile, Peer } from '../config/index.ts';
import type { Problem, ResourceRef } from '../core/problem.ts';
import { bfdProfileStatements, blameFor, neighborFingerprint } from '../frr-render/index.ts';
import type { RefusedLine } from '../frr-vty/index.ts';
import type { BgpDesiredState, BgpRouter } from '../reconciler/index.ts';

/** A version of something that FRR did not take. */
interface Refused {
  /** Equal for versions that FRR would be told the same about. */
  readonly version: string;
  readonly problem: Problem;
}

/** Parts of the desired state that FRR did not take. An edit of the part is another version, and gets a new try. */
export interface Refusals {
  readonly extras?: Refused;
  /** By BGPPeer name. */
  readonly peers: ReadonlyMap<string, Refused>;
  /** By BFDProfile name. */
  readonly bfdProfiles: ReadonlyMap<string, Refused>;
}

export const NO_REFUSALS: Refusals = { peers: new Map(), bfdProfiles: new Map() };

interface RefusedIn {
  /** What was applied. */
  readonly bgp: BgpDesiredState;
  /** Of the metallb.io objects. */
  readonly namespace: string;
  /** What FRR took before; a part that has not changed since is not at fault when the extras have. */
  readonly lastGood: BgpDesiredState | undefined;
}

/**
 * Adds what FRR refused just now.
 *
 * @returns undefined when no part of the desired state can be blamed, so that leaving one out would not help
 */
export function withRefused(
  refusals: Refusals,
  refused: readonly RefusedLine[],
  where: RefusedIn,
): Refusals | undefined {
  const { bgp, namespace } = where;
  const blamed = blameLines(refused, where);
  if (blamed.extras.length + blamed.peers.size + blamed.bfdProfiles.size === 0) return undefined;
  const peers = new Map(refusals.peers);
  for (const [peer, lines] of blamed.peers) {
    const resource = peer.origin?.resource ?? { kind: 'BGPPeer', namespace, name: peer.name };
    peers.set(peer.name, {
      version: neighborFingerprint(peer),
      problem: refusalProblem(resource, 'spec', lines),
    });
  }
  const bfdProfiles = new Map(refusals.bfdProfiles);
  for (const [profile, lines] of blamed.bfdProfiles) {
    const resource = { kind: 'BFDProfile', namespace, name: profile.name };
    bfdProfiles.set(profile.name, {
      version: profileVersion(profile),
      problem: refusalProblem(resource, 'spec', lines),
    });
  }
  let extras = refusals.extras;
  if (blamed.extras.length > 0) {
    const resource = { kind: 'ConfigMap', namespace, name: 'bgpextras' };
    extras = { version: bgp.extras, problem: refusalProblem(resource, 'data.extras', blamed.extras) };
  }
  return { peers, bfdProfiles, ...(extras ? { extras } : {}) };
}

interface BlamedParts {
  readonly extras: readonly RefusedLine[];
  readonly peers: ReadonlyMap<Peer, readonly RefusedLine[]>;
  readonly bfdProfiles: ReadonlyMap<BfdProfile, readonly RefusedLine[]>;
}

function blameLines(refused: readonly RefusedLine[], { bgp, lastGood }: RefusedIn): BlamedParts {
  const good = lastGood && versionsOf(lastGood);
  const extrasAreNew = bgp.extras !== '' && good !== undefined && good.extras !== bgp.extras;
  const isProven = (goodVersion: string | undefined, version: string): boolean =>
    extrasAreNew && goodVersion === version;
  const extras: RefusedLine[] = [];
  const peers = new Map<Peer, RefusedLine[]>();
  const bfdProfiles = new Map<BfdProfile, RefusedLine[]>();
  for (const line of refused) {
    const blame = blameFor(line, bgp);
    const suspects = blame.peers.filter(
      (peer) => !isProven(good?.peers.get(peer.name), neighborFingerprint(peer)),
    );
    const profiles = blame.bfdProfiles.filter(
      (profile) => !isProven(good?.bfdProfiles.get(profile.name), profileVersion(profile)),
    );
    for (const peer of suspects) push(peers, peer, line);
    for (const profile of profiles) push(bfdProfiles, profile, line);
    if (blame.extras || (extrasAreNew && suspects.length + profiles.length === 0)) extras.push(line);
  }
  return { extras, peers, bfdProfiles };
}

function refusalProblem(resource: ResourceRef, field: string, lines: readonly RefusedLine[]): Problem {
  return {
    resource,
    field,
    reason: 'FrrRefused',
    message: `FRR refuses ${wordsOf(lines)}; the last good version stays in use`,
    transient: false,
    severity: 'error',
  };
}

/** Every line and what FRR said to it; long lists are cut. */
export function wordsOf(refused: readonly RefusedLine[]): string {
  const shown = refused.slice(0, 5).map(({ line, words }) => (line === '' ? words : `"${line}": ${words}`));
  const more = refused.length - shown.length;
  return shown.join('; ') + (more > 0 ? ` and ${more} more` : '');
}

/** Forgets refusals of versions that are no longer wanted. */
export function stillWanted(refusals: Refusals, bgp: BgpDesiredState): Refusals {
  const versions = versionsOf(bgp);
  const extras = refusals.extras?.version === versions.extras ? refusals.extras : undefined;
  return {
    peers: new Map([...refusals.peers].filter(([name, { version }]) => versions.peers.get(name) === version)),
    bfdProfiles: new Map(
      [...refusals.bfdProfiles].filter(([name, { version }]) => versions.bfdProfiles.get(name) === version),
    ),
    ...(extras ? { extras } : {}),
  };
}

/** The desired state with every refused part in its last good version, or left out when there never was one. */
export function withoutRefused(
  bgp: BgpDesiredState,
  refusals: Refusals,
  lastGood: BgpDesiredState | undefined,
): BgpDesiredState {
  if (!refusals.extras && refusals.peers.size === 0 && refusals.bfdProfiles.size === 0) return bgp;
  const goodPeers = new Map(
    lastGood?.routers.flatMap((router) => router.neighbors.map((peer) => [peer.name, peer] as const)),
  );
  const goodProfiles = new Map(lastGood?.bfdProfiles.map((profile) => [profile.name, profile]));
  const goodExtras = lastGood && lastGood.extras !== refusals.extras?.version ? lastGood.extras : '';
  return {
    ...bgp,
    routers: bgp.routers.flatMap((router) => routerWithout(router, refusals, goodPeers)),
    bfdProfiles: bgp.bfdProfiles.flatMap((profile) => {
      const refused = refusals.bfdProfiles.get(profile.name);
      if (!refused) return [profile];
      const good = goodProfiles.get(profile.name);
      return good && profileVersion(good) !== refused.version ? [good] : [];
    }),
    extras: refusals.extras ? goodExtras : bgp.extras,
  };
}

function routerWithout(
  router: BgpRouter,
  refusals: Refusals,
  goodPeers: ReadonlyMap<string, Peer>,
): BgpRouter[] {
  const neighbors = router.neighbors.flatMap((peer) => {
    const refused = refusals.peers.get(peer.name);
    if (!refused) return [peer];
    const good = goodPeers.get(peer.name);
    const usable =
      good?.vrf === router.vrf && good.myAsn === router.asn && neighborFingerprint(good) !== refused.version;
    return usable ? [good] : [];
  });
  return neighbors.length === 0 ? [] : [{ ...router, neighbors }];
}

export function refusalProblems(refusals: Refusals): Problem[] {
  return [
    ...(refusals.extras ? [refusals.extras.problem] : []),
    ...[...refusals.peers.values(), ...refusals.bfdProfiles.values()].map(({ problem }) => problem),
  ];
}

interface Versions {
  readonly extras: string;
  readonly peers: ReadonlyMap<string, string>;
  readonly bfdProfiles: ReadonlyMap<string, string>;
}

function versionsOf(bgp: BgpDesiredState): Versions {
  const peers = bgp.routers.flatMap(({ neighbors }) => neighbors);
  return {
    extras: bgp.extras,
    peers: new Map(peers.map((peer) => [peer.name, neighborFingerprint(peer)])),
    bfdProfiles: new Map(bgp.bfdProfiles.map((profile) => [profile.name, profileVersion(profile)])),
  };
}

function profileVersion(profile: BfdProfile): string {
  return bfdProfileStatements(profile).join('\n');
}

function push<K>(map: Map<K, RefusedLine[]>, key: K, line: RefusedLine): void {
  const lines = map.get(key);
  if (lines) lines.push(line);
  else map.set(key, [line]);
}
