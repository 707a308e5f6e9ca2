import { describe, expect, test } from 'vitest';
import { manifest, parse, parseSpec } from './testing.ts';

describe('BFDProfile', () => {
  test('an absent spec: nothing is set, and both modes are off', () => {
    expect(parseSpec('BFDProfile', undefined)).toMatchObject({ problems: [] });
    expect(parseSpec('BFDProfile', undefined).spec).toEqual({ echoMode: false, passiveMode: false });
    expect(parseSpec('BFDProfile', { receiveInterval: null, echoMode: null }).spec).toEqual({
      echoMode: false,
      passiveMode: false,
    });
  });

  test.each([
    { field: 'receiveInterval', min: 10, max: 60_000 },
    { field: 'transmitInterval', min: 10, max: 60_000 },
    { field: 'echoInterval', min: 10, max: 60_000 },
    { field: 'detectMultiplier', min: 2, max: 255 },
    { field: 'minimumTtl', min: 1, max: 254 },
  ])('$field: $min to $max', ({ field, min, max }) => {
    for (const value of [min, max]) {
      expect(parseSpec('BFDProfile', { [field]: value })).toMatchObject({
        spec: { [field]: value },
        problems: [],
      });
    }
    for (const value of [min - 1, max + 1, min + 0.5]) {
      expect(parseSpec('BFDProfile', { [field]: value }).problems).toEqual([
        `spec.${field}: ${String(value)}: must be a whole number from ${String(min)} to ${String(max)}`,
      ]);
    }
  });

  test('the name must fit FRR', () => {
    const named = (name: string): readonly string[] =>
      parse({ ...manifest('BFDProfile', {}), metadata: { name } }).problems;
    expect(named('a'.repeat(64))).toEqual([]);
    expect(named('a'.repeat(65))).toEqual([
      `metadata.name: "${'a'.repeat(65)}": must have at most 64 characters, FRR's limit for a BFD profile`,
    ]);
  });
});

describe('Community', () => {
  test('an absent spec names nothing', () => {
    expect(parseSpec('Community', undefined)).toMatchObject({ spec: { communities: [] }, problems: [] });
  });

  test.each(['0:0', '65535:65535', 'large:0:0:0', 'large:4294967295:1:4294967295'])('%s', (value) => {
    const communities = [{ name: 'a', value }];
    expect(parseSpec('Community', { communities })).toMatchObject({ spec: { communities }, problems: [] });
  });

  test.each([
    '',
    '1',
    '1:',
    ':1',
    '1:2:3',
    '65536:0',
    '0:65536',
    '-1:0',
    '1:2 ',
    'a:b',
    'big:1:2:3',
    'large:4294967296:0:0',
    'large:1:2',
    'no-export',
    '1:2\n',
  ])('%j is refused', (value) => {
    expect(parseSpec('Community', { communities: [{ name: 'a', value }] }).problems).toEqual([
      `spec.communities[0].value: ${JSON.stringify(value)}: must be a community such as "64496:100" (two numbers up to 65535) or "large:64496:1:2" (three up to 4294967295)`,
    ]);
  });

  test('a name without a value, and a name twice', () => {
    expect(parseSpec('Community', { communities: [{ name: 'a' }] }).problems).toEqual([
      'spec.communities[0].value: is required: the community: 64496:100 or large:64496:1:2',
    ]);
    const twice = [
      { name: 'a', value: '1:1' },
      { name: 'a', value: '1:2' },
    ];
    expect(parseSpec('Community', { communities: twice }).problems).toEqual([
      'spec.communities[1].name: "a": is defined twice; define it once',
    ]);
  });
});
