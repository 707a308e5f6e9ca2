import { isDeepStrictEqual } from 'node:util';
import type { EndpointSliceObject, NodeObject, ServiceObject } from '../api/index.ts';
import type { Config, L2Advertisement, Pool } from '../config/index.ts';
import type { ChangedMiddle } from '../core/changed-middle.ts';
import type { IpAddress } from '../core/ip.ts';
import { compareKey, compareText } from '../core/order.ts';
import { anySelectorMatches, selectorMatches, type Labels } from '../core/selector.ts';
import { exchanged } from '../core/sorted.ts';
import type { Candidate, Layer2Service } from '../l2/index.ts';
import { isHealthy } from './endpoints.ts';
import { createServiceResults, type ServiceResult } from './service-results.ts';
import { addressesOf, isOurs, poolOf } from './service-verdict.ts';

/** Everything that depends on for which Services, on layer 2, which nodes may answer. The same on every node. */
export interface Layer2Input {
  readonly nodeName: string;
  readonly config: Config;
  readonly nodes: readonly NodeObject[];
  /** Names of the nodes whose speakers live, sorted. */
  readonly speakers: readonly string[];
  readonly services: readonly ServiceObject[];
  readonly endpointSlices: readonly EndpointSliceObject[];
  readonly loadBalancerClass: string;
  readonly ignoreExcludeLabel: boolean;
}

/** Why no node answers for a Service; the names are MetalLB's where it has one. */
export type Layer2Refusal =
  | 'noIPAllocated'
  | 'invalidIP'
  | 'ipNotAllowed'
  | 'notOwner'
  | 'noEndpoints'
  | 'sharedIPWithServiceSelector'
  | 'noMatchingAdvertisement'
  | 'noCandidates';

/** A Service that nobody answers for. */
export interface Layer2Refused {
  /** `namespace/name`. */
  readonly key: string;
  readonly reason: Layer2Refusal;
}

/** Both in the order of the Services. */
export interface Layer2Decision {
  readonly services: readonly Layer2Service[];
  readonly refused: readonly Layer2Refused[];
}

const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';
const HOSTNAME_LABEL = 'kubernetes.io/hostname';
const SHARING_ANNOTATIONS = ['metallb.io/allow-shared-ip', 'metallb.universe.tf/allow-shared-ip'] as const;
const NOTHING: Layer2Decision = { services: [], refused: [] };

/**
 * Gives the function that decides which Services are announced on layer 2, and which nodes are candidates for them. The
 * decision is the same object for as long as nothing about it is new, and so is each Service in it.
 */
export function createLayer2Reconciler(): (input: Layer2Input) => Layer2Decision {
  let resultsOf = createServiceResults<Layer2Service | Layer2Refusal>();
  let facts: { readonly of: readonly unknown[]; readonly value: Facts } | undefined;
  let result = NOTHING;

  return (input) => {
    if (input.config.l2Advertisements.length === 0) {
      resultsOf = createServiceResults();
      result = NOTHING;
      return result;
    }
    const { config, nodes, speakers, nodeName, ignoreExcludeLabel, loadBalancerClass } = input;
    const of = [config, nodes, speakers, nodeName, ignoreExcludeLabel];
    if (!facts?.of.every((part, index) => part === of[index])) facts = { of, value: factsOf(input) };
    const { value } = facts;
    const { services, endpointSlices } = input;
    const { change } = resultsOf({
      ...{ services, endpointSlices, basis: [value, loadBalancerClass] },
      derive: (service, slices, { key, before }) => {
        if (!isOurs(service, loadBalancerClass)) return undefined;
        const outcome = decide(service, key, { slices, facts: value });
        return isDeepStrictEqual(before, outcome) ? before : outcome;
      },
    });
    if (change.removed.length > 0 || change.added.length > 0) result = decisionAfter(result, change);
    return result;
  };
}

type Outcome = ServiceResult<Layer2Service | Layer2Refusal> | undefined;

function decisionAfter(
  { services, refused }: Layer2Decision,
  { removed, added }: ChangedMiddle<Outcome>,
): Layer2Decision {
  return {
    services: exchanged(services, announcedIn(removed), announcedIn(added), byKey),
    refused: exchanged(refused, refusedIn(removed), refusedIn(added), byKey),
  };
}

function announcedIn(outcomes: readonly Outcome[]): readonly Layer2Service[] {
  return outcomes.flatMap((outcome) => (typeof outcome?.value === 'object' ? [outcome.value] : []));
}

function refusedIn(outcomes: readonly Outcome[]): readonly Layer2Refused[] {
  return outcomes.flatMap((outcome) =>
    typeof outcome?.value === 'string' ? [{ key: outcome.key, reason: outcome.value }] : [],
  );
}

function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return compareKey(a.key, b.key);
}

interface Facts {
  readonly pools: readonly Pool[];
  readonly advertisements: readonly L2Advertisement[];
  /** Speakers that may have addresses, with the labels of their nodes. */
  readonly eligible: readonly { readonly node: string; readonly labels: Labels }[];
  readonly me: { readonly name: string; readonly labels: Labels };
  /** By the names of the advertisements: one list for all Services that they choose the same nodes for. */
  readonly candidates: Map<string, readonly Candidate[]>;
}

function factsOf(input: Layer2Input): Facts {
  const nodes = new Map(input.nodes.map((node) => [node.metadata.name, node]));
  const labelsOf = (name: string): Labels => ({
    [HOSTNAME_LABEL]: name,
    ...nodes.get(name)?.metadata.labels,
  });
  const isEligible = (name: string): boolean => {
    const node = nodes.get(name);
    // A node that nobody has told of yet is taken as it is (MetalLB does so too).
    if (!node) return true;
    if (node.spec.networkUnavailable) return false;
    return input.ignoreExcludeLabel || node.metadata.labels[EXCLUDE_LABEL] === undefined;
  };
  return {
    pools: input.config.pools,
    advertisements: input.config.l2Advertisements,
    eligible: input.speakers.filter(isEligible).map((node) => ({ node, labels: labelsOf(node) })),
    me: { name: input.nodeName, labels: labelsOf(input.nodeName) },
    candidates: new Map(),
  };
}

function decide(
  service: ServiceObject,
  key: string,
  { slices, facts }: { readonly slices: readonly EndpointSliceObject[]; readonly facts: Facts },
): Layer2Service | Layer2Refusal {
  const { ingress } = service.status;
  const ips = addressesOf(service);
  if (ingress.length === 0) return 'noIPAllocated';
  if (ips.length !== ingress.length) return 'invalidIP';
  const pool = poolOf(facts.pools, ips);
  if (!pool) return 'ipNotAllowed';
  const ofPool = facts.advertisements.filter((advertisement) => advertisement.pools.has(pool.name));
  if (ofPool.length === 0) return 'notOwner';
  const healthy = slices.flatMap(({ spec }) => spec.endpoints.filter(isHealthy));
  if (healthy.length === 0) return 'noEndpoints';
  const { labels, annotations } = service.metadata;
  const matching = ofPool.filter(({ serviceSelectors }) => anySelectorMatches(serviceSelectors, labels));
  const [first] = matching;
  if (!first) return 'noMatchingAdvertisement';
  const isShared = SHARING_ANNOTATIONS.some((name) => annotations[name] !== undefined);
  if (isShared && matching.some(({ serviceSelectors }) => serviceSelectors.length > 0)) {
    return 'sharedIPWithServiceSelector';
  }
  const local =
    service.spec.externalTrafficPolicy === 'Local'
      ? [...new Set(healthy.flatMap(({ nodeName }) => nodeName ?? []))].sort(compareText)
      : undefined;
  const candidates = candidatesFor(matching, local, facts);
  if (candidates.length === 0) return 'noCandidates';
  return layer2Service({ key, ips, pool: pool.name, candidates, matching, first, facts });
}

function layer2Service(options: {
  readonly key: string;
  readonly ips: readonly IpAddress[];
  readonly pool: string;
  readonly candidates: readonly Candidate[];
  readonly matching: readonly L2Advertisement[];
  readonly first: L2Advertisement;
  readonly facts: Facts;
}): Layer2Service {
  const { key, ips, pool, candidates, matching, first, facts } = options;
  const here = matching.filter(({ nodeSelectors }) => anySelectorMatches(nodeSelectors, facts.me.labels));
  const isAnywhere = here.some(({ interfaces }) => interfaces.length === 0);
  return {
    ...{ key, ips, pool, candidates },
    interfaces: isAnywhere
      ? undefined
      : [...new Set(here.flatMap(({ interfaces }) => interfaces))].sort(compareText),
    balance: matching.some(({ balance }) => balance),
    // Of several the first by name counts, on every node alike.
    failback: first.failback,
    announceIntervalMs: first.announceIntervalMs,
  };
}

/** The nodes that at least one advertisement chooses, each with the sum of what the advertisements prefer it by. */
function candidatesFor(
  matching: readonly L2Advertisement[],
  local: readonly string[] | undefined,
  { eligible, candidates }: Facts,
): readonly Candidate[] {
  const key = JSON.stringify([matching.map(({ name }) => name), local]);
  const known = candidates.get(key);
  if (known) return known;
  const chosen = eligible
    .filter(({ node }) => local?.includes(node) ?? true)
    .flatMap(({ node, labels }): Candidate[] => {
      const choosing = matching.filter(({ nodeSelectors }) => anySelectorMatches(nodeSelectors, labels));
      if (choosing.length === 0) return [];
      const preferences = choosing.flatMap(({ preferredNodes }) => preferredNodes);
      const score = preferences.reduce(
        (sum, { weight, selector }) => (selectorMatches(selector, labels) ? sum + weight : sum),
        0,
      );
      return [{ node, score }];
    });
  candidates.set(key, chosen);
  return chosen;
}
