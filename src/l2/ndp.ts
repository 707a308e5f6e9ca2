import type { IpAddress } from '../core/ip.ts';
import { ipv6At, macAt, putIpv6, putMac, putU16, u16At } from './bytes.ts';
import { ICMPV6, icmpv6Checksum } from './checksum.ts';
import { drop, type Drop, type DropReason } from './drop.ts';
import { ETHERNET_HEADER_BYTES, ETHERTYPE_IPV6, newFrame, type EthernetAddresses } from './ethernet.ts';
import {
  ALL_NODES,
  ipv6Key,
  isMulticastIpv6,
  isSolicitedNodeGroup,
  NO_IPV6,
  solicitedNodeGroup,
  type Ipv6Key,
} from './ip-key.ts';
import { isStationMac, macNumber, type MacAddress, type MacNumber } from './mac.ts';

interface NeighborMessage extends EthernetAddresses {
  readonly sourceIp: Ipv6Key;
  readonly destinationIp: Ipv6Key;
  readonly target: Ipv6Key;
}

/** A Neighbor Solicitation in its frame (RFC 4861 section 4.3). */
export interface NeighborSolicitation extends NeighborMessage {
  readonly kind: 'ns';
  /** Source Link-Layer Address option. */
  readonly sourceMac: MacNumber | undefined;
}

/** A Neighbor Advertisement in its frame (RFC 4861 section 4.4). */
export interface NeighborAdvertisement extends NeighborMessage {
  readonly kind: 'na';
  readonly isRouter: boolean;
  readonly isSolicited: boolean;
  readonly isOverride: boolean;
  /** Target Link-Layer Address option. */
  readonly targetMac: MacNumber | undefined;
}

/** Places in the frame: an IPv6 header (RFC 8200 section 3), then the message. */
const IP6 = ETHERNET_HEADER_BYTES;
const IP6_HEADER_BYTES = 40;
const ICMP = IP6 + IP6_HEADER_BYTES;
const FLAGS = ICMP + 4;
const TARGET = ICMP + 8;
const OPTIONS = ICMP + 24;

/** Without options. */
const MESSAGE_BYTES = 24;
/** Type, length in units of 8 bytes, and an Ethernet address (RFC 2464 section 6). */
const LINK_LAYER_OPTION_BYTES = 8;

/** ICMPv6 types and option types of RFC 4861 sections 4.3, 4.4 and 4.6.1. */
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const SOURCE_LINK_LAYER = 1;
const TARGET_LINK_LAYER = 2;

/** RFC 4861 section 7.1: a packet with any less has crossed a router. */
const HOP_LIMIT = 255;

/**
 * Decodes the Neighbor Solicitation or Advertisement of a frame whose Ethernet header has been read, with the checks of
 * RFC 4861 sections 7.1.1 and 7.1.2. Options that are not known are passed over; padding behind the packet is ignored.
 */
export function decodeNeighbor(frame: Uint8Array): NeighborSolicitation | NeighborAdvertisement | Drop {
  if (frame.length < ICMP) return drop('truncated');
  if ((frame[IP6] ?? 0) >>> 4 !== 6) return drop('ip-version');
  const length = u16At(frame, IP6 + 4);
  if (frame.length < ICMP + length) return drop('truncated');
  if (frame[IP6 + 6] !== ICMPV6) return drop('not-icmpv6');
  if (length < 1) return drop('icmp-length');
  const type = frame[ICMP];
  if (type !== SOLICITATION && type !== ADVERTISEMENT) return drop('not-neighbor-discovery');
  if (frame[IP6 + 7] !== HOP_LIMIT) return drop('hop-limit');
  if (length < MESSAGE_BYTES) return drop('icmp-length');
  if (icmpv6Checksum(frame, IP6, length) !== 0) return drop('checksum');
  if (frame[ICMP + 1] !== 0) return drop('icmp-code');

  const sourceIp = ipv6At(frame, IP6 + 8);
  if (isMulticastIpv6(sourceIp)) return drop('ip-source-multicast');
  const target = ipv6At(frame, TARGET);
  if (isMulticastIpv6(target)) return drop('target-multicast');
  const wanted = type === SOLICITATION ? SOURCE_LINK_LAYER : TARGET_LINK_LAYER;
  const mac = readLinkLayerOption(frame, ICMP + length, wanted);
  if (typeof mac === 'string') return drop(mac);

  const destinationIp = ipv6At(frame, IP6 + 24);
  const common = { destination: macAt(frame, 0), source: macAt(frame, 6), sourceIp, destinationIp, target };
  if (type === SOLICITATION) {
    if (sourceIp === NO_IPV6) {
      if (!isSolicitedNodeGroup(destinationIp)) return drop('dad-destination');
      if (mac !== undefined) return drop('dad-with-link-layer-address');
    }
    return { kind: 'ns', ...common, sourceMac: mac };
  }
  const flags = frame[FLAGS] ?? 0;
  const isSolicited = (flags & 0x40) !== 0;
  if (isSolicited && isMulticastIpv6(destinationIp)) return drop('solicited-to-group');
  return {
    kind: 'na',
    ...common,
    isRouter: (flags & 0x80) !== 0,
    isSolicited,
    isOverride: (flags & 0x20) !== 0,
    targetMac: mac,
  };
}

/**
 * The first option of the wanted type.
 * @param end behind the last byte of the message
 */
function readLinkLayerOption(
  frame: Uint8Array,
  end: number,
  wanted: number,
): MacNumber | undefined | DropReason {
  let found: MacNumber | undefined;
  let at = OPTIONS;
  while (at < end) {
    const bytes = at + 1 < end ? (frame[at + 1] ?? 0) * 8 : 0;
    if (bytes === 0 || at + bytes > end) return 'option-length';
    if (frame[at] === wanted && found === undefined) {
      if (bytes !== LINK_LAYER_OPTION_BYTES) return 'option-length';
      found = macAt(frame, at + 2);
      if (!isStationMac(found)) return 'option-not-station';
    }
    at += bytes;
  }
  return found;
}

export function encodeSolicitation(message: Omit<NeighborSolicitation, 'kind'>): Uint8Array {
  return encodeNeighbor(message, {
    type: SOLICITATION,
    flags: 0,
    option: SOURCE_LINK_LAYER,
    mac: message.sourceMac,
  });
}

export function encodeAdvertisement(message: Omit<NeighborAdvertisement, 'kind'>): Uint8Array {
  const flags =
    (message.isRouter ? 0x80 : 0) | (message.isSolicited ? 0x40 : 0) | (message.isOverride ? 0x20 : 0);
  return encodeNeighbor(message, {
    type: ADVERTISEMENT,
    flags,
    option: TARGET_LINK_LAYER,
    mac: message.targetMac,
  });
}

/**
 * Asks for `target`. Without `sourceIp` it asks whether anybody has it, from the unspecified address and without an
 * option, as before an address is taken (RFC 4862 section 5.4.2).
 * @param input.destination whom to ask, at its Ethernet address; absent: the solicited-node group. As RFC 4861 section
 *   7.3.3 has it, the one that is asked is asked at the target address itself. A node that asks from the unspecified
 *   address must send to the group (section 7.1.1), of which then only the Ethernet address is that of one station.
 */
export function encodeNs(input: {
  readonly sourceMac: MacAddress;
  readonly sourceIp?: IpAddress;
  readonly target: IpAddress;
  readonly destination?: MacAddress;
}): Uint8Array {
  const target = ipv6Key(input.target);
  const group = solicitedNodeGroup(target);
  const source = macNumber(input.sourceMac);
  const hasSource = input.sourceIp !== undefined;
  return encodeSolicitation({
    destination: input.destination === undefined ? macOfGroup(group) : macNumber(input.destination),
    source,
    sourceIp: hasSource ? ipv6Key(input.sourceIp) : NO_IPV6,
    destinationIp: hasSource && input.destination !== undefined ? target : group,
    target,
    sourceMac: hasSource ? source : undefined,
  });
}

/**
 * Says that `target` is at `mac`, with the Override flag: who knows another place shall forget it. An answer needs the
 * flag as much as an announcement (RFC 4861 section 7.2.4): without it, a client whose cache has the node before would
 * keep that (section 7.2.5). The Router flag is clear: a Service's address is no router's.
 * @param input.sourceIp an address of the interface, the link-local one
 * @param input.to who asked; absent: unsolicited, to all nodes (section 7.2.6)
 */
export function encodeNa(input: {
  readonly mac: MacAddress;
  readonly sourceIp: IpAddress;
  readonly target: IpAddress;
  readonly to?: { readonly mac: MacAddress; readonly ip: IpAddress };
}): Uint8Array {
  const mac = macNumber(input.mac);
  return encodeAdvertisement({
    destination: input.to === undefined ? macOfGroup(ALL_NODES) : macNumber(input.to.mac),
    source: mac,
    sourceIp: ipv6Key(input.sourceIp),
    destinationIp: input.to === undefined ? ALL_NODES : ipv6Key(input.to.ip),
    target: ipv6Key(input.target),
    isRouter: false,
    isSolicited: input.to !== undefined,
    isOverride: true,
    targetMac: mac,
  });
}

/** RFC 2464 section 7: 33:33 and the low 32 bits of the group. */
export function macOfGroup(group: Ipv6Key): MacNumber {
  return (0x3333_0000_0000 + group.charCodeAt(6) * 0x10000 + group.charCodeAt(7)) as MacNumber;
}

/** Turns the announcement of an address into the answer to one solicitation, which did not come from `::`. */
export function neighborAnswer(
  announcement: Uint8Array,
  asker: { readonly mac: MacNumber; readonly ip: Ipv6Key },
): Uint8Array {
  const frame = new Uint8Array(announcement);
  putMac(frame, 0, asker.mac);
  putIpv6(frame, IP6 + 24, asker.ip);
  frame[FLAGS] = 0x60;
  putChecksum(frame, u16At(frame, IP6 + 4));
  return frame;
}

function encodeNeighbor(
  message: NeighborMessage,
  icmp: {
    readonly type: number;
    readonly flags: number;
    readonly option: number;
    readonly mac: MacNumber | undefined;
  },
): Uint8Array {
  const length = MESSAGE_BYTES + (icmp.mac === undefined ? 0 : LINK_LAYER_OPTION_BYTES);
  const frame = newFrame(message, ETHERTYPE_IPV6, IP6_HEADER_BYTES + length);
  frame[IP6] = 6 << 4;
  putU16(frame, IP6 + 4, length);
  frame[IP6 + 6] = ICMPV6;
  frame[IP6 + 7] = HOP_LIMIT;
  putIpv6(frame, IP6 + 8, message.sourceIp);
  putIpv6(frame, IP6 + 24, message.destinationIp);
  frame[ICMP] = icmp.type;
  frame[FLAGS] = icmp.flags;
  putIpv6(frame, TARGET, message.target);
  if (icmp.mac !== undefined) {
    frame[OPTIONS] = icmp.option;
    frame[OPTIONS + 1] = LINK_LAYER_OPTION_BYTES / 8;
    putMac(frame, OPTIONS + 2, icmp.mac);
  }
  putChecksum(frame, length);
  return frame;
}

function putChecksum(frame: Uint8Array, length: number): void {
  putU16(frame, ICMP + 2, 0);
  putU16(frame, ICMP + 2, icmpv6Checksum(frame, IP6, length));
}
