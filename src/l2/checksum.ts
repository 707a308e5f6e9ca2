import { u16At } from './bytes.ts';

/** Next Header of ICMPv6 (RFC 8200 section 3, IANA protocol numbers). */
export const ICMPV6 = 58;

/**
 * The checksum of the Internet (RFC 1071 section 1): the one's complement of the one's complement sum of 16-bit words,
 * a last odd byte padded with zero.
 * @param input.sum words that count too but are not in the bytes
 */
export function internetChecksum(input: {
  readonly bytes: Uint8Array;
  readonly from: number;
  /** Behind the last byte. */
  readonly to: number;
  readonly sum?: number;
}): number {
  const { bytes, from, to } = input;
  let sum = input.sum ?? 0;
  let at = from;
  for (; at + 1 < to; at += 2) sum += u16At(bytes, at);
  if (at < to) sum += (bytes[at] ?? 0) << 8;
  // The carries of at most 2^16 words; folding them can carry once more (RFC 1071 section 4.1).
  while (sum > 0xffff) sum = Math.floor(sum / 0x10000) + (sum & 0xffff);
  return ~sum & 0xffff;
}

/**
 * The checksum of an ICMPv6 message (RFC 4443 section 2.3) with the pseudo-header of RFC 8200 section 8.1, over the
 * whole packet as it stands: 0 when the checksum field holds the right value, the value for it when it holds 0.
 * @param ip6At where the IPv6 header begins; no extension header follows it
 * @param length of the ICMPv6 message, in bytes
 */
export function icmpv6Checksum(bytes: Uint8Array, ip6At: number, length: number): number {
  // Source and Destination Address are the last 32 bytes of the header, just before the message.
  return internetChecksum({ bytes, from: ip6At + 8, to: ip6At + 40 + length, sum: length + ICMPV6 });
}
