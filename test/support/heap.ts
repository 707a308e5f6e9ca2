import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Used on the heap when nothing is left to collect, bytes. V8 gives its collector to those who ask (`--expose-gc`); a flag
 * that is set late counts for new contexts.
 */
export function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
