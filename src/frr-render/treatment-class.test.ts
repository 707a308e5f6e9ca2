import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prefixOf } from '../core/ip.ts';
import { ip } from '../core/test-ip.ts';
import type { BgpDesiredState, BgpRouter, Treatment } from '../reconciler/index.ts';
import { community, peer } from '../reconciler/test-objects.ts';
import { classRouteMaps, neighborRouteMaps } from './route-maps.ts';
import { classOf, treatmentClasses, treatmentsIn } from './treatment-class.ts';

function treatment(localPref: number, names: readonly string[] = ['tor']): Treatment {
  const peers = names.map((name) => ({ peer: name, localPref, communities: [] }));
  return { key: JSON.stringify(peers), peers };
}

function router(...treatments: readonly Treatment[]): BgpRouter {
  return {
    asn: 64496,
    vrf: '',
    neighbors: [peer('tor', '192.0.2.1'), peer('spine', '192.0.2.2')],
    originated: treatments.map((item, index) => ({
      prefix: prefixOf(ip(`10.0.${index >> 8}.${index & 255}`), 32),
      treatment: item,
    })),
  };
}

function state(...treatments: readonly Treatment[]): BgpDesiredState {
  return { routers: [router(...treatments)], bfdProfiles: [], extras: '' };
}

describe('treatment classes', () => {
  test('keep their names while others come and go', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(10_000), { minLength: 2, maxLength: 50 }), fc.nat(), (prefs, cut) => {
        const all = prefs.map((pref) => treatment(pref));
        const some = all.slice(cut % all.length);
        const [before, after] = [treatmentClasses(state(...some)), treatmentClasses(state(...all))];
        for (const item of some) expect(classOf(item, after).name).toBe(classOf(item, before).name);
      }),
    );
  });

  test('are a function of content: order and place do not matter', () => {
    const [a, b] = [treatment(1), treatment(2)];
    expect([...treatmentClasses(state(a, b)).values()].map(({ name }) => name).sort()).toEqual(
      [...treatmentClasses({ ...state(), routers: [router(b), router(a)] }).values()]
        .map(({ name }) => name)
        .sort(),
    );
    expect(classOf(treatment(1), treatmentClasses(state(a))).tag).toBe(
      classOf(a, treatmentClasses(state(a, b))).tag,
    );
  });

  test('have tags of their own in the reserved range, and the tag in the name', () => {
    const classes = [
      ...treatmentClasses(state(...Array.from({ length: 1_000 }, (_, pref) => treatment(pref)))).values(),
    ];
    expect(new Set(classes.map(({ tag }) => tag)).size).toBe(1_000);
    for (const { tag, name } of classes) {
      expect(tag).toBeGreaterThanOrEqual(0xf000_0000);
      expect(tag).toBeLessThanOrEqual(0xffff_ffff);
      expect(name).toBe(`advertise-${tag.toString(16)}`);
    }
  });

  test('a treatment nobody counted is a fault of ours', () => {
    expect(() => classOf(treatment(1), new Map())).toThrow('no class for the treatment');
  });
});

describe('route-maps', () => {
  const both = treatment(100, ['spine', 'tor']);
  const torOnly = treatment(200, ['tor']);
  const bgp = state(both, torOnly);
  const classes = treatmentClasses(bgp);
  const [tag, torTag] = [classOf(both, classes).tag, classOf(torOnly, classes).tag];

  function ofNeighbor(name: string): string[] {
    const [first] = bgp.routers;
    const neighbor = first?.neighbors.find((item) => item.name === name);
    if (!first || !neighbor) throw new Error(name);
    return neighborRouteMaps(treatmentsIn(first), neighbor, classes).map(
      (entry) => `${entry.name} ${entry.action} ${entry.sequence}: ${entry.statements.join(', ')}`,
    );
  }

  test('of a class set its tag', () => {
    expect(classRouteMaps(classes.values())).toEqual(
      [both, torOnly]
        .map((item) => classOf(item, classes))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, tag: own }) => ({
          name,
          action: 'permit',
          sequence: 10,
          statements: [`set tag ${own}`],
        })),
    );
  });

  test('of a neighbor deny by default and permit its own tags, in the order of their numbers', () => {
    const permits = [
      [tag, 100],
      [torTag, 200],
    ].map(
      ([own = 0, pref = 0]) =>
        [1000 + (own % 64_000), `match tag ${own}, set local-preference ${pref}`] as const,
    );
    permits.sort(([a], [b]) => a - b);
    expect(ofNeighbor('tor')).toEqual([
      '192.0.2.1-in deny 20: ',
      ...permits.map(([sequence, statements]) => `192.0.2.1-out permit ${sequence}: ${statements}`),
      '192.0.2.1-out deny 65535: ',
    ]);
    expect(ofNeighbor('spine')).toEqual([
      '192.0.2.2-in deny 20: ',
      `192.0.2.2-out permit ${1000 + (tag % 64_000)}: match tag ${tag}, set local-preference 100`,
      '192.0.2.2-out deny 65535: ',
    ]);
  });

  test('give attributes in one statement each', () => {
    const item: Treatment = {
      key: 'x',
      peers: [
        {
          peer: 'tor',
          localPref: 0,
          communities: ['large:1:2:3', '64496:1', '65535:65281', 'large:64496:1:1'].map(community),
        },
      ],
    };
    const one = router(item);
    const own = treatmentClasses({ ...state(), routers: [one] });
    const [, permit] = neighborRouteMaps(treatmentsIn(one), peer('tor', '192.0.2.1'), own);
    expect(permit?.statements.slice(1)).toEqual([
      'set community 64496:1 65535:65281 additive',
      'set large-community 1:2:3 64496:1:1 additive',
      'set local-preference 0',
    ]);
  });

  test('hold more classes than there could be at one sequence number', () => {
    const many = Array.from({ length: 5_000 }, (_, pref) => treatment(pref));
    const one = router(...many.map((item) => item));
    const own = treatmentClasses({ ...state(), routers: [one] });
    const entries = neighborRouteMaps(treatmentsIn(one), peer('tor', '192.0.2.1'), own);
    expect(new Set(entries.map(({ name, sequence }) => `${name} ${sequence}`)).size).toBe(entries.length);
    for (const { sequence } of entries.slice(1, -1)) {
      expect(sequence).toBeGreaterThanOrEqual(1_000);
      expect(sequence).toBeLessThan(65_000);
    }
  });
});
