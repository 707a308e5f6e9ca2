import { bitsOf } from '../core/ip.ts';
import { compareText } from '../core/order.ts';
import type { BfdCounters, BfdSession } from './bfd-session.ts';
import type { BgpSession } from './bgp-session.ts';
import { peerText, vrfLabel } from './identity.ts';
import type { ObservedState } from './observed-state.ts';

/** One sample of a metric, as Prometheus takes it. Names and labels are those of MetalLB's FRR metrics. */
export interface MetricSample {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** `peer`, `vrf`. */
  readonly labels: Readonly<Record<'peer' | 'vrf', string>>;
  readonly value: number;
}

interface MetricOf<Session> {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** undefined: not known of this session. */
  readonly valueOf: (session: Session) => number | undefined;
}

const BGP_METRICS: readonly MetricOf<BgpSession>[] = [
  gauge('metallb_bgp_session_up', 'BGP session state (1 is Established, 0 is any other state)', (session) =>
    session.state === 'Established' ? 1 : 0,
  ),
  gauge(
    'metallb_bgp_announced_prefixes_total',
    'Prefixes being advertised to the peer, all families',
    (session) => session.prefixes.reduce((sum, family) => sum + family.sent, 0),
  ),
  bgpCounter('updates_total', 'BGP UPDATE messages sent', 'updatesSent'),
  bgpCounter('updates_total_received', 'BGP UPDATE messages received', 'updatesReceived'),
  bgpCounter('opens_sent', 'BGP OPEN messages sent', 'opensSent'),
  bgpCounter('opens_received', 'BGP OPEN messages received', 'opensReceived'),
  bgpCounter('notifications_sent', 'BGP NOTIFICATION messages sent', 'notificationsSent'),
  bgpCounter('keepalives_sent', 'BGP KEEPALIVE messages sent', 'keepalivesSent'),
  bgpCounter('keepalives_received', 'BGP KEEPALIVE messages received', 'keepalivesReceived'),
  bgpCounter('route_refresh_sent', 'BGP ROUTE-REFRESH messages sent', 'routeRefreshSent'),
  bgpCounter('total_sent', 'BGP messages sent', 'totalSent'),
  bgpCounter('total_received', 'BGP messages received', 'totalReceived'),
];

const BFD_METRICS: readonly MetricOf<BfdSession>[] = [
  gauge('metallb_bfd_session_up', 'BFD session state (1 is Up, 0 is any other state)', (session) =>
    session.state === 'Up' ? 1 : 0,
  ),
  bfdCounter('control_packet_input', 'BFD control packets received', 'controlPacketsReceived'),
  bfdCounter('control_packet_output', 'BFD control packets sent', 'controlPacketsSent'),
  bfdCounter('echo_packet_input', 'BFD echo packets received', 'echoPacketsReceived'),
  bfdCounter('echo_packet_output', 'BFD echo packets sent', 'echoPacketsSent'),
  bfdCounter('session_up_events', 'Times the BFD session came up', 'upEvents'),
  bfdCounter('session_down_events', 'Times the BFD session went down', 'downEvents'),
  bfdCounter(
    'zebra_notifications',
    'Notifications of bfdd to other daemons about the session',
    'zebraNotifications',
  ),
];

/** All samples of what is observed, sorted by metric in the order of the documentation, then by VRF and peer. */
export function metricSamples(observed: ObservedState): MetricSample[] {
  return [...bgpMetricSamples([...observed.bgp.values()]), ...bfdMetricSamples([...observed.bfd.values()])];
}

/**
 * `metallb_bgp_*`. Label `peer` is `address:port`, IPv6 without brackets, and the interface alone for an unnumbered peer.
 * The port is BGP's own (RFC 4271 section 8: TCP 179) until a connection told another, so that a series does not change
 * its name when the session comes up.
 */
export function bgpMetricSamples(sessions: readonly BgpSession[]): MetricSample[] {
  return samplesOf(BGP_METRICS, sessions, bgpPeerLabel);
}

/** `metallb_bfd_*`. Label `peer` is the address; for a link-local one, which is no name on a host with two links, the interface. */
export function bfdMetricSamples(sessions: readonly BfdSession[]): MetricSample[] {
  return samplesOf(BFD_METRICS, sessions, bfdPeerLabel);
}

const BGP_PORT = 179;

function bgpPeerLabel({ peer, remotePort = BGP_PORT }: BgpSession): string {
  return peer.kind === 'address' ? `${peer.address.text}:${remotePort}` : peerText(peer);
}

/** fe80::/10, RFC 4291 section 2.4. */
const LINK_LOCAL_TOP_BITS = 0xfe80n >> 6n;

function bfdPeerLabel(session: BfdSession): string {
  const { peer } = session;
  const isLinkLocal =
    peer.family === 'ipv6' && peer.value >> BigInt(bitsOf('ipv6') - 10) === LINK_LOCAL_TOP_BITS;
  return isLinkLocal ? (session.interface ?? peer.text) : peer.text;
}

function samplesOf<Session extends { readonly vrf: string }>(
  metrics: readonly MetricOf<Session>[],
  sessions: readonly Session[],
  labelOf: (session: Session) => string,
): MetricSample[] {
  const labelled = sessions
    .map((session) => ({ session, peer: labelOf(session), vrf: vrfLabel(session.vrf) }))
    .sort((a, b) => compareText(a.vrf, b.vrf) || compareText(a.peer, b.peer));
  return metrics.flatMap((metric) => {
    const { name, type, help, valueOf } = metric;
    const samples: MetricSample[] = [];
    for (const { session, peer, vrf } of labelled) {
      const value = valueOf(session);
      if (value === undefined) continue;
      const last = samples.at(-1);
      if (last?.labels.peer === peer && last.labels.vrf === vrf) {
        samples[samples.length - 1] = { ...last, value: together(type, last.value, value) };
      } else {
        samples.push({ name, type, help, labels: { peer, vrf }, value });
      }
    }
    return samples;
  });
}

/**
 * Two sessions may share a label (a peer with a single-hop and a multihop BFD session), and Prometheus takes one sample of
 * each: up only when both are, and counts added up.
 */
function together(type: 'gauge' | 'counter', a: number, b: number): number {
  return type === 'gauge' ? Math.min(a, b) : a + b;
}

function gauge<Session>(
  name: string,
  help: string,
  valueOf: (session: Session) => number,
): MetricOf<Session> {
  return { name, type: 'gauge', help, valueOf };
}

function bgpCounter(name: string, help: string, field: keyof BgpSession['messages']): MetricOf<BgpSession> {
  return {
    name: `metallb_bgp_${name}`,
    type: 'counter',
    help,
    valueOf: (session) => session.messages[field],
  };
}

function bfdCounter(name: string, help: string, field: keyof BfdCounters): MetricOf<BfdSession> {
  return {
    name: `metallb_bfd_${name}`,
    type: 'counter',
    help,
    valueOf: (session) => session.counters?.[field],
  };
}

/** Every metric there can be, in the order of the documentation, for a registry that wants to know them beforehand. */
export const METRICS: readonly Pick<MetricSample, 'name' | 'type' | 'help'>[] = [
  ...BGP_METRICS,
  ...BFD_METRICS,
].map(({ name, type, help }) => ({ name, type, help }));
