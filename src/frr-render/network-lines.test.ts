import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparePrefix, parsePrefix } from '../core/ip.ts';
import type { BgpRouter, OriginatedPrefix, Treatment } from '../reconciler/index.ts';
import { createNetworkLines } from './network-lines.ts';
import type { TreatmentClass } from './treatment-class.ts';

const TREATMENTS: readonly Treatment[] = ['first', 'second'].map((key) => ({ key, peers: [] }));
/** Some begin with what others are, and some families may be missing. */
const PREFIXES = [
  '192.0.2.1/32',
  '192.0.2.1/3',
  '192.0.2.10/32',
  '192.0.2.11/32',
  '2001:db8::/64',
  '2001:db8::1/128',
];

const originated = fc
  .tuple(fc.subarray(PREFIXES), fc.array(fc.constantFrom(...TREATMENTS), { minLength: 6, maxLength: 6 }))
  .map(([texts, treatments]) =>
    texts
      .map((text, at): OriginatedPrefix => ({ prefix: parsePrefix(text)!, treatment: treatments[at]! }))
      .sort((a, b) => comparePrefix(a.prefix, b.prefix)),
  );
const routers = fc.array(originated, { maxLength: 2 }).map((lists) =>
  lists.map((list, at): BgpRouter => ({
    asn: 64_500,
    vrf: at === 0 ? '' : 'red',
    neighbors: [],
    originated: list,
  })),
);

function classes(names: readonly string[]): ReadonlyMap<string, TreatmentClass> {
  return new Map(
    TREATMENTS.map((treatment, at) => [treatment.key, { treatment, tag: at, name: names[at] ?? '' }]),
  );
}

describe('the lines of all prefixes', () => {
  const [router] = [
    {
      ...{ asn: 64_500, vrf: '', neighbors: [] },
      originated: ['192.0.2.1/32', '2001:db8::/64'].map((text) => ({
        ...{ prefix: parsePrefix(text)!, treatment: TREATMENTS[0]! },
      })),
    },
  ];

  test('stand in their family, as FRR prints them', () => {
    expect(createNetworkLines()([router], classes(['a', 'b'])).get('')).toEqual({
      ipv4: '  network 192.0.2.1/32 route-map a\n',
      ipv6: '  network 2001:db8::/64 route-map a\n',
    });
  });

  test('are those that are written for the first time, whatever was written before', () => {
    const names = fc.constantFrom(['a', 'b'], ['b', 'a'], ['a', 'c']);
    fc.assert(
      fc.property(fc.array(fc.tuple(routers, names), { minLength: 2 }), (rounds) => {
        const lines = createNetworkLines();
        for (const [each, called] of rounds) {
          expect(lines(each, classes(called))).toEqual(createNetworkLines()(each, classes(called)));
        }
      }),
      { numRuns: 500 },
    );
  });
});
