import { readFileSync } from 'node:fs';
import { readManifests, STDIN_PATH, type SourceState } from '../source/index.ts';

/** Reads what `-f` names, standard input included. */
export function manifestsFrom(paths: readonly string[], namespace: string): SourceState {
  const stdin = paths.includes(STDIN_PATH) ? { stdin: readFileSync(0) } : {};
  return readManifests({ paths, namespace, ...stdin });
}
