import type { Schema } from './chart.ts';
import { valueAt } from './values-schema.ts';

/** The table of the chart's README: every value with its default and its meaning, as the schema and values.yaml have them. */
export function renderValuesTable(schema: Schema, defaults: unknown): string {
  const rows = rowsOf(schema, defaults, '');
  const header = ['Value', 'Default', 'Meaning'];
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] ?? title).length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** A list is one row: what its items may have is in the schema. */
function rowsOf(schema: Schema, defaults: unknown, path: string): string[][] {
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([name, inner]) =>
      rowsOf(inner, defaults, path === '' ? name : `${path}.${name}`),
    );
  }
  const value = valueAt(defaults, path);
  const words = schema.enum?.map((word) => `\`${String(word)}\``).join(', ');
  const meaning = `${schema.description ?? ''}${words === undefined ? '' : ` One of ${words}.`}`;
  return [
    [
      `\`${path}\``,
      value === undefined ? '' : `\`${JSON.stringify(value)}\``,
      meaning.replaceAll('|', String.raw`\|`),
    ],
  ];
}
