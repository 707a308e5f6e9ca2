import type { ServiceObject } from '../api/objects.ts';
import type { Pool } from '../config/types.ts';
import type {
  Allocation,
  AllocatorOptions,
  PassResult,
  PoolChanges,
  PoolCounters,
  PoolsResult,
  ServiceDecision,
} from './types.ts';

/** The functions of this folder, by name. `State` is opaque and owned by the caller; every function changes it in place. */
export interface Allocator<State> {
  readonly createAllocatorState: (options?: AllocatorOptions) => State;
  /** Level-driven: puts the pools in force and decides about every Service; the keys not listed are released. */
  readonly allocateAll: (
    state: State,
    pools: readonly Pool[],
    services: readonly ServiceObject[],
  ) => PassResult;
  /** The usual incremental entry: deletes first, then the Services, then those waiting for what was freed. */
  readonly applyChanges: (
    state: State,
    changes: { readonly services: readonly ServiceObject[]; readonly deleted: readonly string[] },
  ) => PassResult;
  /** One Service alone; when `reprocess` is set call allocateWaiting afterwards. */
  readonly allocateOne: (state: State, service: ServiceObject) => ServiceDecision;
  readonly releaseOne: (
    state: State,
    key: string,
  ) => { readonly released: boolean; readonly reprocess: boolean };
  readonly allocateWaiting: (state: State) => PassResult;
  readonly setPools: (state: State, pools: readonly Pool[]) => PoolsResult;
  /** Changes of pool numbers since the last call that returned PoolChanges. */
  readonly takePoolChanges: (state: State) => PoolChanges;
  readonly poolCounters: (state: State) => readonly PoolCounters[];
  readonly allocationOf: (state: State, key: string) => Allocation | undefined;
  readonly waitingServices: (state: State) => readonly string[];
  readonly isReady: (state: State) => boolean;
  readonly isOurs: (service: ServiceObject, loadBalancerClass: string | undefined) => boolean;
  /** The Service as it will read once the decision is written. */
  readonly withDecision: (service: ServiceObject, decision: ServiceDecision) => ServiceObject;
}
