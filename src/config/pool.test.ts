import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAddressBlock } from '../core/address-block.ts';
import { prefixesOverlap } from '../core/ip.ts';
import { buildConfig } from './index.ts';
import { document, edits, fresh, peer, pool, poolTexts, secret, snapshot, GOLD } from './testing.ts';

describe('pools', () => {
  test('an item gives its prefixes, in the order written; host bits are cleared and ranges covered', () => {
    const { config, problems } = fresh(
      pool(
        'gold',
        '"203.0.113.7/24", "198.51.100.2 - 198.51.100.7", "2001:DB8::/126", "::ffff:192.0.2.1-192.0.2.1"',
      ),
    );
    expect(problems).toEqual([]);
    expect(poolTexts(config)).toEqual({
      gold: [
        ['203.0.113.0/24'],
        ['198.51.100.2/31', '198.51.100.4/30'],
        ['2001:db8::/126'],
        ['192.0.2.1/32'],
      ],
    });
  });

  test('defaults', () => {
    expect(fresh(GOLD).config.pools[0]).toMatchObject({ autoAssign: true, avoidBuggyIPs: false, labels: {} });
    expect(fresh(GOLD).config.pools[0]?.allocation).toBeUndefined();
  });

  test.each([
    { name: 'equal', addresses: '198.51.100.0/24' },
    { name: 'inside', addresses: '198.51.100.128/25' },
    { name: 'around', addresses: '198.51.0.0/16' },
    { name: 'a range up to its first address', addresses: '198.51.99.250-198.51.100.0' },
    { name: 'around, which ends where it ends', addresses: '198.51.96.0-198.51.100.255' },
    { name: 'a range across the end', addresses: '198.51.100.255-198.51.101.0' },
    { name: 'the second item', addresses: '192.0.2.0/24, 198.51.100.4/32' },
  ])('an overlap with another pool: $name', ({ addresses }) => {
    const { config, problems } = fresh(GOLD, pool('silver', addresses));
    expect(Object.keys(poolTexts(config))).toEqual(['gold']);
    expect(problems).toEqual([
      expect.stringMatching(
        /^IPAddressPool metallb-system\/silver: spec\.addresses\[\d\]: ".*": overlaps 198\.51\.100\.0\/24 of IPAddressPool "gold"; an address must be in one pool only$/,
      ),
    ]);
  });

  test('neighbours do not overlap', () => {
    const { config, problems } = fresh(
      pool('a', '198.51.100.0/25'),
      pool('b', '198.51.100.128/25'),
      pool('c', '198.51.101.0-198.51.101.9'),
      pool('d', '198.51.101.10-198.51.101.20'),
      pool('e', '"2001:db8::/64"'),
    );
    expect(problems).toEqual([]);
    expect(config.pools).toHaveLength(5);
  });

  test('without a memory the older pool is used, then the first by name', () => {
    const wide = pool('zinc', '198.51.100.0/24', { created: '2024-01-01T00:00:00Z' });
    const inside = pool('gold', '198.51.100.0/25', { created: '2025-01-01T00:00:00Z' });
    expect(Object.keys(poolTexts(fresh(wide, inside).config))).toEqual(['zinc']);
    const undated = pool('alpha', '198.51.100.0/25');
    expect(Object.keys(poolTexts(fresh(inside, undated).config))).toEqual(['gold']);
    expect(Object.keys(poolTexts(fresh(GOLD, undated).config))).toEqual(['alpha']);
  });

  test('the pool in use wins over a newcomer, however old the newcomer is', () => {
    const older = pool('alpha', '198.51.100.0/25', { created: '2001-01-01T00:00:00Z' });
    expect(Object.keys(poolTexts(edits([GOLD], [GOLD, older]).config))).toEqual(['gold']);
  });

  test('an edit that overlaps is not taken; the version before stays', () => {
    const silver = pool('silver', '192.0.2.0/24');
    const { config, problems } = edits([GOLD, silver], [GOLD, pool('silver', '198.51.100.0/25')]);
    expect(poolTexts(config)).toEqual({ gold: [['198.51.100.0/24']], silver: [['192.0.2.0/24']] });
    expect(problems).toEqual([expect.stringMatching(/overlaps .*; the last good version stays in use$/)]);
  });

  test('two pools may change places in one step', () => {
    const { config, problems } = edits(
      [pool('a', '192.0.2.0/24'), pool('b', '198.51.100.0/24')],
      [pool('a', '198.51.100.0/24'), pool('b', '192.0.2.0/24')],
    );
    expect(problems).toEqual([]);
    expect(poolTexts(config)).toEqual({ a: [['198.51.100.0/24']], b: [['192.0.2.0/24']] });
  });

  test('when one half of such a swap is wrong, both pools stay', () => {
    const { config, problems } = edits(
      [pool('a', '192.0.2.0/24'), pool('b', '198.51.100.0/24')],
      [pool('a', '198.51.100.0/24'), pool('b', '192.0.2.0/33')],
    );
    expect(poolTexts(config)).toEqual({ a: [['192.0.2.0/24']], b: [['198.51.100.0/24']] });
    expect(problems).toEqual([
      'warning: IPAddressPool metallb-system/b: cannot be read; the last good version stays in use',
      'IPAddressPool metallb-system/a: spec.addresses[0]: "198.51.100.0/24": overlaps 198.51.100.0/24 of IPAddressPool "b"; an address must be in one pool only; the last good version stays in use',
    ]);
  });

  test('a deleted pool is gone, and its addresses are free', () => {
    const { config, problems } = edits([GOLD], [pool('silver', '198.51.100.0/24')]);
    expect(problems).toEqual([]);
    expect(Object.keys(poolTexts(config))).toEqual(['silver']);
  });

  test('a pool that cannot be read and was never in use is not there', () => {
    const { config, problems } = fresh(pool('gold', '198.51.100.0/33'));
    expect(config.pools).toEqual([]);
    expect(problems).toEqual([]); // what is wrong was said when it was read
  });

  test('the last good version stays over several bad edits and a restart of the good one', () => {
    const bad = pool('gold', 'x');
    const { config } = edits([GOLD], [bad], [pool('gold', 'y')], [bad]);
    expect(poolTexts(config)).toEqual({ gold: [['198.51.100.0/24']] });
    expect(edits([GOLD], [bad], [GOLD]).problems).toEqual([]);
  });

  test('whatever the pools, those in use never overlap, and none is set aside without a reason', () => {
    const block = fc
      .tuple(fc.nat({ max: 255 }), fc.integer({ min: 24, max: 32 }))
      .map(([host, length]) => `192.0.2.${String(host)}/${String(length)}`);
    const range = fc
      .tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 }))
      .map(([a, b]) => `192.0.2.${String(Math.min(a, b))}-192.0.2.${String(Math.max(a, b))}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(block, range), { maxLength: 12 }), (items) => {
        const { config, problems } = fresh(
          ...items.map((item, index) => pool(`p${String(index).padStart(2, '0')}`, item)),
        );
        const used = config.pools.map(({ name, addresses }) => ({ name, prefixes: addresses.flat() }));
        for (const { name, prefixes } of used) {
          const others = used.filter((other) => other.name !== name).flatMap((other) => other.prefixes);
          expect(prefixes.some((prefix) => others.some((other) => prefixesOverlap(prefix, other)))).toBe(
            false,
          );
        }
        const blamed = new Set(problems.map((problem) => problem.split(':')[0]));
        expect(blamed.size + used.length).toBe(items.length);
        items.forEach((item, index) => {
          const name = `p${String(index).padStart(2, '0')}`;
          if (used.some((pool) => pool.name === name)) return;
          const parsed = parseAddressBlock(item);
          const ours = parsed.ok ? parsed.prefixes : [];
          const earlier = used.filter((pool) => pool.name < name).flatMap(({ prefixes }) => prefixes);
          expect(ours.some((prefix) => earlier.some((other) => prefixesOverlap(prefix, other)))).toBe(true);
        });
      }),
    );
  });

  test('Namespaces that change under pools that do not', () => {
    const spec =
      '{ addresses: [198.51.100.0/24], serviceAllocation: { namespaceSelectors: [{ matchLabels: { tier: web } }] } }';
    const before = snapshot(document('IPAddressPool', 'gold', spec));
    const { Namespace } = snapshot(
      '{ apiVersion: v1, kind: Namespace, metadata: { name: front, labels: { tier: web } } }',
    ).objects;
    const first = buildConfig(before);
    const second = buildConfig({ ...before, objects: { ...before.objects, Namespace } }, first.memory);
    expect(second.config.pools[0]?.allocation?.namespaces).toEqual(new Set(['front']));
  });

  test('namespaces are those listed and those selected', () => {
    const spec =
      '{ addresses: [198.51.100.0/24], serviceAllocation: { priority: 5, namespaces: [shop], namespaceSelectors: [{ matchLabels: { tier: web } }], serviceSelectors: [{ matchLabels: { app: a } }] } }';
    const namespace = (name: string, tier: string): string =>
      `{ apiVersion: v1, kind: Namespace, metadata: { name: ${name}, labels: { tier: ${tier} } } }`;
    const manifests = [
      document('IPAddressPool', 'gold', spec),
      namespace('front', 'web'),
      namespace('back', 'db'),
    ];
    const { config } = fresh(...manifests);
    expect(config.pools[0]?.allocation).toEqual({
      priority: 5,
      namespaces: new Set(['front', 'shop']),
      serviceSelectors: [{ matchLabels: { app: 'a' }, matchExpressions: [] }],
    });
    const later = edits(manifests, [manifests[0] ?? '', namespace('front', 'db'), namespace('back', 'web')]);
    expect(later.config.pools[0]?.allocation?.namespaces).toEqual(new Set(['back', 'shop']));
  });

  test.each([0, -3])('priority %d is unset', (priority) => {
    const spec = `{ addresses: [198.51.100.0/24], serviceAllocation: { priority: ${String(priority)} } }`;
    expect(fresh(document('IPAddressPool', 'gold', spec)).config.pools[0]?.allocation).toEqual({
      namespaces: new Set(),
      serviceSelectors: [],
    });
  });

  test('ten thousand pools are compared in order, not with each other', () => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
      pool(`p${String(index)}`, `10.${String(index >> 8)}.${String(index & 255)}.0/24`),
    );
    const { config, problems } = fresh(...many, pool('zz', '10.5.5.5/32'));
    expect(config.pools).toHaveLength(10_000);
    expect(problems).toHaveLength(1);
  });
});

describe('the MetalLB namespace', () => {
  test('objects elsewhere are not used, with a warning', () => {
    const { config, problems } = fresh(
      pool('gold', '198.51.100.0/24', { namespace: 'shop' }),
      peer('tor1', '192.0.2.1', '', { namespace: 'shop' }),
    );
    expect(config.pools).toEqual([]);
    expect(config.peers).toEqual([]);
    expect(problems).toEqual([
      'warning: IPAddressPool shop/gold: metadata.namespace: shop: is not used; only objects in metallb-system are',
      'warning: BGPPeer shop/tor1: metadata.namespace: shop: is not used; only objects in metallb-system are',
    ]);
  });

  test('a Secret elsewhere is not looked at', () => {
    const elsewhere = secret('tor', 'hunter2').replace('name: tor', 'name: tor, namespace: shop');
    const { problems } = fresh(
      elsewhere,
      peer('tor1', '192.0.2.1', 'passwordSecret: { name: tor, namespace: shop }'),
    );
    expect(problems).toEqual([expect.stringContaining('Secret "tor": is not in MetalLB\'s namespace')]);
  });
});

describe('names', () => {
  const legacy = `apiVersion: metallb.io/v1beta1
kind: AddressPool
metadata: { name: gold }
spec: { protocol: layer2, addresses: [192.0.2.0/24] }`;

  test('a legacy pool yields its name to a current one', () => {
    const { config, problems } = fresh(GOLD, legacy);
    expect(poolTexts(config)).toEqual({ gold: [['198.51.100.0/24']] });
    expect(problems).toEqual([
      'AddressPool metallb-system/gold: the IPAddressPool gold in it, metadata.name: the name "gold" is taken by IPAddressPool metallb-system/gold; choose another name',
    ]);
  });

  test('of two objects of one kind and name the one in use stays, and otherwise the older is used', () => {
    const older = pool('gold', '192.0.2.0/24', { created: '2001-01-01T00:00:00Z' });
    expect(poolTexts(fresh(GOLD, older).config)).toEqual({ gold: [['192.0.2.0/24']] });
    expect(poolTexts(fresh(older, GOLD).config)).toEqual({ gold: [['192.0.2.0/24']] });
    const { config, problems } = edits([GOLD], [older, GOLD]);
    expect(poolTexts(config)).toEqual({ gold: [['198.51.100.0/24']] });
    expect(problems).toEqual([
      'IPAddressPool metallb-system/gold: metadata.name: the name "gold" is taken by another object; choose another name',
    ]);
  });

  test('unless the legacy pool is the one in use', () => {
    const { config, problems } = edits([legacy], [legacy, GOLD]);
    expect(poolTexts(config)).toEqual({ gold: [['192.0.2.0/24']] });
    expect(problems).toEqual([
      'IPAddressPool metallb-system/gold: metadata.name: the name "gold" is taken by AddressPool metallb-system/gold; choose another name',
    ]);
  });
});
