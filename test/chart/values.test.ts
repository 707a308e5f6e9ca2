import { describe, expect, test } from 'vitest';
import { findHelm, template } from './helm.ts';
import {
  defaultValues,
  isUnused,
  valueAt,
  valueLeaves,
  valuesSchema,
  type ValueLeaf,
} from './values-schema.ts';
import type { Schema } from './chart.ts';

/** Every value of the schema does something: set to another than its default, it changes what helm makes. */

const ALERTS = { prometheusRule: { enabled: true } };
const MONITORS = { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } };
const OF_PROMETHEUS = { serviceAccount: 'prometheus', namespace: 'monitoring' };

/** What must be set beside a value for it to matter, by where its path begins; the first that fits. */
const BESIDE: readonly { readonly path: string; readonly values: object }[] = [
  { path: 'controller.metricsPort', values: { prometheus: { plainHTTP: true } } },
  { path: 'speaker.metricsPort', values: { prometheus: { plainHTTP: true } } },
  {
    path: 'controller.podDisruptionBudget.minAvailable',
    values: { controller: { podDisruptionBudget: { enabled: true } } },
  },
  { path: 'networkpolicies.', values: { networkpolicies: { enabled: true } } },
  { path: 'prometheus.podMonitor.', values: { prometheus: MONITORS } },
  { path: 'prometheus.serviceMonitor.', values: { prometheus: MONITORS } },
  {
    path: 'prometheus.prometheusRule.addressPoolUsage.thresholds[].labels',
    values: {
      prometheus: { prometheusRule: { enabled: true, addressPoolUsage: { thresholds: [{ percent: 17 }] } } },
    },
  },
  { path: 'prometheus.prometheusRule.', values: { prometheus: ALERTS } },
  { path: 'prometheus.rbacPrometheus', values: { prometheus: OF_PROMETHEUS } },
  { path: 'prometheus.serviceAccount', values: { prometheus: OF_PROMETHEUS } },
  { path: 'prometheus.namespace', values: { prometheus: OF_PROMETHEUS } },
];

const leaves = valueLeaves(valuesSchema());
const defaults = defaultValues() as object;

/** Values that are allowed and not the default: every word of an enum, one of anything else. */
function othersThan(before: unknown, { schema }: ValueLeaf): readonly unknown[] {
  if (schema.enum) return schema.enum.filter((word) => word !== before && word !== '');
  return schema.examples ?? [anotherThan(before, schema)];
}

function anotherThan(before: unknown, schema: Schema): unknown {
  const type = typeof schema.type === 'object' ? schema.type[0] : schema.type;
  if (type === 'boolean') return before !== true;
  if (type === 'integer') return Number(before ?? 0) + 1;
  // Also an interval, and part of a name.
  if (type === 'string') return before === '17s' ? '18s' : '17s';
  if (type === 'array') return [anotherThan(undefined, schema.items ?? {})];
  if (type === 'object') return { another: '17' };
  throw new Error(`no other value than ${JSON.stringify(before)} for ${JSON.stringify(schema)}`);
}

/** `controller.tolerations[].key` with `v`: `{controller: {tolerations: [{key: 'v'}]}}`. */
function valuesWith(path: string, value: unknown): object {
  const [name = '', ...rest] = path.split('.');
  const inner = rest.length === 0 ? value : valuesWith(rest.join('.'), value);
  return name.endsWith('[]') ? { [name.slice(0, -2)]: [inner] } : { [name]: inner };
}

function merged(a: object, b: object): object {
  const result: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const there = result[name];
    const both = [there, value].every((each) => typeof each === 'object' && !Array.isArray(each));
    const [one, other] = [there, value].map((each) =>
      Array.isArray(each) ? (each as unknown[])[0] : undefined,
    );
    const areItems = typeof one === 'object' && typeof other === 'object';
    if (both) result[name] = merged(there as object, value as object);
    else result[name] = areItems ? [merged(one!, other!)] : value;
  }
  return result;
}

const helm = await findHelm();

if (helm === undefined)
  test.skip('skipped: no helm; run `npm run cluster -- tools`, or name one in HELM', () => undefined);
else
  describe('a value that is set', () => {
    withHelm(helm);
  });

function withHelm(program: string): void {
  const rendered = new Map<string, string>();
  const render = (values: object): string => {
    const key = JSON.stringify(values);
    const known = rendered.get(key);
    if (known !== undefined) return known;
    const { ok, text, fault } = template(program, values);
    if (!ok) throw new Error(`${key}: ${fault}`);
    rendered.set(key, text);
    return text;
  };

  test('what must stand beside others is known to the schema', () => {
    const unknown = BESIDE.filter(({ path }) => !leaves.some((leaf) => leaf.path.startsWith(path)));
    expect(unknown).toEqual([]);
    expect(leaves.length).toBeGreaterThan(60);
  });

  test.each(leaves)('$path changes what is made, or says that it does not', (leaf) => {
    const { path } = leaf;
    const beside = BESIDE.find((each) => path.startsWith(each.path))?.values ?? {};
    const before = render(beside);
    const values = othersThan(valueAt(merged(defaults, beside), path), leaf);
    // Of one word there is no other.
    if (leaf.schema.enum?.length !== 1) expect(values).not.toEqual([]);
    const without = values.filter((value) => render(merged(beside, valuesWith(path, value))) === before);
    expect(without).toEqual(isUnused(leaf) ? values : []);
  });
}
