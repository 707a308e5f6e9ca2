/**
 * What FRR says about BGP and BFD, as values: its JSON answers and its monitor's log lines parsed, the observed
 * state they add up to, the changes between two states, and metric samples of it.
 *
 * It names the commands to ask with but never runs one, never throws whatever FRR answers, and decides nothing about
 * what should be announced.
 */
export { isFrrAnswerMissing } from './answer.ts';
export { parseAdvertisedRoutes } from './advertised-routes.ts';
export type { AdvertisedRoute, AdvertisedRoutes } from './advertised-routes.ts';
export { parseBfdCounters, parseBfdPeers } from './bfd-session.ts';
export type {
  BfdCounters,
  BfdCountersRead,
  BfdDiagnostic,
  BfdIntervals,
  BfdPeersRead,
  BfdSession,
  BfdSessionId,
  BfdState,
} from './bfd-session.ts';
export { parseBgpNeighbors } from './bgp-session.ts';
export type {
  BgpMessageCounters,
  BgpNeighborsRead,
  BgpReset,
  BgpSession,
  BgpState,
  FamilyPrefixes,
} from './bgp-session.ts';
export {
  advertisedRoutesCommand,
  MONITOR_COMMANDS,
  SHOW_BFD_COUNTERS,
  SHOW_BFD_PEERS,
  SHOW_BGP_NEIGHBORS,
} from './commands.ts';
export { bfdSessionKey, bgpSessionKey, peerText, vrfLabel } from './identity.ts';
export { bfdMetricSamples, bgpMetricSamples, METRICS, metricSamples } from './metrics.ts';
export type { MetricSample } from './metrics.ts';
export { parseMonitorLine } from './monitor-line.ts';
export type { MonitorEvent } from './monitor-line.ts';
export { applyEvent, applyFullRead, EMPTY_OBSERVED } from './observed-state.ts';
export type { FullRead, ObservedChange, ObservedState, Observation } from './observed-state.ts';
