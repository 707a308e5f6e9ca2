import type { PeerEndpoint } from '../config/index.ts';
import type { IpFamily } from '../core/ip.ts';
import { peerText, vrfLabel } from './identity.ts';

/** All neighbors of all VRFs with state and counters. Its size depends on the neighbors only, not on the prefixes. */
export const SHOW_BGP_NEIGHBORS = 'show bgp vrf all neighbors json';

/** All sessions of all VRFs: bfdd takes `vrf all` for a VRF of that name and answers with an empty list. */
export const SHOW_BFD_PEERS = 'show bfd peers json';

export const SHOW_BFD_COUNTERS = 'show bfd peers counters json';

/**
 * Makes a vtysh session print state changes as they happen (its standard error has the lines for
 * {@link parseMonitorLine}), to type in enable mode. Only these two daemons: others would only add lines to skip.
 * The running configuration must hold `debug bfd peer`, and `bgp log-neighbor-changes` in every BGP router.
 */
export const MONITOR_COMMANDS: readonly string[] = ['terminal monitor bfdd', 'terminal monitor bgpd'];

/**
 * What a neighbor was sent in one address family. The answer holds every prefix (10,000: 2 to 3 MB, with communities
 * 8 MB), so ask only when somebody wants to see them.
 *
 * @returns undefined when a name cannot be part of a command
 */
export function advertisedRoutesCommand(query: {
  readonly vrf: string;
  readonly peer: PeerEndpoint;
  readonly family: IpFamily;
  /** With communities. FRR 8.4 does not know it and answers `% Unknown command`. */
  readonly detail: boolean;
}): string | undefined {
  const vrf = vrfLabel(query.vrf);
  const peer = peerText(query.peer);
  if (!isWord(vrf) || !isWord(peer)) return undefined;
  const detail = query.detail ? ' detail' : '';
  return `show bgp vrf ${vrf} ${query.family} unicast neighbors ${peer} advertised-routes${detail} json`;
}

/** `?` asks vtysh for help, and a blank or a control character ends the word. */
function isWord(name: string): boolean {
  return /^[^\s?\p{Cc}]+$/u.test(name);
}
