import { ipFromValue, type IpAddress } from '../core/ip.ts';

/**
 * An IPv4 address as it is looked up: its 32 bits as a signed number, which V8 keeps in a machine word, while most
 * unsigned ones (from 128.0.0.0 on) would be objects on the heap.
 */
export type Ipv4Key = number & { readonly __brand: 'Ipv4Key' };

/** An IPv6 address as it is looked up: its eight groups of 16 bits as the code units of a string. Not for people. */
export type Ipv6Key = string & { readonly __brand: 'Ipv6Key' };

export type IpKey = Ipv4Key | Ipv6Key;

/** 0.0.0.0, the sender of an ARP probe (RFC 5227 section 1.1). */
export const NO_IPV4 = 0 as Ipv4Key;

/** `::`, the source of a solicitation that asks whether an address is free (RFC 4862 section 5.4.2). */
export const NO_IPV6 = '\0'.repeat(8) as Ipv6Key;

/** ff02::1, every node of the link. */
export const ALL_NODES = `\uff02${'\0'.repeat(6)}\u0001` as Ipv6Key;

export function ipKey(ip: IpAddress): IpKey {
  return ip.family === 'ipv4' ? ipv4Key(ip) : ipv6Key(ip);
}

/** @param ip an IPv4 address */
export function ipv4Key(ip: IpAddress): Ipv4Key {
  return (Number(ip.value) | 0) as Ipv4Key;
}

/** @param ip an IPv6 address */
export function ipv6Key(ip: IpAddress): Ipv6Key {
  let key = '';
  for (let shift = 112n; shift >= 0n; shift -= 16n) {
    key += String.fromCharCode(Number((ip.value >> shift) & 0xffffn));
  }
  return key as Ipv6Key;
}

export function ipOfKey(key: IpKey): IpAddress {
  if (typeof key === 'number') return ipFromValue('ipv4', BigInt(key >>> 0));
  let value = 0n;
  for (let index = 0; index < 8; index += 1) value = (value << 16n) | BigInt(key.charCodeAt(index));
  return ipFromValue('ipv6', value);
}

/** RFC 4291 section 2.7: ff00::/8. */
export function isMulticastIpv6(key: Ipv6Key): boolean {
  return key.charCodeAt(0) >>> 8 === 0xff;
}

/** RFC 4291 section 2.7.1: ff02::1:ff00:0/104 and the low 24 bits of the address. */
export function solicitedNodeGroup(key: Ipv6Key): Ipv6Key {
  const low = String.fromCharCode(0xff00 | (key.charCodeAt(6) & 0xff)) + key.charAt(7);
  return `\uff02${'\0'.repeat(4)}\u0001${low}` as Ipv6Key;
}

/** Whether it is the solicited-node group of some address. */
export function isSolicitedNodeGroup(key: Ipv6Key): boolean {
  return key.charCodeAt(6) >>> 8 === 0xff && key.startsWith(`\uff02${'\0'.repeat(4)}\u0001`);
}
