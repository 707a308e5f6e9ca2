import type { EndpointSliceObject, NodeObject, ServiceObject } from '../api/index.ts';
import type { Config, NodeSelection, Peer } from '../config/index.ts';
import { changedMiddle, withMiddle } from '../core/changed-middle.ts';
import { compareText } from '../core/order.ts';
import { createServiceDecider } from './decisions.ts';
import { createOriginations, type Origination } from './originations.ts';
import type { AnnouncementFacts } from './service-verdict.ts';
import { treatmentFor } from './treatment.ts';
import type { BgpDesiredState, BgpRouter, NodeDesiredState, OriginatedPrefix, Treatment } from './types.ts';

/** Everything the decision for one node depends on. Objects that did not change keep their identity. */
export interface NodeInput {
  readonly nodeName: string;
  readonly config: Config;
  /** The peers and advertisements of `config` that select this node. */
  readonly selection: NodeSelection;
  /** This node's object, when the source has one. */
  readonly node: NodeObject | undefined;
  readonly services: readonly ServiceObject[];
  readonly endpointSlices: readonly EndpointSliceObject[];
  /** Services of another `spec.loadBalancerClass` are invisible; empty: those without a class. */
  readonly loadBalancerClass: string;
  /** `--ignore-exclude-lb`: the exclude label has no effect. */
  readonly ignoreExcludeLabel: boolean;
}

const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';

/**
 * Gives the function that decides what one node announces. It gives the same state for the same input, and the cost
 * follows the change: what it remembers between calls are decisions whose inputs are still identical, and what followed
 * from them.
 */
export function createNodeReconciler(): (input: NodeInput) => NodeDesiredState {
  const decideServices = createServiceDecider();
  const originationsAfter = createOriginations();
  let basis: Basis | undefined;
  let bgp: BgpDesiredState | undefined;
  let originated: readonly Origination[] | undefined;
  let state: NodeDesiredState | undefined;

  return (input) => {
    const of = [input.config, input.selection, input.node, input.nodeName, input.ignoreExcludeLabel];
    if (!basis?.of.every((part, index) => part === of[index])) {
      basis = basisOf(input, of);
      bgp = undefined;
    }
    const { facts, routers } = basis;
    const { verdicts, left, came } = decideServices({ ...input, facts });
    const originations = originationsAfter(left, came);
    if (!bgp || originations !== originated) {
      bgp = {
        routers: routers.map(({ router, originatedBy }) => ({
          ...router,
          originated: originatedBy(originations),
        })),
        bfdProfiles: input.config.bfdProfiles,
        extras: input.config.frrExtras,
      };
      originated = originations;
    }
    if (state?.bgp !== bgp || state.services !== verdicts) state = { bgp, services: verdicts };
    return state;
  };
}

/** What does not depend on any Service. */
interface Basis {
  readonly of: readonly unknown[];
  readonly facts: AnnouncementFacts;
  readonly routers: readonly {
    readonly router: Omit<BgpRouter, 'originated'>;
    readonly originatedBy: (originations: readonly Origination[]) => readonly OriginatedPrefix[];
  }[];
}

function basisOf(input: NodeInput, of: readonly unknown[]): Basis {
  const routers = routersOf(input.selection.peers).map((router) => ({
    router,
    originatedBy: createOriginatedBy(router.neighbors),
  }));
  return { of, facts: announcementFacts(input), routers };
}

function announcementFacts(input: NodeInput): AnnouncementFacts {
  return {
    pools: input.config.pools,
    advertisements: input.selection.bgpAdvertisements,
    peers: input.selection.peers,
    networkUnavailable: input.node?.spec.networkUnavailable ?? false,
    excludedByLabel: !input.ignoreExcludeLabel && input.node?.metadata.labels[EXCLUDE_LABEL] !== undefined,
  };
}

/** One router for each VRF that has peers; all peers of a VRF share one ASN (`config/` sets others aside). */
function routersOf(peers: readonly Peer[]): Omit<BgpRouter, 'originated'>[] {
  const byVrf = new Map<string, Peer[]>();
  for (const peer of peers) {
    const known = byVrf.get(peer.vrf);
    if (known) known.push(peer);
    else byVrf.set(peer.vrf, [peer]);
  }
  return [...byVrf]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([vrf, neighbors]) => {
      const [first] = neighbors;
      if (!first) return [];
      const routerId = neighbors.find((peer) => peer.routerId)?.routerId;
      return {
        asn: first.myAsn,
        vrf,
        ...(routerId ? { routerId } : {}),
        neighbors,
      };
    });
}

/** Gives the function that says how one router sends what is originated: the same object for the same origination. */
function createOriginatedBy(
  neighbors: readonly Peer[],
): (originations: readonly Origination[]) => readonly OriginatedPrefix[] {
  const treatments = new Map<string, Treatment | undefined>();
  let known: {
    readonly originations: readonly Origination[];
    /** In their order; undefined: no neighbor gets it. */
    readonly prefixes: readonly (OriginatedPrefix | undefined)[];
    /** How many no neighbor gets. */
    readonly unsent: number;
  } = { originations: [], prefixes: [], unsent: 0 };
  const originatedOf = ({ prefix, advertisements }: Origination): OriginatedPrefix | undefined => {
    const key = `${prefix.family} ${advertisements.map(({ name }) => name).join(' ')}`;
    if (!treatments.has(key)) treatments.set(key, treatmentFor(advertisements, neighbors, prefix.family));
    const treatment = treatments.get(key);
    return treatment && { prefix, treatment };
  };
  return (originations) => {
    const { start, removed, added } = changedMiddle(known.originations, originations);
    const earlier = new Map(removed.map((each, index) => [each, known.prefixes[start + index]]));
    const fresh = added.map((each) => earlier.get(each) ?? originatedOf(each));
    const prefixes = withMiddle(known.prefixes, start, removed.length, fresh);
    const unsent = known.unsent + gapsIn(fresh) - gapsIn(removed.map((each) => earlier.get(each)));
    known = { originations, prefixes, unsent };
    return unsent === 0
      ? (prefixes as readonly OriginatedPrefix[])
      : prefixes.filter((each) => each !== undefined);
  };
}

function gapsIn(items: readonly unknown[]): number {
  return items.filter((item) => item === undefined).length;
}
