import { describe, expect, test } from 'vitest';
import { buildConfig } from './index.ts';
import { document, edits, fresh, peer, pool, read, secret, snapshot, GOLD } from './testing.ts';

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
