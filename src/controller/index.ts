/**
 * The controller, one for each source: source to allocator to statuses. It wires the pure folders to the edges. What it
 * decides itself is that addresses of an earlier run stay while it cannot read all that they may depend on.
 */
export type { OpenBackend } from './backend.ts';
export { runController, type ControllerOptions } from './controller.ts';
export { clusterBackend } from './cluster-backend.ts';
export { folderBackend } from './folder-backend.ts';
export { createControllerMetrics } from './metrics.ts';
