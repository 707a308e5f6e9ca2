import type { IpAddress } from '../core/ip.ts';
import { ipv4At, i32At, macAt, putIpv4, putMac, putU16, u16At } from './bytes.ts';
import { drop, type Drop } from './drop.ts';
import { ETHERNET_HEADER_BYTES, ETHERTYPE_ARP, newFrame, type EthernetAddresses } from './ethernet.ts';
import { ipv4Key, NO_IPV4, type Ipv4Key } from './ip-key.ts';
import { BROADCAST_MAC, isStationMac, macNumber, ZERO_MAC, type MacAddress, type MacNumber } from './mac.ts';

/** An ARP packet for IPv4 over Ethernet in its frame (RFC 826, "Packet format"). */
export interface ArpPacket extends EthernetAddresses {
  readonly kind: 'arp';
  readonly operation: 'request' | 'reply';
  readonly senderMac: MacNumber;
  readonly senderIp: Ipv4Key;
  readonly targetMac: MacNumber;
  readonly targetIp: Ipv4Key;
}

const ARP_BYTES = 28;

/** Places in the frame. */
const SENDER_MAC = ETHERNET_HEADER_BYTES + 8;
const SENDER_IP = ETHERNET_HEADER_BYTES + 14;
const TARGET_MAC = ETHERNET_HEADER_BYTES + 18;
const TARGET_IP = ETHERNET_HEADER_BYTES + 24;

/** Hardware type 1 (Ethernet), protocol type 0x0800 (IPv4), as the first four bytes; then the lengths, 6 and 4. */
const TYPES = 0x0001_0800;
const LENGTHS = 0x0604;

const REQUEST = 1;
const REPLY = 2;

/**
 * Decodes the ARP packet of a frame whose Ethernet header has been read. Padding behind the packet is ignored. That the
 * sender's hardware address differs from the frame's source is no fault: RFC 826 compares them nowhere, and routers
 * with a virtual address (RFC 5798 section 8.1.2), bonds and wireless bridges send such packets. A router that got no
 * answer could not reach the address at all, while the answer to a forger tells nobody anything wrong.
 */
export function decodeArp(frame: Uint8Array): ArpPacket | Drop {
  if (frame.length < ETHERNET_HEADER_BYTES + ARP_BYTES) return drop('truncated');
  if (i32At(frame, ETHERNET_HEADER_BYTES) !== TYPES || u16At(frame, ETHERNET_HEADER_BYTES + 4) !== LENGTHS) {
    return drop('arp-not-ethernet-ipv4');
  }
  const operation = u16At(frame, ETHERNET_HEADER_BYTES + 6);
  if (operation !== REQUEST && operation !== REPLY) return drop('arp-operation');
  const senderMac = macAt(frame, SENDER_MAC);
  if (!isStationMac(senderMac)) return drop('arp-sender-not-station');
  const senderIp = ipv4At(frame, SENDER_IP);
  if (!isPossibleSender(senderIp)) return drop('arp-sender-ip');
  return {
    kind: 'arp',
    destination: macAt(frame, 0),
    source: macAt(frame, 6),
    operation: operation === REQUEST ? 'request' : 'reply',
    senderMac,
    senderIp,
    targetMac: macAt(frame, TARGET_MAC),
    targetIp: ipv4At(frame, TARGET_IP),
  };
}

export function encodeArp(packet: Omit<ArpPacket, 'kind'>): Uint8Array {
  const frame = newFrame(packet, ETHERTYPE_ARP, ARP_BYTES);
  putU16(frame, ETHERNET_HEADER_BYTES, TYPES >>> 16);
  putU16(frame, ETHERNET_HEADER_BYTES + 2, TYPES & 0xffff);
  putU16(frame, ETHERNET_HEADER_BYTES + 4, LENGTHS);
  putU16(frame, ETHERNET_HEADER_BYTES + 6, packet.operation === 'request' ? REQUEST : REPLY);
  putMac(frame, SENDER_MAC, packet.senderMac);
  putIpv4(frame, SENDER_IP, packet.senderIp);
  putMac(frame, TARGET_MAC, packet.targetMac);
  putIpv4(frame, TARGET_IP, packet.targetIp);
  return frame;
}

/**
 * Asks for `targetIp`.
 * @param input.destination whom to ask; absent: everybody
 */
export function encodeArpRequest(input: {
  readonly senderMac: MacAddress;
  readonly senderIp: IpAddress;
  readonly targetIp: IpAddress;
  readonly destination?: MacAddress;
}): Uint8Array {
  const senderMac = macNumber(input.senderMac);
  return encodeArp({
    destination: input.destination === undefined ? BROADCAST_MAC : macNumber(input.destination),
    source: senderMac,
    operation: 'request',
    senderMac,
    senderIp: ipv4Key(input.senderIp),
    targetMac: ZERO_MAC,
    targetIp: ipv4Key(input.targetIp),
  });
}

/** Tells the one that asked, at `targetMac` and `targetIp`, that `senderIp` is at `senderMac`. */
export function encodeArpReply(input: {
  readonly senderMac: MacAddress;
  readonly senderIp: IpAddress;
  readonly targetMac: MacAddress;
  readonly targetIp: IpAddress;
}): Uint8Array {
  const senderMac = macNumber(input.senderMac);
  const targetMac = macNumber(input.targetMac);
  return encodeArp({
    destination: targetMac,
    source: senderMac,
    operation: 'reply',
    senderMac,
    senderIp: ipv4Key(input.senderIp),
    targetMac,
    targetIp: ipv4Key(input.targetIp),
  });
}

/**
 * Asks whether anybody has `ip`, without saying anything that caches would keep (RFC 5227 section 2.1.1).
 * @param destination whom to ask; absent: everybody
 */
export function arpProbe(ip: IpAddress, mac: MacAddress, destination?: MacAddress): Uint8Array {
  const senderMac = macNumber(mac);
  return encodeArp({
    destination: destination === undefined ? BROADCAST_MAC : macNumber(destination),
    source: senderMac,
    operation: 'request',
    senderMac,
    senderIp: NO_IPV4,
    targetMac: ZERO_MAC,
    targetIp: ipv4Key(ip),
  });
}

/**
 * Tells everybody that `ip` is at `mac`: as a request (RFC 5227 section 2.3), and as a reply, since some hosts take only
 * that. The reply's target hardware address is that of the frame: switches that inspect ARP may compare the two.
 */
export function arpAnnouncements(ip: IpAddress, mac: MacAddress): readonly [Uint8Array, Uint8Array] {
  const senderMac = macNumber(mac);
  const senderIp = ipv4Key(ip);
  const packet = { destination: BROADCAST_MAC, source: senderMac, senderMac, senderIp, targetIp: senderIp };
  return [
    encodeArp({ ...packet, operation: 'request', targetMac: ZERO_MAC }),
    encodeArp({ ...packet, operation: 'reply', targetMac: BROADCAST_MAC }),
  ];
}

/**
 * Turns the announcement of an address (its reply form) into the answer to one request: a copy of the frame, and the
 * asker in four places.
 */
export function arpAnswer(announcement: Uint8Array, request: ArpPacket): Uint8Array {
  const frame = new Uint8Array(announcement);
  putMac(frame, 0, request.senderMac);
  putMac(frame, TARGET_MAC, request.senderMac);
  putIpv4(frame, TARGET_IP, request.senderIp);
  return frame;
}

/** RFC 1122 section 3.2.1.3: 224.0.0.0 and above, and 127.0.0.0/8, are no host's; 0.0.0.0 is a probe's. */
function isPossibleSender(ip: Ipv4Key): boolean {
  const first = ip >>> 24;
  return first < 224 && first !== 127;
}
