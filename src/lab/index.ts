/**
 * Hosts on one machine: network namespaces, the links between them, and real routing daemons inside. It starts, finds
 * and ends them; it never decides what they should announce, and never touches the machine's own interfaces, routes or
 * FRR service.
 */
export * from './frr/index.ts';
export * from './netns.ts';
export * from './privileges.ts';
