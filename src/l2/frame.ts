import { decodeArp, type ArpPacket } from './arp.ts';
import { drop, type Drop } from './drop.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV6, readEthernet } from './ethernet.ts';
import { decodeNeighbor, type NeighborAdvertisement, type NeighborSolicitation } from './ndp.ts';

export type Decoded = ArpPacket | NeighborSolicitation | NeighborAdvertisement | Drop;

/**
 * Decodes a whole Ethernet frame, without its frame check sequence: an ARP packet, a Neighbor Solicitation or a
 * Neighbor Advertisement, or the reason to drop it. Never throws, whatever the bytes, and keeps none of them.
 */
export function decodeFrame(frame: Uint8Array): Decoded {
  const etherType = readEthernet(frame);
  if (typeof etherType === 'string') return drop(etherType);
  if (etherType === ETHERTYPE_ARP) return decodeArp(frame);
  if (etherType === ETHERTYPE_IPV6) return decodeNeighbor(frame);
  return drop('other-ethertype');
}
