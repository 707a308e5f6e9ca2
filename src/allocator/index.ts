/**
 * Decides which addresses each LoadBalancer Service gets from the pools, or why it gets none, and which Events and pool
 * numbers follow from that. It never writes a status, reads a clock, waits or logs: callers give it objects and carry out
 * what it returns.
 */
export type * from './types.ts';
export type { Allocator } from './signatures.ts';
