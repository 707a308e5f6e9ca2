import { collectDefaultMetrics, type Registry } from 'prom-client';

/**
 * How often it is looked how late the event loop is. With prom-client's own 10 ms this wakes a process that has nothing to do a
 * hundred times a second, which was most of an idle speaker's CPU.
 */
const LOOK_MS = 1_000;

/** Has `registry` tell of the process: `process_*` and `nodejs_*`. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOK_MS });
}
