import { describe, expect, test } from 'vitest';
import { manifest, NAMESPACE, parse, type Parsed } from './testing.ts';

const DEPRECATED =
  'warning: the ConfigMap "config" is deprecated; write IPAddressPool, BGPPeer and the other kinds of metallb.io';
const FROM = { kind: 'ConfigMap', namespace: NAMESPACE, name: 'config' };

function convert(text: string, metadata: object = {}): Parsed {
  return parse({
    ...manifest('ConfigMap', { data: { config: text } }),
    metadata: { name: 'config', ...metadata },
  });
}

/** Kind and name of each object, and the problems beside the one about deprecation. */
function outcome(text: string): {
  readonly objects: string[];
  readonly problems: readonly string[];
  readonly rejected: readonly string[];
} {
  const { objects, problems, rejected } = convert(text);
  expect(problems[0]).toBe(DEPRECATED);
  return {
    objects: objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    problems: problems.slice(1),
    rejected,
  };
}

const PEER = 'my-asn: 64512, peer-asn: 64500, peer-address: 192.0.2.1';

test('everything', () => {
  const { objects, problems, rejected } = convert(
    `
peers:
- my-asn: 64512
  peer-asn: 64500
  peer-address: 192.0.2.1
  source-address: 192.0.2.2
  peer-port: 1790
  hold-time: 30s
  keepalive-time: 5s
  router-id: 192.0.2.9
  password: "hunter2"
  bfd-profile: Fast_One
  ebgp-multihop: true
  node-selectors:
  - match-labels: { rack: a }
    match-expressions:
    - { key: role, operator: In, values: [edge] }
address-pools:
- name: default
  protocol: bgp
  addresses: [198.51.100.0/24, 203.0.113.1-203.0.113.9]
  auto-assign: false
  avoid-buggy-ips: true
  bgp-advertisements:
  - aggregation-length: 32
    aggregation-length-v6: 64
    localpref: 100
    communities: ["64496:1", no-transit]
  - {}
- name: lan
  protocol: layer2
  addresses: [192.0.2.128/25]
bgp-communities:
  zz: "64496:3"
  no-transit: "64496:2"
bfd-profiles:
- name: Fast_One
  receive-interval: 50
  transmit-interval: 60
  detect-multiplier: 3
  echo-interval: 70
  echo-mode: true
  passive-mode: true
  minimum-ttl: 250
`,
    { creationTimestamp: '2019-01-01T00:00:00Z', labels: { a: 'b' } },
  );
  expect(rejected).toEqual([]);
  expect(problems).toEqual([
    DEPRECATED,
    'warning: data.config.bfd-profiles[0].name: "Fast_One": is no name of a Kubernetes object and is used as "fast-one"; annotations must name it so',
  ]);
  const metadata = (name: string): object => ({
    name,
    namespace: NAMESPACE,
    labels: {},
    annotations: {},
    creationTimestamp: '2019-01-01T00:00:00Z',
    convertedFrom: FROM,
  });
  const lists = { ipAddressPoolSelectors: [], nodeSelectors: [], serviceSelectors: [] };
  expect(objects).toEqual([
    {
      kind: 'BGPPeer',
      metadata: metadata('peer1'),
      spec: {
        myASN: 64512,
        peerASN: 64500,
        peerAddress: '192.0.2.1',
        sourceAddress: '192.0.2.2',
        peerPort: 1790,
        holdTime: '30s',
        keepaliveTime: '5s',
        routerID: '192.0.2.9',
        password: 'hunter2',
        bfdProfile: 'fast-one',
        ebgpMultiHop: true,
        nodeSelectors: [
          {
            matchLabels: { rack: 'a' },
            matchExpressions: [{ key: 'role', operator: 'In', values: ['edge'] }],
          },
        ],
        enableGracefulRestart: false,
        disableMP: false,
        dualStackAddressFamily: false,
      },
    },
    {
      kind: 'IPAddressPool',
      metadata: metadata('default'),
      spec: {
        addresses: ['198.51.100.0/24', '203.0.113.1-203.0.113.9'],
        autoAssign: false,
        avoidBuggyIPs: true,
      },
    },
    {
      kind: 'IPAddressPool',
      metadata: metadata('lan'),
      spec: { addresses: ['192.0.2.128/25'], autoAssign: true, avoidBuggyIPs: false },
    },
    {
      kind: 'BGPAdvertisement',
      metadata: metadata('bgpadvertisement1'),
      spec: {
        aggregationLength: 32,
        aggregationLengthV6: 64,
        localPref: 100,
        communities: ['64496:1', 'no-transit'],
        ipAddressPools: ['default'],
        peers: [],
        ...lists,
      },
    },
    {
      kind: 'BGPAdvertisement',
      metadata: metadata('bgpadvertisement2'),
      spec: {
        aggregationLength: 32,
        aggregationLengthV6: 128,
        localPref: 0,
        communities: [],
        ipAddressPools: ['default'],
        peers: [],
        ...lists,
      },
    },
    {
      kind: 'L2Advertisement',
      metadata: metadata('l2advertisement1'),
      spec: {
        ipAddressPools: ['lan'],
        interfaces: [],
        preferredNodeSelectors: [],
        balance: false,
        failback: 'Never',
        ...lists,
      },
    },
    {
      kind: 'BFDProfile',
      metadata: metadata('fast-one'),
      spec: {
        receiveInterval: 50,
        transmitInterval: 60,
        detectMultiplier: 3,
        echoInterval: 70,
        echoMode: true,
        passiveMode: true,
        minimumTtl: 250,
      },
    },
    {
      kind: 'Community',
      metadata: metadata('communities'),
      spec: {
        communities: [
          { name: 'no-transit', value: '64496:2' },
          { name: 'zz', value: '64496:3' },
        ],
      },
    },
  ]);
});

describe('peers', () => {
  test('defaults: port 179 and a hold time of 90s', () => {
    for (const more of ['', ', peer-port: 0', ', hold-time: null']) {
      const { objects } = convert(`peers: [{ ${PEER}${more} }]`);
      expect(objects[0]?.spec).toMatchObject({ peerPort: 179, holdTime: '90s' });
      expect(objects[0]?.spec).not.toHaveProperty('keepaliveTime');
    }
  });

  test.each([
    {
      more: ', hold-time: 1s',
      want: 'data.config.peers[0].hold-time: 1s: the hold time must be 0 or 3s to 65535s (RFC 4271 section 4.2)',
    },
    {
      more: ', keepalive-time: 91s',
      want: 'data.config.peers[0].keepalive-time: 91s: must not exceed the hold time (90s); a third of it is usual',
    },
    {
      more: ', peer-adress: 192.0.2.1',
      want: 'data.config.peers[0].peer-adress: unknown field "peer-adress"; did you mean "peer-address"?',
    },
    { more: ', router-id: x', want: /^data\.config\.peers\[0\]\.router-id: "x": must be an IPv4 address/ },
    { more: ', password: 5', want: /^data\.config\.peers\[0\]\.password: must be text/ },
    {
      more: ', node-selectors: [{ match-labels: { a: "b c" } }]',
      want: /^data\.config\.peers\[0\]\.node-selectors\[0\]\.matchLabels\.a: "b c": a label value must/,
    },
    {
      more: ', node-selectors: [{ match-label: {} }]',
      want: 'data.config.peers[0].node-selectors[0].match-label: unknown field "match-label"; did you mean "match-labels"?',
    },
    {
      more: ', node-selectors: [{}, {}]',
      want: 'data.config.peers[0].node-selectors[1]: is the same selector as one before it; list it once',
    },
    { more: ', interface: eth0', want: /^data\.config\.peers\[0\]\.interface: unknown field/ },
  ])('refused$more: the others are used', ({ more, want }) => {
    const { objects, problems, rejected } = outcome(`peers: [{ ${PEER}${more} }, { ${PEER} }]`);
    expect(objects).toEqual(['BGPPeer peer2']);
    expect(problems).toEqual([typeof want === 'string' ? want : expect.stringMatching(want)]);
    expect(rejected).toEqual([`BGPPeer ${NAMESPACE}/peer1`]);
  });

  test('what is required', () => {
    expect(outcome('peers: [{}]').problems).toEqual([
      "data.config.peers[0].my-asn: is required: this side's ASN",
      "data.config.peers[0].peer-asn: is required: the peer's ASN",
      'data.config.peers[0].peer-address: is required: address of the peer',
    ]);
  });

  test('iBGP with multihop', () => {
    const text = 'peers: [{ my-asn: 64512, peer-asn: 64512, peer-address: 192.0.2.1, ebgp-multihop: true }]';
    expect(outcome(text).problems).toEqual([
      'data.config.peers[0].ebgp-multihop: true: must be false for an iBGP peer (peerASN and myASN are both 64512)',
    ]);
  });
});

describe('pools', () => {
  const pool = (name: string, more: string): string =>
    `{ name: ${name}, addresses: [198.51.100.0/24], ${more} }`;

  test('a bgp pool without advertisements is announced with the defaults; numbers run across pools', () => {
    const text = `address-pools: [${pool('a', 'protocol: bgp')}, ${pool('b', 'protocol: layer2')}, ${pool('c', 'protocol: bgp, bgp-advertisements: [{}, {}]')}, ${pool('d', 'protocol: layer2')}]`;
    expect(outcome(text).objects).toEqual([
      ...['a', 'b', 'c', 'd'].map((name) => `IPAddressPool ${name}`),
      ...[1, 2, 3].map((n) => `BGPAdvertisement bgpadvertisement${String(n)}`),
      ...[1, 2].map((n) => `L2Advertisement l2advertisement${String(n)}`),
    ]);
  });

  test('a wrong pool keeps its numbers, so that those of the others do not move', () => {
    const text = `address-pools: [${pool('a', 'protocol: bgp, auto-assign: 1')}, ${pool('b', 'protocol: bgp')}, ${pool('c', 'protocol: layr2')}, ${pool('d', 'protocol: layer2')}]`;
    expect(outcome(text)).toEqual({
      objects: [
        'IPAddressPool b',
        'IPAddressPool d',
        'BGPAdvertisement bgpadvertisement2',
        'L2Advertisement l2advertisement2',
      ],
      problems: [
        'data.config.address-pools[0].auto-assign: 1: must be true or false',
        'data.config.address-pools[2].protocol: "layr2": must be "layer2" or "bgp"',
      ],
      rejected: [
        `IPAddressPool ${NAMESPACE}/a`,
        `IPAddressPool ${NAMESPACE}/c`,
        `BGPAdvertisement ${NAMESPACE}/bgpadvertisement1`,
        `L2Advertisement ${NAMESPACE}/l2advertisement1`,
      ],
    });
  });

  test('a wrong advertisement is set aside by itself', () => {
    const text = `address-pools: [${pool('a', 'protocol: bgp, bgp-advertisements: [{ aggregation-length: 0 }, {}]')}]`;
    expect(outcome(text)).toEqual({
      objects: ['IPAddressPool a', 'BGPAdvertisement bgpadvertisement2'],
      problems: [
        'data.config.address-pools[0].bgp-advertisements[0].aggregation-length: 0: must be a whole number from 1 to 32',
      ],
      rejected: [`BGPAdvertisement ${NAMESPACE}/bgpadvertisement1`],
    });
  });

  test.each([
    {
      more: 'protocol: layer2, bgp-advertisements: [{}]',
      want: 'bgp-advertisements: must be absent: the protocol of this pool is layer2',
    },
    {
      more: 'auto-assign: true',
      want: 'protocol: is required: how the addresses are announced: "layer2" or "bgp"',
    },
    {
      more: 'protocol: bgp, addreses: []',
      want: 'addreses: unknown field "addreses"; did you mean "addresses"?',
    },
  ])('refused: $more', ({ more, want }) => {
    expect(outcome(`address-pools: [${pool('a', more)}]`).problems).toEqual([
      `data.config.address-pools[0].${want}`,
    ]);
  });

  test.each([
    { written: 'my_pool', name: 'my-pool' },
    { written: 'MyPool', name: 'mypool' },
    { written: '9-lives', name: 'lives' },
    { written: 'a'.repeat(70), name: 'a'.repeat(63) },
  ])('the name $written becomes $name, with a warning', ({ written, name }) => {
    const { objects, problems } = outcome(`address-pools: [${pool(written, 'protocol: layer2')}]`);
    expect(objects).toEqual([`IPAddressPool ${name}`, 'L2Advertisement l2advertisement1']);
    expect(problems).toEqual([
      `warning: data.config.address-pools[0].name: "${written}": is no name of a Kubernetes object and is used as "${name}"; annotations must name it so`,
    ]);
  });

  test.each(['gold', 'a', 'a-9'])('the name %s stays, without a word', (name) => {
    expect(outcome(`address-pools: [${pool(name, 'protocol: layer2')}]`).problems).toEqual([]);
  });

  test.each(['"123"', '"my pool!"', '""'])('the name %s cannot be made one', (name) => {
    const { objects, problems } = outcome(`address-pools: [${pool(name, 'protocol: layer2')}]`);
    expect(objects).toEqual([]);
    expect(problems).toEqual([
      expect.stringMatching(/^data\.config\.address-pools\[0\]\.name: .*must be lower-case letters/),
    ]);
  });
});

describe('communities and profiles', () => {
  test.each(['{ a: "1:99999" }', '{ a: 5 }', '{ a: no-export }'])('%s is refused', (aliases) => {
    const { objects, problems, rejected } = outcome(`bgp-communities: ${aliases}`);
    expect(objects).toEqual([]);
    expect(problems).toEqual([expect.stringMatching(/^data\.config\.bgp-communities\.a: .*: must be/)]);
    expect(rejected).toEqual([`Community ${NAMESPACE}/communities`]);
  });

  test('no aliases, no Community', () => {
    expect(outcome('bgp-communities: {}').objects).toEqual([]);
  });

  test('a profile out of range', () => {
    expect(outcome('bfd-profiles: [{ name: a, detect-multiplier: 1 }, { name: b }]')).toEqual({
      objects: ['BFDProfile b'],
      problems: ['data.config.bfd-profiles[0].detect-multiplier: 1: must be a whole number from 2 to 255'],
      rejected: [`BFDProfile ${NAMESPACE}/a`],
    });
  });
});

describe('the text as a whole', () => {
  test.each(['', '# nothing', '{}', 'peers:'])('%j gives nothing', (text) => {
    expect(outcome(text)).toEqual({ objects: [], problems: [], rejected: [] });
  });

  test.each([
    { text: 'peers: [', want: /^data\.config: not valid YAML: .* \(line \d+ of the text\)$/ },
    { text: 'a: 1\n---\nb: 2', want: 'data.config: must be one YAML document' },
    { text: '- a', want: 'data.config: a list: must be an object' },
    {
      text: 'addresspools: []',
      want: 'data.config.addresspools: unknown field "addresspools"; did you mean "address-pools"?',
    },
    { text: 'peers: {}', want: 'data.config.peers: an object: must be a list' },
    { text: 'bgp-communities: []', want: 'data.config.bgp-communities: a list: must be an object' },
  ])('$text is set aside as a whole', ({ text, want }) => {
    const { objects, problems, rejected } = outcome(text);
    expect(objects).toEqual([]);
    expect(problems[0]).toEqual(typeof want === 'string' ? want : expect.stringMatching(want));
    expect(rejected).toEqual([`ConfigMap ${NAMESPACE}/config`]);
  });

  test('what the YAML parser quotes is not passed on: it may be a password', () => {
    for (const text of [
      'peers: [{ password: *hunter2 }]',
      'peers: [{ password: !hunter2 x }]',
      'password: "hunter2',
      "password: 'hunter2",
    ]) {
      const { problems } = convert(text);
      expect(problems).toHaveLength(2);
      expect(problems.join()).not.toContain('hunter2');
    }
  });
});

describe('which ConfigMap', () => {
  const text = 'peers: []';

  test.each([
    { metadata: { name: 'config', namespace: 'shop' }, isLegacy: false },
    { metadata: { name: 'other' }, isLegacy: false },
    { metadata: { name: 'config' }, isLegacy: true },
    { metadata: { name: 'config', namespace: NAMESPACE }, isLegacy: true },
  ])('$metadata: $isLegacy', ({ metadata, isLegacy }) => {
    const { objects, problems } = parse({ ...manifest('ConfigMap', { data: { config: text } }), metadata });
    expect(objects.map(({ kind }) => kind)).toEqual(isLegacy ? [] : ['ConfigMap']);
    expect(problems).toEqual(isLegacy ? [DEPRECATED] : []);
  });

  test('another key is an ordinary ConfigMap', () => {
    expect(
      parse({ ...manifest('ConfigMap', { data: { other: text } }), metadata: { name: 'config' } }).objects,
    ).toHaveLength(1);
  });

  test('the namespace of MetalLB may be another than the default one', () => {
    const raw = {
      ...manifest('ConfigMap', { data: { config: text } }),
      metadata: { name: 'config', namespace: 'lb' },
    };
    expect(parse(raw, { metallbNamespace: 'lb' }).problems).toEqual([DEPRECATED]);
    expect(parse(raw).problems).toEqual([]);
  });
});
