/**
 * Decides which addresses each LoadBalancer Service gets from the pools, or why it gets none, and which Events and pool
 * numbers follow from that. It never writes a status, reads a clock, waits or logs: callers give it objects and carry out
 * what it returns.
 *
 * `allocateAll` once with every Service makes the state ready; `applyChanges` then takes what changed; `allocateAll` again
 * whenever the pools changed. The objects given carry the status as last decided (`withDecision`).
 */
export type * from './types.ts';
export {
  allocateOne,
  allocationOf,
  createAllocatorState,
  isReady,
  poolCounters,
  releaseOne,
  setPools,
  takePoolChanges,
  waitingServices,
  type AllocatorState,
} from './allocator.ts';
export { allocateAll, allocateWaiting, applyChanges } from './pass.ts';
export { capacityOf } from './capacity.ts';
export { withDecision } from './decision.ts';
export { isOurs } from './service-class.ts';
