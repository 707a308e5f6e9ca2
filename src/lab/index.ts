/**
 * Hosts on one machine: network namespaces, the links between them, and real routing daemons inside, alone or as a
 * whole containerlab topology. It starts, finds and ends them; it never decides what they should announce, and never
 * touches the machine's own interfaces, routes, files or FRR service.
 */
export * from './down.ts';
export * from './error.ts';
export * from './frr/index.ts';
export { LAB_IMAGES, labImage, type LabImage, type LabRole } from './images.ts';
export * from './kernel-routes.ts';
export * from './netns.ts';
export { inNode, runInNode, type NodeRun } from './node.ts';
export * from './privileges.ts';
export * from './processes.ts';
export { isAlive, processRef, statFields, TICKS_PER_SECOND, type ProcessRef } from './process-ref.ts';
export type { Session } from './sessions.ts';
export {
  labFolder,
  labNames,
  nodeLog,
  readState,
  requireLab,
  requireNode,
  type LabState,
  type NodeState,
  type SharedFolder,
} from './state.ts';
export * from './status.ts';
export * from './topology.ts';
export * from './up.ts';
export { cutLinks, endpointText, setWire, type Wire } from './wires.ts';
