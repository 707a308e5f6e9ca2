import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { CHART, type Schema } from './chart.ts';

/** The chart's values: what may be set, and what stands there when nothing is. */

export interface ValueLeaf {
  /** `controller.tolerations[].effect`: `[]` stands for any item. */
  readonly path: string;
  readonly schema: Schema;
}

export function valuesSchema(): Schema {
  return JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;
}

export function defaultValues(): unknown {
  return load(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
}

/** What can be set by itself: everything that has no known fields, and the fields of items of lists. */
export function valueLeaves(schema: Schema, path = ''): readonly ValueLeaf[] {
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([name, inner]) =>
      valueLeaves(inner, path === '' ? name : `${path}.${name}`),
    );
  }
  if (schema.items?.properties) return valueLeaves(schema.items, `${path}[]`);
  return [{ path, schema }];
}

/** Whoever reads the description knows that the value changes nothing. */
export function isUnused({ schema }: ValueLeaf): boolean {
  return schema.description?.endsWith('; not used.') === true;
}

/** What stands at a path; undefined: nothing. */
export function valueAt(values: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>> | undefined)?.[name], values);
}
