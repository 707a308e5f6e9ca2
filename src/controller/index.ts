/**
 * The cluster's controller: source to allocator to statuses. It wires the pure folders to the edges and decides nothing
 * itself.
 */
export { runController, type ControllerOptions } from './controller.ts';
