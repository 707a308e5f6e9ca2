import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { collectProcessMetrics } from './process-metrics.ts';

const WINDOW_MS = 500;

/** How often the event loop went round while nothing was to be done. */
async function turns(): Promise<number> {
  const before = performance.nodeTiming.uvMetricsInfo.loopCount;
  await delay(WINDOW_MS);
  return performance.nodeTiming.uvMetricsInfo.loopCount - before;
}

test('tells of the process, and lets it sleep', async () => {
  const registry = new Registry();
  collectProcessMetrics(registry);
  // Once each 10 ms it would be 50.
  expect(await turns()).toBeLessThan(25);
  const text = await registry.metrics();
  expect(text).toContain('process_resident_memory_bytes');
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
});
