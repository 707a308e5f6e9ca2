/**
 * The API's kinds as their users write them: unknown data in, typed objects and Problems out.
 *
 * Decides what a well-formed object is: its fields, their ranges and their grammar, one object at a time, legacy
 * forms included. Never looks at a second object, never resolves a reference, never reads a file or the API server.
 */
export * from './objects.ts';
export type { ClusterSnapshot } from './snapshot.ts';
export { isMetallbKind, writeManifest } from './write-manifest.ts';
export { CONFIGURATION_ERROR, configurationState } from './configuration-state.ts';
export type { StatusObject } from './status-object.ts';
export { parseManifest } from './manifest.ts';
export type { ManifestOptions, ManifestResult } from './manifest.ts';
