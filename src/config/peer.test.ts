import { describe, expect, test } from 'vitest';
import { buildConfig } from './index.ts';
import { document, edits, fresh, lines, peer, secret, snapshot } from './testing.ts';

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
