import type { IpFamily } from '../core/ip.ts';
import type { BgpAdvertisement, Pool } from './types.ts';

/**
 * Whether two advertisements of one pool, both on one node, would give the same prefix two local preferences at the
 * same peer. A different aggregation makes them different prefixes; in a dual-stack pool both lengths must differ.
 */
export function localPrefConflict(a: BgpAdvertisement, b: BgpAdvertisement, pool: Pool): boolean {
  if (a.localPref === b.localPref) return false;
  const families = new Set<IpFamily>(pool.addresses.flat().map((prefix) => prefix.family));
  const samePrefixes =
    (families.has('ipv4') && a.aggregationLengthV4 === b.aggregationLengthV4) ||
    (families.has('ipv6') && a.aggregationLengthV6 === b.aggregationLengthV6);
  return samePrefixes && peersOverlap(a.peers, b.peers);
}

/** An empty list of names means all peers. */
function peersOverlap(a: readonly string[], b: readonly string[]): boolean {
  return a.length === 0 || b.length === 0 || a.some((name) => b.includes(name));
}
