import { describe, expect, test } from 'vitest';
import { ip } from '../core/test-ip.ts';
import { parseBfdPeers, type BfdSession, type BfdSessionId } from './bfd-session.ts';
import { parseBgpNeighbors, type BgpSession } from './bgp-session.ts';
import { bfdSessionKey, bgpSessionKey, peerOf, peerText, vrfOf } from './identity.ts';
import type { MonitorEvent } from './monitor-line.ts';
import {
  applyEvent,
  applyFullRead,
  EMPTY_OBSERVED,
  type FullRead,
  type ObservedChange,
  type ObservedState,
} from './observed-state.ts';

/** Established for 10 s at 1,000 s after the epoch, with 2 prefixes sent, unless told otherwise. */
function bgp(name: string, members: object = {}): BgpSession {
  const up = {
    bgpState: 'Established',
    bgpTimerUpEstablishedEpoch: 990,
    connectionsDropped: 0,
    addressFamilyInfo: { ipv4Unicast: { sentPrefixCounter: 2, acceptedPrefixCounter: 1 } },
  };
  return parseBgpNeighbors({ default: { [name]: { ...up, ...members } } }).sessions[0]!;
}

function bfd(peer: string, members: object = {}): BfdSession {
  const up = { peer, local: '192.0.2.1', interface: 'eth0', vrf: 'default', status: 'up', uptime: 10 };
  return parseBfdPeers([{ ...up, diagnostic: 'ok', ...members }]).sessions[0]!;
}

const down = (name: string, reason?: string): MonitorEvent => ({
  kind: 'bgp',
  vrf: '',
  peer: peerOf(name),
  to: 'down',
  ...(reason !== undefined && { reason }),
});
const up = (name: string): MonitorEvent => ({ kind: 'bgp', vrf: '', peer: peerOf(name), to: 'up' });

function id(
  peer: string,
  members: { local?: string; interface?: string; vrf?: string; multihop?: boolean } = {},
): BfdSessionId {
  const { local, interface: name, vrf, multihop = false } = members;
  return {
    vrf: vrfOf(vrf),
    peer: ip(peer),
    multihop,
    ...(local !== undefined && { local: ip(local) }),
    ...(name !== undefined && { interface: name }),
  };
}

/** Read at 1,000 s. */
function stateOf(read: Omit<FullRead, 'startedAtMs'>): ObservedState {
  return applyFullRead(EMPTY_OBSERVED, { startedAtMs: 1_000_000, bgp: [], bfd: [], ...read }, 1_000_100)
    .state;
}

function short(changes: readonly ObservedChange[]): string[] {
  return changes.map((change) => {
    const name = change.kind === 'bgp' ? peerText(change.peer) : change.session.peer.text;
    const why = change.kind === 'bgp' ? change.reason : change.diagnostic;
    const way = `${change.from ?? 'none'} -> ${change.to ?? 'none'}`;
    return `${change.kind} ${name} ${way}${why === undefined ? '' : ` (${why})`} at ${change.atMs}`;
  });
}

const bgpIn = (state: ObservedState, name: string) =>
  state.bgp.get(bgpSessionKey({ vrf: '', peer: peerOf(name) }));

describe('a full read', () => {
  test('the first one makes every session appear', () => {
    const read = { startedAtMs: 5, bgp: [bgp('192.0.2.2')], bfd: [bfd('192.0.2.2')] };
    const { state, changes, readWanted } = applyFullRead(EMPTY_OBSERVED, read, 9);
    expect(short(changes)).toEqual([
      'bgp 192.0.2.2 none -> Established at 9',
      'bfd 192.0.2.2 none -> Up at 9',
    ]);
    expect([state.bgp.size, state.bfd.size, state.readAtMs, readWanted]).toEqual([1, 1, 5, false]);
  });

  test('the same again changes nothing', () => {
    const sessions = { bgp: [bgp('192.0.2.2'), bgp('eth1')], bfd: [bfd('192.0.2.2')] };
    const state = stateOf(sessions);
    const again = applyFullRead(state, { startedAtMs: 1_060_000, ...sessions }, 1_060_100);
    expect(again.changes).toEqual([]);
    expect(again.readWanted).toBe(false);
    expect(again.state).toEqual({ ...state, readAtMs: 1_060_000 });
  });

  test('sessions that it does not have have ended', () => {
    const state = stateOf({ bgp: [bgp('192.0.2.2'), bgp('eth1')], bfd: [bfd('192.0.2.2')] });
    const { state: next, changes } = applyFullRead(
      state,
      { startedAtMs: 1_060_000, bgp: [bgp('eth1')], bfd: [] },
      7,
    );
    expect(short(changes)).toEqual([
      'bgp 192.0.2.2 Established -> none at 7',
      'bfd 192.0.2.2 Up -> none at 7',
    ]);
    expect([next.bgp.size, next.bfd.size]).toEqual([1, 0]);
  });

  test('what was not read stays, and it does not count as a read of everything', () => {
    const state = stateOf({ bgp: [bgp('192.0.2.2')], bfd: [bfd('192.0.2.2')] });
    const bfdOnly = applyFullRead(state, { startedAtMs: 1_060_000, bfd: [] }, 7);
    expect(short(bfdOnly.changes)).toEqual(['bfd 192.0.2.2 Up -> none at 7']);
    expect(bfdOnly.state.bgp).toBe(state.bgp);
    expect(bfdOnly.state.readAtMs).toBe(1_000_000);
    expect(applyFullRead(EMPTY_OBSERVED, { startedAtMs: 1, bgp: [] }, 2).state).not.toHaveProperty(
      'readAtMs',
    );
  });

  test('a change that no event told has its reason from the read', () => {
    const state = stateOf({ bgp: [bgp('192.0.2.2')], bfd: [bfd('192.0.2.2')] });
    const read = {
      startedAtMs: 1_060_000,
      bgp: [bgp('192.0.2.2', { bgpState: 'Active', lastResetDueTo: 'Hold Timer Expired' })],
      bfd: [bfd('192.0.2.2', { status: 'down', diagnostic: 'control detection time expired' })],
    };
    expect(short(applyFullRead(state, read, 7).changes)).toEqual([
      'bgp 192.0.2.2 Established -> Active (Hold Timer Expired) at 7',
      'bfd 192.0.2.2 Up -> Down (ControlDetectionTimeExpired) at 7',
    ]);
  });

  test.each([
    {
      name: 'later and dropped',
      members: { bgpTimerUpEstablishedEpoch: 1030, connectionsDropped: 1 },
      flaps: 1,
    },
    {
      name: 'the same start, a second of rounding',
      members: { bgpTimerUpEstablishedEpoch: 991, connectionsDropped: 0 },
      flaps: 0,
    },
    {
      name: 'later, with nothing dropped',
      members: { bgpTimerUpEstablishedEpoch: 1030, connectionsDropped: 0 },
      flaps: 0,
    },
  ])('a session that was down in between: $name', ({ members, flaps }) => {
    const state = stateOf({ bgp: [bgp('192.0.2.2')] });
    const session = bgp('192.0.2.2', { ...members, lastResetDueTo: 'User reset' });
    const { changes } = applyFullRead(state, { startedAtMs: 1_060_000, bgp: [session] }, 7);
    const told = [
      'bgp 192.0.2.2 Established -> Idle (User reset) at 7',
      'bgp 192.0.2.2 Idle -> Established at 7',
    ];
    expect(short(changes)).toEqual(flaps === 1 ? told : []);
  });

  test('a flap that events told is not told again', () => {
    let state = stateOf({ bgp: [bgp('192.0.2.2')] });
    state = applyEvent(state, down('192.0.2.2', 'User reset'), 1_028_000).state;
    state = applyEvent(state, up('192.0.2.2'), 1_030_050).state;
    // FRR rounds, this time upwards.
    const session = bgp('192.0.2.2', { bgpTimerUpEstablishedEpoch: 1031, connectionsDropped: 1 });
    expect(applyFullRead(state, { startedAtMs: 1_060_000, bgp: [session] }, 7).changes).toEqual([]);
  });

  test('sessions come in one order, whatever the order of answers', () => {
    const [a, b, c] = [bgp('192.0.2.2'), bgp('eth1'), bgp('2001:db8::2')];
    const one = stateOf({ bgp: [a, b, c] });
    const other = stateOf({ bgp: [c, b, a] });
    expect([...one.bgp.keys()]).toEqual([...other.bgp.keys()]);
  });
});

describe('a BGP event', () => {
  test('down: announces nothing any more, and says why', () => {
    const state = stateOf({ bgp: [bgp('eth1'), bgp('192.0.2.2')] });
    const { state: next, changes, readWanted } = applyEvent(state, down('eth1', 'Interface down'), 1_002_000);
    expect(short(changes)).toEqual(['bgp eth1 Established -> Idle (Interface down) at 1002000']);
    expect(readWanted).toBe(true);
    const session = bgpIn(next, 'eth1')!;
    expect(session).toMatchObject({
      state: 'Idle',
      prefixes: [{ family: 'ipv4', sent: 0, accepted: 0 }],
      lastReset: { reason: 'Interface down', agoMs: 0 },
    });
    expect(session).not.toHaveProperty('establishedAtMs');
    expect(bgpIn(next, '192.0.2.2')).toBe(bgpIn(state, '192.0.2.2'));
    expect(bgpIn(state, 'eth1')!.state).toBe('Established');
  });

  test('up: since now', () => {
    const state = stateOf({ bgp: [bgp('192.0.2.2', { bgpState: 'Connect' })] });
    const { state: next, changes, readWanted } = applyEvent(state, up('192.0.2.2'), 1_002_000);
    expect(short(changes)).toEqual(['bgp 192.0.2.2 Connect -> Established at 1002000']);
    expect(bgpIn(next, '192.0.2.2')).toMatchObject({ state: 'Established', establishedAtMs: 1_002_000 });
    expect(readWanted).toBe(true);
  });

  test.each([
    { name: 'up, and it is', session: bgp('192.0.2.2'), event: up('192.0.2.2') },
    {
      name: 'down, and it is on its way up',
      session: bgp('192.0.2.2', { bgpState: 'OpenSent' }),
      event: down('192.0.2.2'),
    },
  ])('$name: no change, but read again', ({ session, event }) => {
    const state = stateOf({ bgp: [session] });
    const { state: next, changes, readWanted } = applyEvent(state, event, 1_002_000);
    expect(changes).toEqual([]);
    expect(bgpIn(next, '192.0.2.2')!.state).toBe(session.state);
    expect(bgpIn(next, '192.0.2.2')!.establishedAtMs).toBe(session.establishedAtMs);
    expect(readWanted).toBe(true);
  });

  test.each([up('192.0.2.3'), down('eth7'), { ...down('192.0.2.2'), vrf: 'red' } as MonitorEvent])(
    'of a neighbor that is not known changes nothing',
    (event) => {
      const state = stateOf({ bgp: [bgp('192.0.2.2')] });
      expect(applyEvent(state, event, 1_002_000)).toEqual({ state, changes: [], readWanted: true });
    },
  );
});

describe('a BFD event', () => {
  const change = (
    session: BfdSessionId,
    to: BfdSession['state'],
    diagnostic?: BfdSession['diagnostic'],
  ): MonitorEvent => ({
    ...({ kind: 'bfd', session, from: 'Up', to } as const),
    ...(diagnostic && { diagnostic }),
  });
  const only = (state: ObservedState) => [...state.bfd.values()][0]!;

  test('down and up again', () => {
    const session = bfd('192.0.2.2');
    const fell = applyEvent(
      stateOf({ bfd: [session] }),
      change(session, 'Down', 'ControlDetectionTimeExpired'),
      7,
    );
    expect(short(fell.changes)).toEqual(['bfd 192.0.2.2 Up -> Down (ControlDetectionTimeExpired) at 7']);
    expect(only(fell.state)).toMatchObject({
      state: 'Down',
      diagnostic: 'ControlDetectionTimeExpired',
      inStateMs: 0,
    });
    expect(fell.readWanted).toBe(true);
    const rose = applyEvent(fell.state, change(session, 'Up'), 8);
    expect(short(rose.changes)).toEqual(['bfd 192.0.2.2 Down -> Up at 8']);
    expect(only(rose.state)).toMatchObject({ state: 'Up', diagnostic: 'None' });
  });

  test.each([
    { name: 'the log has no local address yet', event: id('192.0.2.2', { interface: 'eth0' }), found: true },
    { name: 'the log has no interface', event: id('192.0.2.2', { local: '192.0.2.1' }), found: true },
    { name: 'another local address', event: id('192.0.2.2', { local: '192.0.2.9' }), found: false },
    { name: 'another interface', event: id('192.0.2.2', { interface: 'eth1' }), found: false },
    { name: 'multihop', event: id('192.0.2.2', { multihop: true }), found: false },
    { name: 'another VRF', event: id('192.0.2.2', { vrf: 'red' }), found: false },
    { name: 'another peer', event: id('192.0.2.3'), found: false },
  ])('finds its session: $name', ({ event, found }) => {
    const state = stateOf({ bfd: [bfd('192.0.2.2')] });
    const { state: next, readWanted } = applyEvent(state, change(event, 'Down'), 7);
    expect(only(next).state).toBe(found ? 'Down' : 'Up');
    expect(next.bfd.size).toBe(1);
    expect(readWanted).toBe(true);
  });

  test('is not guessed when two sessions fit', () => {
    const state = stateOf({
      bfd: [bfd('fe80::2', { interface: 'eth0' }), bfd('fe80::2', { interface: 'eth1' })],
    });
    expect(applyEvent(state, change(id('fe80::2'), 'Down'), 7)).toEqual({
      state,
      changes: [],
      readWanted: true,
    });
    const exact = applyEvent(
      state,
      change(id('fe80::2', { interface: 'eth1', local: '192.0.2.1' }), 'Down'),
      7,
    );
    expect([...exact.state.bfd.values()].map((session) => session.state)).toEqual(['Up', 'Down']);
  });

  test('deleted: the session ends', () => {
    const session = bfd('192.0.2.2');
    const { state, changes } = applyEvent(stateOf({ bfd: [session] }), { kind: 'bfd-deleted', session }, 7);
    expect(short(changes)).toEqual(['bfd 192.0.2.2 Up -> none at 7']);
    expect(state.bfd.size).toBe(0);
  });

  test.each<MonitorEvent>([
    { kind: 'bfd-deleted', session: id('192.0.2.77') },
    { kind: 'bfd-created', session: id('192.0.2.2') },
    { kind: 'monitor-lost', daemon: 'bfdd' },
    { kind: 'messages-lost', daemon: 'bgpd', count: 3 },
    { kind: 'unreadable', daemon: 'bgpd' },
  ])('$kind only asks for a read', (event) => {
    const state = stateOf({ bgp: [bgp('192.0.2.2')], bfd: [bfd('192.0.2.2')] });
    expect(applyEvent(state, event, 7)).toEqual({ state, changes: [], readWanted: true });
  });
});

describe('an event while FRR is answering', () => {
  const session = bfd('192.0.2.2');
  const known = stateOf({ bgp: [bgp('192.0.2.2')], bfd: [session] });
  const read = { startedAtMs: 2_000_000, bgp: [bgp('192.0.2.2')], bfd: [session] };
  const fall = (state: ObservedState, atMs: number): ObservedState =>
    applyEvent(
      applyEvent(state, down('192.0.2.2', 'BFD down received'), atMs).state,
      { kind: 'bfd', session, from: 'Up', to: 'Down', diagnostic: 'ControlDetectionTimeExpired' },
      atMs,
    ).state;

  test('is believed, and asks for another read', () => {
    const { state, changes, readWanted } = applyFullRead(fall(known, 2_000_050), read, 2_000_100);
    expect(changes).toEqual([]);
    expect(readWanted).toBe(true);
    expect(bgpIn(state, '192.0.2.2')).toMatchObject({
      state: 'Idle',
      prefixes: [{ family: 'ipv4', sent: 0, accepted: 0 }],
      lastReset: { reason: 'BFD down received' },
    });
    expect(bgpIn(state, '192.0.2.2')).not.toHaveProperty('establishedAtMs');
    expect(state.bfd.get(bfdSessionKey(session))).toMatchObject({
      state: 'Down',
      diagnostic: 'ControlDetectionTimeExpired',
    });
    // The next read began after the event, so it is believed.
    const later = applyFullRead(state, { ...read, startedAtMs: 2_000_200 }, 2_000_300);
    expect(short(later.changes)).toEqual([
      'bgp 192.0.2.2 Idle -> Established at 2000300',
      'bfd 192.0.2.2 Down -> Up at 2000300',
    ]);
    expect(later.readWanted).toBe(false);
    expect(later.state.touchedAtMs.size).toBe(0);
  });

  test('is not, when the read began after it', () => {
    const { state, readWanted } = applyFullRead(fall(known, 1_999_999), read, 2_000_100);
    expect(bgpIn(state, '192.0.2.2')!.state).toBe('Established');
    expect(state.bfd.get(bfdSessionKey(session))!.state).toBe('Up');
    expect(readWanted).toBe(false);
  });

  test('counters come from the read all the same', () => {
    const counted = bgp('192.0.2.2', { messageStats: { totalSent: 99 } });
    const { state } = applyFullRead(fall(known, 2_000_050), { ...read, bgp: [counted] }, 2_000_100);
    expect(bgpIn(state, '192.0.2.2')!.messages.totalSent).toBe(99);
    expect(bgpIn(state, '192.0.2.2')!.state).toBe('Idle');
  });

  test('an answer that agrees with the event is taken whole', () => {
    const risen = applyEvent(fall(known, 2_000_020), up('192.0.2.2'), 2_000_040).state;
    const { state, changes, readWanted } = applyFullRead(
      risen,
      { startedAtMs: read.startedAtMs, bgp: read.bgp },
      2_000_100,
    );
    expect(bgpIn(state, '192.0.2.2')!.prefixes).toEqual([{ family: 'ipv4', sent: 2, accepted: 1 }]);
    expect(changes).toEqual([]);
    expect(readWanted).toBe(true);
  });

  test('a session that ended meanwhile does not come back with the answer', () => {
    const ended = applyEvent(known, { kind: 'bfd-deleted', session }, 2_000_050).state;
    const { state, changes, readWanted } = applyFullRead(ended, read, 2_000_100);
    expect(state.bfd.size).toBe(0);
    expect(short(changes)).toEqual([]);
    expect(readWanted).toBe(true);
  });
});
