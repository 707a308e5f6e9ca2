import type { ClusterSnapshot } from '../api/index.ts';
import type { Problem } from '../core/problem.ts';
import type { Config } from './types.ts';

/** What was in force, kept by the caller from one call to the next and opaque to it. */
export interface ConfigMemory {
  readonly config: Config;
}

export interface ConfigResult {
  readonly config: Config;
  readonly problems: readonly Problem[];
  readonly memory: ConfigMemory;
}

/**
 * Turns the metallb.io objects of `snapshot.namespace` into a Config. Never throws for what a user wrote: a wrong
 * object is set aside with its Problem, or its last good version stays in force.
 * @param previous the `memory` of the call before; absent at start
 * @returns when nothing that matters changed, the very `config` of the call before
 */
export function buildConfig(snapshot: ClusterSnapshot, previous?: ConfigMemory): ConfigResult {
  throw new Error(`not written yet: ${snapshot.namespace} ${String(previous === undefined)}`);
}
