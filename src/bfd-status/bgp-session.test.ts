import { describe, expect, test } from 'vitest';
import { recording, RECORDED_VERSIONS } from '../../test/frr-json/recordings.ts';
import { parseBgpNeighbors, type BgpSession } from './bgp-session.ts';
import { peerText, vrfLabel } from './identity.ts';

function byName(sessions: readonly BgpSession[]): Record<string, BgpSession> {
  return Object.fromEntries(
    sessions.map((session) => [`${vrfLabel(session.vrf)} ${peerText(session.peer)}`, session]),
  );
}

test('recordings of several FRR releases are there', () => {
  expect(RECORDED_VERSIONS).toEqual(expect.arrayContaining(['8.4.4', '10.3']));
});

describe.each(RECORDED_VERSIONS)('BGP neighbors of FRR %s', (version) => {
  const read = (name: string) => parseBgpNeighbors(recording(version, name));

  test('has every neighbor of every VRF', () => {
    const { sessions, problems } = read('bgp-neighbors.json');
    expect(problems).toEqual([]);
    expect(Object.keys(byName(sessions))).toEqual([
      'default 192.0.2.2',
      'default 192.0.2.4',
      'default 192.0.2.6',
      'default 192.0.2.98',
      'default 192.0.2.99',
      'default 2001:db8::2',
      'default 203.0.113.2',
      'default eth1',
      'red 192.0.2.50',
    ]);
  });

  test.each([
    { name: 'default 192.0.2.2', remoteAs: 64500, sent: { ipv4: 2 }, bfd: 'Up', hold: 90, keepalive: 30 },
    {
      name: 'default 192.0.2.4',
      remoteAs: 64512,
      sent: { ipv4: 2 },
      bfd: undefined,
      hold: 180,
      keepalive: 60,
    },
    { name: 'default 203.0.113.2', remoteAs: 64500, sent: { ipv4: 2 }, bfd: 'Up', hold: 180, keepalive: 60 },
    { name: 'default 2001:db8::2', remoteAs: 64500, sent: { ipv6: 2 }, bfd: 'Up', hold: 180, keepalive: 60 },
    {
      name: 'default eth1',
      remoteAs: 64500,
      sent: { ipv4: 2, ipv6: 2 },
      bfd: 'Up',
      hold: 180,
      keepalive: 60,
    },
  ])('$name is established', ({ name, remoteAs, sent, bfd, hold, keepalive }) => {
    const session = byName(read('bgp-neighbors.json').sessions)[name]!;
    expect(session).toMatchObject({
      state: 'Established',
      adminShutdown: false,
      remoteAs,
      localAs: 64512,
      holdTimeSeconds: hold,
      keepaliveSeconds: keepalive,
      remotePort: 179,
    });
    expect(Object.fromEntries(session.prefixes.map((family) => [family.family, family.sent]))).toEqual(sent);
    expect(session.prefixes.map((family) => family.accepted)).toEqual(session.prefixes.map(() => 0));
    expect(session.bfdStatus).toBe(bfd);
    expect(session.establishedAtMs).toBeGreaterThan(Date.UTC(2020, 0));
    expect(session.connectionsEstablished).toBeGreaterThan(0);
    expect(session.messages.opensSent).toBeGreaterThan(0);
    expect(session.messages.updatesSent).toBeGreaterThan(0);
    expect(session.messages.keepalivesReceived).toBeGreaterThan(0);
    expect(session.messages.totalSent).toBeGreaterThan(session.messages.updatesSent);
  });

  test('an unnumbered neighbor goes by its interface and shows the link-local address in use', () => {
    const session = byName(read('bgp-neighbors.json').sessions)['default eth1']!;
    expect(session.peer).toEqual({ kind: 'interface', interface: 'eth1' });
    expect(session.remoteAddress?.text).toMatch(/^fe80::/);
  });

  test.each([
    { name: 'default 192.0.2.6', states: ['Connect', 'Active'], shutdown: false, bfd: undefined },
    { name: 'default 192.0.2.98', states: ['Idle'], shutdown: true, bfd: undefined },
    { name: 'default 192.0.2.99', states: ['Idle', 'Connect', 'Active'], shutdown: false, bfd: 'Down' },
    { name: 'red 192.0.2.50', states: ['Idle'], shutdown: false, bfd: undefined },
  ])('$name is not', ({ name, states, shutdown, bfd }) => {
    const session = byName(read('bgp-neighbors.json').sessions)[name]!;
    expect(states).toContain(session.state);
    expect(session.adminShutdown).toBe(shutdown);
    expect(session.establishedAtMs).toBeUndefined();
    expect(session.prefixes).toEqual([{ family: 'ipv4', sent: 0, accepted: 0 }]);
    if (bfd !== undefined) expect(session.bfdStatus).toBe(bfd);
  });

  test('sessions that BFD took down say so and announce nothing', () => {
    const sessions = byName(read('bgp-neighbors-cut.json').sessions);
    for (const name of ['default 192.0.2.2', 'default 203.0.113.2', 'default 2001:db8::2']) {
      const session = sessions[name]!;
      expect(session.state, name).not.toBe('Established');
      expect(
        session.prefixes.map((family) => family.sent),
        name,
      ).toEqual([0]);
      expect(session.lastReset, name).toBeDefined();
      expect(`${session.lastReset!.reason} ${session.lastReset!.notification ?? ''}`, name).toMatch(/BFD/i);
      expect(session.connectionsDropped, name).toBeGreaterThan(0);
    }
    expect(sessions['default eth1']!.state).toBe('Established');
  });

  test("a peer's shutdown message comes as FRR escaped it", () => {
    const session = byName(read('bgp-neighbors-peer-shutdown.json').sessions)['default 192.0.2.2']!;
    expect(session.state).not.toBe('Established');
    // FRR 10 often reports that BFD noticed first, without the notification.
    if (session.lastReset!.message !== undefined) {
      expect(session.lastReset).toMatchObject({
        notification: 'Cease/Administrative Shutdown',
        message: 'maintenance \\x22window\\x22',
      });
    }
  });

  test('one VRF, or one neighbor, is of the VRF asked for', () => {
    const all = read('bgp-neighbors.json').sessions.filter((session) => session.vrf === '');
    const names = (sessions: readonly BgpSession[]) => Object.keys(byName(sessions));
    expect(names(read('bgp-neighbors-default-vrf.json').sessions)).toEqual(names(all));
    expect(names(parseBgpNeighbors(recording(version, 'bgp-neighbor.json'), 'blue').sessions)).toEqual([
      'blue eth1',
    ]);
  });

  test.each(['bgp-neighbors-none.json', 'bgp-no-such-neighbor.json'])('%s holds no session', (name) => {
    expect(read(name)).toEqual({ sessions: [], problems: [] });
  });

  test('takes a parsed value like its text', () => {
    const text = recording(version, 'bgp-neighbors.json');
    expect(parseBgpNeighbors(JSON.parse(text))).toEqual(parseBgpNeighbors(text));
  });

  test('a connection that vtysh had to renew comes before the answer', () => {
    const text = recording(version, 'bgp-neighbors.json');
    const notice = 'Warning: closing connection to bgpd because of an I/O error!\n';
    expect(parseBgpNeighbors(notice + text)).toEqual(parseBgpNeighbors(text));
  });
});

describe('a neighbor of another shape', () => {
  const neighbor = (members: object) => ({ default: { vrfId: 0, vrfName: 'default', '192.0.2.2': members } });
  const only = (members: object) => parseBgpNeighbors(neighbor(members)).sessions[0]!;

  test('with nothing but a state', () => {
    expect(only({ bgpState: 'Active' })).toEqual({
      vrf: '',
      peer: { kind: 'address', address: expect.objectContaining({ text: '192.0.2.2' }) as unknown },
      remoteAddress: expect.objectContaining({ text: '192.0.2.2' }) as unknown,
      state: 'Active',
      adminShutdown: false,
      connectionsEstablished: 0,
      connectionsDropped: 0,
      prefixes: [],
      messages: {
        opensSent: 0,
        opensReceived: 0,
        notificationsSent: 0,
        notificationsReceived: 0,
        updatesSent: 0,
        updatesReceived: 0,
        keepalivesSent: 0,
        keepalivesReceived: 0,
        routeRefreshSent: 0,
        routeRefreshReceived: 0,
        totalSent: 0,
        totalReceived: 0,
      },
    });
  });

  test.each([
    { state: 'Clearing', want: 'Idle' },
    { state: 'Deleted', want: 'Idle' },
    { state: 'OpenSent', want: 'OpenSent' },
    { state: 'OpenConfirm', want: 'OpenConfirm' },
  ])('$state is told as $want', ({ state, want }) => {
    expect(only({ bgpState: state }).state).toBe(want);
  });

  test.each([
    { what: 'port -1', members: { portForeign: -1 }, absent: 'remotePort' },
    { what: 'port 0', members: { portForeign: 0 }, absent: 'remotePort' },
    { what: 'no ASN yet', members: { remoteAs: 0 }, absent: 'remoteAs' },
    { what: 'an ASN as text', members: { remoteAs: '64500' }, absent: 'remoteAs' },
    { what: 'a fraction', members: { bgpTimerHoldTimeMsecs: 0.5 }, absent: 'holdTimeSeconds' },
    { what: 'no reset', members: { lastReset: 'never' }, absent: 'lastReset' },
    { what: 'an up time while down', members: { bgpTimerUpEstablishedEpoch: 1 }, absent: 'establishedAtMs' },
  ])('$what is no value', ({ members, absent }) => {
    expect(only({ bgpState: 'Idle', ...members })).not.toHaveProperty(absent);
  });

  test('prefixes of a session that is down are not sent, whatever the counter says', () => {
    const addressFamilyInfo = { ipv4Unicast: { sentPrefixCounter: 7, acceptedPrefixCounter: 3 } };
    expect(only({ bgpState: 'Idle', addressFamilyInfo }).prefixes).toEqual([
      { family: 'ipv4', sent: 0, accepted: 3 },
    ]);
    expect(only({ bgpState: 'Established', addressFamilyInfo }).prefixes).toEqual([
      { family: 'ipv4', sent: 7, accepted: 3 },
    ]);
  });

  test('an unnumbered neighbor without a peer has no address', () => {
    const { sessions } = parseBgpNeighbors({ eth1: { bgpState: 'Idle', bgpNeighborAddr: 'none' } });
    expect(sessions[0]).toMatchObject({ peer: { kind: 'interface', interface: 'eth1' } });
    expect(sessions[0]).not.toHaveProperty('remoteAddress');
  });

  test('a wrong neighbor is a problem and the others stay', () => {
    const { sessions, problems } = parseBgpNeighbors({
      default: {
        '192.0.2.2': { bgpState: 'Sleeping' },
        '192.0.2.3': { bgpState: 'Idle' },
        '192.0.2.4': {},
        '': { bgpState: 'Idle' },
      },
    });
    expect(sessions.map((session) => peerText(session.peer))).toEqual(['192.0.2.3']);
    expect(problems.map((problem) => [problem.field, problem.message])).toEqual([
      [
        'default.192.0.2.2.bgpState',
        'BGP neighbor "192.0.2.2": bgpState: "Sleeping": must be a state of RFC 4271 section 8.2.2',
      ],
      [
        'default.192.0.2.4.bgpState',
        'BGP neighbor "192.0.2.4": bgpState: nothing: must be a state of RFC 4271 section 8.2.2',
      ],
      ['default..bgpState', 'BGP neighbor "": bgpState: "Idle": must be a state of RFC 4271 section 8.2.2'],
    ]);
    expect(problems.every((problem) => problem.transient && problem.severity === 'error')).toBe(true);
  });

  test.each([
    { what: 'nothing', answer: '', message: /gave no answer/ },
    {
      what: 'a message',
      answer: '% Unknown command: show',
      message: /is not JSON: "% Unknown command: show"/,
    },
    { what: 'half an answer', answer: '{"default":{"vrfId":0', message: /is not JSON/ },
    { what: 'a list', answer: '[]', message: /not a list/ },
    { what: 'null', answer: 'null', message: /not null/ },
    { what: 'undefined', answer: undefined, message: /not nothing/ },
  ])('$what is a problem', ({ answer, message }) => {
    const { sessions, problems } = parseBgpNeighbors(answer);
    expect(sessions).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.message).toMatch(message);
  });

  test('an endless answer gives few and short problems', () => {
    const hostile = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [
        `peer${index}${'x'.repeat(10_000)}`,
        { bgpState: 'y'.repeat(10_000) },
      ]),
    );
    const { problems } = parseBgpNeighbors(hostile);
    expect(problems.length).toBeLessThanOrEqual(50);
    for (const problem of problems) {
      expect(problem.message.length).toBeLessThan(500);
      expect(problem.field.length).toBeLessThan(200);
    }
  });
});
