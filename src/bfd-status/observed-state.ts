import type { PeerEndpoint } from '../config/index.ts';
import { byText } from '../core/order.ts';
import { type BfdDiagnostic, type BfdSession, type BfdSessionId, type BfdState } from './bfd-session.ts';
import type { BgpSession, BgpState } from './bgp-session.ts';
import { bfdSessionKey, bgpSessionKey } from './identity.ts';
import type { MonitorEvent } from './monitor-line.ts';

/** What is known of FRR's sessions: the last full read, and the events since. */
export interface ObservedState {
  /** By {@link bgpSessionKey}, in its order. */
  readonly bgp: ReadonlyMap<string, BgpSession>;
  /** By {@link bfdSessionKey}, in its order. */
  readonly bfd: ReadonlyMap<string, BfdSession>;
  /** When an event last touched a session, by the same keys: a read that began earlier may not know of it. */
  readonly touchedAtMs: ReadonlyMap<string, number>;
  /** When the last read began that told BGP and BFD; absent before the first one. */
  readonly readAtMs?: number;
}

export const EMPTY_OBSERVED: ObservedState = { bgp: new Map(), bfd: new Map(), touchedAtMs: new Map() };

/** What FRR answered when it was asked for everything. */
export interface FullRead {
  /** When the first command was typed. */
  readonly startedAtMs: number;
  /** Absent: not read, or not to be trusted, so what is known stays. Empty: no sessions, as when bgpd is not running. */
  readonly bgp?: readonly BgpSession[];
  readonly bfd?: readonly BfdSession[];
}

/** A change of state. `from` is absent for a session that appeared, `to` for one that ended. */
export type ObservedChange =
  | {
      readonly kind: 'bgp';
      readonly vrf: string;
      readonly peer: PeerEndpoint;
      readonly from?: BgpState;
      readonly to?: BgpState;
      /** FRR's words for leaving Established. */
      readonly reason?: string;
      readonly atMs: number;
    }
  | {
      readonly kind: 'bfd';
      readonly session: BfdSessionId;
      readonly from?: BfdState;
      readonly to?: BfdState;
      readonly diagnostic?: BfdDiagnostic;
      readonly atMs: number;
    };

/** A step of observation. */
export interface Observation {
  readonly state: ObservedState;
  /** In the order of BGP before BFD, then by session; empty when nothing changed state. */
  readonly changes: readonly ObservedChange[];
  /** Something is known only in part (counters, prefixes, a new session): read everything when convenient. */
  readonly readWanted: boolean;
}

/**
 * Takes in one event of the monitor.
 *
 * An event changes only sessions that are known, and asks for a full read, so that what is believed for longer comes from
 * FRR's state and not from a log line.
 *
 * @param atMs when it arrived
 */
export function applyEvent(state: ObservedState, event: MonitorEvent, atMs: number): Observation {
  switch (event.kind) {
    case 'bgp':
      return applyBgpEvent(state, event, atMs);
    case 'bfd':
      return applyBfdEvent(state, event, atMs);
    case 'bfd-deleted': {
      const session = findBfd(state, event.session);
      return session ? endBfd(state, session, atMs) : { state, changes: [], readWanted: true };
    }
    case 'bfd-created':
    case 'monitor-lost':
    case 'messages-lost':
    case 'unreadable':
      return { state, changes: [], readWanted: true };
  }
}

function applyBgpEvent(
  state: ObservedState,
  event: MonitorEvent & { kind: 'bgp' },
  atMs: number,
): Observation {
  const key = bgpSessionKey(event);
  const known = state.bgp.get(key);
  if (!known) return { state, changes: [], readWanted: true };
  const session = event.to === 'up' ? establishedSince(known, atMs) : downFrom(known, event.reason);
  const next = {
    ...state,
    bgp: new Map(state.bgp).set(key, session),
    touchedAtMs: new Map(state.touchedAtMs).set(key, atMs),
  };
  return { state: next, changes: bgpChange(known, session, atMs), readWanted: true };
}

function establishedSince(session: BgpSession, atMs: number): BgpSession {
  // Counters and prefixes of the former session are left until the read.
  return session.state === 'Established'
    ? session
    : { ...session, state: 'Established', establishedAtMs: atMs };
}

/** Nothing is announced on a session that is down, and it is up since no time. */
function downFrom(session: BgpSession, reason: string | undefined): BgpSession {
  const { establishedAtMs: _ended, ...rest } = session;
  return {
    ...rest,
    // Late news: the last read found it on its way up again.
    state: session.state === 'Established' ? 'Idle' : session.state,
    prefixes: session.prefixes.map((family) => ({ ...family, sent: 0, accepted: 0 })),
    ...(reason !== undefined && { lastReset: { reason, agoMs: 0 } }),
  };
}

function applyBfdEvent(
  state: ObservedState,
  event: MonitorEvent & { kind: 'bfd' },
  atMs: number,
): Observation {
  const known = findBfd(state, event.session);
  if (!known) return { state, changes: [], readWanted: true };
  const key = bfdSessionKey(known);
  const session: BfdSession = {
    ...known,
    state: event.to,
    diagnostic: event.diagnostic ?? (event.to === 'Up' ? 'None' : known.diagnostic),
    inStateMs: event.to === known.state ? (known.inStateMs ?? 0) : 0,
  };
  const next = {
    ...state,
    bfd: new Map(state.bfd).set(key, session),
    touchedAtMs: new Map(state.touchedAtMs).set(key, atMs),
  };
  return { state: next, changes: bfdChange(known, session, atMs), readWanted: true };
}

/**
 * The session an event names. The log may know the local address or the interface when the last answer did not, or the
 * other way round; then it is the one session that fits, if only one does.
 */
function findBfd(state: ObservedState, id: BfdSessionId): BfdSession | undefined {
  const exact = state.bfd.get(bfdSessionKey(id));
  if (exact) return exact;
  const fitting = [...state.bfd.values()].filter(
    (session) =>
      session.vrf === id.vrf &&
      session.peer.text === id.peer.text &&
      session.multihop === id.multihop &&
      agree(session.local?.text, id.local?.text) &&
      agree(session.interface, id.interface),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

function agree(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}

function endBfd(state: ObservedState, session: BfdSession, atMs: number): Observation {
  const key = bfdSessionKey(session);
  const bfd = new Map(state.bfd);
  bfd.delete(key);
  return {
    state: { ...state, bfd, touchedAtMs: new Map(state.touchedAtMs).set(key, atMs) },
    changes: bfdChange(session, undefined, atMs),
    readWanted: true,
  };
}

/**
 * Takes in a full read. Sessions that it does not have have ended.
 *
 * Where an event came after the read began, FRR may have answered before it: the event is believed and another read asked
 * for.
 *
 * @param atMs when the answers were there
 */
export function applyFullRead(state: ObservedState, read: FullRead, atMs: number): Observation {
  const isNewer = (key: string): boolean => (state.touchedAtMs.get(key) ?? -Infinity) >= read.startedAtMs;
  const bgp = merge({ known: state.bgp, read: read.bgp, keyOf: bgpSessionKey, isNewer, keep: keepBgp });
  const bfd = merge({ known: state.bfd, read: read.bfd, keyOf: bfdSessionKey, isNewer, keep: keepBfd });
  const changes = [
    ...keysOf(state.bgp, bgp.sessions).flatMap((key) =>
      bgpChange(state.bgp.get(key), bgp.sessions.get(key), atMs),
    ),
    ...keysOf(state.bfd, bfd.sessions).flatMap((key) =>
      bfdChange(state.bfd.get(key), bfd.sessions.get(key), atMs),
    ),
  ];
  const touchedAtMs = new Map([...state.touchedAtMs].filter(([, at]) => at >= read.startedAtMs));
  const isComplete = read.bgp !== undefined && read.bfd !== undefined;
  const readAtMs = isComplete ? read.startedAtMs : state.readAtMs;
  return {
    state: {
      bgp: bgp.sessions,
      bfd: bfd.sessions,
      touchedAtMs: isComplete ? touchedAtMs : state.touchedAtMs,
      ...(readAtMs !== undefined && { readAtMs }),
    },
    changes,
    readWanted: bgp.overtaken || bfd.overtaken,
  };
}

interface MergeOptions<Session> {
  readonly known: ReadonlyMap<string, Session>;
  readonly read: readonly Session[] | undefined;
  readonly keyOf: (session: Session) => string;
  /** An event for this session came after the read began. */
  readonly isNewer: (key: string) => boolean;
  /** The session as read, in the state that the event gave it. */
  readonly keep: (known: Session, read: Session) => Session;
}

function merge<Session>(options: MergeOptions<Session>): {
  readonly sessions: ReadonlyMap<string, Session>;
  /** An event came while FRR was answering. */
  readonly overtaken: boolean;
} {
  const { known, read, keyOf, isNewer, keep } = options;
  if (!read) return { sessions: known, overtaken: false };
  const entries: (readonly [string, Session])[] = [];
  let overtaken = false;
  for (const session of read) {
    const key = keyOf(session);
    if (!isNewer(key)) {
      entries.push([key, session]);
      continue;
    }
    overtaken = true;
    const before = known.get(key); // absent: the event was its end
    if (before !== undefined) entries.push([key, keep(before, session)]);
  }
  return { sessions: new Map(entries.sort(byText(([key]) => key))), overtaken };
}

function keepBgp(known: BgpSession, read: BgpSession): BgpSession {
  if (known.state === read.state) return read;
  const { state, prefixes, establishedAtMs, lastReset } = known;
  const { establishedAtMs: _stale, ...rest } = read;
  return {
    ...rest,
    state,
    prefixes,
    ...(establishedAtMs !== undefined && { establishedAtMs }),
    ...(lastReset && { lastReset }),
  };
}

function keepBfd(known: BfdSession, read: BfdSession): BfdSession {
  if (known.state === read.state) return read;
  const { state, diagnostic, inStateMs = 0 } = known;
  return { ...read, state, diagnostic, inStateMs };
}

function keysOf(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].sort(byText((key) => key));
}

function bgpChange(
  before: BgpSession | undefined,
  after: BgpSession | undefined,
  atMs: number,
): readonly ObservedChange[] {
  const session = after ?? before;
  if (!session) return [];
  const about = { kind: 'bgp', vrf: session.vrf, peer: session.peer, atMs } as const;
  const reason = after?.lastReset && { reason: after.lastReset.reason };
  if (before && after && hasFlapped(before, after)) {
    return [
      { ...about, from: 'Established', to: 'Idle', ...reason },
      { ...about, from: 'Idle', to: 'Established' },
    ];
  }
  if (before?.state === after?.state) return [];
  return [
    {
      ...about,
      ...(before && { from: before.state }),
      ...(after && { to: after.state }),
      ...(before?.state === 'Established' && reason),
    },
  ];
}

/** Two answers of FRR differ by up to a second about the same start; an event comes some milliseconds after it. */
const SAME_START_MS = 2000;

/** Down and up again without an event, as can be while the monitor was not listening. */
function hasFlapped(before: BgpSession, after: BgpSession): boolean {
  return (
    before.establishedAtMs !== undefined &&
    after.establishedAtMs !== undefined &&
    after.connectionsDropped > before.connectionsDropped &&
    after.establishedAtMs - before.establishedAtMs > SAME_START_MS
  );
}

function bfdChange(
  before: BfdSession | undefined,
  after: BfdSession | undefined,
  atMs: number,
): readonly ObservedChange[] {
  const session = after ?? before;
  if (!session || before?.state === after?.state) return [];
  const { vrf, peer, multihop, local, interface: interfaceName } = session;
  const left = before?.state === 'Up';
  return [
    {
      kind: 'bfd',
      session: {
        ...{ vrf, peer, multihop },
        ...(local && { local }),
        ...(interfaceName !== undefined && { interface: interfaceName }),
      },
      ...(before && { from: before.state }),
      ...(after && { to: after.state }),
      ...(left && after && { diagnostic: after.diagnostic }),
      atMs,
    },
  ];
}
