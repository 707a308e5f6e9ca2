import type { Peer } from '../config/index.ts';
import type { IpFamily } from '../core/ip.ts';

/** The address families a session carries: its own address's, or both when unnumbered or asked for. */
export function peerFamilies(peer: Peer): readonly IpFamily[] {
  if (peer.endpoint.kind === 'interface' || peer.dualStackAddressFamily) return ['ipv4', 'ipv6'];
  return [peer.endpoint.address.family];
}

/**
 * What the neighbor's route-maps are called, before `-in` and `-out`: its address or interface, with the VRF behind
 * it. Users' extras refer to these names.
 */
export function neighborFilterId(peer: Peer): string {
  const name = peer.endpoint.kind === 'address' ? peer.endpoint.address.text : peer.endpoint.interface;
  return peer.vrf === '' ? name : `${name}-${peer.vrf}`;
}
