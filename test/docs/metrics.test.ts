import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createControllerMetrics } from '../../src/controller/metrics.ts';
import { createSpeakerMetrics } from '../../src/speaker/metrics.ts';
import { createLayer2Metrics } from '../../src/speaker/layer2/index.ts';
import { documentedMetrics } from './metrics-table.ts';

/** `docs/metrics.md` has every metric that there is, as it is, and no other. */

/** What prom-client knows of a metric beside what its types say. */
interface Known {
  readonly name: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

function registered(registry: Registry): string[] {
  return (registry.getMetricsAsArray() as unknown as Known[])
    .filter(({ name }) => name.startsWith('metallb_'))
    .map(({ name, type, labelNames }) => [name, type, ...labelNames].join(' '));
}

function layer2Registry(): Registry {
  const registry = new Registry();
  createLayer2Metrics(registry);
  return registry;
}

test.each([
  { section: 'Controller', registry: createControllerMetrics().registry },
  { section: 'Speaker', registry: createSpeakerMetrics({ node: 'n1' }).registry },
  { section: 'Layer 2', registry: layer2Registry() },
])('$section: docs/metrics.md has every metric, with its type and labels', ({ section, registry }) => {
  const there = registered(registry);
  expect(there.length).toBeGreaterThan(5);
  const documented = documentedMetrics(section);
  for (const { name, meaning } of documented) expect(meaning, name).toMatch(/[.]$/);
  const lines = documented.map(({ name, type, labels }) => [name, type, ...labels].join(' '));
  expect(lines.sort()).toEqual([...there].sort());
});
