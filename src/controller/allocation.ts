import {
  allocateAll,
  allocateWaiting,
  applyChanges,
  createAllocatorState,
  isReady,
  type PassResult,
  type ServiceDecision,
} from '../allocator/index.ts';
import type { ServiceObject } from '../api/index.ts';
import { buildConfig, type ConfigMemory, type Pool } from '../config/index.ts';
import type { Problem } from '../core/problem.ts';
import { withServiceStatus, type SourceState, type StatusStore } from '../source/index.ts';
import { changedServices } from './changed-services.ts';
import { unreadServices } from './unread-services.ts';

export interface AllocationStep {
  readonly decisions: readonly ServiceDecision[];
  readonly deleted: readonly string[];
  /** Of the configuration. */
  readonly problems: readonly Problem[];
  /** More would come of calling again with the same snapshot. */
  readonly unsettled: boolean;
}

export interface AllocationOptions {
  readonly loadBalancerClass: string;
  /** What was written last about Services; it is the memory of what was given. */
  readonly statuses: Pick<StatusStore, 'get' | 'all'>;
}

/**
 * Gives the function that turns each snapshot into decisions. A change of the pools looks at every Service, a change of
 * Services at those alone.
 */
export function createAllocation(options: AllocationOptions): (source: SourceState) => AllocationStep {
  const state = createAllocatorState({
    loadBalancerClass: options.loadBalancerClass,
    // A folder has no API server that would give cluster IPs.
    missingClusterIPs: 'fromSpec',
  });
  let memory: ConfigMemory | undefined;
  let pools: readonly Pool[] | undefined;
  let services: readonly ServiceObject[] = [];
  const asWritten = (service: ServiceObject): ServiceObject => {
    const status = options.statuses.get(service.metadata);
    return status ? withServiceStatus(service, status) : service;
  };

  return ({ snapshot, unread }) => {
    const built = buildConfig(snapshot, memory);
    memory = built.memory;
    const before = services;
    services = snapshot.objects.Service;
    if (unread.length > 0) services = [...services, ...unreadServices(options.statuses.all(), services)];
    let result: PassResult;
    if (!isReady(state) || pools !== built.config.pools) {
      pools = built.config.pools;
      result = allocateAll(state, pools, services.map(asWritten));
    } else {
      const { changed, deleted } = changedServices(before, services);
      result =
        changed.length === 0 && deleted.length === 0
          ? allocateWaiting(state)
          : applyChanges(state, { services: changed.map(asWritten), deleted });
    }
    // While some objects are unread, a pool or a request may be among them: nothing is taken away.
    const decisions =
      unread.length === 0 ? result.decisions : result.decisions.filter(({ ingress }) => ingress.length > 0);
    return {
      decisions,
      deleted: result.deleted,
      problems: built.problems,
      unsettled: !result.settled,
    };
  };
}
