import { describe, expect, test } from 'vitest';
import { recording, RECORDED_VERSIONS } from '../../test/frr-json/recordings.ts';
import {
  bfdDiagnosticOf,
  parseBfdCounters,
  parseBfdPeers,
  type BfdDiagnostic,
  type BfdSession,
} from './bfd-session.ts';
import { bfdSessionKey } from './identity.ts';

function byPeer(sessions: readonly BfdSession[]): Record<string, BfdSession> {
  return Object.fromEntries(
    // Link-local addresses are others in each recording.
    sessions.map((session) => [session.peer.text.replace(/^fe80:.*/, 'link-local'), session]),
  );
}

describe.each(RECORDED_VERSIONS)('BFD peers of FRR %s', (version) => {
  const read = (name: string) => parseBfdPeers(recording(version, name));

  test('has every session', () => {
    const { sessions, problems } = read('bfd-peers.json');
    expect(problems).toEqual([]);
    expect(Object.keys(byPeer(sessions))).toEqual([
      '192.0.2.2',
      '192.0.2.99',
      '2001:db8::2',
      '203.0.113.2',
      'link-local',
    ]);
  });

  test.each([
    { peer: '192.0.2.2', local: '192.0.2.1', interface: 'eth0', multihop: false, profile: 'fast' },
    { peer: '2001:db8::2', local: '2001:db8::1', interface: 'eth0', multihop: false, profile: 'fast' },
    { peer: '203.0.113.2', local: '203.0.113.1', interface: undefined, multihop: true, profile: 'hops' },
    { peer: 'link-local', local: undefined, interface: 'eth1', multihop: false, profile: 'fast' },
  ])('$peer is up', ({ peer, local, interface: name, multihop, profile }) => {
    const session = byPeer(read('bfd-peers.json').sessions)[peer]!;
    const fast = profile === 'fast';
    expect(session).toMatchObject({
      vrf: '',
      multihop,
      state: 'Up',
      diagnostic: 'None',
      remoteDiagnostic: 'None',
      passive: false,
      detectMultiplier: fast ? 3 : 4,
      intervals: { receiveMs: fast ? 50 : 150, transmitMs: fast ? 50 : 100 },
      remoteDetectMultiplier: fast ? 3 : 4,
      remoteIntervals: { receiveMs: fast ? 50 : 150, transmitMs: fast ? 50 : 100 },
    });
    expect(session.inStateMs).toBeGreaterThan(0);
    expect(session.interface).toBe(name);
    if (local !== undefined) expect(session.local?.text).toBe(local);
  });

  test('a session with nobody is down and without a local address', () => {
    const session = byPeer(read('bfd-peers.json').sessions)['192.0.2.99']!;
    expect(session).toMatchObject({ state: 'Down', multihop: false });
    expect(session).not.toHaveProperty('local');
  });

  test('sessions cut off say that the detection time expired', () => {
    const sessions = byPeer(read('bfd-peers-cut.json').sessions);
    for (const peer of ['192.0.2.2', '2001:db8::2', '203.0.113.2']) {
      // A session may have been made anew when BGP tried again; then it never was up.
      expect(sessions[peer], peer).toMatchObject({ state: 'Down' });
      expect(['ControlDetectionTimeExpired', 'None'], peer).toContain(sessions[peer]!.diagnostic);
    }
    expect(sessions['203.0.113.2']!.diagnostic).toBe('ControlDetectionTimeExpired');
    expect(sessions['link-local']).toMatchObject({ state: 'Up' });
  });

  test('sessions shut down by configuration, here and there', () => {
    const sessions = byPeer(read('bfd-peers-shutdown.json').sessions);
    expect(sessions['192.0.2.123']).toMatchObject({ state: 'AdminDown' });
    expect(sessions['203.0.113.2']).toMatchObject({
      state: 'Down',
      diagnostic: 'NeighborSignaledSessionDown',
    });
  });

  test('counters belong to their sessions', () => {
    const { counters, problems } = parseBfdCounters(recording(version, 'bfd-counters.json'));
    expect(problems).toEqual([]);
    const { sessions } = parseBfdPeers(recording(version, 'bfd-peers.json'), counters);
    expect([...counters.keys()].sort()).toEqual(sessions.map(bfdSessionKey).sort());
    for (const session of sessions) {
      const up = session.state === 'Up';
      expect(session.counters!.controlPacketsSent, session.peer.text).toBeGreaterThan(0);
      expect(session.counters!.controlPacketsReceived > 0, session.peer.text).toBe(up);
      expect(session.counters!.upEvents > 0, session.peer.text).toBe(up);
      expect(session.counters!.echoPacketsSent, session.peer.text).toBe(0);
      expect(session.counters!.zebraNotifications, session.peer.text).toBeGreaterThan(0);
    }
    expect(read('bfd-peers.json').sessions[0]).not.toHaveProperty('counters');
  });

  test('an empty configuration has no sessions', () => {
    expect(read('bfd-peers-none.json')).toEqual({ sessions: [], problems: [] });
    expect(parseBfdCounters(recording(version, 'bfd-counters-none.json')).counters.size).toBe(0);
  });

  test('takes a parsed value like its text', () => {
    const text = recording(version, 'bfd-peers.json');
    expect(parseBfdPeers(JSON.parse(text))).toEqual(parseBfdPeers(text));
  });
});

describe('a session of another shape', () => {
  test.each([
    { status: 'shutdown', want: 'AdminDown' },
    { status: 'down', want: 'Down' },
    { status: 'init', want: 'Init' },
    { status: 'up', want: 'Up' },
  ])('with nothing but peer and status $status', ({ status, want }) => {
    expect(parseBfdPeers([{ peer: '2001:DB8::0:2', status }]).sessions).toEqual([
      {
        vrf: '',
        peer: expect.objectContaining({ text: '2001:db8::2' }) as unknown,
        multihop: false,
        state: want,
        diagnostic: 'Unknown',
        remoteDiagnostic: 'Unknown',
        passive: false,
        intervals: {},
        remoteIntervals: {},
      },
    ]);
  });

  test('every member has its place', () => {
    const peer = {
      ...{ peer: '203.0.113.2', local: '203.0.113.1', vrf: 'red', multihop: true, 'minimum-ttl': 250 },
      ...{ 'passive-mode': true, diagnostic: 'echo function failed', 'remote-diagnostic': 'path down' },
      ...{ 'detect-multiplier': 3, 'receive-interval': 10, 'transmit-interval': 20 },
      ...{ 'echo-receive-interval': 30, 'echo-transmit-interval': 40, 'remote-detect-multiplier': 4 },
      ...{
        'remote-receive-interval': 50,
        'remote-transmit-interval': 60,
        'remote-echo-receive-interval': 70,
      },
      ...{ uptime: 8, downtime: 9 },
    };
    const want = {
      vrf: 'red',
      multihop: true,
      peer: { text: '203.0.113.2' },
      local: { text: '203.0.113.1' },
      minimumTtl: 250,
      passive: true,
      diagnostic: 'EchoFunctionFailed',
      remoteDiagnostic: 'PathDown',
      detectMultiplier: 3,
      intervals: { receiveMs: 10, transmitMs: 20, echoReceiveMs: 30, echoTransmitMs: 40 },
      remoteDetectMultiplier: 4,
      remoteIntervals: { receiveMs: 50, transmitMs: 60, echoReceiveMs: 70 },
    };
    const { sessions } = parseBfdPeers([{ ...peer, status: 'up' }]);
    expect(sessions).toMatchObject([{ ...want, state: 'Up', inStateMs: 8000 }]);
    expect(sessions[0]!.remoteIntervals).not.toHaveProperty('echoTransmitMs');
    expect(parseBfdPeers([{ ...peer, status: 'down' }]).sessions).toMatchObject([
      { ...want, state: 'Down', inStateMs: 9000 },
    ]);
  });

  test('one peer asked for comes without a list', () => {
    expect(parseBfdPeers({ peer: '192.0.2.2', status: 'up', vrf: 'red' }).sessions).toMatchObject([
      { vrf: 'red', state: 'Up' },
    ]);
  });

  test('sessions with one peer stay apart', () => {
    const session = { peer: '192.0.2.2', status: 'up', vrf: 'default' };
    const { sessions } = parseBfdPeers([
      { ...session, interface: 'eth0' },
      { ...session, interface: 'eth1' },
      { ...session, multihop: true },
      { ...session, local: '192.0.2.1' },
      { ...session, local: '192.0.2.9' },
      { ...session, vrf: 'red' },
    ]);
    expect(sessions).toHaveLength(6);
    expect(new Set(sessions.map(bfdSessionKey)).size).toBe(6);
  });

  test.each([
    { what: 'no list', answer: '"up"', field: '', message: /expected a list of peers, not "up"/ },
    { what: 'no text', answer: '', field: '', message: /gave no answer/ },
    { what: 'words', answer: "% Unable to find 'peer 192.0.2.77'", field: '', message: /is not JSON/ },
    { what: 'a number among peers', answer: [7], field: '[0]', message: /expected a peer, not 7/ },
    {
      what: 'no address',
      answer: [{ peer: 'eth0', status: 'up' }],
      field: '[0].peer',
      message: /"eth0": must be an IP/,
    },
    {
      what: 'a strange status',
      answer: [{ peer: '192.0.2.2', status: 'asleep' }],
      field: '[0].status',
      message: /192\.0\.2\.2: status: "asleep": must be/,
    },
  ])('$what is a problem', ({ answer, field, message }) => {
    const { sessions, problems } = parseBfdPeers(answer);
    expect(sessions).toEqual([]);
    expect(problems).toMatchObject([{ field, message: expect.stringMatching(message) as unknown }]);
  });

  test('a wrong peer does not hide the others', () => {
    const { sessions, problems } = parseBfdPeers([null, { peer: '192.0.2.2', status: 'up' }]);
    expect(sessions).toHaveLength(1);
    expect(problems).toHaveLength(1);
    expect(parseBfdCounters([null, { peer: '192.0.2.2', 'session-up': 3 }]).counters.size).toBe(1);
  });
});

test.each<[BfdDiagnostic, string, string]>([
  ['None', 'ok', 'ok'],
  ['ControlDetectionTimeExpired', 'control detection time expired', 'control-expired'],
  ['EchoFunctionFailed', 'echo function failed', 'echo-failed'],
  ['NeighborSignaledSessionDown', 'neighbor signaled session down', 'neighbor-down'],
  ['ForwardingPlaneReset', 'forwarding plane reset', 'forwarding-reset'],
  ['PathDown', 'path down', 'path-down'],
  ['ConcatenatedPathDown', 'concatenated path down', 'concatenated-path-down'],
  ['AdministrativelyDown', 'administratively down', 'administratively-down'],
  ['ReverseConcatenatedPathDown', 'reverse concatenated path down', 'reverse-concat-path-down'],
  ['Unknown', 'unknown', ''],
])('diagnostic %s has two names', (want, json, log) => {
  expect([bfdDiagnosticOf(json), bfdDiagnosticOf(log)]).toEqual([want, want]);
});
