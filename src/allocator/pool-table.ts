import type { Pool } from '../config/index.ts';
import type { IpAddress, IpFamily } from '../core/ip.ts';
import { byText, compareText } from '../core/order.ts';
import { anySelectorMatches, type Labels } from '../core/selector.ts';
import { createAddressSpace, isBuggyAddress, type AddressSpace } from './address-space.ts';
import { capacityOf } from './capacity.ts';
import type { AddressCount } from './types.ts';

/** The pools in force, arranged for the questions an allocation asks. */
export interface PoolTable {
  /** By name, ascending. */
  readonly entries: ReadonlyMap<string, PoolEntry>;
  /** Pools open to every Service without being named, by name. */
  readonly general: readonly PoolEntry[];
  /** Pinned pools with automatic assignment that list a namespace. */
  readonly pinnedByNamespace: ReadonlyMap<string, readonly PoolEntry[]>;
  /** Pinned pools with automatic assignment and Service selectors. */
  readonly pinnedBySelector: readonly PoolEntry[];
  /** Every block of every pool, ascending. */
  readonly ranges: Readonly<Record<IpFamily, readonly Range[]>>;
}

export interface PoolEntry {
  readonly pool: Pool;
  readonly capacity: AddressCount;
  readonly spaces: Readonly<Record<IpFamily, AddressSpace>>;
}

interface Range {
  readonly first: bigint;
  readonly last: bigint;
  readonly start: bigint;
  readonly entry: PoolEntry;
}

/** Where an address lies. */
export interface Place {
  readonly entry: PoolEntry;
  readonly space: AddressSpace;
  readonly position: bigint;
}

/** @param pools of distinct names and without common addresses, as `config/` gives them */
export function createPoolTable(pools: readonly Pool[]): PoolTable {
  const entries = new Map<string, PoolEntry>();
  for (const pool of [...pools].sort(byText((item) => item.name))) {
    const prefixes = pool.addresses.flat();
    entries.set(pool.name, {
      pool,
      capacity: capacityOf(pool),
      spaces: {
        ipv4: createAddressSpace('ipv4', prefixes, pool.avoidBuggyIPs),
        ipv6: createAddressSpace('ipv6', prefixes, pool.avoidBuggyIPs),
      },
    });
  }
  const all = [...entries.values()];
  const automatic = all.filter(({ pool }) => pool.autoAssign);
  const pinnedByNamespace = new Map<string, PoolEntry[]>();
  for (const entry of automatic) {
    for (const namespace of entry.pool.allocation?.namespaces ?? []) {
      const list = pinnedByNamespace.get(namespace);
      if (list) list.push(entry);
      else pinnedByNamespace.set(namespace, [entry]);
    }
  }
  return {
    entries,
    general: automatic.filter(({ pool }) => !pool.allocation),
    pinnedByNamespace,
    pinnedBySelector: automatic.filter(({ pool }) => (pool.allocation?.serviceSelectors.length ?? 0) > 0),
    ranges: { ipv4: rangesOf(all, 'ipv4'), ipv6: rangesOf(all, 'ipv6') },
  };
}

function rangesOf(entries: readonly PoolEntry[], family: IpFamily): Range[] {
  return entries
    .flatMap((entry) => entry.spaces[family].blocks.map((block) => ({ ...block, entry })))
    .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
}

/** The pool that contains `ip`, avoided or not. */
export function placeOf(table: PoolTable, ip: IpAddress): Place | undefined {
  const ranges = table.ranges[ip.family];
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range !== undefined && range.first <= ip.value) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low - 1];
  if (range === undefined || ip.value > range.last) return undefined;
  return {
    entry: range.entry,
    space: range.entry.spaces[ip.family],
    position: range.start + (ip.value - range.first),
  };
}

/** True when the pool never hands out this address of its own. */
export function avoids(pool: Pool, ip: IpAddress): boolean {
  return pool.avoidBuggyIPs && isBuggyAddress(ip.family, ip.value);
}

export interface PinSubject {
  readonly namespace: string;
  readonly labels: Labels;
}

/** Why a pinned pool may not serve a Service; undefined when it may, and for every pool that is not pinned. */
export function pinMismatch(pool: Pool, service: PinSubject): 'namespace' | 'labels' | undefined {
  const allocation = pool.allocation;
  if (!allocation) return undefined;
  if (allocation.namespaces.size > 0 && !allocation.namespaces.has(service.namespace)) return 'namespace';
  return anySelectorMatches(allocation.serviceSelectors, service.labels) ? undefined : 'labels';
}

/** Pinned pools to try for a Service before the general ones: priority 1, 2, 3 and so on, then those without; then by name. */
export function pinnedPoolsFor(table: PoolTable, service: PinSubject): PoolEntry[] {
  const candidates = new Set([
    ...(table.pinnedByNamespace.get(service.namespace) ?? []),
    ...table.pinnedBySelector,
  ]);
  return [...candidates]
    .filter(({ pool }) => pinMismatch(pool, service) === undefined)
    .sort((a, b) => {
      const [x, y] = [priorityOf(a.pool), priorityOf(b.pool)];
      return x === y ? compareText(a.pool.name, b.pool.name) : x - y;
    });
}

function priorityOf(pool: Pool): number {
  const priority = pool.allocation?.priority;
  return priority !== undefined && priority > 0 ? priority : Number.MAX_SAFE_INTEGER;
}

/** Equal in everything that an allocation depends on. */
export function samePools(a: readonly Pool[], b: readonly Pool[]): boolean {
  if (a.length !== b.length) return false;
  const byName = new Map(a.map((pool) => [pool.name, pool]));
  return b.every((pool) => {
    const other = byName.get(pool.name);
    return other !== undefined && (other === pool || fingerprint(other) === fingerprint(pool));
  });
}

function fingerprint(pool: Pool): string {
  const allocation = pool.allocation;
  return JSON.stringify([
    pool.addresses.map((item) => item.map((prefix) => prefix.text)),
    pool.autoAssign,
    pool.avoidBuggyIPs,
    allocation && [
      allocation.priority ?? null,
      [...allocation.namespaces].sort(compareText),
      allocation.serviceSelectors,
    ],
  ]);
}
