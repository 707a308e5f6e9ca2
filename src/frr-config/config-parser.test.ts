import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { heapUsed } from '../../test/support/index.ts';
import { createFrrConfigParser, parseFrrConfig, type FrrConfig } from './index.ts';

/** With statements in an order of their own, which means nothing. */
function shown({ version, contexts }: FrrConfig): unknown {
  return [
    version,
    ...[...contexts.values()].map(({ key, path, statements }) => [key, path, new Set(statements.values())]),
  ];
}

function afterwards(before: string, after: string): FrrConfig {
  const parse = createFrrConfigParser();
  parse(before);
  return parse(after);
}

const network = (prefix: string, map = 'a'): string => `  network ${prefix} route-map ${map}`;

function text(ipv4: readonly string[], rest: readonly string[] = []): string {
  return [
    'frr version 10.3',
    'route-map a permit 10',
    ' set tag 1',
    'exit',
    '!',
    'router bgp 64496',
    ' neighbor 192.0.2.1 remote-as 64497',
    ' !',
    ' address-family ipv4 unicast',
    ...ipv4,
    '  neighbor 192.0.2.1 activate',
    ' exit-address-family',
    'exit',
    ...rest,
    'end',
    '',
  ].join('\n');
}

const LINES = [1, 2, 3, 4].map((last) => network(`198.51.100.${last}/32`));
const without = (index: number): string[] => LINES.filter((_, at) => at !== index);

test('texts are not kept, whatever was cut out of them', () => {
  const lines = Array.from({ length: 5_000 }, (_, at) => network(`10.1.${at >> 8}.${at & 255}/32`));
  const parse = createFrrConfigParser();
  parse(text(lines));
  const before = heapUsed();
  for (let more = 1; more <= 200; more += 1) {
    parse(text([...lines, ...lines.slice(0, more).map((line) => line.replace('10.1.', '10.2.'))]));
  }
  // 200 texts are 44 MB.
  expect(heapUsed() - before).toBeLessThan(10_000_000);
  expect(parse(text(lines)).contexts.size).toBeGreaterThan(0);
});

describe('a text after another', () => {
  test.each<[string, string, string]>([
    ['the very same', text(LINES), text(LINES)],
    ['a line more at the end', text(without(3)), text(LINES)],
    ['a line more in the middle', text(without(1)), text(LINES)],
    ['a line more at the beginning', text(without(0)), text(LINES)],
    ['a line less at the beginning', text(LINES), text(without(0))],
    ['a line less at the end', text(LINES), text(without(3))],
    ['another class', text(LINES), text([...without(3), network('198.51.100.4/32', 'b')])],
    ['the first of all', text([]), text([network('198.51.100.1/32')])],
    ['the last of all', text([network('198.51.100.1/32')]), text([])],
    [
      'one that begins like another',
      text([network('198.51.100.0/24')]),
      text([network('198.51.100.0/2'), network('198.51.100.0/24')]),
    ],
    ['the same prefix twice', text(LINES), text([...LINES, network('198.51.100.2/32', 'b')])],
    ['one of the same prefix less', text([...LINES, network('198.51.100.2/32', 'b')]), text(LINES)],
    [
      'the other one of the same prefix less',
      text([...LINES, network('198.51.100.2/32', 'b')]),
      text([...without(1), network('198.51.100.2/32', 'b')]),
    ],
    [
      'in the second of two routers',
      text(LINES, [
        'router bgp 64496 vrf red',
        ' address-family ipv4 unicast',
        ...without(2),
        ' exit-address-family',
        'exit',
      ]),
      text(LINES, [
        'router bgp 64496 vrf red',
        ' address-family ipv4 unicast',
        ...LINES,
        ' exit-address-family',
        'exit',
      ]),
    ],
    [
      'outside of any address family',
      text(LINES, ['router bgp 64496', network('203.0.113.1/32'), 'exit']),
      text(LINES, ['router bgp 64496', network('203.0.113.1/32'), network('203.0.113.2/32'), 'exit']),
    ],
    ['something else as well', text(LINES), text(without(1), ['hostname n2'])],
    ['a text without an end', text(LINES).slice(0, -1), text(without(1)).slice(0, -1)],
    ['nothing', text(LINES), ''],
    ['from nothing', '', text(LINES)],
  ])('is read as if it were the first: %s', (_, before, after) => {
    expect(shown(afterwards(before, after))).toEqual(shown(parseFrrConfig(after)));
  });

  test('shares what did not change', () => {
    const parse = createFrrConfigParser();
    const before = parse(text(without(1)));
    const after = parse(text(LINES));
    const others = [...before.contexts.keys()].filter((key) => !key.includes('address-family'));
    expect(others.length).toBeGreaterThan(1);
    for (const key of others) expect(after.contexts.get(key)).toBe(before.contexts.get(key));
    expect(parse(text(LINES))).toBe(after);
  });

  test('is read as if it were the first, whatever lines come and go', () => {
    const line = fc.oneof(
      { weight: 6, arbitrary: fc.nat(9).map((last) => network(`198.51.100.${last}/32`)) },
      { weight: 2, arbitrary: fc.nat(3).map((last) => network(`198.51.100.${last}/3`, 'b')) },
      fc.constantFrom(
        '  network 198.51.100.1/32',
        ' exit-address-family',
        ' address-family ipv6 unicast',
        'exit',
        'router bgp 64496 vrf red',
        ' address-family ipv4 unicast',
        '! a comment',
        '',
        ' network 198.51.100.2/32 route-map a',
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.array(line, { maxLength: 14 }), { minLength: 2, maxLength: 5 }), (texts) => {
        const parse = createFrrConfigParser();
        for (const lines of texts) {
          for (const kept of [lines, lines.slice(1), lines.toSpliced(Math.floor(lines.length / 2), 1)]) {
            expect(shown(parse(text(kept)))).toEqual(shown(parseFrrConfig(text(kept))));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
