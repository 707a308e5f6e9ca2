/**
 * API objects -> the validated Config and the Problems found on the way.
 *
 * Decides which objects are used: resolves references, applies the rules between objects, keeps the last good
 * version of an object whose new one is wrong. Never allocates an address, never says what a node announces,
 * never reads anything but its arguments.
 */
export * from './types.ts';
export { buildConfig } from './build-config.ts';
export type { ConfigResult } from './build-config.ts';
export type { ConfigMemory } from './memory.ts';
export { problemsOfNode } from './problems-of-node.ts';
export { selectForNode } from './select-for-node.ts';
export type { NodeIdentity, NodeSelection } from './select-for-node.ts';
export { localPrefConflict } from './local-pref-conflict.ts';
