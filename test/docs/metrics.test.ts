import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createControllerMetrics } from '../../src/controller/metrics.ts';
import { createSpeakerMetrics } from '../../src/speaker/metrics.ts';

/** `docs/metrics.md` has every metric that there is, as it is, and no other. */

const text = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');

/** Rows of a section's table, without the meaning: `name type label label`. */
function documented(section: string): string[] {
  const part = text.split(/^## /m).find((each) => each.startsWith(`${section}\n`)) ?? '';
  const rows = part.matchAll(/^\| `(metallb_\w+)` *\| (\w+) *\| ([\w, ]*)\| (.+?) *\|$/gm);
  return [...rows].map(([, name = '', type = '', labels = '', meaning = '']) => {
    expect(meaning, name).toMatch(/[.]$/);
    return [name, type, ...labels.split(/[ ,]+/).filter(Boolean)].join(' ');
  });
}

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

test.each([
  { section: 'Controller', registry: createControllerMetrics().registry },
  { section: 'Speaker', registry: createSpeakerMetrics({ node: 'n1' }).registry },
])('$section: docs/metrics.md has every metric, with its type and labels', ({ section, registry }) => {
  const there = registered(registry);
  expect(there.length).toBeGreaterThan(10);
  expect(documented(section).sort()).toEqual([...there].sort());
});
