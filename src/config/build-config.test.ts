import { describe, expect, test } from 'vitest';
import { buildConfig, type Config } from './index.ts';
import { document, lines, peer, pool, read, secret, snapshot } from './testing.ts';

/** Builds each set of manifests after the other, as edits of one cluster; gives the last result. */
function edits(...sets: readonly (readonly string[])[]): {
  readonly config: Config;
  readonly problems: string[];
} {
  let result = buildConfig(snapshot());
  for (const set of sets) result = buildConfig(snapshot(...set), result.memory);
  return { config: result.config, problems: lines(result.problems) };
}

function fresh(...manifests: readonly string[]): { readonly config: Config; readonly problems: string[] } {
  const { config, problems } = buildConfig(snapshot(...manifests));
  return { config, problems: lines(problems) };
}

function poolTexts(config: Config): Record<string, string[][]> {
  return Object.fromEntries(
    config.pools.map(({ name, addresses }) => [name, addresses.map((item) => item.map(({ text }) => text))]),
  );
}

const GOLD = pool('gold', '198.51.100.0/24');

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

  test('unless the legacy pool is the one in use', () => {
    const { config, problems } = edits([legacy], [legacy, GOLD]);
    expect(poolTexts(config)).toEqual({ gold: [['192.0.2.0/24']] });
    expect(problems).toEqual([
      'IPAddressPool metallb-system/gold: metadata.name: the name "gold" is taken by AddressPool metallb-system/gold; choose another name',
    ]);
  });
});

describe('peers', () => {
  test('every field', () => {
    const { config, problems } = fresh(
      document('BFDProfile', 'fast', '{ receiveInterval: 50, echoMode: false, minimumTtl: 250 }'),
      document(
        'BGPPeer',
        'tor1',
        `{ myASN: 64512, peerASN: 64500, localASN: 64501, peerAddress: "2001:DB8::1", sourceAddress: "2001:db8::2", peerPort: 1790,
           holdTime: 90s, keepaliveTime: 10s, connectTime: 5s, routerID: 192.0.2.9, password: hunter2, bfdProfile: fast,
           enableGracefulRestart: true, ebgpMultiHop: true, vrf: red, dualStackAddressFamily: true,
           nodeSelectors: [{ matchLabels: { rack: a } }] }`,
      ),
    );
    expect(problems).toEqual([]);
    const [tor1] = config.peers;
    expect(tor1).toMatchObject({
      name: 'tor1',
      origin: { resource: { kind: 'BGPPeer', namespace: 'metallb-system', name: 'tor1' } },
      myAsn: 64512,
      remoteAs: 64500,
      localAsn: 64501,
      endpoint: { kind: 'address', address: { text: '2001:db8::1' } },
      sourceAddress: { text: '2001:db8::2' },
      port: 1790,
      timers: { holdSeconds: 90, keepaliveSeconds: 10 },
      connectSeconds: 5,
      routerId: { text: '192.0.2.9' },
      bfdProfile: 'fast',
      gracefulRestart: true,
      ebgpMultiHop: true,
      vrf: 'red',
      dualStackAddressFamily: true,
      nodeSelectors: [{ matchLabels: { rack: 'a' }, matchExpressions: [] }],
    });
    expect(tor1?.password?.reveal()).toBe('hunter2');
    expect(config.bfdProfiles).toEqual([
      { name: 'fast', receiveIntervalMs: 50, echoMode: false, passiveMode: false, minimumTtl: 250 },
    ]);
  });

  test('nothing but what is required', () => {
    const [tor1] = fresh(peer('tor1', '192.0.2.1')).config.peers;
    expect(tor1).toEqual({
      name: 'tor1',
      origin: { resource: { kind: 'BGPPeer', namespace: 'metallb-system', name: 'tor1' } },
      myAsn: 64512,
      remoteAs: 64500,
      endpoint: { kind: 'address', address: expect.objectContaining({ text: '192.0.2.1' }) as unknown },
      port: 179,
      nodeSelectors: [],
      gracefulRestart: false,
      ebgpMultiHop: false,
      vrf: '',
      dualStackAddressFamily: false,
    });
  });

  test.each([
    { spec: '{ myASN: 64512, dynamicASN: external, interface: eth1 }', want: { remoteAs: 'external' } },
    {
      spec: '{ myASN: 64512, dynamicASN: internal, interface: eth1 }',
      want: { endpoint: { kind: 'interface', interface: 'eth1' } },
    },
    // bgpd takes ebgp-multihop for an iBGP neighbor and does not keep it
    {
      spec: '{ myASN: 64512, dynamicASN: internal, interface: eth1, ebgpMultiHop: true }',
      want: { ebgpMultiHop: false },
    },
    { spec: '{ myASN: 64512, dynamicASN: external, interface: eth1, vrf: default }', want: { vrf: '' } },
    // bgpd lowers the keepalive interval to a third of the hold time
    {
      spec: '{ myASN: 64512, dynamicASN: external, interface: eth1, holdTime: 90s, keepaliveTime: 60s }',
      want: { timers: { holdSeconds: 90, keepaliveSeconds: 30 } },
    },
    {
      spec: '{ myASN: 64512, dynamicASN: external, interface: eth1, holdTime: 0s }',
      want: { timers: { holdSeconds: 0, keepaliveSeconds: 0 } },
    },
  ])('$spec', ({ spec, want }) => {
    const { config, problems } = fresh(document('BGPPeer', 'tor1', spec));
    expect(problems).toEqual([]);
    expect(config.peers[0]).toMatchObject(want);
  });

  test('all profiles are given, used or not', () => {
    const { config } = fresh(document('BFDProfile', 'b', '{}'), document('BFDProfile', 'a', '{}'));
    expect(config.bfdProfiles.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  describe('references', () => {
    const withSecret = peer('tor1', '192.0.2.1', 'passwordSecret: { name: tor }');
    const withProfile = peer('tor1', '192.0.2.1', 'bfdProfile: fast');
    const profile = document('BFDProfile', 'fast', '{ receiveInterval: 50 }');

    test.each([
      {
        name: 'no Secret',
        manifests: [withSecret],
        field: 'spec.passwordSecret',
        message:
          /^Secret "tor": is not in MetalLB's namespace, or cannot be read; create it, of type kubernetes.io\/basic-auth$/,
      },
      {
        name: 'a Secret of another type',
        manifests: [withSecret, secret('tor', 'x').replace('kubernetes.io/basic-auth', 'Opaque')],
        field: 'spec.passwordSecret',
        message: /^Secret "tor": is of type "Opaque"; must be of type kubernetes.io\/basic-auth$/,
      },
      {
        name: 'a Secret without the key',
        manifests: [withSecret, secret('tor', 'x').replace('password:', 'pass:')],
        field: 'spec.passwordSecret',
        message: /^Secret "tor": has no key "password"; put the password there$/,
      },
      {
        name: 'a Secret whose password FRR cannot take',
        manifests: [withSecret, secret('tor', 'hunter2\n')],
        field: 'spec.passwordSecret',
        message: /^Secret "tor": its key "password" must not hold blanks, line breaks or control characters/,
      },
      {
        name: 'no BFDProfile',
        manifests: [withProfile],
        field: 'spec.bfdProfile',
        message: /^"fast": there is no usable BFDProfile of this name; create it$/,
      },
      {
        name: 'a BFDProfile that cannot be read',
        manifests: [withProfile, document('BFDProfile', 'fast', '{ receiveInterval: 5 }')],
        field: 'spec.bfdProfile',
        message: /^"fast": there is no usable BFDProfile of this name/,
      },
    ])('$name: set aside for the time being', ({ manifests, field, message }) => {
      const { config, problems } = buildConfig(snapshot(...manifests));
      expect(config.peers).toEqual([]);
      expect(problems).toEqual([
        expect.objectContaining({
          field,
          transient: true,
          severity: 'error',
          message: expect.stringMatching(message) as unknown,
        }),
      ]);
      expect(lines(problems).join()).not.toContain('hunter2');
    });

    test('the peer is used when the reference is there', () => {
      const { config, problems } = edits([withProfile], [withProfile, profile]);
      expect(problems).toEqual([]);
      expect(config.peers[0]?.bfdProfile).toBe('fast');
    });

    test('the peer stays as it was when the Secret goes, and follows when it changes', () => {
      const start = [withSecret, secret('tor', 'one')];
      const gone = edits(start, [withSecret]);
      expect(gone.config.peers[0]?.password?.reveal()).toBe('one');
      expect(gone.problems).toEqual([
        expect.stringMatching(/Secret "tor".*; the last good version stays in use$/),
      ]);
      expect(edits(start, [withSecret, secret('tor', 'a b')]).config.peers[0]?.password?.reveal()).toBe(
        'one',
      );
      expect(edits(start, [withSecret, secret('tor', 'two')]).config.peers[0]?.password?.reveal()).toBe(
        'two',
      );
      expect(
        edits(start, [withSecret], [withSecret, secret('tor', 'three')]).config.peers[0]?.password?.reveal(),
      ).toBe('three');
    });

    test('a profile that is gone stays as long as a peer in use has it', () => {
      const { config, problems } = edits([withProfile, profile], [withProfile]);
      expect(config.peers[0]?.bfdProfile).toBe('fast');
      expect(config.bfdProfiles).toEqual([
        { name: 'fast', receiveIntervalMs: 50, echoMode: false, passiveMode: false },
      ]);
      expect(problems).toEqual([expect.stringMatching(/"fast".*; the last good version stays in use$/)]);
      expect(
        edits([withProfile, profile], [withProfile], [peer('tor1', '192.0.2.1')]).config.bfdProfiles,
      ).toEqual([]);
      expect(edits([withProfile, profile], []).config).toMatchObject({ peers: [], bfdProfiles: [] });
    });

    test('an edit with a missing reference leaves the version before in force', () => {
      const before = peer('tor1', '192.0.2.1', 'holdTime: 30s');
      const { config, problems } = edits(
        [before],
        [peer('tor1', '192.0.2.1', 'holdTime: 60s, bfdProfile: fast')],
      );
      expect(config.peers[0]).toMatchObject({ timers: { holdSeconds: 30 } });
      expect(config.peers[0]?.bfdProfile).toBeUndefined();
      expect(problems).toEqual([
        expect.stringMatching(/spec\.bfdProfile: "fast".*; the last good version stays in use$/),
      ]);
    });

    test('an edit that cannot be read leaves the version before in force, which still follows its Secret', () => {
      const broken = peer('tor1', 'x', 'passwordSecret: { name: tor }');
      const { config } = edits([withSecret, secret('tor', 'one')], [broken, secret('tor', 'two')]);
      expect(config.peers[0]?.endpoint).toMatchObject({ address: { text: '192.0.2.1' } });
      expect(config.peers[0]?.password?.reveal()).toBe('two');
    });
  });
});

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
      },
    ]);
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

describe('legacy forms', () => {
  const addressPool = `apiVersion: metallb.io/v1beta1
kind: AddressPool
metadata: { name: old }
spec: { protocol: layer2, addresses: [198.51.100.0/24] }`;

  test('an AddressPool is announced by its own advertisements, and by one that names it', () => {
    const { config, problems } = fresh(
      addressPool,
      document('BGPAdvertisement', 'all', '{}'),
      document('BGPAdvertisement', 'selecting', '{ ipAddressPoolSelectors: [{}] }'),
      document('BGPAdvertisement', 'naming', '{ ipAddressPools: [old] }'),
    );
    expect(problems).toEqual([]);
    expect(config.l2Advertisements).toMatchObject([{ name: 'addresspool-old', pools: new Set(['old']) }]);
    expect(Object.fromEntries(config.bgpAdvertisements.map(({ name, pools }) => [name, [...pools]]))).toEqual(
      {
        all: [],
        naming: ['old'],
        selecting: [],
      },
    );
  });

  const configMap = (text: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: config }\ndata:\n  config: |\n${text.replaceAll(/^/gm, '    ')}`;
  const good = configMap(`peers:
- { my-asn: 64512, peer-asn: 64500, peer-address: 192.0.2.1 }
- { my-asn: 64512, peer-asn: 64500, peer-address: 192.0.2.2 }
address-pools:
- { name: default, protocol: bgp, addresses: [198.51.100.0/24] }`);

  test('a ConfigMap that cannot be read any more leaves everything from it in force', () => {
    const { config, problems } = edits([good], [configMap('peers: [')]);
    expect(config.peers.map(({ name }) => name)).toEqual(['peer1', 'peer2']);
    expect(config.pools.map(({ name }) => name)).toEqual(['default']);
    expect(config.bgpAdvertisements.map(({ name }) => name)).toEqual(['bgpadvertisement1']);
    expect(problems).toEqual([
      'warning: ConfigMap metallb-system/config: cannot be read; the last good version stays in use',
    ]);
  });

  test('an entry that cannot be read any more stays as it was; the others follow', () => {
    const { config } = edits(
      [good],
      [
        configMap(`peers:
- { my-asn: 64512, peer-asn: 64501, peer-address: 192.0.2.1 }
- { my-asn: 64512, peer-asn: 64501, peer-address: x }`),
      ],
    );
    expect(config.peers.map(({ name, remoteAs }) => [name, remoteAs])).toEqual([
      ['peer1', 64501],
      ['peer2', 64500],
    ]);
    expect(config.pools).toEqual([]);
  });

  test('a deleted ConfigMap takes everything with it', () => {
    expect(edits([good], []).config).toMatchObject({ peers: [], pools: [], bgpAdvertisements: [] });
  });

  test('a problem names the object that the user wrote, and the one it stands for', () => {
    const text = 'peers:\n- { my-asn: 64512, peer-asn: 64500, peer-address: 192.0.2.1, bfd-profile: fast }';
    expect(fresh(configMap(text)).problems).toEqual([
      'ConfigMap metallb-system/config: the BGPPeer peer1 in it, spec.bfdProfile: "fast": there is no usable BFDProfile of this name; create it',
    ]);
  });
});

describe('extras', () => {
  const extras = (text: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: bgpextras }\ndata: { extras: ${JSON.stringify(text)} }`;

  test('are kept as they are', () => {
    const text = 'route-map 192.0.2.1-in permit 20\n!\n\t# "quoted" \\ text\n';
    expect(fresh(extras(text))).toMatchObject({ config: { frrExtras: text }, problems: [] });
    expect(fresh().config.frrExtras).toBe('');
    expect(edits([extras(text)], []).config.frrExtras).toBe('');
  });

  test('of another ConfigMap or namespace are not used', () => {
    expect(fresh(extras('a').replace('bgpextras', 'other')).config.frrExtras).toBe('');
    expect(fresh(extras('a').replace('bgpextras', 'bgpextras, namespace: shop')).config.frrExtras).toBe('');
  });

  test.each([
    {
      name: 'NUL',
      text: 'a\nb\u0000',
      want: 'control character U+0000 in line 2: only tabs and line breaks are allowed',
    },
    {
      name: 'escape',
      text: '\u001b[0m',
      want: 'control character U+001B in line 1: only tabs and line breaks are allowed',
    },
    {
      name: 'carriage return',
      text: 'a\r\nb',
      want: 'control character U+000D in line 1: save the text with Unix line ends',
    },
    {
      name: 'next line',
      text: 'a\u0085',
      want: 'control character U+0085 in line 1: only tabs and line breaks are allowed',
    },
  ])('a control character is refused: $name', ({ text, want }) => {
    expect(fresh(extras(text))).toEqual({
      config: expect.objectContaining({ frrExtras: '' }) as unknown,
      problems: [`ConfigMap metallb-system/bgpextras: data.extras: ${want}`],
    });
    const edited = edits([extras('good')], [extras(text)]);
    expect(edited.config.frrExtras).toBe('good');
    expect(edited.problems).toEqual([
      `ConfigMap metallb-system/bgpextras: data.extras: ${want}; the last good version stays in use`,
    ]);
  });

  test('of a ConfigMap that cannot be read stay', () => {
    const unreadable = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: bgpextras }\ndata: { extras: [] }';
    expect(edits([extras('good')], [unreadable]).config.frrExtras).toBe('good');
  });
});

describe('identity', () => {
  const manifests = [
    GOLD,
    peer('tor1', '192.0.2.1', 'password: hunter2'),
    document('BFDProfile', 'fast', '{}'),
    document('BGPAdvertisement', 'adv', '{}'),
    document('L2Advertisement', 'l2', '{}'),
  ];

  test('the same snapshot gives the same result at once', () => {
    const same = snapshot(...manifests);
    const first = buildConfig(same);
    const second = buildConfig(same, first.memory);
    expect(second.config).toBe(first.config);
    expect(second.memory).toBe(first.memory);
    // Services are no input of the configuration
    const services = { ...same, objects: { ...same.objects, Service: [...same.objects.Service], Node: [] } };
    expect(buildConfig(services, first.memory).memory).toBe(first.memory);
  });

  test('equal objects under new identities give the config of before', () => {
    const first = buildConfig(snapshot(...manifests));
    expect(buildConfig(snapshot(...manifests), first.memory).config).toBe(first.config);
  });

  test('what did not change keeps its identity beside what did', () => {
    const first = buildConfig(snapshot(...manifests));
    const second = buildConfig(snapshot(...manifests, peer('tor2', '192.0.2.2')), first.memory);
    expect(second.config).not.toBe(first.config);
    expect(second.config.pools).toBe(first.config.pools);
    expect(second.config.bgpAdvertisements).toBe(first.config.bgpAdvertisements);
    expect(second.config.peers[0]).toBe(first.config.peers[0]);
    expect(second.config.peers).toHaveLength(2);
  });

  test('a password that changes is a change', () => {
    const first = buildConfig(snapshot(peer('tor1', '192.0.2.1', 'password: one')));
    const second = buildConfig(snapshot(peer('tor1', '192.0.2.1', 'password: two')), first.memory);
    expect(second.config).not.toBe(first.config);
    expect(second.config.peers[0]?.password?.reveal()).toBe('two');
  });

  test('a second look at the same objects decides the same', () => {
    const start = [GOLD, pool('silver', '192.0.2.0/24')];
    const edited = [
      pool('gold', '192.0.2.0/25'),
      pool('silver', '198.51.100.0/25'),
      peer('tor1', '192.0.2.1', 'bfdProfile: x'),
    ];
    const once = edits(start, edited);
    const twice = edits(start, edited, edited);
    expect(twice).toEqual(once);
  });

  test('lists are sorted by name whatever the order of the snapshot', () => {
    const names = ['c', 'a', 'b'];
    const { config } = fresh(...names.map((name, index) => pool(name, `192.0.2.${String(index)}/32`)));
    expect(config.pools.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});

test('the manifests of these tests are read without problems of their own', () => {
  expect(read([GOLD, secret('tor', 'x'), peer('tor1', '192.0.2.1')].join('\n---\n')).problems).toEqual([]);
});
