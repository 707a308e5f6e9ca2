import {
  allocateAll,
  allocateWaiting,
  applyChanges,
  createAllocatorState,
  type PassResult,
  type PoolCounters,
  type ServiceDecision,
} from '../allocator/index.ts';
import type { ServiceObject } from '../api/index.ts';
import type { Pool } from '../config/index.ts';
import { byText } from '../core/order.ts';
import { objectKey } from '../core/problem.ts';
import { withServiceStatus, type SourceState } from '../source/index.ts';
import type { DecidedStatuses } from './backend.ts';
import { serviceChanges } from './service-changes.ts';
import { standIns } from './stand-ins.ts';
import { refOf, statusOfDecision } from './status-of-decision.ts';
import { unknownSince } from './unknown.ts';

export interface Assigner {
  /** Decides about what changed since the call before, and puts the outcome into the store (not on disk). */
  readonly assign: (state: SourceState, pools: readonly Pool[]) => Assignments;
  /** Decides about more of those who wait, after {@link Assignments} that were not settled. */
  readonly goOn: () => Assignments;
}

export interface Assignments {
  /** About the Services looked at; most say that all is as it was. */
  readonly decisions: readonly ServiceDecision[];
  readonly settled: boolean;
  /** Of all pools, by name. */
  readonly pools: readonly PoolCounters[];
  /** What could not be read since start: until it can, no address of an earlier run is taken away. */
  readonly unknown: readonly string[];
}

/**
 * Keeps an allocator and the store of statuses in step: a Service is shown to the allocator with the status that was
 * decided last. The status in a Service's own manifest counts only until the first decision about it, so that addresses
 * survive a move from another cluster, and are not brought back by a manifest that still names them later.
 *
 * A controller that starts while part of its input cannot be read knows less than the run before it: it does not see the
 * pool that an address is from, or the Service that has it. Until everything has been read once, it gives addresses to
 * those who have none, and takes or changes nobody's.
 */
export function createAssigner(options: {
  readonly store: DecidedStatuses;
  readonly loadBalancerClass: string;
  readonly missingClusterIPs: 'wait' | 'fromSpec';
}): Assigner {
  const { store, loadBalancerClass, missingClusterIPs } = options;
  const state = createAllocatorState({ loadBalancerClass, missingClusterIPs });
  const counters = new Map<string, PoolCounters>();
  const decided = new Set<string>();
  let services: readonly ServiceObject[] = [];
  let poolsInForce: readonly Pool[] | undefined;
  let unknown: readonly string[] | undefined;

  const asDecided = (service: ServiceObject): ServiceObject => {
    const status = store.get(service.metadata);
    return status || decided.has(objectKey(service.metadata)) ? withServiceStatus(service, status) : service;
  };
  const take = (result: PassResult, decisions = result.decisions): Assignments => {
    for (const decision of decisions) {
      decided.add(decision.key);
      record(store, decision);
    }
    for (const each of result.pools.counters) counters.set(each.pool, each);
    for (const pool of result.pools.removed) counters.delete(pool);
    return {
      decisions,
      settled: result.settled,
      pools: [...counters.values()].sort(byText(({ pool }) => pool)),
      unknown: unknown ?? [],
    };
  };
  const assignCautiously = (pools: readonly Pool[]): Assignments => {
    const absent = standIns(store.all(), services);
    const result = allocateAll(state, pools, [...services, ...absent].map(asDecided));
    return take(result, harmless(result.decisions, store, absent));
  };

  return {
    assign: (source, pools) => {
      const { changed, deleted } = serviceChanges(services, source.snapshot.objects.Service);
      services = source.snapshot.objects.Service;
      const wasKnown = unknown?.length === 0;
      // What could be read once stays in the snapshot: from then on, what is not there is gone.
      if (!wasKnown) unknown = unknownSince(source, store);
      if (unknown !== undefined && unknown.length > 0) return assignCautiously(pools);
      if (!wasKnown) forgetAbsent(store, services);
      for (const key of deleted) {
        decided.delete(key);
        store.forget(refOf(key));
      }
      if (wasKnown && poolsInForce === pools) {
        return take(applyChanges(state, { services: changed.map(asDecided), deleted }));
      }
      poolsInForce = pools;
      return take(allocateAll(state, pools, services.map(asDecided)));
    },
    goOn: () => (unknown?.length === 0 ? take(allocateWaiting(state)) : take(NOTHING)),
  };
}

const NOTHING: PassResult = {
  decisions: [],
  deleted: [],
  pools: { counters: [], removed: [] },
  settled: true,
};

/** Decisions that leave alone whoever has an address, and give nobody the address of another. */
function harmless(
  decisions: readonly ServiceDecision[],
  store: DecidedStatuses,
  absent: readonly ServiceObject[],
): readonly ServiceDecision[] {
  const made = new Set(absent.map(({ metadata }) => objectKey(metadata)));
  const held = new Set(store.all().flatMap(({ ingress }) => ingress));
  return decisions.filter(({ key, changed, ingress }) => {
    if (made.has(key)) return false;
    const has = store.get(refOf(key))?.ingress ?? [];
    return has.length > 0 ? !changed : !ingress.some((ip) => held.has(ip));
  });
}

/** Statuses that an earlier run left for Services that have been deleted meanwhile. */
function forgetAbsent(store: DecidedStatuses, services: readonly ServiceObject[]): void {
  const present = new Set(services.map(({ metadata }) => objectKey(metadata)));
  for (const status of store.all()) {
    if (!present.has(objectKey(status))) store.forget(status);
  }
}

function record(store: DecidedStatuses, decision: ServiceDecision): void {
  if (decision.outcome === 'notReady') return;
  const status = statusOfDecision(decision);
  if (status) store.set(status);
  else if (decision.changed) store.clear(refOf(decision.key));
  else store.forget(refOf(decision.key));
}
