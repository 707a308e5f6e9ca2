import { describe, expect, test } from 'vitest';
import { buildConfig } from './index.ts';
import { document, edits, fresh, peer, pool, poolTexts, snapshot, GOLD } from './testing.ts';

describe('communities', () => {
  const advertisement = (communities: string): string =>
    document('BGPAdvertisement', 'adv', `{ communities: [${communities}] }`);
  const alias = (name: string, value: string): string =>
    document('Community', 'names', `{ communities: [{ name: "${name}", value: "${value}" }] }`);

  test('aliases and literals, merged and in ascending order', () => {
    const { config, problems } = fresh(
      advertisement('"64496:200", no-transit, "large:64496:1:2", "64496:100", "0:5"'),
      alias('no-transit', '64496:100'),
    );
    expect(problems).toEqual([]);
    expect(config.bgpAdvertisements[0]?.communities.map(({ text }) => text)).toEqual([
      '0:5',
      'large:64496:1:2',
      '64496:100',
      '64496:200',
    ]);
  });

  test('an alias wins over a literal of the same text', () => {
    const { config } = fresh(advertisement('"64496:1"'), alias('64496:1', '64496:2'));
    expect(config.bgpAdvertisements[0]?.communities.map(({ text }) => text)).toEqual(['64496:2']);
  });

  test.each([
    { text: 'no-transit', transient: true, reason: 'UnresolvedReference' },
    { text: '1:2:3', transient: true, reason: 'UnresolvedReference' },
    { text: '64496:65536', transient: false, reason: 'InvalidValue' },
    { text: 'a:b', transient: false, reason: 'InvalidValue' },
    { text: 'big:1:2:3', transient: false, reason: 'InvalidValue' },
    { text: 'large:1:2:4294967296', transient: false, reason: 'InvalidValue' },
  ])('$text without an alias', ({ text, transient, reason }) => {
    const { config, problems } = buildConfig(snapshot(advertisement(`"${text}"`)));
    expect(config.bgpAdvertisements).toEqual([]);
    expect(problems).toEqual([expect.objectContaining({ field: 'spec.communities[0]', transient, reason })]);
  });

  test('an alias that is gone leaves the communities as they were; one that changes is followed', () => {
    const adv = advertisement('no-transit');
    const start = [adv, alias('no-transit', '64496:100')];
    const gone = edits(start, [adv]);
    expect(gone.config.bgpAdvertisements[0]?.communities.map(({ text }) => text)).toEqual(['64496:100']);
    expect(gone.problems).toEqual([
      expect.stringMatching(/no Community object defines.*; the last good version stays in use$/),
    ]);
    const changed = edits(start, [adv, alias('no-transit', '64496:101')]);
    expect(changed.config.bgpAdvertisements[0]?.communities.map(({ text }) => text)).toEqual(['64496:101']);
  });

  test('at most 63 of them', () => {
    const literals = (count: number): string =>
      Array.from({ length: count }, (_, n) => `"64496:${String(n)}"`).join(', ');
    expect(fresh(advertisement(literals(63))).problems).toEqual([]);
    expect(fresh(advertisement(literals(64))).problems).toEqual([
      'BGPAdvertisement metallb-system/adv: spec.communities: 64 communities: must be at most 63',
    ]);
  });

  test('an alias of two Communities: the second object is set aside', () => {
    const other = document(
      'Community',
      'other',
      '{ communities: [{ name: a, value: "1:1" }, { name: b, value: "1:2" }] }',
    );
    const { problems, config } = fresh(alias('a', '1:9'), other, advertisement('a'));
    expect(problems).toEqual([
      'Community metallb-system/other: spec.communities[0].name: "a": is defined by Community "names" already; define it once',
    ]);
    expect(config.bgpAdvertisements[0]?.communities.map(({ text }) => text)).toEqual(['1:9']);
    const inUse = edits([other], [other, alias('a', '1:9'), advertisement('a')]);
    expect(inUse.config.bgpAdvertisements[0]?.communities.map(({ text }) => text)).toEqual(['1:1']);
  });
});

describe('advertisements', () => {
  const pools = [
    pool('gold', '198.51.100.0/24', { labels: '{ tier: gold }' }),
    pool('silver', '192.0.2.0/24', { labels: '{ tier: silver }' }),
  ];

  test.each([
    { spec: '{}', want: ['gold', 'silver'] },
    { spec: '{ ipAddressPools: [silver] }', want: ['silver'] },
    { spec: '{ ipAddressPoolSelectors: [{ matchLabels: { tier: gold } }] }', want: ['gold'] },
    {
      spec: '{ ipAddressPools: [silver], ipAddressPoolSelectors: [{ matchLabels: { tier: gold } }] }',
      want: ['gold', 'silver'],
    },
    {
      spec: '{ ipAddressPools: [gold], ipAddressPoolSelectors: [{ matchLabels: { tier: gold } }] }',
      want: ['gold'],
    },
    { spec: '{ ipAddressPoolSelectors: [{ matchLabels: { tier: tin } }] }', want: [] },
    { spec: '{ ipAddressPoolSelectors: [{}] }', want: ['gold', 'silver'] },
  ])('$spec selects $want', ({ spec, want }) => {
    const { config, problems } = fresh(
      ...pools,
      document('BGPAdvertisement', 'adv', spec),
      document('L2Advertisement', 'adv', spec),
    );
    expect(problems).toEqual([]);
    expect([...(config.bgpAdvertisements[0]?.pools ?? [])]).toEqual(want);
    expect([...(config.l2Advertisements[0]?.pools ?? [])]).toEqual(want);
  });

  test('names that nothing answers to are passed over, with a warning', () => {
    const { config, problems } = fresh(
      ...pools,
      document('BGPAdvertisement', 'adv', '{ ipAddressPools: [gold, tin], peers: [tor9] }'),
    );
    expect(config.bgpAdvertisements[0]).toMatchObject({ pools: new Set(['gold']), peers: ['tor9'] });
    expect(problems).toEqual([
      'warning: BGPAdvertisement metallb-system/adv: spec.ipAddressPools[1]: "tin": there is no usable IPAddressPool of this name; it is passed over',
      'warning: BGPAdvertisement metallb-system/adv: spec.peers[0]: "tor9": there is no usable BGPPeer of this name; it is passed over',
    ]);
  });

  test('defaults and localPref', () => {
    const [plain] = fresh(document('BGPAdvertisement', 'adv', '{}')).config.bgpAdvertisements;
    expect(plain).toEqual({
      name: 'adv',
      origin: { resource: { kind: 'BGPAdvertisement', namespace: 'metallb-system', name: 'adv' } },
      aggregationLengthV4: 32,
      aggregationLengthV6: 128,
      communities: [],
      pools: new Set(),
      nodeSelectors: [],
      peers: [],
      serviceSelectors: [],
    });
    expect(
      fresh(document('BGPAdvertisement', 'adv', '{ localPref: 150 }')).config.bgpAdvertisements[0]?.localPref,
    ).toBe(150);
  });

  test('every field of an L2Advertisement', () => {
    const spec =
      '{ interfaces: [eth0], nodeSelectors: [{ matchLabels: { a: b } }], serviceSelectors: [{ matchLabels: { c: d } }], preferredNodeSelectors: [{ weight: 7, preference: {} }] }';
    expect(fresh(document('L2Advertisement', 'adv', spec)).config.l2Advertisements).toEqual([
      {
        name: 'adv',
        pools: new Set(),
        interfaces: ['eth0'],
        nodeSelectors: [{ matchLabels: { a: 'b' }, matchExpressions: [] }],
        serviceSelectors: [{ matchLabels: { c: 'd' }, matchExpressions: [] }],
        preferredNodes: [{ weight: 7, selector: { matchLabels: {}, matchExpressions: [] } }],
        balance: false,
        failback: { kind: 'never' },
        announceIntervalMs: 60_000,
      },
    ]);
  });

  test.each([
    { spec: '{ balance: true }', want: { balance: true } },
    { spec: '{ failback: Never }', want: { failback: { kind: 'never' } } },
    { spec: '{ failback: Immediate }', want: { failback: { kind: 'immediate' } } },
    { spec: '{ failback: AfterStable }', want: { failback: { kind: 'afterStable', delayMs: 300_000 } } },
    {
      spec: '{ failback: AfterStable, failbackDelay: 1m30.5s }',
      want: { failback: { kind: 'afterStable', delayMs: 90_500 } },
    },
    { spec: '{ announceInterval: 5s }', want: { announceIntervalMs: 5_000 } },
    { spec: '{ announceInterval: 0s }', want: { announceIntervalMs: 0 } },
  ])('$spec of an L2Advertisement', ({ spec, want }) => {
    expect(fresh(document('L2Advertisement', 'adv', spec)).config.l2Advertisements).toMatchObject([want]);
  });

  describe('aggregation', () => {
    const aggregate = (length: number, more = ''): string =>
      document('BGPAdvertisement', 'adv', `{ aggregationLength: ${String(length)}${more} }`);

    test.each([
      { addresses: '198.51.100.0/28', length: 26, isFine: false },
      { addresses: '198.51.100.0/28', length: 28, isFine: true },
      { addresses: '203.0.113.2-203.0.113.254', length: 24, isFine: false },
      { addresses: '203.0.113.2-203.0.113.254', length: 26, isFine: true },
      { addresses: '198.51.100.0/24, 203.0.113.0/28', length: 24, isFine: false },
      { addresses: '"2001:db8::/64"', length: 1, isFine: true }, // another family
    ])('$length with $addresses: $isFine', ({ addresses, length, isFine }) => {
      const { config, problems } = fresh(pool('gold', addresses), aggregate(length));
      expect(config.bgpAdvertisements).toHaveLength(isFine ? 1 : 0);
      expect(problems).toHaveLength(isFine ? 0 : 1);
      if (!isFine) {
        expect(problems[0]).toMatch(
          /^BGPAdvertisement metallb-system\/adv: spec\.aggregationLength: \d+: is wider than IPAddressPool "gold" \(.*\); must be at least \d+$/,
        );
      }
    });

    test('the IPv6 length is held against IPv6 items', () => {
      const adv = (length: number): string =>
        document('BGPAdvertisement', 'adv', `{ aggregationLengthV6: ${String(length)} }`);
      expect(fresh(pool('gold', '"2001:db8::/64"'), adv(64)).problems).toEqual([]);
      expect(fresh(pool('gold', '"2001:db8::/64"'), adv(63)).problems).toEqual([
        expect.stringContaining(
          'spec.aggregationLengthV6: 63: is wider than IPAddressPool "gold" (2001:db8::/64); must be at least 64',
        ),
      ]);
    });

    test('a pool that is not announced does not matter', () => {
      expect(
        fresh(
          pool('gold', '198.51.100.0/28'),
          pool('silver', '192.0.2.0/24'),
          aggregate(24, ', ipAddressPools: [silver]'),
        ).problems,
      ).toEqual([]);
    });

    test('a new pool, or an edit of one, must fit the advertisement in use', () => {
      const start = [pool('gold', '198.51.100.0/24'), aggregate(24)];
      const added = edits(start, [...start, pool('small', '203.0.113.0/28')]);
      expect(Object.keys(poolTexts(added.config))).toEqual(['gold']);
      expect(added.problems).toEqual([
        'IPAddressPool metallb-system/small: spec.addresses: BGPAdvertisement "adv" announces this pool, and its spec.aggregationLength 24: is wider than IPAddressPool "small" (203.0.113.0/28); must be at least 28',
      ]);
      const edited = edits(start, [pool('gold', '198.51.100.0/24, 203.0.113.0/28'), aggregate(24)]);
      expect(poolTexts(edited.config)).toEqual({ gold: [['198.51.100.0/24']] });
      expect(edited.config.bgpAdvertisements).toHaveLength(1);
    });

    test('both edited in one step', () => {
      const { config, problems } = edits(
        [pool('gold', '198.51.100.0/24'), aggregate(24)],
        [pool('gold', '198.51.100.0/28'), aggregate(28)],
      );
      expect(problems).toEqual([]);
      expect(poolTexts(config)).toEqual({ gold: [['198.51.100.0/28']] });
      expect(config.bgpAdvertisements[0]?.aggregationLengthV4).toBe(28);
    });

    test('both edited in one step, the advertisement wrongly: both stay', () => {
      const { config } = edits(
        [pool('gold', '198.51.100.0/24'), aggregate(24)],
        [pool('gold', '198.51.100.0/28'), aggregate(28, ', communities: [nowhere]')],
      );
      expect(poolTexts(config)).toEqual({ gold: [['198.51.100.0/24']] });
      expect(config.bgpAdvertisements[0]?.aggregationLengthV4).toBe(24);
    });
  });

  describe('echo mode and IPv6', () => {
    const six = pool('six', '"2001:db8::/64"');
    const echo = document('BFDProfile', 'echo', '{ echoMode: true }');
    const calm = document('BFDProfile', 'echo', '{}');
    const tor1 = peer('tor1', '192.0.2.1', 'bfdProfile: echo');
    const adv = document('BGPAdvertisement', 'adv', '{}');

    test.each([
      {
        name: 'the advertisement, when all is new',
        before: [],
        after: [six, echo, tor1, adv],
        blamed: 'BGPAdvertisement metallb-system/adv: spec.peers',
      },
      {
        name: 'a new advertisement',
        before: [six, echo, tor1],
        after: [six, echo, tor1, adv],
        blamed: 'BGPAdvertisement metallb-system/adv: spec.peers',
      },
      {
        name: 'a new pool',
        before: [echo, tor1, adv],
        after: [six, echo, tor1, adv],
        blamed: 'IPAddressPool metallb-system/six: spec.addresses',
      },
      {
        name: 'a new peer',
        before: [six, echo, adv],
        after: [six, echo, tor1, adv],
        blamed: 'BGPPeer metallb-system/tor1: spec.bfdProfile',
      },
      {
        name: 'an edit of the profile',
        before: [six, calm, tor1, adv],
        after: [six, echo, tor1, adv],
        blamed: 'BFDProfile metallb-system/echo: spec.echoMode',
      },
    ])('the newcomer is set aside: $name', ({ before, after, blamed }) => {
      const { problems } = edits(before, after);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain(
        `${blamed}: BGPAdvertisement "adv" announces IPAddressPool "six", which holds IPv6`,
      );
    });

    test('a profile that is gone but still in use counts', () => {
      const { problems } = edits([echo, tor1, adv], [tor1, adv], [six, tor1, adv]);
      expect(problems).toHaveLength(2);
      expect(problems[0]).toContain(
        'IPAddressPool metallb-system/six: spec.addresses: BGPAdvertisement "adv" announces',
      );
    });

    test.each([
      { name: 'without echo mode', manifests: [six, calm, tor1, adv] },
      { name: 'without IPv6', manifests: [GOLD, echo, tor1, adv] },
      {
        name: 'to another peer',
        manifests: [
          six,
          echo,
          tor1,
          peer('tor2', '192.0.2.2'),
          document('BGPAdvertisement', 'adv', '{ peers: [tor2] }'),
        ],
      },
      {
        name: 'another pool',
        manifests: [six, GOLD, echo, tor1, document('BGPAdvertisement', 'adv', '{ ipAddressPools: [gold] }')],
      },
      { name: 'a profile that no peer has', manifests: [six, echo, adv, peer('tor1', '192.0.2.1')] },
    ])('fine: $name', ({ manifests }) => {
      expect(fresh(...manifests).problems).toEqual([]);
    });
  });
});
