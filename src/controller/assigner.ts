import {
  allocateAll,
  allocateWaiting,
  applyChanges,
  createAllocatorState,
  type AllocatorState,
  type PassResult,
  type PoolCounters,
  type ServiceDecision,
} from '../allocator/index.ts';
import type { ClusterSnapshot, ServiceObject } from '../api/index.ts';
import type { Pool } from '../config/index.ts';
import { objectKey } from '../core/problem.ts';
import { withServiceStatus, type ServiceStatus, type StatusStore } from '../source/index.ts';
import { serviceChanges } from './service-changes.ts';

export interface Assigner {
  /** Decides about what changed since the call before, and puts the outcome into the store (not on disk). */
  readonly assign: (snapshot: ClusterSnapshot, pools: readonly Pool[]) => Assignments;
  /** Decides about more of those who wait, after an {@link Assignments} that was not settled. */
  readonly goOn: () => Assignments;
}

export interface Assignments {
  /** About the Services looked at; most say that all is as it was. */
  readonly decisions: readonly ServiceDecision[];
  readonly settled: boolean;
  /** Of all pools, by name. */
  readonly pools: readonly PoolCounters[];
}

/**
 * Keeps an allocator and the store of statuses in step: a Service is shown to the allocator with the status that was
 * decided last. The status in a Service's own manifest counts only until the first decision about it, so that addresses
 * survive a move from another cluster, and are not brought back by a manifest that still names them later.
 */
export function createAssigner(options: {
  readonly store: StatusStore;
  readonly loadBalancerClass: string;
}): Assigner {
  const { store, loadBalancerClass } = options;
  const state: AllocatorState = createAllocatorState({ loadBalancerClass, missingClusterIPs: 'fromSpec' });
  const counters = new Map<string, PoolCounters>();
  const decided = new Set<string>();
  let services: readonly ServiceObject[] = [];
  let poolsInForce: readonly Pool[] | undefined;

  const asDecided = (service: ServiceObject): ServiceObject => {
    const status = store.get(service.metadata);
    return status || decided.has(objectKey(service.metadata)) ? withServiceStatus(service, status) : service;
  };
  const take = (result: PassResult): Assignments => {
    for (const decision of result.decisions) {
      decided.add(decision.key);
      record(store, decision);
    }
    for (const { pool } of result.pools.counters) counters.delete(pool);
    for (const each of result.pools.counters) counters.set(each.pool, each);
    for (const pool of result.pools.removed) counters.delete(pool);
    return { decisions: result.decisions, settled: result.settled, pools: [...counters.values()] };
  };

  return {
    assign: (snapshot, pools) => {
      const before = services;
      services = snapshot.objects.Service;
      const { changed, deleted } = serviceChanges(before, services);
      for (const key of deleted) {
        decided.delete(key);
        store.remove(refOf(key));
      }
      if (poolsInForce === pools) {
        return take(applyChanges(state, { services: changed.map(asDecided), deleted }));
      }
      if (poolsInForce === undefined) forgetAbsent(store, services);
      poolsInForce = pools;
      return take(allocateAll(state, pools, services.map(asDecided)));
    },
    goOn: () => take(allocateWaiting(state)),
  };
}

/** Statuses that an earlier run left for Services that have been deleted meanwhile. */
function forgetAbsent(store: StatusStore, services: readonly ServiceObject[]): void {
  const present = new Set(services.map(({ metadata }) => objectKey(metadata)));
  for (const status of store.all()) {
    if (!present.has(objectKey(status))) store.remove(status);
  }
}

function record(store: StatusStore, decision: ServiceDecision): void {
  switch (decision.outcome) {
    case 'assigned':
    case 'refused':
      store.set(statusOf(decision));
      return;
    case 'none':
    case 'ignored':
      store.remove(refOf(decision.key));
      return;
    case 'notReady':
      return;
  }
}

function statusOf({ key, ingress, pool, outcome, reason }: ServiceDecision): ServiceStatus {
  return {
    ...refOf(key),
    ingress,
    ...(pool === undefined ? {} : { pool }),
    ...(reason.code === 'assigned'
      ? {}
      : {
          condition: {
            status: outcome === 'assigned' ? 'True' : 'False',
            reason: conditionReason(reason.code),
            message: reason.message,
          },
        }),
  };
}

/** Reasons of conditions are CamelCase. */
function conditionReason(code: string): string {
  return code.charAt(0).toUpperCase() + code.slice(1);
}

function refOf(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
