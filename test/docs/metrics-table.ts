import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A row of a table in `docs/metrics.md`. */
export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly meaning: string;
}

/** @param section `Controller` or `Speaker` */
export function documentedMetrics(section: string): readonly DocumentedMetric[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
  const part = text.split(/^## /m).find((each) => each.startsWith(`${section}\n`)) ?? '';
  const rows = part.matchAll(/^\| `(metallb_\w+)` *\| (\w+) *\| ([\w, ]*)\| (.+?) *\|$/gm);
  return [...rows].map(([, name = '', type = '', labels = '', meaning = '']) => ({
    ...{ name, type, meaning },
    labels: labels.split(/[ ,]+/).filter(Boolean),
  }));
}
