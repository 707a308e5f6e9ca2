import { parseIp, type IpAddress } from '../core/ip.ts';
import { byText } from '../core/order.ts';
import type { Problem } from '../core/problem.ts';
import {
  addProblem,
  countAt,
  flagAt,
  quote,
  readAnswer,
  recordOf,
  textAt,
  type JsonRecord,
} from './answer.ts';
import { bfdSessionKey, vrfOf } from './identity.ts';

/** RFC 5880 section 4.1. */
export type BfdState = 'AdminDown' | 'Down' | 'Init' | 'Up';

/** RFC 5880 section 4.1, diagnostic codes 0 to 8; `Unknown` for any other word of FRR. */
export type BfdDiagnostic =
  | 'None'
  | 'ControlDetectionTimeExpired'
  | 'EchoFunctionFailed'
  | 'NeighborSignaledSessionDown'
  | 'ForwardingPlaneReset'
  | 'PathDown'
  | 'ConcatenatedPathDown'
  | 'AdministrativelyDown'
  | 'ReverseConcatenatedPathDown'
  | 'Unknown';

/** What bfdd tells its sessions apart by. */
export interface BfdSessionId {
  /** Empty: the default VRF. */
  readonly vrf: string;
  readonly peer: IpAddress;
  /** RFC 5883. */
  readonly multihop: boolean;
  /** Absent until it is known, or when any will do. */
  readonly local?: IpAddress;
  readonly interface?: string;
}

export interface BfdSession extends BfdSessionId {
  readonly state: BfdState;
  /** Why this end last left Up. */
  readonly diagnostic: BfdDiagnostic;
  readonly remoteDiagnostic: BfdDiagnostic;
  /** Time in the present state, with the resolution of a second; known for Up and Down. */
  readonly inStateMs?: number;
  readonly passive: boolean;
  readonly detectMultiplier?: number;
  /** Multihop only: a packet with a smaller TTL is dropped. */
  readonly minimumTtl?: number;
  /** As configured here. */
  readonly intervals: BfdIntervals;
  readonly remoteDetectMultiplier?: number;
  /** As the peer told. */
  readonly remoteIntervals: BfdIntervals;
  /** Absent until counters were read. */
  readonly counters?: BfdCounters;
}

/** Milliseconds; 0 is off. */
export interface BfdIntervals {
  readonly receiveMs?: number;
  readonly transmitMs?: number;
  readonly echoReceiveMs?: number;
  readonly echoTransmitMs?: number;
}

export interface BfdCounters {
  readonly controlPacketsReceived: number;
  readonly controlPacketsSent: number;
  readonly echoPacketsReceived: number;
  readonly echoPacketsSent: number;
  readonly upEvents: number;
  readonly downEvents: number;
  readonly zebraNotifications: number;
}

export interface BfdPeersRead {
  /** Sorted by VRF, peer, multihop, local address and interface. */
  readonly sessions: readonly BfdSession[];
  /** What could not be read; the rest is in `sessions` nevertheless. */
  readonly problems: readonly Problem[];
}

export interface BfdCountersRead {
  /** By {@link bfdSessionKey}. */
  readonly counters: ReadonlyMap<string, BfdCounters>;
  readonly problems: readonly Problem[];
}

/** `shutdown` is what JSON says, `admin-down` the other commands and the log. */
const STATES: ReadonlyMap<string, BfdState> = new Map([
  ['shutdown', 'AdminDown'],
  ['admin-down', 'AdminDown'],
  ['down', 'Down'],
  ['init', 'Init'],
  ['up', 'Up'],
]);

/** Two vocabularies: that of JSON, and the shorter one of the log. */
const DIAGNOSTICS: ReadonlyMap<string, BfdDiagnostic> = new Map([
  ['ok', 'None'],
  ['control detection time expired', 'ControlDetectionTimeExpired'],
  ['control-expired', 'ControlDetectionTimeExpired'],
  ['echo function failed', 'EchoFunctionFailed'],
  ['echo-failed', 'EchoFunctionFailed'],
  ['neighbor signaled session down', 'NeighborSignaledSessionDown'],
  ['neighbor-down', 'NeighborSignaledSessionDown'],
  ['forwarding plane reset', 'ForwardingPlaneReset'],
  ['forwarding-reset', 'ForwardingPlaneReset'],
  ['path down', 'PathDown'],
  ['path-down', 'PathDown'],
  ['concatenated path down', 'ConcatenatedPathDown'],
  ['concatenated-path-down', 'ConcatenatedPathDown'],
  ['administratively down', 'AdministrativelyDown'],
  ['administratively-down', 'AdministrativelyDown'],
  ['reverse concatenated path down', 'ReverseConcatenatedPathDown'],
  ['reverse-concat-path-down', 'ReverseConcatenatedPathDown'],
]);

export function bfdStateOf(word: string): BfdState | undefined {
  return STATES.get(word);
}

export function bfdDiagnosticOf(words: string): BfdDiagnostic {
  return DIAGNOSTICS.get(words) ?? 'Unknown';
}

/**
 * Parses the answer to {@link SHOW_BFD_PEERS}.
 *
 * @param answer text, or the value parsed from it
 * @param counters what {@link parseBfdCounters} gave, to put with the sessions
 */
export function parseBfdPeers(answer: unknown, counters?: ReadonlyMap<string, BfdCounters>): BfdPeersRead {
  const problems: Problem[] = [];
  const sessions = new Map<string, BfdSession>();
  for (const { record, field } of peersIn(answer, 'BFD peers', problems)) {
    const id = idOf(record, field, problems);
    const status = record.status;
    const state = typeof status === 'string' ? STATES.get(status) : undefined;
    if (!id) continue;
    if (!state) {
      const message = `BFD peer ${id.peer.text}: status: ${quote(status)}: must be a state of RFC 5880 section 4.1`;
      addProblem(problems, `${field}.status`, message);
      continue;
    }
    const key = bfdSessionKey(id);
    const counted = counters?.get(key);
    sessions.set(key, { ...id, ...detailsOf(record, state), ...(counted && { counters: counted }) });
  }
  return { sessions: [...sessions.values()].sort(byText(bfdSessionKey)), problems };
}

/** Parses the answer to {@link SHOW_BFD_COUNTERS}: text, or the value parsed from it. */
export function parseBfdCounters(answer: unknown): BfdCountersRead {
  const problems: Problem[] = [];
  const counters = new Map<string, BfdCounters>();
  for (const { record, field } of peersIn(answer, 'BFD counters', problems)) {
    const id = idOf(record, field, problems);
    if (!id) continue;
    const count = (name: string): number => countAt(record, name) ?? 0;
    counters.set(bfdSessionKey(id), {
      controlPacketsReceived: count('control-packet-input'),
      controlPacketsSent: count('control-packet-output'),
      echoPacketsReceived: count('echo-packet-input'),
      echoPacketsSent: count('echo-packet-output'),
      upEvents: count('session-up'),
      downEvents: count('session-down'),
      zebraNotifications: count('zebra-notifications'),
    });
  }
  return { counters, problems };
}

interface PeerAnswer {
  readonly record: JsonRecord;
  /** Where in the answer, for problems. */
  readonly field: string;
}

/** A list of peers, or the one peer that `show bfd peer ADDRESS json` gives. */
function peersIn(answer: unknown, what: string, problems: Problem[]): readonly PeerAnswer[] {
  const read = readAnswer(answer, what);
  if (!read.ok) {
    problems.push(read.problem);
    return [];
  }
  const single = recordOf(read.value);
  if (single) return [{ record: single, field: '' }];
  if (!Array.isArray(read.value)) {
    addProblem(problems, '', `${what}: expected a list of peers, not ${quote(read.value)}`);
    return [];
  }
  return (read.value as readonly unknown[]).flatMap((item, index) => {
    const record = recordOf(item);
    if (record) return [{ record, field: `[${index}]` }];
    addProblem(problems, `[${index}]`, `${what}: expected a peer, not ${quote(item)}`);
    return [];
  });
}

function idOf(record: JsonRecord, field: string, problems: Problem[]): BfdSessionId | undefined {
  const peer = parseIp(textAt(record, 'peer') ?? '');
  if (!peer) {
    const value = record.peer;
    addProblem(problems, `${field}.peer`, `BFD peer: ${quote(value)}: must be an IP address`);
    return undefined;
  }
  const local = parseIp(textAt(record, 'local') ?? '');
  const interfaceName = textAt(record, 'interface');
  return {
    vrf: vrfOf(textAt(record, 'vrf')),
    peer,
    multihop: flagAt(record, 'multihop'),
    ...(local && { local }),
    ...(interfaceName !== undefined && interfaceName !== '' && { interface: interfaceName }),
  };
}

function detailsOf(record: JsonRecord, state: BfdState): Omit<BfdSession, keyof BfdSessionId> {
  const inState = countAt(record, state === 'Up' ? 'uptime' : 'downtime');
  const detectMultiplier = countAt(record, 'detect-multiplier');
  const remoteDetectMultiplier = countAt(record, 'remote-detect-multiplier');
  const minimumTtl = countAt(record, 'minimum-ttl');
  return {
    state,
    diagnostic: bfdDiagnosticOf(textAt(record, 'diagnostic') ?? ''),
    remoteDiagnostic: bfdDiagnosticOf(textAt(record, 'remote-diagnostic') ?? ''),
    ...(inState !== undefined && { inStateMs: inState * 1000 }),
    passive: flagAt(record, 'passive-mode'),
    ...(detectMultiplier !== undefined && { detectMultiplier }),
    ...(minimumTtl !== undefined && { minimumTtl }),
    intervals: intervalsOf(record, ''),
    ...(remoteDetectMultiplier !== undefined && { remoteDetectMultiplier }),
    remoteIntervals: intervalsOf(record, 'remote-'),
  };
}

/** FRR prints milliseconds, though the protocol has microseconds. */
function intervalsOf(record: JsonRecord, prefix: '' | 'remote-'): BfdIntervals {
  const receiveMs = countAt(record, `${prefix}receive-interval`);
  const transmitMs = countAt(record, `${prefix}transmit-interval`);
  const echoReceiveMs = countAt(record, `${prefix}echo-receive-interval`);
  const echoTransmitMs = countAt(record, `${prefix}echo-transmit-interval`);
  return {
    ...(receiveMs !== undefined && { receiveMs }),
    ...(transmitMs !== undefined && { transmitMs }),
    ...(echoReceiveMs !== undefined && { echoReceiveMs }),
    ...(echoTransmitMs !== undefined && { echoTransmitMs }),
  };
}
