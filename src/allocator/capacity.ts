import { bitsOf, lastOf, type Prefix } from '../core/ip.ts';
import type { Pool } from '../config/index.ts';
import { isBuggyAddress } from './address-space.ts';
import type { AddressCount } from './types.ts';

/** The largest int64, the type of the counters in the IPAddressPool status. */
export const MAX_COUNT = 2n ** 63n - 1n;

/** From this many host bits on a block counts as {@link MAX_COUNT} by itself. */
const HUGE_HOST_BITS = 62;

/** How many addresses a pool can hand out. */
export function capacityOf(pool: Pick<Pool, 'addresses' | 'avoidBuggyIPs'>): AddressCount {
  let ipv4 = 0n;
  let ipv6 = 0n;
  for (const prefix of pool.addresses.flat()) {
    const count = sizeOf(prefix) - (pool.avoidBuggyIPs ? buggyIn(prefix) : 0n);
    if (prefix.family === 'ipv4') ipv4 = saturatingAdd(ipv4, count);
    else ipv6 = saturatingAdd(ipv6, count);
  }
  return { total: saturatingAdd(ipv4, ipv6), ipv4, ipv6 };
}

export function saturatingAdd(a: bigint, b: bigint): bigint {
  const sum = a + b;
  return sum > MAX_COUNT ? MAX_COUNT : sum;
}

function sizeOf(prefix: Prefix): bigint {
  const hostBits = bitsOf(prefix.family) - prefix.length;
  return hostBits >= HUGE_HOST_BITS ? MAX_COUNT : 1n << BigInt(hostBits);
}

/** Addresses of the block that end in .0 or .255. */
function buggyIn(prefix: Prefix): bigint {
  if (prefix.family !== 'ipv4') return 0n;
  if (prefix.length <= 24) return 2n << BigInt(24 - prefix.length);
  // Inside a /24 only the ends of a block can be its .0 and .255; in a /32 both ends are one address.
  const last = lastOf(prefix);
  const ends = prefix.first === last ? [last] : [prefix.first, last];
  return BigInt(ends.filter((value) => isBuggyAddress('ipv4', value)).length);
}
