import { ipFromValue, parseIp } from '../../src/core/ip.ts';

/**
 * ARP (RFC 826) and Neighbor Discovery (RFC 4861) as a bystander reads and writes them. Written apart from the product's
 * own, so that both would have to be wrong in the same way for a test not to notice.
 */

/** What an Ethernet frame says about who has an address. */
export type LanMessage =
  | {
      readonly kind: 'arp';
      readonly operation: number;
      readonly senderMac: string;
      readonly senderIp: string;
      readonly targetMac: string;
      readonly targetIp: string;
    }
  | {
      readonly kind: 'ns';
      readonly from: string;
      readonly hopLimit: number;
      readonly target: string;
      /** Source Link-Layer Address option. */
      readonly linkLayer?: string;
    }
  | {
      readonly kind: 'na';
      readonly from: string;
      readonly hopLimit: number;
      readonly target: string;
      readonly isSolicited: boolean;
      readonly isOverride: boolean;
      /** Target Link-Layer Address option. */
      readonly linkLayer?: string;
    };

export interface LanFrame {
  readonly source: string;
  readonly destination: string;
  readonly message: LanMessage;
}

const ARP = 0x0806;
const IPV6 = 0x86dd;
const ICMPV6 = 58;
const NS = 135;
const NA = 136;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const ZERO_MAC = '00:00:00:00:00:00';

/** Reads a frame; undefined when it is something else, or not whole. */
export function readFrame(bytes: Uint8Array): LanFrame | undefined {
  if (bytes.length < 14) return undefined;
  const destination = macAt(bytes, 0);
  const source = macAt(bytes, 6);
  const message = messageOf(bytes);
  return message && { source, destination, message };
}

function messageOf(bytes: Uint8Array): LanMessage | undefined {
  const type = uint16(bytes, 12);
  if (type === ARP) {
    if (bytes.length < 42 || uint16(bytes, 16) !== 0x0800 || bytes[18] !== 6 || bytes[19] !== 4)
      return undefined;
    return {
      kind: 'arp',
      operation: uint16(bytes, 20),
      senderMac: macAt(bytes, 22),
      senderIp: ipv4At(bytes, 28),
      targetMac: macAt(bytes, 32),
      targetIp: ipv4At(bytes, 38),
    };
  }
  if (type !== IPV6 || bytes.length < 78 || bytes[20] !== ICMPV6) return undefined;
  const icmpType = bytes[54];
  if (icmpType !== NS && icmpType !== NA) return undefined;
  const shared = { from: ipv6At(bytes, 22), hopLimit: bytes[21] ?? 0, target: ipv6At(bytes, 62) };
  const option = linkLayerOption(bytes.subarray(78), icmpType === NS ? 1 : 2);
  const linkLayer = option === undefined ? {} : { linkLayer: option };
  if (icmpType === NS) return { kind: 'ns', ...shared, ...linkLayer };
  const flags = bytes[58] ?? 0;
  return {
    kind: 'na',
    ...shared,
    ...linkLayer,
    isSolicited: (flags & 0x40) !== 0,
    isOverride: (flags & 0x20) !== 0,
  };
}

function linkLayerOption(options: Uint8Array, wanted: number): string | undefined {
  for (let at = 0; at + 8 <= options.length;) {
    const length = (options[at + 1] ?? 0) * 8;
    if (length === 0) return undefined;
    if (options[at] === wanted) return macAt(options, at + 2);
    at += length;
  }
  return undefined;
}

/**
 * A broadcast question for an address, ARP or Neighbor Solicitation.
 * @param from the asker; `0.0.0.0` makes it an ARP probe (RFC 5227), `::` the question of duplicate address detection
 */
export function question(asker: { readonly mac: string; readonly ip: string }, ip: string): Uint8Array {
  return ip.includes(':') ? solicitation({ ...asker, target: ip }) : arp({ ...asker, target: ip });
}

/** An ARP packet in a frame of 60 bytes. A request by broadcast unless told. */
export function arp(options: {
  readonly mac: string;
  readonly ip: string;
  readonly target: string;
  readonly operation?: number;
  readonly targetMac?: string;
  readonly destination?: string;
}): Uint8Array {
  const { mac, ip, target, operation = 1, targetMac = ZERO_MAC, destination = BROADCAST } = options;
  return Buffer.concat([
    ...[macBytes(destination), macBytes(mac), words(ARP)],
    ...[words(1, 0x0800, 0x0604, operation)],
    ...[macBytes(mac), ipBytes(ip), macBytes(targetMac), ipBytes(target)],
    Buffer.alloc(18),
  ]);
}

/** A Neighbor Solicitation to the solicited-node group of its target, or straight to `destination`. */
export function solicitation(options: {
  readonly mac: string;
  /** `::` for duplicate address detection, which carries no link-layer address. */
  readonly ip: string;
  readonly target: string;
  readonly hopLimit?: number;
  readonly destination?: { readonly mac: string; readonly ip: string };
}): Uint8Array {
  const { mac, ip, target, hopLimit = 255 } = options;
  const group = solicitedNode(target);
  const { mac: toMac, ip: to } = options.destination ?? { mac: groupMac(group), ip: group };
  const option = ip === '::' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([1, 1]), macBytes(mac)]);
  const body = Buffer.concat([Buffer.from([NS, 0, 0, 0, 0, 0, 0, 0]), ipBytes(target), option]);
  return icmp6({ mac, ip, toMac, to, hopLimit, body });
}

/** A Neighbor Advertisement to all nodes, or straight to `destination`. */
export function advertisement(options: {
  readonly mac: string;
  readonly ip: string;
  readonly target: string;
  readonly isOverride?: boolean;
  readonly hopLimit?: number;
  readonly destination?: { readonly mac: string; readonly ip: string };
}): Uint8Array {
  const { mac, ip, target, isOverride = true, hopLimit = 255, destination } = options;
  const { mac: toMac, ip: to } = destination ?? { mac: groupMac('ff02::1'), ip: 'ff02::1' };
  const flags = (destination === undefined ? 0 : 0x40) | (isOverride ? 0x20 : 0);
  const body = Buffer.concat([
    Buffer.from([NA, 0, 0, 0, flags, 0, 0, 0]),
    ...[ipBytes(target), Buffer.from([2, 1]), macBytes(mac)],
  ]);
  return icmp6({ mac, ip, toMac, to, hopLimit, body });
}

interface Icmp6 {
  readonly mac: string;
  readonly ip: string;
  readonly toMac: string;
  readonly to: string;
  readonly hopLimit: number;
  /** From the type on; the checksum is still zero. */
  readonly body: Buffer;
}

function icmp6({ mac, ip, toMac, to, hopLimit, body }: Icmp6): Uint8Array {
  const [source, destination] = [ipBytes(ip), ipBytes(to)];
  // RFC 8200 section 8.1: over addresses, length, next header and message.
  const sum = checksum(Buffer.concat([source, destination, words(0, body.length, 0, ICMPV6), body]));
  body.writeUInt16BE(sum, 2);
  const header = Buffer.concat([words(0x6000, 0, body.length), Buffer.from([ICMPV6, hopLimit])]);
  return Buffer.concat([macBytes(toMac), macBytes(mac), words(IPV6), header, source, destination, body]);
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** RFC 4291 section 2.7.1. */
export function solicitedNode(target: string): string {
  const low = ipBytes(target).subarray(13);
  return ipv6At(Buffer.concat([ipBytes('ff02::1:ff00:0').subarray(0, 13), low]), 0);
}

/** RFC 2464 section 7. */
export function groupMac(group: string): string {
  return macAt(Buffer.concat([Buffer.from([0x33, 0x33]), ipBytes(group).subarray(12)]), 0);
}

export function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function ipBytes(ip: string): Buffer {
  const parsed = parseIp(ip);
  if (parsed === undefined) throw new Error(`${JSON.stringify(ip)} is no IP address`);
  const digits = parsed.family === 'ipv4' ? 8 : 32;
  return Buffer.from(parsed.value.toString(16).padStart(digits, '0'), 'hex');
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => bytes.writeUInt16BE(value, index * 2));
  return bytes;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function macAt(bytes: Uint8Array, at: number): string {
  return [...bytes.subarray(at, at + 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function ipv4At(bytes: Uint8Array, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}

function ipv6At(bytes: Uint8Array, at: number): string {
  const hex = Buffer.from(bytes.subarray(at, at + 16)).toString('hex');
  return ipFromValue('ipv6', BigInt(`0x${hex}`)).text;
}
