import type { PeerEndpoint } from '../config/index.ts';
import { parseIp } from '../core/ip.ts';
import {
  bfdDiagnosticOf,
  bfdStateOf,
  type BfdDiagnostic,
  type BfdSessionId,
  type BfdState,
} from './bfd-session.ts';
import { peerOf, vrfOf } from './identity.ts';

/** One line of vtysh under `terminal monitor`, as far as it says something about sessions. */
export type MonitorEvent =
  | {
      readonly kind: 'bfd';
      readonly session: BfdSessionId;
      readonly from: BfdState;
      readonly to: BfdState;
      /** Present on the way out of Up. */
      readonly diagnostic?: BfdDiagnostic;
    }
  | { readonly kind: 'bfd-created' | 'bfd-deleted'; readonly session: BfdSessionId }
  | {
      readonly kind: 'bgp';
      /** Empty: the default VRF. */
      readonly vrf: string;
      readonly peer: PeerEndpoint;
      /** `down`: out of Established, whatever comes then. */
      readonly to: 'up' | 'down';
      /** FRR's words for `down`, for example `BFD down received`. */
      readonly reason?: string;
    }
  /** The daemon ended, or was told to stop: no more events from it until it is monitored again. */
  | { readonly kind: 'monitor-lost'; readonly daemon: string }
  /** vtysh was read too slowly: events of the daemon are missing. */
  | { readonly kind: 'messages-lost'; readonly daemon: string; readonly count: number }
  /** A line about a session that makes no sense, for example one broken in two by a peer's host name. */
  | { readonly kind: 'unreadable'; readonly daemon: string };

/** No line of FRR is longer than this: vtysh takes 4,096 bytes with the header. */
const MAX_LINE = 4096;

/**
 * `2030-01-31 23:59:59.123 [DEBG] bfdd: [ABCDE-12345][EC 123] text`: vtysh itself puts the time, the level and the
 * daemon in front, whatever the `log` commands say; the identifier and the error category can be configured away.
 *
 * All of it must be there. bgpd prints a peer's host name (at most 64 bytes of its capability) as it came, line breaks
 * included, and no event together with this prefix is that short, so a peer cannot make one up.
 */
const LOG_LINE =
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \[[A-Z!]{4}\] (?<daemon>[a-z0-9]+): (?:\[[A-Z0-9]{5}-[A-Z0-9]{5}\])?(?:\[EC \d+\])? ?(?<text>.*)$/;

const MESSAGES_LOST =
  /^(?<count>\d+) log messages from (?<daemon>[a-z0-9]+) lost \(vtysh reading too slowly\)$/;

/** A peer of bfdd as the log names it. An address that is not set is printed as the unspecified one. */
const BFD_SESSION =
  'mhop:(?<mhop>yes|no) peer:(?<peer>[0-9a-fA-F.:]+) local:(?<local>[0-9a-fA-F.:]+)(?: vrf:(?<vrf>[^\\s\\]]+))?(?: ifname:(?<ifname>[^\\s\\]]+))?';

const BFD_STATE_CHANGE = new RegExp(
  `^state-change: \\[${BFD_SESSION}\\] (?<from>[a-z-]+) -> (?<to>[a-z-]+)(?: reason:(?<reason>[a-z-]+))?$`,
);
const BFD_SESSION_EVENT = new RegExp(`^session[- ](?<what>new|delete|destroy): ${BFD_SESSION}$`);

/** The host name in brackets is the peer's own and may hold anything, brackets included; FRR's words follow the last. */
const BGP_ADJACENCY =
  /^%ADJCHANGE: neighbor (?<peer>[^\s(]+)(?:\(.*\))? in vrf (?<vrf>\S+) (?:(?<up>Up)|Down(?: (?<reason>.+))?)$/;

/**
 * Parses a line of vtysh's standard error, without its line break.
 *
 * It is one of FRR 8.4 to 10.3 with `debug bfd peer` and `bgp log-neighbor-changes`.
 *
 * @returns undefined for a line that is about something else; never throws
 */
export function parseMonitorLine(line: string): MonitorEvent | undefined {
  if (line.length > MAX_LINE) return undefined;
  const trimmed = line.trimEnd();
  const lost = MESSAGES_LOST.exec(trimmed)?.groups;
  if (lost) return { kind: 'messages-lost', daemon: lost.daemon ?? '', count: Number(lost.count) };
  const { daemon = '', text = '' } = LOG_LINE.exec(trimmed)?.groups ?? {};
  if (daemon === '') return undefined;
  if (/^log monitor connection (?:closed unexpectedly$|error: )/.test(text)) {
    return { kind: 'monitor-lost', daemon };
  }
  if (daemon === 'bfdd') return bfdEvent(text);
  if (daemon === 'bgpd') return bgpEvent(text);
  return undefined;
}

function bfdEvent(text: string): MonitorEvent | undefined {
  const change = BFD_STATE_CHANGE.exec(text)?.groups;
  if (change) {
    const session = sessionOf(change);
    const from = bfdStateOf(change.from ?? '');
    const to = bfdStateOf(change.to ?? '');
    if (!session || !from || !to) return { kind: 'unreadable', daemon: 'bfdd' };
    const reason = change.reason;
    return {
      kind: 'bfd',
      session,
      from,
      to,
      ...(reason !== undefined && { diagnostic: bfdDiagnosticOf(reason) }),
    };
  }
  const lifetime = BFD_SESSION_EVENT.exec(text)?.groups;
  if (lifetime) {
    const session = sessionOf(lifetime);
    if (!session) return { kind: 'unreadable', daemon: 'bfdd' };
    return { kind: lifetime.what === 'new' ? 'bfd-created' : 'bfd-deleted', session };
  }
  return /^(?:state-change:|session[- ](?:new|delete|destroy):)/.test(text)
    ? { kind: 'unreadable', daemon: 'bfdd' }
    : undefined;
}

function bgpEvent(text: string): MonitorEvent | undefined {
  const found = BGP_ADJACENCY.exec(text)?.groups;
  if (!found) return text.startsWith('%ADJCHANGE:') ? { kind: 'unreadable', daemon: 'bgpd' } : undefined;
  const reason = found.reason;
  return {
    kind: 'bgp',
    vrf: vrfOf(found.vrf),
    peer: peerOf(found.peer ?? ''),
    to: found.up === undefined ? 'down' : 'up',
    ...(reason !== undefined && { reason }),
  };
}

function sessionOf(groups: Readonly<Record<string, string | undefined>>): BfdSessionId | undefined {
  const peer = parseIp(groups.peer ?? '');
  const local = parseIp(groups.local ?? '');
  if (!peer || !local) return undefined;
  const interfaceName = groups.ifname;
  return {
    vrf: vrfOf(groups.vrf),
    peer,
    multihop: groups.mhop === 'yes',
    ...(local.value !== 0n && { local }),
    ...(interfaceName !== undefined && { interface: interfaceName }),
  };
}
