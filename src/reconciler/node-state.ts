import type { EndpointSliceObject, NodeObject, ServiceObject } from '../api/index.ts';
import type { BgpAdvertisement, Config, NodeSelection, Peer } from '../config/index.ts';
import { comparePrefix, prefixOf, type Prefix } from '../core/ip.ts';
import { compareText } from '../core/order.ts';
import { objectKey } from '../core/problem.ts';
import { createSliceIndex, usableEndpoints } from './endpoints.ts';
import { decideService, isOurs, type AnnouncementFacts, type Decision } from './service-verdict.ts';
import { treatmentFor } from './treatment.ts';
import type {
  BgpDesiredState,
  BgpRouter,
  NodeDesiredState,
  OriginatedPrefix,
  ServiceVerdict,
  Treatment,
} from './types.ts';

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
 * Gives the function that decides what one node announces. It gives the same state for the same input; what it
 * remembers between calls are only decisions whose inputs are still identical, so that the cost follows the change.
 */
export function createNodeReconciler(): (input: NodeInput) => NodeDesiredState {
  let facts: { readonly of: readonly unknown[]; readonly value: AnnouncementFacts } | undefined;
  const sliceIndex = createSliceIndex();
  let decisions = new WeakMap<ServiceObject, Decided>();
  let bgp: { readonly of: readonly unknown[]; readonly value: BgpDesiredState } | undefined;

  return (input) => {
    const factsOf = [input.config, input.selection, input.node, input.nodeName, input.ignoreExcludeLabel];
    if (!facts?.of.every((part, index) => part === factsOf[index])) {
      facts = { of: factsOf, value: announcementFacts(input) };
      decisions = new WeakMap();
    }
    const { value: factsNow } = facts;
    const slices = sliceIndex(input.endpointSlices);
    const decided = input.services
      .filter((service) => isOurs(service, input.loadBalancerClass))
      .map((service) => {
        const known = decisions.get(service);
        // Its key is kept: making it again for every Service at every change costs more than all the rest.
        const key = known?.key ?? objectKey(service.metadata);
        const group = slices.get(key);
        if (known && known.slices === group) return known;
        const endpoints = usableEndpoints(group ?? [], input.nodeName);
        const now = {
          key,
          slices: group,
          ...decidedOf(service, decideService(service, endpoints, factsNow)),
        };
        decisions.set(service, now);
        return now;
      });
    const bgpOf = [factsNow, ...decided.filter(({ sends }) => sends.length > 0)];
    if (bgp?.of.length !== bgpOf.length || !bgp.of.every((part, index) => part === bgpOf[index])) {
      bgp = { of: bgpOf, value: bgpStateOf(input, decided) };
    }
    return { bgp: bgp.value, services: decided.map(({ verdict }) => verdict) };
  };
}

/** A decision, what follows from it alone, and the endpoints that it was made with. */
interface Decided {
  /** Of the Service. */
  readonly key: string;
  readonly slices: readonly EndpointSliceObject[] | undefined;
  readonly verdict: ServiceVerdict;
  readonly sends: readonly { readonly prefix: Prefix; readonly advertisement: BgpAdvertisement }[];
}

function decidedOf(service: ServiceObject, decision: Decision): Pick<Decided, 'verdict' | 'sends'> {
  return { verdict: verdictOf(service, decision), sends: sendsOf(decision) };
}

function bgpStateOf(input: NodeInput, decided: readonly Decided[]): BgpDesiredState {
  return {
    routers: routersOf(input.selection.peers, originations(decided)),
    bfdProfiles: input.config.bfdProfiles,
    extras: input.config.frrExtras,
  };
}

/** The prefixes that a Service is announced as: each address, cut to the length that each advertisement asks for. */
function sendsOf(decision: Decision): Decided['sends'] {
  if (decision.kind !== 'announce') return [];
  return decision.ips.flatMap((ip) =>
    decision.advertisements.map((advertisement) => {
      const { aggregationLengthV4, aggregationLengthV6 } = advertisement;
      return {
        prefix: prefixOf(ip, ip.family === 'ipv4' ? aggregationLengthV4 : aggregationLengthV6),
        advertisement,
      };
    }),
  );
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

function verdictOf(service: ServiceObject, decision: Decision): ServiceVerdict {
  return {
    namespace: service.metadata.namespace,
    name: service.metadata.name,
    ips: decision.ips,
    bgp:
      decision.kind === 'announce'
        ? { kind: 'announce', pool: decision.pool, peers: decision.peers }
        : { kind: 'withdraw', reason: decision.reason },
  };
}

interface Origination {
  readonly prefix: Prefix;
  /** All that lead to the prefix, from whatever Service, sorted by name. */
  readonly advertisements: readonly BgpAdvertisement[];
}

/** Every prefix once, with the advertisements that lead to it; sorted. */
function originations(decided: readonly Decided[]): Origination[] {
  const byPrefix = new Map<string, Origination>();
  for (const { prefix, advertisement } of decided.flatMap(({ sends }) => sends)) {
    const known = byPrefix.get(prefix.text);
    if (!known) {
      byPrefix.set(prefix.text, { prefix, advertisements: [advertisement] });
    } else if (!known.advertisements.includes(advertisement)) {
      const advertisements = [...known.advertisements, advertisement].sort((a, b) =>
        compareText(a.name, b.name),
      );
      byPrefix.set(prefix.text, { prefix, advertisements });
    }
  }
  return [...byPrefix.values()].sort((a, b) => comparePrefix(a.prefix, b.prefix));
}

/** One router for each VRF that has peers; all peers of a VRF share one ASN (`config/` sets others aside). */
function routersOf(peers: readonly Peer[], originated: readonly Origination[]): BgpRouter[] {
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
        originated: originatedBy(neighbors, originated),
      };
    });
}

function originatedBy(neighbors: readonly Peer[], originated: readonly Origination[]): OriginatedPrefix[] {
  const known = new Map<string, Treatment | undefined>();
  const prefixes: OriginatedPrefix[] = [];
  for (const { prefix, advertisements } of originated) {
    const key = `${prefix.family} ${advertisements.map(({ name }) => name).join(' ')}`;
    if (!known.has(key)) known.set(key, treatmentFor(advertisements, neighbors, prefix.family));
    const treatment = known.get(key);
    if (treatment) prefixes.push({ prefix, treatment });
  }
  return prefixes;
}
