import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHART } from './chart.ts';
import { renderValuesTable } from './values-table.ts';
import { defaultValues, valuesSchema } from './values-schema.ts';

const PATH = join(CHART, 'README.md');

test('the table of the README is made from the schema (UPDATE_GOLDEN=1 writes it)', () => {
  const text = readFileSync(PATH, 'utf8');
  const table = renderValuesTable(valuesSchema(), defaultValues());
  const parts = /^([^]*<!-- values: begin -->\n)[^]*(\n<!-- values: end -->\n[^]*)$/.exec(text);
  expect(parts, 'the marks around the table').not.toBeNull();
  const [, before = '', after = ''] = parts ?? [];
  const wanted = `${before}\n${table}\n${after}`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(PATH, wanted);
  expect(readFileSync(PATH, 'utf8')).toBe(wanted);
});
