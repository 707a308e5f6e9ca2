import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { MANIFEST_SCHEMA } from './schema.ts';

/** The values sigs.k8s.io/yaml gives to the same scalars. */
describe('plain scalars as kubectl reads them', () => {
  test.each<{ text: string; want: unknown }>([
    { text: 'yes', want: true },
    { text: 'On', want: true },
    { text: 'y', want: true },
    { text: 'TRUE', want: true },
    { text: 'no', want: false },
    { text: 'OFF', want: false },
    { text: 'N', want: false },
    { text: 'tRUE', want: 'tRUE' },
    { text: '"yes"', want: 'yes' },
    { text: '~', want: null },
    { text: 'Null', want: null },
    { text: '0', want: 0 },
    { text: '-0', want: -0 },
    { text: '64512', want: 64512 },
    { text: '+12', want: 12 },
    { text: '-12', want: -12 },
    { text: '0755', want: 493 },
    { text: '-017', want: -15 },
    { text: '0o17', want: 15 },
    { text: '0x1F', want: 31 },
    { text: '0b101', want: 5 },
    { text: '1_000', want: 1000 },
    { text: '08', want: 8 },
    { text: '1.5', want: 1.5 },
    { text: '.5', want: 0.5 },
    { text: '1e3', want: 1000 },
    { text: '.inf', want: Infinity },
    { text: '-.INF', want: -Infinity },
    { text: '.nan', want: NaN },
    // Base 60 in YAML 1.1, and very common here.
    { text: '64496:10', want: '64496:10' },
    { text: '1:30', want: '1:30' },
    { text: '192.0.2.1', want: '192.0.2.1' },
    { text: '192.0.2.0/24', want: '192.0.2.0/24' },
    { text: '2001:db8::1', want: '2001:db8::1' },
    { text: '3s', want: '3s' },
    { text: '0x', want: '0x' },
    { text: '2026-01-31', want: '2026-01-31' },
    { text: '2026-01-31T10:00:00Z', want: '2026-01-31T10:00:00Z' },
    { text: '!!timestamp 2026-01-31', want: '2026-01-31' },
    { text: '!!str 12', want: '12' },
    { text: '!!int "12"', want: 12 },
  ])('$text', ({ text, want }) => {
    expect(load(`[${text}, x]`, { schema: MANIFEST_SCHEMA })).toEqual([want, 'x']);
  });

  test('an empty value is null', () => {
    expect(load('a:\nb: 1\n', { schema: MANIFEST_SCHEMA })).toEqual({ a: null, b: 1 });
  });

  test('keys are text, whatever they look like', () => {
    expect(load('8080: a\non: b\n', { schema: MANIFEST_SCHEMA })).toEqual({ 8080: 'a', true: 'b' });
  });

  test('merge keys', () => {
    const text = 'base: &base {a: 1, b: 2}\nmerged:\n  <<: *base\n  b: 3\n';
    expect(load(text, { schema: MANIFEST_SCHEMA })).toEqual({ base: { a: 1, b: 2 }, merged: { a: 1, b: 3 } });
  });
});
