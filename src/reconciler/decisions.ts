import type { EndpointSliceObject, ServiceObject } from '../api/index.ts';
import type { BgpAdvertisement } from '../config/index.ts';
import { changedMiddle, type ChangedMiddle } from '../core/changed-middle.ts';
import { prefixOf, type Prefix } from '../core/ip.ts';
import { objectKey } from '../core/problem.ts';
import { createSliceIndex, usableEndpoints } from './endpoints.ts';
import { decideService, isOurs, type AnnouncementFacts, type Decision } from './service-verdict.ts';
import type { ServiceVerdict } from './types.ts';

/** A prefix that a Service is announced as, and the advertisement that leads to it. */
export interface Send {
  readonly prefix: Prefix;
  readonly advertisement: BgpAdvertisement;
}

export interface DecisionsInput {
  readonly services: readonly ServiceObject[];
  readonly endpointSlices: readonly EndpointSliceObject[];
  readonly nodeName: string;
  readonly loadBalancerClass: string;
  /** The same object for as long as the facts are the same. */
  readonly facts: AnnouncementFacts;
}

export interface Decisions {
  /** One for each Service of ours, in the order of the Services; the same array for as long as all are the same. */
  readonly verdicts: readonly ServiceVerdict[];
  /** What is no longer announced as in the call before. */
  readonly left: readonly Send[];
  /** What was not announced so in the call before. */
  readonly came: readonly Send[];
}

/** A decision, what follows from it alone, and the endpoints that it was made with. */
interface Decided {
  /** Of the Service. */
  readonly key: string;
  readonly slices: readonly EndpointSliceObject[] | undefined;
  readonly verdict: ServiceVerdict;
  readonly sends: readonly Send[];
}

/** Of the call before. */
interface Known {
  readonly facts: AnnouncementFacts;
  readonly loadBalancerClass: string;
  readonly services: readonly ServiceObject[];
  /** One for each Service, nothing for one that is not ours. */
  readonly places: readonly (Decided | undefined)[];
  readonly verdicts: readonly ServiceVerdict[];
}

/**
 * Gives the function that decides about all Services, and says what differs from its last call. It looks at what changed
 * since then: at the Services that are others, or at all of them when endpoints of any changed.
 */
export function createServiceDecider(): (input: DecisionsInput) => Decisions {
  const sliceIndex = createSliceIndex();
  /** Of the Services in `known`. */
  const keys = new Set<string>();
  let decisions = new WeakMap<ServiceObject, Decided>();
  let known: Known | undefined;

  return (input) => {
    const { services, facts, loadBalancerClass } = input;
    const touched = new Set<string>();
    const slices = sliceIndex(input.endpointSlices, (key) => {
      if (keys.has(key)) touched.add(key);
    });
    const before = known;
    const isAsBefore = before?.facts === facts && before.loadBalancerClass === loadBalancerClass;
    if (!isAsBefore) decisions = new WeakMap();
    const decide = (service: ServiceObject): Decided | undefined => {
      if (!isOurs(service, loadBalancerClass)) return undefined;
      const earlier = decisions.get(service);
      // Its key is kept: making it again for every Service at every change costs more than all the rest.
      const key = earlier?.key ?? objectKey(service.metadata);
      const group = slices.get(key);
      if (earlier && earlier.slices === group) return earlier;
      const decided = { key, slices: group, ...decidedOf(service, group, input) };
      decisions.set(service, decided);
      return decided;
    };
    const places =
      isAsBefore && touched.size === 0
        ? replacedMiddle(before.places, changedMiddle(before.services, services), decide)
        : services.map(decide);
    const { start, removed, added } = changedMiddle(before?.places ?? [], places);
    const gone = removed.filter((each) => each !== undefined);
    const fresh = added.filter((each) => each !== undefined);
    const verdicts = verdictsAfter(before, { start, gone, fresh });
    for (const { key } of gone) keys.delete(key);
    for (const { key } of fresh) keys.add(key);
    known = { facts, loadBalancerClass, services, places, verdicts };
    return { verdicts, left: sendsWithout(gone, fresh), came: sendsWithout(fresh, gone) };
  };
}

function decidedOf(
  service: ServiceObject,
  group: readonly EndpointSliceObject[] | undefined,
  { nodeName, facts }: DecisionsInput,
): Pick<Decided, 'verdict' | 'sends'> {
  const decision = decideService(service, usableEndpoints(group ?? [], nodeName), facts);
  return { verdict: verdictOf(service, decision), sends: sendsOf(decision) };
}

/** A list of which only the middle is made anew. */
function replacedMiddle<From, To>(
  list: readonly To[],
  { start, removed, added }: ChangedMiddle<From>,
  make: (item: From) => To,
): readonly To[] {
  if (removed.length === 0 && added.length === 0) return list;
  return list.slice(0, start).concat(added.map(make), list.slice(start + removed.length));
}

function verdictsAfter(
  known: Known | undefined,
  {
    start,
    gone,
    fresh,
  }: { readonly start: number; readonly gone: readonly Decided[]; readonly fresh: readonly Decided[] },
): readonly ServiceVerdict[] {
  const before = known?.verdicts ?? [];
  if (gone.length === 0 && fresh.length === 0) return before;
  let at = 0;
  for (let place = 0; place < start; place += 1) if (known?.places[place]) at += 1;
  return before.slice(0, at).concat(
    fresh.map(({ verdict }) => verdict),
    before.slice(at + gone.length),
  );
}

/** What some send and others do not; most of both may be the same. */
function sendsWithout(some: readonly Decided[], others: readonly Decided[]): readonly Send[] {
  const shared = new Set(others);
  return some.filter((decided) => !shared.has(decided)).flatMap(({ sends }) => sends);
}

/** The prefixes that a Service is announced as: each address, cut to the length that each advertisement asks for. */
function sendsOf(decision: Decision): readonly Send[] {
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
