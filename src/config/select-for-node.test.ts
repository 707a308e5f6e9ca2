import { describe, expect, test } from 'vitest';
import { buildConfig, selectForNode, type Config, type NodeSelection } from './index.ts';
import { document, lines, peer, pool, snapshot, type DocumentOptions } from './testing.ts';

function configOf(...manifests: readonly string[]): Config {
  const { config, problems } = buildConfig(snapshot(...manifests));
  expect(lines(problems)).toEqual([]);
  return config;
}

const N1 = { name: 'n1', labels: { rack: 'a' } };

/** Selects for one node from each set of manifests after the other. */
function edits(...sets: readonly (readonly string[])[]): NodeSelection {
  let selection: NodeSelection | undefined;
  for (const set of sets) selection = selectForNode(configOf(...set), N1, selection);
  if (!selection) throw new Error('no set of manifests');
  return selection;
}

const names = (items: readonly { readonly name: string }[]): string[] => items.map(({ name }) => name);

describe('node selectors', () => {
  const select = (selector: string): string => `nodeSelectors: [${selector}]`;

  test.each([
    { selector: '', want: true },
    { selector: '{}', want: true },
    { selector: '{ matchLabels: { rack: a } }', want: true },
    { selector: '{ matchLabels: { rack: b } }', want: false },
    { selector: '{ matchLabels: { rack: b } }, { matchLabels: { rack: a } }', want: true },
    { selector: '{ matchExpressions: [{ key: rack, operator: NotIn, values: [b] }] }', want: true },
    { selector: '{ matchExpressions: [{ key: rack, operator: DoesNotExist }] }', want: false },
    { selector: '{ matchLabels: { kubernetes.io/hostname: n1 } }', want: true },
    { selector: '{ matchLabels: { kubernetes.io/hostname: n2 } }', want: false },
  ])('[$selector] on n1: $want', ({ selector, want }) => {
    const config = configOf(
      peer('tor1', '192.0.2.1', select(selector)),
      document('BGPAdvertisement', 'adv', `{ ${select(selector)} }`),
      document('L2Advertisement', 'l2', `{ ${select(selector)} }`),
    );
    const { peers, bgpAdvertisements, l2Advertisements, problems } = selectForNode(config, N1);
    expect([peers, bgpAdvertisements, l2Advertisements].map((list) => list.length === 1)).toEqual([
      want,
      want,
      want,
    ]);
    expect(problems).toEqual([]);
  });

  test('a node without labels has its name as host name', () => {
    const config = configOf(
      peer('tor1', '192.0.2.1', select('{ matchLabels: { kubernetes.io/hostname: n1 } }')),
      peer('tor2', '192.0.2.2', select('{ matchLabels: { rack: a } }')),
    );
    expect(names(selectForNode(config, { name: 'n1', labels: {} }).peers)).toEqual(['tor1']);
  });

  test('a host name label of its own counts, not the name', () => {
    const config = configOf(
      peer('tor1', '192.0.2.1', select('{ matchLabels: { kubernetes.io/hostname: n1 } }')),
    );
    const node = { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1.example.com' } };
    expect(selectForNode(config, node).peers).toEqual([]);
  });
});

describe('peers of one node', () => {
  const tor1 = peer('tor1', '192.0.2.1');
  const link = (name: string, link: string, more = ''): string =>
    document('BGPPeer', name, `{ myASN: 64512, dynamicASN: external, interface: ${link}${more} }`);

  test.each([
    {
      name: 'another routerID',
      first: peer('tor1', '192.0.2.1', 'routerID: 192.0.2.101'),
      second: peer('tor2', '192.0.2.2', 'routerID: 192.0.2.102'),
      want: 'spec.routerID: 192.0.2.102: BGPPeer "tor1" on the same node has 192.0.2.101; peers of one node must have the same routerID',
    },
    {
      name: 'no routerID beside one',
      first: peer('tor1', '192.0.2.1', 'routerID: 192.0.2.101'),
      second: peer('tor2', '192.0.2.2'),
      want: 'spec.routerID: absent: BGPPeer "tor1" on the same node has 192.0.2.101; peers of one node must have the same routerID',
    },
    {
      name: 'another routerID in another VRF',
      first: peer('tor1', '192.0.2.1', 'routerID: 192.0.2.101'),
      second: peer('tor2', '192.0.2.2', 'routerID: 192.0.2.102, vrf: red'),
      want: 'spec.routerID: 192.0.2.102: BGPPeer "tor1" on the same node has 192.0.2.101; peers of one node must have the same routerID',
    },
    {
      name: 'the same address, however written',
      first: peer('tor1', '2001:db8::1'),
      second: peer('tor2', '2001:0DB8:0::1', 'ebgpMultiHop: true'),
      want: 'spec.peerAddress: 2001:db8::1: BGPPeer "tor1" has a session with this neighbor on the same node and in the same VRF',
    },
    {
      name: 'the same interface',
      first: link('tor1', 'eth1'),
      second: link('tor2', 'eth1'),
      want: 'spec.interface: eth1: BGPPeer "tor1" has a session with this neighbor on the same node and in the same VRF',
    },
    {
      name: 'the same address in one VRF',
      first: peer('tor1', '192.0.2.1', 'vrf: red'),
      second: peer('tor2', '192.0.2.1', 'vrf: red'),
      want: 'spec.peerAddress: 192.0.2.1: BGPPeer "tor1" has a session with this neighbor on the same node and in the same VRF',
    },
    {
      name: 'another myASN',
      first: tor1,
      second: peer('tor2', '192.0.2.2').replace('myASN: 64512', 'myASN: 64511'),
      want: 'spec.myASN: 64511: BGPPeer "tor1" on the same node and in the same VRF has 64512; a VRF has one ASN',
    },
  ])('set aside: $name', ({ first, second, want }) => {
    const selection = edits([first, second]);
    expect(names(selection.peers)).toEqual(['tor1']);
    expect(lines(selection.problems)).toEqual([`BGPPeer metallb-system/tor2: ${want}`]);
  });

  test.each([
    { name: 'the same address in another VRF', second: peer('tor2', '192.0.2.1', 'vrf: red') },
    {
      name: 'another myASN in another VRF',
      second: peer('tor2', '192.0.2.2', 'vrf: red').replace('myASN: 64512', 'myASN: 64511'),
    },
    { name: 'an interface beside an address', second: link('tor2', 'eth1') },
    {
      name: 'another node',
      second: peer('tor2', '192.0.2.1', 'nodeSelectors: [{ matchLabels: { rack: b } }]'),
    },
  ])('fine: $name', ({ second }) => {
    expect(edits([tor1, second]).problems).toEqual([]);
  });

  test('without a selection before, the older peer is used', () => {
    const dated = (name: string, created: string): string =>
      peer(name, '192.0.2.1', '', { created } satisfies DocumentOptions);
    expect(
      names(edits([dated('a', '2025-01-01T00:00:00Z'), dated('b', '2024-01-01T00:00:00Z')]).peers),
    ).toEqual(['b']);
  });

  test('the peer in use wins over an older newcomer', () => {
    const older = peer('alpha', '192.0.2.1', '', { created: '2001-01-01T00:00:00Z' });
    expect(names(edits([tor1], [tor1, older]).peers)).toEqual(['tor1']);
  });

  test('an edit that conflicts is not taken on this node; other fields of other peers are', () => {
    const tor2 = peer('tor2', '192.0.2.2', 'routerID: 192.0.2.101');
    const before = [peer('tor1', '192.0.2.1', 'routerID: 192.0.2.101'), tor2];
    const after = [
      peer('tor1', '192.0.2.1', 'routerID: 192.0.2.102'),
      peer('tor2', '192.0.2.2', 'routerID: 192.0.2.101, holdTime: 30s'),
    ];
    const { peers, problems } = edits(before, after);
    expect(peers.map(({ routerId }) => routerId?.text)).toEqual(['192.0.2.101', '192.0.2.101']);
    expect(peers[1]?.timers?.holdSeconds).toBe(30);
    expect(lines(problems)).toEqual([
      expect.stringMatching(/tor1: spec\.routerID: .*; the last good version stays in use$/),
    ]);
  });

  test('when the last peer is edited too, all edits are taken', () => {
    const at = (id: string): string[] =>
      [1, 2, 3].map((n) => peer(`tor${String(n)}`, `192.0.2.${String(n)}`, `routerID: ${id}`));
    const [old, next] = [at('192.0.2.101'), at('192.0.2.102')];
    const step = (count: number): string[] => [...next.slice(0, count), ...old.slice(count)];
    expect(edits(old, step(2)).peers.map(({ routerId }) => routerId?.text)).toEqual(
      Array(3).fill('192.0.2.101'),
    );
    const done = edits(old, step(1), step(2), step(3));
    expect(done.peers.map(({ routerId }) => routerId?.text)).toEqual(Array(3).fill('192.0.2.102'));
    expect(done.problems).toEqual([]);
  });

  test('a deleted peer makes room', () => {
    const tor2 = peer('tor2', '192.0.2.1');
    expect(names(edits([tor1], [tor1, tor2], [tor2]).peers)).toEqual(['tor2']);
  });

  test('a new password of a peer in use is taken', () => {
    const { peers } = edits(
      [peer('tor1', '192.0.2.1', 'password: one')],
      [peer('tor1', '192.0.2.1', 'password: two')],
    );
    expect(peers[0]?.password?.reveal()).toBe('two');
  });

  test('a problem of a converted peer names the ConfigMap', () => {
    const config = `apiVersion: v1
kind: ConfigMap
metadata: { name: config }
data:
  config: |
    peers:
    - { my-asn: 64512, peer-asn: 64500, peer-address: 192.0.2.1 }
    - { my-asn: 64512, peer-asn: 64501, peer-address: 192.0.2.1 }`;
    expect(lines(edits([config]).problems)).toEqual([
      'ConfigMap metallb-system/config: the BGPPeer peer2 in it, spec.peerAddress: 192.0.2.1: BGPPeer "peer1" has a session with this neighbor on the same node and in the same VRF',
    ]);
  });
});

describe('local preference', () => {
  const v4 = pool('v4', '198.51.100.0/24');
  const v6 = pool('v6', '"2001:db8::/64"');
  const dual = pool('dual', '203.0.113.0/24, "2001:db8:1::/64"');
  const peers = [peer('tor1', '192.0.2.1'), peer('tor2', '192.0.2.2')];
  const adv = (name: string, localPref: number, more = ''): string =>
    document('BGPAdvertisement', name, `{ localPref: ${String(localPref)}${more} }`);

  test.each([
    { name: 'different', pools: [v4], a: '', b: '', conflict: true },
    {
      name: 'on different pools',
      pools: [v4, v6],
      a: ', ipAddressPools: [v4]',
      b: ', ipAddressPools: [v6]',
      conflict: false,
    },
    { name: 'to different peers', pools: [v4], a: ', peers: [tor1]', b: ', peers: [tor2]', conflict: false },
    {
      name: 'to peers that meet',
      pools: [v4],
      a: ', peers: [tor1]',
      b: ', peers: [tor1, tor2]',
      conflict: true,
    },
    { name: 'to one peer and to all', pools: [v4], a: ', peers: [tor1]', b: '', conflict: true },
    { name: 'with another aggregation', pools: [v4], a: ', aggregationLength: 24', b: '', conflict: false },
    {
      name: 'IPv4 with another IPv6 aggregation',
      pools: [v4],
      a: ', aggregationLengthV6: 64',
      b: '',
      conflict: true,
    },
    {
      name: 'IPv6 with another IPv4 aggregation',
      pools: [v6],
      a: ', aggregationLength: 24',
      b: '',
      conflict: true,
    },
    {
      name: 'IPv6 with another IPv6 aggregation',
      pools: [v6],
      a: ', aggregationLengthV6: 64',
      b: '',
      conflict: false,
    },
    {
      name: 'dual with one other aggregation',
      pools: [dual],
      a: ', aggregationLength: 24',
      b: '',
      conflict: true,
    },
    {
      name: 'dual with both aggregations other',
      pools: [dual],
      a: ', aggregationLength: 24, aggregationLengthV6: 64',
      b: '',
      conflict: false,
    },
    {
      name: 'for some Services, which is decided with them',
      pools: [v4],
      a: ', serviceSelectors: [{ matchLabels: { a: b } }]',
      b: '',
      conflict: false,
    },
    {
      name: 'on another node',
      pools: [v4],
      a: ', nodeSelectors: [{ matchLabels: { rack: b } }]',
      b: '',
      conflict: false,
    },
  ])('$name: $conflict', ({ pools, a, b, conflict }) => {
    const { bgpAdvertisements, problems } = edits([...pools, ...peers, adv('a', 100, a), adv('b', 200, b)]);
    const selected = a.includes('nodeSelectors') ? ['b'] : conflict ? ['a'] : ['a', 'b'];
    expect(names(bgpAdvertisements)).toEqual(selected);
    expect(problems).toHaveLength(conflict ? 1 : 0);
  });

  test('the same value is no conflict, and neither is none', () => {
    expect(edits([v4, adv('a', 100), adv('b', 100)]).problems).toEqual([]);
    expect(edits([v4, adv('a', 0), adv('b', 0)]).problems).toEqual([]);
  });

  test('the message', () => {
    expect(lines(edits([v4, adv('a', 100), adv('b', 0)]).problems)).toEqual([
      'BGPAdvertisement metallb-system/b: spec.localPref: 0: BGPAdvertisement "a" announces IPAddressPool "v4" to the same peers with 100; the routes of a pool must have one localPref',
    ]);
  });

  test('the advertisement in use wins, and an edit of one in use is not taken', () => {
    expect(names(edits([v4, adv('b', 200)], [v4, adv('a', 100), adv('b', 200)]).bgpAdvertisements)).toEqual([
      'b',
    ]);
    const { bgpAdvertisements } = edits(
      [v4, adv('a', 100), adv('b', 100)],
      [v4, adv('a', 100), adv('b', 200)],
    );
    expect(bgpAdvertisements.map(({ localPref }) => localPref)).toEqual([100, 100]);
  });

  test('a new pool in which two advertisements in use would meet is left to the first', () => {
    const gold = pool('gold', '198.51.100.0/24', { labels: '{ gold: "1" }' });
    const both = pool('both', '192.0.2.0/24', { labels: '{ gold: "1", tin: "1" }' });
    const a = adv('a', 100, ', ipAddressPoolSelectors: [{ matchLabels: { gold: "1" } }]');
    const b = adv('b', 200, ', ipAddressPoolSelectors: [{ matchLabels: { tin: "1" } }]');
    const { bgpAdvertisements } = edits([gold, a, b], [gold, both, a, b]);
    expect(Object.fromEntries(bgpAdvertisements.map(({ name, pools }) => [name, [...pools]]))).toEqual({
      a: ['both', 'gold'],
      b: [],
    });
  });
});

describe('identity', () => {
  const manifests = [
    pool('gold', '198.51.100.0/24'),
    peer('tor1', '192.0.2.1'),
    document('BGPAdvertisement', 'adv', '{}'),
    document('L2Advertisement', 'l2', '{}'),
  ];

  test('lists that did not change stay the same', () => {
    const config = configOf(...manifests);
    const first = selectForNode(config, N1);
    const second = selectForNode(config, { name: 'n1', labels: { rack: 'b' } }, first);
    expect(second.peers).toBe(first.peers);
    expect(second.bgpAdvertisements).toBe(first.bgpAdvertisements);
    expect(second.l2Advertisements).toBe(first.l2Advertisements);
  });
});
