import type { PeerEndpoint } from '../config/index.ts';
import { parseIp } from '../core/ip.ts';
import type { BfdSessionId } from './bfd-session.ts';

/**
 * Names of sessions. A VRF is named as in the configuration, where the empty text is the default VRF; FRR's output and
 * metric labels say `default` for it.
 */
const DEFAULT_VRF = 'default';

export function vrfOf(frrName: string | undefined): string {
  return frrName === undefined || frrName === DEFAULT_VRF ? '' : frrName;
}

export function vrfLabel(vrf: string): string {
  return vrf === '' ? DEFAULT_VRF : vrf;
}

/** FRR names a neighbor by its address, or by its interface when it is unnumbered. */
export function peerOf(frrName: string): PeerEndpoint {
  const address = parseIp(frrName);
  return address ? { kind: 'address', address } : { kind: 'interface', interface: frrName };
}

/** The neighbor's name in FRR: its address, or its interface. */
export function peerText(peer: PeerEndpoint): string {
  return peer.kind === 'address' ? peer.address.text : peer.interface;
}

/** Equal for the same neighbor and no other: a VRF has one neighbor of a name. JSON, because names hold any character. */
export function bgpSessionKey(session: { readonly vrf: string; readonly peer: PeerEndpoint }): string {
  return JSON.stringify([session.vrf, peerText(session.peer)]);
}

/** What tells bfdd's sessions apart: two may have one peer, over several interfaces or with several local addresses. */
export function bfdSessionKey(id: BfdSessionId): string {
  return JSON.stringify([id.vrf, id.peer.text, id.multihop, id.local?.text ?? '', id.interface ?? '']);
}
