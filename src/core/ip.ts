import ipaddr from 'ipaddr.js';
import { compareText } from './order.ts';

export type IpFamily = 'ipv4' | 'ipv6';

/** An IP address. `text` is canonical (RFC 5952 for IPv6), so equal addresses have equal texts. */
export interface IpAddress {
  readonly family: IpFamily;
  /** The address as an unsigned number of 32 or 128 bits. */
  readonly value: bigint;
  readonly text: string;
}

/** A CIDR block with its host bits cleared. `text` is canonical, so equal prefixes have equal texts. */
export interface Prefix {
  readonly family: IpFamily;
  /** First address of the block. */
  readonly first: bigint;
  readonly length: number;
  readonly text: string;
}

export function bitsOf(family: IpFamily): 32 | 128 {
  return family === 'ipv4' ? 32 : 128;
}

/**
 * Parses one address. IPv4 must be four decimal parts without leading zeros; IPv6 must not carry a zone.
 * An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) is the IPv4 address.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const value = parseIpv4(text);
    // There is one way only to write it.
    return value === undefined ? undefined : { family: 'ipv4', value: BigInt(value), text };
  }
  const value = parseIpv6(text);
  if (value === undefined) return undefined;
  return isMapped(value) ? ipFromValue('ipv4', value & 0xffffffffn) : ipFromValue('ipv6', value);
}

/** The family of an address as {@link parseIp} gives it; undefined for a text that is none. */
export function ipFamilyOf(text: string): IpFamily | undefined {
  if (!text.includes(':')) return parseIpv4(text) === undefined ? undefined : 'ipv4';
  const value = parseIpv6(text);
  return value === undefined ? undefined : isMapped(value) ? 'ipv4' : 'ipv6';
}

function isMapped(value: bigint): boolean {
  return value >> 32n === 0xffffn;
}

export function ipFromValue(family: IpFamily, value: bigint): IpAddress {
  return { family, value, text: textOf(family, value) };
}

/** Parses `address/length` and clears the host bits. A bare address, blanks and zones are refused. */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([^/\s]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  if (!match) return undefined;
  const [, addressText = '', lengthText = ''] = match;
  // An IPv4-mapped address in a CIDR would silently change what the length counts: refuse it.
  const ip = parseIp(addressText);
  if (!ip || (ip.family === 'ipv4' && addressText.includes(':'))) return undefined;
  const length = Number(lengthText);
  return length <= bitsOf(ip.family) ? prefixOf(ip, length) : undefined;
}

/** The block of `length` bits that holds `ip`. */
export function prefixOf(ip: IpAddress, length: number): Prefix {
  const hostBits = BigInt(bitsOf(ip.family) - length);
  const first = (ip.value >> hostBits) << hostBits;
  const firstText = first === ip.value ? ip.text : textOf(ip.family, first);
  return { family: ip.family, first, length, text: `${firstText}/${String(length)}` };
}

/** The prefix that holds just this address: a /32 or a /128. */
export function hostPrefix(ip: IpAddress): Prefix {
  return {
    family: ip.family,
    first: ip.value,
    length: bitsOf(ip.family),
    text: `${ip.text}/${String(bitsOf(ip.family))}`,
  };
}

/** Last address of the block. */
export function lastOf(prefix: Prefix): bigint {
  return prefix.first + (1n << BigInt(bitsOf(prefix.family) - prefix.length)) - 1n;
}

export function prefixContains(prefix: Prefix, ip: IpAddress): boolean {
  return prefix.family === ip.family && ip.value >= prefix.first && ip.value <= lastOf(prefix);
}

export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && a.first <= lastOf(b) && b.first <= lastOf(a);
}

/** The fewest prefixes that cover `start` to `end` and nothing else, ascending. Both ends are of one family, start <= end. */
export function prefixesOfRange(start: IpAddress, end: IpAddress): Prefix[] {
  const bits = bitsOf(start.family);
  const prefixes: Prefix[] = [];
  let at = start.value;
  while (at <= end.value) {
    let hostBits = 0;
    while (hostBits < bits) {
      const size = 1n << BigInt(hostBits + 1);
      if (at % size !== 0n || at + size - 1n > end.value) break;
      hostBits += 1;
    }
    prefixes.push(prefixOf(ipFromValue(start.family, at), bits - hostBits));
    at += 1n << BigInt(hostBits);
  }
  return prefixes;
}

/** IPv4 before IPv6, then by number. */
export function compareIp(a: IpAddress, b: IpAddress): number {
  return compareText(a.family, b.family) || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
}

/** IPv4 before IPv6, then by first address, then the wider block first. */
export function comparePrefix(a: Prefix, b: Prefix): number {
  return (
    compareText(a.family, b.family) ||
    (a.first < b.first ? -1 : a.first > b.first ? 1 : 0) ||
    a.length - b.length
  );
}

/** Four decimal parts; own code, since a controller parses each Service's addresses over and over. */
function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let value = 0;
  for (const part of match.slice(1)) {
    const byte = Number(part);
    if (byte > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

/** The forms of RFC 4291 section 2.2; the last 32 bits may be written as an IPv4 address. */
function parseIpv6(text: string): bigint | undefined {
  const [head = '', tail, excess] = text.split('::');
  if (excess !== undefined) return undefined;
  const before = parseGroups(head, tail === undefined);
  if (!before) return undefined;
  if (tail === undefined) return before.length === 8 ? valueOfGroups(before) : undefined;
  const after = parseGroups(tail, true);
  // The double colon stands for at least one group.
  if (!after || before.length + after.length > 7) return undefined;
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return valueOfGroups([...before, ...zeros, ...after]);
}

/** @param isEnd the groups are the last of the address, where an IPv4 address may stand for two of them */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  const groups: number[] = [];
  if (text === '') return groups;
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const embedded = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (embedded === undefined) return undefined;
    groups.push(embedded >>> 16, embedded & 0xffff);
  }
  return groups;
}

function valueOfGroups(groups: readonly number[]): bigint {
  let value = 0n;
  for (let index = 0; index < 8; index += 2) {
    value = (value << 32n) | BigInt((groups[index] ?? 0) * 0x10000 + (groups[index + 1] ?? 0));
  }
  return value;
}

function textOf(family: IpFamily, value: bigint): string {
  return family === 'ipv4' ? ipv4Text(Number(value)) : ipv6Text(value);
}

function ipv4Text(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 0xff}.${(value >>> 8) & 0xff}.${value & 0xff}`;
}

/** By halves of 64 bits: each step on a bigint makes another one. */
function ipv6Text(value: bigint): string {
  const groups: number[] = [];
  for (const half of [value >> 64n, value & 0xffff_ffff_ffff_ffffn]) {
    const [high, low] = [Number(half >> 32n), Number(half & 0xffff_ffffn)];
    groups.push(high >>> 16, high & 0xffff, low >>> 16, low & 0xffff);
  }
  return new ipaddr.IPv6(groups).toRFC5952String();
}
