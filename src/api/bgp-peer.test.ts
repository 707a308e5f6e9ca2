import { describe, expect, test } from 'vitest';
import { manifest, parse, parseSpec } from './testing.ts';

const MINIMAL = { myASN: 64512, peerASN: 64500, peerAddress: '192.0.2.1' };
const DEFAULTS = {
  peerPort: 179,
  nodeSelectors: [],
  enableGracefulRestart: false,
  ebgpMultiHop: false,
  disableMP: false,
  dualStackAddressFamily: false,
};

describe('BGPPeer v1beta2', () => {
  test('defaults', () => {
    expect(parseSpec('BGPPeer', MINIMAL)).toMatchObject({
      spec: { ...MINIMAL, ...DEFAULTS },
      problems: [],
      rejected: [],
    });
    expect(Object.keys(parseSpec('BGPPeer', MINIMAL).spec as object).sort()).toEqual(
      [...Object.keys(MINIMAL), ...Object.keys(DEFAULTS)].sort(),
    );
  });

  test('every field', () => {
    const spec = {
      myASN: 64512,
      dynamicASN: 'external',
      localASN: 64501,
      interface: 'eth1.100',
      sourceAddress: '2001:db8::2',
      peerPort: 16_384,
      holdTime: '90s',
      keepaliveTime: '30s',
      connectTime: '1m',
      routerID: '192.0.2.9',
      nodeSelectors: [
        { matchLabels: { rack: 'a' }, matchExpressions: [{ key: 'role', operator: 'Exists' }] },
      ],
      passwordSecret: { name: 'tor', namespace: 'elsewhere' },
      bfdProfile: 'fast',
      enableGracefulRestart: true,
      ebgpMultiHop: true,
      vrf: 'red',
      disableMP: false,
      dualStackAddressFamily: true,
    };
    expect(parseSpec('BGPPeer', spec)).toMatchObject({ spec, problems: [] });
  });

  test('what is empty or null counts as absent', () => {
    const empty = {
      interface: '',
      sourceAddress: '',
      routerID: '',
      password: '',
      bfdProfile: '',
      vrf: '',
      passwordSecret: { name: '', namespace: '' },
      localASN: null,
      holdTime: null,
      nodeSelectors: null,
      peerPort: null,
    };
    const { spec, problems } = parseSpec('BGPPeer', { ...MINIMAL, ...empty });
    expect(problems).toEqual([]);
    expect(spec).toEqual({ ...MINIMAL, ...DEFAULTS });
  });

  test.each([
    { change: { myASN: 0 }, want: ['spec.myASN: 0: must be an ASN from 1 to 4294967295'] },
    { change: { myASN: -1 }, want: ['spec.myASN: -1: must be a whole number from 0 to 4294967295'] },
    {
      change: { myASN: 4_294_967_296 },
      want: ['spec.myASN: 4294967296: must be a whole number from 0 to 4294967295'],
    },
    { change: { myASN: 1.5 }, want: ['spec.myASN: 1.5: must be a whole number from 0 to 4294967295'] },
    {
      change: { myASN: '64512' },
      want: ['spec.myASN: "64512": must be a whole number from 0 to 4294967295'],
    },
    { change: { myASN: undefined }, want: ["spec.myASN: is required: this side's ASN"] },
    {
      change: { peerASN: undefined },
      want: ["spec.peerASN: is required: the peer's ASN, or dynamicASN in its place"],
    },
    {
      change: { peerASN: 0 },
      want: ["spec.peerASN: is required: the peer's ASN, or dynamicASN in its place"],
    },
    {
      change: { dynamicASN: 'internal' },
      want: ['spec.dynamicASN: "internal": excludes peerASN (64500); give one of the two'],
    },
    { change: { peerASN: 0, dynamicASN: 'internal' }, want: [] },
    {
      change: { peerASN: undefined, dynamicASN: 'any' },
      want: ['spec.dynamicASN: "any": must be "internal" or "external"'],
    },
    {
      change: { peerASN: 64512, ebgpMultiHop: true },
      want: ['spec.ebgpMultiHop: true: must be false for an iBGP peer (peerASN and myASN are both 64512)'],
    },
    { change: { peerASN: undefined, dynamicASN: 'internal', ebgpMultiHop: true }, want: [] },
    { change: { localASN: 0 }, want: ['spec.localASN: 0: must be a whole number from 1 to 4294967295'] },
    { change: { localASN: 64512 }, want: ['spec.localASN: 64512: must differ from myASN'] },
    {
      change: { localASN: 64500 },
      want: ['warning: spec.localASN: 64500: is peerASN as well, which FRR 8 refuses'],
    },
    {
      change: { peerASN: 64512, localASN: 64501 },
      want: ['warning: spec.localASN: 64501: FRR 8 refuses a local ASN for an iBGP peer'],
    },
    {
      change: { peerAddress: undefined },
      want: ['spec.peerAddress: is required: the address of the peer, or interface in its place'],
    },
    {
      change: { peerAddress: '' },
      want: ['spec.peerAddress: is required: the address of the peer, or interface in its place'],
    },
    {
      change: { interface: 'eth1' },
      want: ['spec.interface: "eth1": excludes peerAddress ("192.0.2.1"); give one of the two'],
    },
    {
      change: { peerAddress: '192.0.2.1/32' },
      want: ['spec.peerAddress: "192.0.2.1/32": must be an IP address, such as "192.0.2.1" or "2001:db8::1"'],
    },
    {
      change: { peerAddress: '192.0.02.1' },
      want: ['spec.peerAddress: "192.0.02.1": must be an IP address, such as "192.0.2.1" or "2001:db8::1"'],
    },
    {
      change: { peerAddress: 'fe80::1%eth0' },
      want: ['spec.peerAddress: "fe80::1%eth0": must be an IP address, such as "192.0.2.1" or "2001:db8::1"'],
    },
    {
      change: { peerAddress: 'tor1.example.com' },
      want: [expect.stringMatching(/^spec\.peerAddress: .*must be an IP address/)],
    },
    {
      change: { peerAddress: '0.0.0.0' },
      want: [
        'spec.peerAddress: "0.0.0.0": must be the address of a host, not an unspecified or multicast address',
      ],
    },
    { change: { peerAddress: '224.0.0.5' }, want: [expect.stringMatching(/must be the address of a host/)] },
    {
      change: { peerAddress: '255.255.255.255' },
      want: [expect.stringMatching(/must be the address of a host/)],
    },
    { change: { peerAddress: 'ff02::1' }, want: [expect.stringMatching(/must be the address of a host/)] },
    { change: { peerAddress: '::' }, want: [expect.stringMatching(/must be the address of a host/)] },
    {
      change: { sourceAddress: 'eth0' },
      want: [expect.stringMatching(/^spec\.sourceAddress: "eth0": must be an IP address/)],
    },
    {
      change: { sourceAddress: '2001:db8::2' },
      want: [
        'warning: spec.sourceAddress: 2001:db8::2: is of another address family than peerAddress (192.0.2.1), so there will be no session',
      ],
    },
    {
      change: { routerID: '2001:db8::1' },
      want: [
        expect.stringMatching(
          /^spec\.routerID: "2001:db8::1": must be an IPv4 address other than 0\.0\.0\.0/,
        ),
      ],
    },
    {
      change: { routerID: '0.0.0.0' },
      want: [expect.stringMatching(/^spec\.routerID: "0\.0\.0\.0": must be an IPv4 address other than/)],
    },
    { change: { peerPort: 0 }, want: ['spec.peerPort: 0: must be a whole number from 1 to 16384'] },
    { change: { peerPort: 16_385 }, want: ['spec.peerPort: 16385: must be a whole number from 1 to 16384'] },
    {
      change: { holdTime: '1s' },
      want: ['spec.holdTime: 1s: the hold time must be 0 or 3s to 65535s (RFC 4271 section 4.2)'],
    },
    { change: { holdTime: 90 }, want: [expect.stringMatching(/^spec\.holdTime: 90: must be text/)] },
    {
      change: { holdTime: '90' },
      want: ['spec.holdTime: "90": must be a duration such as "90s", "1m30s" or "500ms"'],
    },
    {
      change: { holdTime: '' },
      want: ['spec.holdTime: "": must be a duration such as "90s", "1m30s" or "500ms"'],
    },
    {
      change: { holdTime: '9s', keepaliveTime: '10s' },
      want: ['spec.keepaliveTime: 10s: must not exceed the hold time (9s); a third of it is usual'],
    },
    {
      change: { holdTime: '3s', keepaliveTime: '0.5s' },
      want: [expect.stringMatching(/^warning: spec\.keepaliveTime: 0\.5s: is cut to 0s/)],
    },
    {
      change: { holdTime: 'x', keepaliveTime: 'y' },
      want: [expect.stringMatching(/^spec\.holdTime/), expect.stringMatching(/^spec\.keepaliveTime/)],
    },
    {
      change: { connectTime: '0s' },
      want: ['spec.connectTime: 0s: must be whole seconds from 1s to 65535s'],
    },
    {
      change: { connectTime: '1.5s' },
      want: ['spec.connectTime: 1.5s: must be whole seconds from 1s to 65535s'],
    },
    {
      change: { connectTime: '65536s' },
      want: ['spec.connectTime: 65536s: must be whole seconds from 1s to 65535s'],
    },
    {
      change: { connectTime: '-1s' },
      want: ['spec.connectTime: -1s: must be whole seconds from 1s to 65535s'],
    },
    { change: { connectTime: '1000ms' }, want: [] },
    {
      change: { password: 'a', passwordSecret: { name: 'tor' } },
      want: ['spec.passwordSecret: Secret "tor": excludes password; give one of the two'],
    },
    {
      change: { passwordSecret: { nam: 'tor' } },
      want: ['spec.passwordSecret.nam: unknown field "nam"; did you mean "name"?'],
    },
    { change: { passwordSecret: 'tor' }, want: ['spec.passwordSecret: "tor": must be an object'] },
    {
      change: { bfdProfile: 'Fast' },
      want: [expect.stringMatching(/^spec\.bfdProfile: "Fast": must be lower-case letters/)],
    },
    { change: { ebgpMultiHop: 'yes' }, want: ['spec.ebgpMultiHop: "yes": must be true or false'] },
    {
      change: { disableMP: true },
      want: ['warning: spec.disableMP: true: has no effect any more and will go; leave it out'],
    },
    { change: { nodeSelectors: {} }, want: ['spec.nodeSelectors: an object: must be a list'] },
    {
      change: { vrf: 'a name that is long' },
      want: [expect.stringMatching(/^spec\.vrf: "a name that is long": must be a Linux interface name/)],
    },
    {
      change: { peerASn: 64500, peerASN: undefined },
      want: ['spec.peerASn: unknown field "peerASn"; did you mean "peerASN"?'],
    },
    {
      change: { 'peer-address': '192.0.2.1', peerAddress: undefined },
      want: ['spec.peer-address: unknown field "peer-address"; did you mean "peerAddress"?'],
    },
    {
      change: { quux: 1 },
      want: [expect.stringMatching(/^spec\.quux: unknown field "quux"; known are myASN, peerASN,/)],
    },
  ])('$change', ({ change, want }) => {
    const { problems, objects, rejected } = parseSpec('BGPPeer', { ...MINIMAL, ...change });
    expect(problems).toEqual(want);
    const isGood = problems.every((problem) => problem.startsWith('warning: '));
    expect(objects).toHaveLength(isGood ? 1 : 0);
    expect(rejected).toEqual(isGood ? [] : ['BGPPeer metallb-system/x']);
  });

  test('all that is wrong is said at once', () => {
    const { problems } = parseSpec('BGPPeer', {
      myASN: 0,
      peerASN: 'x',
      peerAddress: 'y',
      holdTime: '1s',
      connectTime: '0s',
      vrf: 'a b',
      colour: 'red',
    });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'spec.colour',
      'spec.peerASN',
      'spec.peerAddress',
      'spec.vrf',
      'spec.myASN',
      'spec.holdTime',
      'spec.connectTime',
    ]);
  });

  test('no problem shows a password, wrong as it may be', () => {
    for (const password of [
      'hunter2 and more',
      'hunter2\nneighbor',
      ['hunter2'],
      { hunter2: 'hunter2' },
      'hunter2'.repeat(20),
    ]) {
      const { problems, rejected } = parseSpec('BGPPeer', {
        ...MINIMAL,
        password,
        passwordSecret: { name: 'a' },
      });
      expect(rejected).toHaveLength(1);
      expect(problems.join()).toContain('spec.password');
      expect(problems.join()).not.toContain('hunter2');
    }
    expect(parseSpec('BGPPeer', { ...MINIMAL, password: 271828 }).problems.join()).not.toContain('271828');
  });

  test('a spec that is no object', () => {
    expect(parseSpec('BGPPeer', 'hunter2').problems).toEqual([
      'spec: "hunter2": must be an object',
      expect.anything(),
      expect.anything(),
    ]);
  });
});

describe('BGPPeer v1beta1', () => {
  const v1beta1 = (spec: object): ReturnType<typeof parse> =>
    parse({ ...manifest('BGPPeer', { spec }), apiVersion: 'metallb.io/v1beta1' });
  const DEPRECATED =
    'warning: apiVersion: metallb.io/v1beta1 is deprecated for BGPPeer; write metallb.io/v1beta2';

  test('is read as the v1beta2 peer it means', () => {
    const { objects, problems } = v1beta1({
      ...MINIMAL,
      holdTime: '90s',
      keepaliveTime: '0s',
      nodeSelectors: [{}],
    });
    expect(problems).toEqual([DEPRECATED]);
    expect(objects[0]?.kind).toBe('BGPPeer');
    expect(objects[0]?.spec).toEqual({
      ...MINIMAL,
      ...DEFAULTS,
      peerPort: 179,
      holdTime: '90s',
      nodeSelectors: [{ matchLabels: {}, matchExpressions: [] }],
    });
  });

  test.each([
    { timers: {}, want: {} },
    { timers: { holdTime: '0s', keepaliveTime: '0s' }, want: {} },
    { timers: { holdTime: '0', keepaliveTime: '5s' }, want: { keepaliveTime: '5s' } },
    { timers: { holdTime: '30s' }, want: { holdTime: '30s' } },
  ])('an absent or zero timer is absent: $timers', ({ timers, want }) => {
    const { objects } = v1beta1({ ...MINIMAL, ...timers });
    const spec = objects[0]?.spec as Record<string, unknown>;
    expect(Object.fromEntries(Object.entries(spec).filter(([key]) => key.endsWith('Time')))).toEqual(want);
  });

  test('peerPort may be 0; what v1beta1 does not have is refused', () => {
    expect(v1beta1({ ...MINIMAL, peerPort: 0 }).objects).toHaveLength(1);
    expect(v1beta1({ ...MINIMAL, vrf: 'red' }).problems).toEqual([
      expect.stringMatching(/^spec\.vrf: unknown field "vrf"/),
      DEPRECATED,
    ]);
  });

  test('peerASN and peerAddress are required, which is said once', () => {
    expect(v1beta1({ myASN: 64512 }).problems).toEqual([
      "spec.peerASN: is required: the peer's ASN",
      'spec.peerAddress: is required: address of the peer',
      DEPRECATED,
    ]);
  });
});
