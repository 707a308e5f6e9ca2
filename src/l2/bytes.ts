import type { Ipv4Key, Ipv6Key } from './ip-key.ts';
import type { MacNumber } from './mac.ts';

/** Fields in network byte order. Bytes that are not there read as zero: lengths are checked before. */

export function u16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Signed, as the operators of the language have it. */
export function i32At(bytes: Uint8Array, at: number): number {
  return (u16At(bytes, at) << 16) | u16At(bytes, at + 2);
}

export function macAt(bytes: Uint8Array, at: number): MacNumber {
  return (u16At(bytes, at) * 0x1_0000_0000 + (i32At(bytes, at + 2) >>> 0)) as MacNumber;
}

export function ipv4At(bytes: Uint8Array, at: number): Ipv4Key {
  return i32At(bytes, at) as Ipv4Key;
}

export function ipv6At(bytes: Uint8Array, at: number): Ipv6Key {
  return String.fromCharCode(
    u16At(bytes, at),
    u16At(bytes, at + 2),
    u16At(bytes, at + 4),
    u16At(bytes, at + 6),
    u16At(bytes, at + 8),
    u16At(bytes, at + 10),
    u16At(bytes, at + 12),
    u16At(bytes, at + 14),
  ) as Ipv6Key;
}

export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function putMac(bytes: Uint8Array, at: number, mac: MacNumber): void {
  const high = Math.floor(mac / 0x1_0000_0000);
  putU16(bytes, at, high);
  putI32(bytes, at + 2, mac - high * 0x1_0000_0000);
}

export function putIpv4(bytes: Uint8Array, at: number, ip: Ipv4Key): void {
  putI32(bytes, at, ip);
}

export function putIpv6(bytes: Uint8Array, at: number, ip: Ipv6Key): void {
  for (let index = 0; index < 8; index += 1) putU16(bytes, at + 2 * index, ip.charCodeAt(index));
}

function putI32(bytes: Uint8Array, at: number, value: number): void {
  putU16(bytes, at, (value >>> 16) & 0xffff);
  putU16(bytes, at + 2, value & 0xffff);
}
