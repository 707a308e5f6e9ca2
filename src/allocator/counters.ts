import { compareText } from '../core/order.ts';
import type { Ledger } from './ledger.ts';
import type { PoolEntry } from './pool-table.ts';
import type { AddressCount, PoolChanges, PoolCounters } from './types.ts';

export function countersOf(entry: PoolEntry): PoolCounters {
  const { capacity, spaces, pool } = entry;
  const [ipv4, ipv6] = [BigInt(spaces.ipv4.usedCount), BigInt(spaces.ipv6.usedCount)];
  const assigned: AddressCount = { total: ipv4 + ipv6, ipv4, ipv6 };
  return {
    pool: pool.name,
    capacity,
    assigned,
    available: {
      total: capacity.total - assigned.total,
      ipv4: capacity.ipv4 - ipv4,
      ipv6: capacity.ipv6 - ipv6,
    },
  };
}

/**
 * Pool numbers that differ from those reported before, and empties the ledger's list of touched pools.
 * @param reported the numbers last reported by pool name; brought up to date
 */
export function takeChanges(ledger: Ledger, reported: Map<string, PoolCounters>): PoolChanges {
  const counters: PoolCounters[] = [];
  for (const name of [...ledger.touchedPools].sort(compareText)) {
    const entry = ledger.table.entries.get(name);
    if (!entry) continue;
    const now = countersOf(entry);
    const before = reported.get(name);
    if (before && sameCount(before.capacity, now.capacity) && sameCount(before.assigned, now.assigned))
      continue;
    reported.set(name, now);
    counters.push(now);
  }
  ledger.touchedPools.clear();
  const removed = [...reported.keys()].filter((name) => !ledger.table.entries.has(name)).sort(compareText);
  for (const name of removed) reported.delete(name);
  return { counters, removed };
}

function sameCount(a: AddressCount, b: AddressCount): boolean {
  return a.total === b.total && a.ipv4 === b.ipv4 && a.ipv6 === b.ipv6;
}
