import type { BFDProfile, BGPAdvertisement, BGPPeer } from '../api/index.ts';

/**
 * bfdd's echo packets (RFC 5880 section 6.4) exist for IPv4 only, so a session with echo mode must not be what an IPv6
 * route depends on.
 */
export function echoFault(parts: {
  readonly pool: string;
  readonly advertisement: string;
  readonly peer: string;
  readonly profile: string;
}): string {
  const { pool, advertisement, peer, profile } = parts;
  return (
    `BGPAdvertisement "${advertisement}" announces IPAddressPool "${pool}", which holds IPv6 addresses, to BGPPeer "${peer}", ` +
    `whose BFDProfile "${profile}" has echoMode; echo mode works for IPv4 only: turn it off, or keep the pool from that peer`
  );
}

/** Whether the advertisement is meant for the peer. */
export function reachesPeer(advertisement: BGPAdvertisement, peer: BGPPeer): boolean {
  const { peers } = advertisement.spec;
  return peers.length === 0 || peers.includes(peer.metadata.name);
}

export function usesEcho(profile: BFDProfile | undefined): boolean {
  return profile?.spec.echoMode === true;
}
