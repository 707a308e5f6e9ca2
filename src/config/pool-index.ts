import { lastOf, prefixesOverlap, type IpFamily, type Prefix } from '../core/ip.ts';
import type { Pool } from './types.ts';

interface Interval {
  readonly first: bigint;
  readonly last: bigint;
  readonly pool: Pool;
}

export interface Overlap {
  /** Index of the item in the pool that was asked about. */
  readonly item: number;
  readonly other: Pool;
  /** The prefix of `other` that is overlapped. */
  readonly otherText: string;
}

/** The addresses of pools that do not overlap, kept in order, so that a pool is compared with its neighbours only. */
export interface PoolIndex {
  readonly overlapsOf: (pool: Pool) => readonly Overlap[];
  readonly add: (pool: Pool) => void;
}

export function createPoolIndex(pools: Iterable<Pool>): PoolIndex {
  const lists: Record<IpFamily, Interval[]> = { ipv4: [], ipv6: [] };
  for (const pool of pools) {
    for (const prefix of pool.addresses.flat()) lists[prefix.family].push(intervalOf(prefix, pool));
  }
  lists.ipv4.sort(byFirst);
  lists.ipv6.sort(byFirst);
  return {
    overlapsOf: (pool) => overlapsIn(lists, pool),
    add: (pool) => {
      for (const prefix of pool.addresses.flat()) {
        const list = lists[prefix.family];
        list.splice(firstAtOrAfter(list, prefix.first), 0, intervalOf(prefix, pool));
      }
    },
  };
}

function intervalOf(prefix: Prefix, pool: Pool): Interval {
  return { first: prefix.first, last: lastOf(prefix), pool };
}

function byFirst(a: Interval, b: Interval): number {
  return a.first < b.first ? -1 : a.first > b.first ? 1 : 0;
}

/** Index of the first interval that begins at `address` or after it. */
function firstAtOrAfter(list: readonly Interval[], address: bigint): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const interval = list[middle];
    if (interval && interval.first < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

function overlapsIn(lists: Readonly<Record<IpFamily, readonly Interval[]>>, pool: Pool): readonly Overlap[] {
  const found: Overlap[] = [];
  pool.addresses.forEach((prefixes, item) => {
    const others = new Set<Pool>();
    for (const prefix of prefixes) {
      for (const interval of overlapping(lists[prefix.family], prefix)) others.add(interval.pool);
    }
    for (const other of others) {
      const otherText =
        other.addresses.flat().find((theirs) => prefixes.some((ours) => prefixesOverlap(ours, theirs)))
          ?.text ?? '';
      found.push({ item, other, otherText });
    }
  });
  return found;
}

function overlapping(list: readonly Interval[], prefix: Prefix): Interval[] {
  const found: Interval[] = [];
  const start = firstAtOrAfter(list, prefix.first);
  const before = list[start - 1];
  if (before && before.last >= prefix.first) found.push(before);
  const end = lastOf(prefix);
  for (let index = start; ; index += 1) {
    const interval = list[index];
    if (!interval || interval.first > end) return found;
    found.push(interval);
  }
}
