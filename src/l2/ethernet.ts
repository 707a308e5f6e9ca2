import { putMac, putU16, u16At, macAt } from './bytes.ts';
import type { DropReason } from './drop.ts';
import { BROADCAST_MAC, isGroupMac, ZERO_MAC, type MacNumber } from './mac.ts';

/** Destination, source, EtherType (IEEE 802.3 section 3.2.6). */
export const ETHERNET_HEADER_BYTES = 14;

/** Without the frame check sequence, which sockets do not see: what is shorter is padded (IEEE 802.3 section 4.4.2). */
export const MIN_FRAME_BYTES = 60;

/** RFC 826 and RFC 2464 section 3. */
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

/** IEEE 802.1Q, 802.1ad, and the number in use for stacked tags before 802.1ad. */
const VLAN_ETHERTYPES: readonly number[] = [0x8100, 0x88a8, 0x9100];

/** From where to where a frame goes. */
export interface EthernetAddresses {
  readonly destination: MacNumber;
  readonly source: MacNumber;
}

/** The EtherType of a frame whose source may be a station's, or the reason to drop it. */
export function readEthernet(frame: Uint8Array): number | DropReason {
  if (frame.length < ETHERNET_HEADER_BYTES) return 'truncated';
  const source = macAt(frame, 6);
  if (isGroupMac(source)) return source === BROADCAST_MAC ? 'broadcast-source' : 'multicast-source';
  if (source === ZERO_MAC) return 'zero-source';
  const etherType = u16At(frame, 12);
  return VLAN_ETHERTYPES.includes(etherType) ? 'vlan-tagged' : etherType;
}

/** A frame of zeros behind its header, padded to what Ethernet wants. */
export function newFrame(addresses: EthernetAddresses, etherType: number, payloadBytes: number): Uint8Array {
  const frame = new Uint8Array(Math.max(ETHERNET_HEADER_BYTES + payloadBytes, MIN_FRAME_BYTES));
  putMac(frame, 0, addresses.destination);
  putMac(frame, 6, addresses.source);
  putU16(frame, 12, etherType);
  return frame;
}
