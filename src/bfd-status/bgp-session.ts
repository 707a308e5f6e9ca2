import type { PeerEndpoint } from '../config/index.ts';
import { parseIp, type IpAddress, type IpFamily } from '../core/ip.ts';
import { byText } from '../core/order.ts';
import type { Problem } from '../core/problem.ts';
import {
  addProblem,
  countAt,
  flagAt,
  quote,
  readAnswer,
  recordAt,
  recordOf,
  textAt,
  type JsonRecord,
} from './answer.ts';
import { bgpSessionKey, peerOf, vrfOf } from './identity.ts';

/** RFC 4271 section 8.2.2. FRR's `Clearing`, on its way out of Established, and `Deleted` are told as `Idle`. */
export type BgpState = 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established';

export interface BgpSession {
  /** Empty: the default VRF. */
  readonly vrf: string;
  readonly peer: PeerEndpoint;
  readonly state: BgpState;
  /** The neighbor is shut down by configuration. */
  readonly adminShutdown: boolean;
  /** The address in use at the other end; for an unnumbered neighbor its link-local address, once it is known. */
  readonly remoteAddress?: IpAddress;
  /** Absent with a dynamic ASN until the peer has told its own. */
  readonly remoteAs?: number;
  readonly localAs?: number;
  /** Unix time, in milliseconds with the resolution of a second; only in state Established. */
  readonly establishedAtMs?: number;
  /** Negotiated, or configured while the session is not Established; seconds. */
  readonly holdTimeSeconds?: number;
  readonly keepaliveSeconds?: number;
  /** TCP port of the other end; absent before the first connection. */
  readonly remotePort?: number;
  readonly connectionsEstablished: number;
  readonly connectionsDropped: number;
  /** Why the session was last not up, as far as FRR knows; absent when it never went down. */
  readonly lastReset?: BgpReset;
  /** The families activated for this neighbor, IPv4 before IPv6. */
  readonly prefixes: readonly FamilyPrefixes[];
  readonly messages: BgpMessageCounters;
  /** Absent when the neighbor has no BFD. Text of FRR: `Up`, `Down`, `Admin Down`, `Unknown`. */
  readonly bfdStatus?: string;
}

export interface FamilyPrefixes {
  readonly family: IpFamily;
  /** Prefixes in Adj-RIB-Out: really sent, and not withdrawn since. 0 unless Established. */
  readonly sent: number;
  readonly accepted: number;
}

export interface BgpReset {
  /** FRR's words, for example `BFD down received`. */
  readonly reason: string;
  /** RFC 4271 section 4.5, `error/suberror` in words, when a NOTIFICATION ended the session. */
  readonly notification?: string;
  /** The peer's own words (RFC 9003), escaped by FRR. Not to be trusted. */
  readonly message?: string;
  /** How long ago the answer says it was. */
  readonly agoMs?: number;
}

export interface BgpMessageCounters {
  readonly opensSent: number;
  readonly opensReceived: number;
  readonly notificationsSent: number;
  readonly notificationsReceived: number;
  readonly updatesSent: number;
  readonly updatesReceived: number;
  readonly keepalivesSent: number;
  readonly keepalivesReceived: number;
  readonly routeRefreshSent: number;
  readonly routeRefreshReceived: number;
  readonly totalSent: number;
  readonly totalReceived: number;
}

export interface BgpNeighborsRead {
  /** Sorted by VRF and neighbor. */
  readonly sessions: readonly BgpSession[];
  /** What could not be read; the rest is in `sessions` nevertheless. */
  readonly problems: readonly Problem[];
}

const STATES: ReadonlyMap<string, BgpState> = new Map([
  ['Idle', 'Idle'],
  ['Connect', 'Connect'],
  ['Active', 'Active'],
  ['OpenSent', 'OpenSent'],
  ['OpenConfirm', 'OpenConfirm'],
  ['Established', 'Established'],
  ['Clearing', 'Idle'],
  ['Deleted', 'Idle'],
]);

const FAMILIES: readonly (readonly [member: string, family: IpFamily])[] = [
  ['ipv4Unicast', 'ipv4'],
  ['ipv6Unicast', 'ipv6'],
];

/**
 * Parses the answer to {@link SHOW_BGP_NEIGHBORS}, or to `show bgp vrf NAME neighbors json` and its kin, which hold one
 * VRF without naming it.
 *
 * @param answer text, or the value parsed from it
 * @param vrf the VRF asked for, when the answer is of one VRF; empty for the default VRF
 */
export function parseBgpNeighbors(answer: unknown, vrf = ''): BgpNeighborsRead {
  const problems: Problem[] = [];
  const read = readAnswer(answer, 'BGP neighbors');
  if (!read.ok) return { sessions: [], problems: [read.problem] };
  const top = recordOf(read.value);
  if (!top) {
    const message = `BGP neighbors: expected an object by VRF or neighbor, not ${quote(read.value)}`;
    addProblem(problems, '', message);
    return { sessions: [], problems };
  }
  const sessions = new Map<string, BgpSession>();
  const add = (vrfName: string, name: string, record: JsonRecord, field: string): void => {
    const session = sessionOf({ vrf: vrfName, name, record, field }, problems);
    if (session) sessions.set(bgpSessionKey(session), session);
  };
  for (const [name, value] of Object.entries(top)) {
    const record = recordOf(value);
    if (!record) continue; // `vrfId`, `vrfName`, `bgpNoSuchNeighbor` and what later releases add
    if (isNeighbor(record)) {
      add(vrf, name, record, name);
      continue;
    }
    const innerVrf = vrfOf(textAt(record, 'vrfName') ?? name);
    for (const [innerName, innerValue] of Object.entries(record)) {
      const inner = recordOf(innerValue);
      if (inner) add(innerVrf, innerName, inner, `${name}.${innerName}`);
    }
  }
  return { sessions: [...sessions.values()].sort(byText(bgpSessionKey)), problems };
}

/** A VRF's object holds neighbors and never a state of its own. */
function isNeighbor(record: JsonRecord): boolean {
  return typeof record.bgpState === 'string';
}

interface NeighborAnswer {
  readonly vrf: string;
  /** FRR's name of the neighbor. */
  readonly name: string;
  readonly record: JsonRecord;
  /** Where in the answer, for problems. */
  readonly field: string;
}

function sessionOf(answer: NeighborAnswer, problems: Problem[]): BgpSession | undefined {
  const { record, field } = answer;
  const stateText = record.bgpState;
  const state = typeof stateText === 'string' ? STATES.get(stateText) : undefined;
  if (answer.name === '' || !state) {
    const message = `BGP neighbor ${quote(answer.name)}: bgpState: ${quote(stateText)}: must be a state of RFC 4271 section 8.2.2`;
    addProblem(problems, `${field}.bgpState`, message);
    return undefined;
  }
  const peer = peerOf(answer.name);
  const established = state === 'Established';
  const establishedAt = established ? countAt(record, 'bgpTimerUpEstablishedEpoch') : undefined;
  const remoteAddress =
    peer.kind === 'address' ? peer.address : parseIp(textAt(record, 'bgpNeighborAddr') ?? '');
  const lastReset = resetOf(record);
  const bfdStatus = textAt(recordAt(record, 'peerBfdInfo') ?? {}, 'status');
  return {
    vrf: answer.vrf,
    peer,
    state,
    adminShutdown: flagAt(record, 'adminShutDown'),
    ...(remoteAddress && { remoteAddress }),
    ...positive('remoteAs', countAt(record, 'remoteAs')),
    ...positive('localAs', countAt(record, 'localAs')),
    ...(establishedAt !== undefined && { establishedAtMs: establishedAt * 1000 }),
    ...seconds('holdTimeSeconds', countAt(record, 'bgpTimerHoldTimeMsecs')),
    ...seconds('keepaliveSeconds', countAt(record, 'bgpTimerKeepAliveIntervalMsecs')),
    ...positive('remotePort', countAt(record, 'portForeign')),
    connectionsEstablished: countAt(record, 'connectionsEstablished') ?? 0,
    connectionsDropped: countAt(record, 'connectionsDropped') ?? 0,
    ...(lastReset && { lastReset }),
    prefixes: prefixesOf(record, established),
    messages: messagesOf(record),
    ...(bfdStatus !== undefined && { bfdStatus }),
  };
}

function positive<Name extends string>(name: Name, value: number | undefined): Partial<Record<Name, number>> {
  return value === undefined || value === 0 ? {} : ({ [name]: value } as Record<Name, number>);
}

function seconds<Name extends string>(name: Name, ms: number | undefined): Partial<Record<Name, number>> {
  return ms === undefined ? {} : ({ [name]: Math.floor(ms / 1000) } as Record<Name, number>);
}

/** FRR 10 says `lastReset: never` where 8.4 says what it waits for first. */
function resetOf(record: JsonRecord): BgpReset | undefined {
  const reason = textAt(record, 'lastResetDueTo');
  if (reason === undefined || reason === '') return undefined;
  const notification = textAt(record, 'lastNotificationReason');
  const message = textAt(record, 'lastShutdownDescription');
  const agoMs = countAt(record, 'lastResetTimerMsecs');
  return {
    reason,
    ...(notification !== undefined && { notification }),
    ...(message !== undefined && { message }),
    ...(agoMs !== undefined && { agoMs }),
  };
}

function prefixesOf(record: JsonRecord, established: boolean): readonly FamilyPrefixes[] {
  const families = recordAt(record, 'addressFamilyInfo') ?? {};
  return FAMILIES.flatMap(([member, family]) => {
    const info = recordAt(families, member);
    if (!info) return [];
    // FRR leaves the counter out while the session is down; a stale one would claim what nobody has.
    const sent = established ? (countAt(info, 'sentPrefixCounter') ?? 0) : 0;
    return [{ family, sent, accepted: countAt(info, 'acceptedPrefixCounter') ?? 0 }];
  });
}

function messagesOf(record: JsonRecord): BgpMessageCounters {
  const stats = recordAt(record, 'messageStats') ?? {};
  const count = (name: string): number => countAt(stats, name) ?? 0;
  return {
    opensSent: count('opensSent'),
    opensReceived: count('opensRecv'),
    notificationsSent: count('notificationsSent'),
    notificationsReceived: count('notificationsRecv'),
    updatesSent: count('updatesSent'),
    updatesReceived: count('updatesRecv'),
    keepalivesSent: count('keepalivesSent'),
    keepalivesReceived: count('keepalivesRecv'),
    routeRefreshSent: count('routeRefreshSent'),
    routeRefreshReceived: count('routeRefreshRecv'),
    totalSent: count('totalSent'),
    totalReceived: count('totalRecv'),
  };
}
