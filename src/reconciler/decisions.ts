import { isDeepStrictEqual } from 'node:util';
import type { EndpointSliceObject, ServiceObject } from '../api/index.ts';
import type { BgpAdvertisement } from '../config/index.ts';
import { exactList } from '../core/exact-list.ts';
import { createInterning } from '../core/interned.ts';
import { prefixOf, type Prefix } from '../core/ip.ts';
import { compareMeta } from '../core/order.ts';
import { exchanged } from '../core/sorted.ts';
import { usableEndpoints } from './endpoints.ts';
import { createServiceResults } from './service-results.ts';
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

/** What is decided about one Service, and what follows from it. */
interface Decided {
  readonly verdict: ServiceVerdict;
  readonly sends: readonly Send[];
}

/** There are as many as pools, times the sets of peers that their advertisements choose: not as many as Services. */
const MOST_INTERNED = 1_024;
type Interned = ReturnType<typeof createInterning<ServiceVerdict['bgp']>>;

/** Gives the function that decides about all Services, and says what differs from its last call. */
export function createServiceDecider(): (input: DecisionsInput) => Decisions {
  const resultsOf = createServiceResults<Decided>();
  const interned = createInterning<ServiceVerdict['bgp']>(MOST_INTERNED);
  let verdicts: readonly ServiceVerdict[] = [];

  return (input) => {
    const { services, endpointSlices, nodeName, facts, loadBalancerClass } = input;
    const { change } = resultsOf({
      ...{ services, endpointSlices, basis: [facts, loadBalancerClass, nodeName] },
      derive: (service, slices, { before }) => {
        if (!isOurs(service, loadBalancerClass)) return undefined;
        const decided = decidedOf(service, slices, { ...input, interned });
        return before && isSame(before, decided) ? before : decided;
      },
    });
    const gone = change.removed.flatMap((result) => result?.value ?? []);
    const fresh = change.added.flatMap((result) => result?.value ?? []);
    verdicts = exchanged(verdicts, gone.map(verdictIn), fresh.map(verdictIn), compareMeta);
    return { verdicts, left: sendsWithout(gone, fresh), came: sendsWithout(fresh, gone) };
  };
}

function verdictIn({ verdict }: Decided): ServiceVerdict {
  return verdict;
}

function decidedOf(
  service: ServiceObject,
  slices: readonly EndpointSliceObject[],
  { nodeName, facts, interned }: DecisionsInput & { readonly interned: Interned },
): Decided {
  const decision = decideService(service, usableEndpoints(slices, nodeName), facts);
  const { namespace, name } = service.metadata;
  const verdict = { namespace, name, ips: decision.ips, bgp: interned(...verdictOf(decision)) };
  return { verdict, sends: sendsOf(decision) };
}

function isSame(a: Decided, b: Decided): boolean {
  return isDeepStrictEqual(a.verdict, b.verdict) && isDeepStrictEqual(a.sends, b.sends);
}

/** What some send and others do not; most of both may be the same. */
function sendsWithout(some: readonly Decided[], others: readonly Decided[]): readonly Send[] {
  const shared = new Set(others);
  return some.filter((decided) => !shared.has(decided)).flatMap(({ sends }) => sends);
}

/** The prefixes that a Service is announced as: each address, cut to the length that each advertisement asks for. */
function sendsOf(decision: Decision): readonly Send[] {
  if (decision.kind !== 'announce') return [];
  const sends = decision.ips.flatMap((ip) =>
    decision.advertisements.map((advertisement) => {
      const { aggregationLengthV4, aggregationLengthV6 } = advertisement;
      return {
        prefix: prefixOf(ip, ip.family === 'ipv4' ? aggregationLengthV4 : aggregationLengthV6),
        advertisement,
      };
    }),
  );
  return exactList(sends);
}

/** What is said of a Service besides its name and addresses, and a text that is the same for the same. */
function verdictOf(decision: Decision): readonly [text: string, make: () => ServiceVerdict['bgp']] {
  if (decision.kind === 'withdraw') {
    const { kind, reason } = decision;
    return [reason, () => ({ kind, reason })];
  }
  const { kind, pool, peers } = decision;
  return [JSON.stringify([pool, peers]), () => ({ kind, pool, peers })];
}
