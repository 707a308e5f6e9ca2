import type { Pool } from '../config/index.ts';
import type { IpAddress } from '../core/ip.ts';
import { compareText } from '../core/order.ts';
import type { Labels } from '../core/selector.ts';
import { markFree, markUsed, type AddressSpace } from './address-space.ts';
import { avoids, createPoolTable, placeOf, type Place, type PoolTable } from './pool-table.ts';
import { addMember, createSharingGroup, portsReleased, removeMember } from './sharing-group.ts';
import type { Allocation } from './types.ts';

/**
 * Who holds which address. `allocations` is the truth; `uses`, the used positions of the address spaces and their sharing
 * groups are indexes of it, kept by `hold`, `release` and `replacePools` alone.
 */
export interface Ledger {
  table: PoolTable;
  /** By Service key. */
  readonly allocations: Map<string, Allocation>;
  /** By address text. */
  readonly uses: Map<string, AddressUse>;
  /** Pools in which the number of used addresses may have changed; for whoever reports counters to empty. */
  readonly touchedPools: Set<string>;
}

/** An address with at least one user. Several users have equal keys and distinct ports. */
export interface AddressUse {
  readonly ip: IpAddress;
  readonly pool: string;
  readonly space: AddressSpace;
  readonly position: bigint;
  sharingKey: string;
  backendKey: string;
  /** Port text to the key of the Service that has it; {@link NO_PORTS} for as long as the address cannot be shared. */
  ports: Map<string, string>;
  /** Service keys, in the order in which they came. A list: nearly every address has one, for which a Set is large. */
  users: readonly string[];
}

/** One for all addresses that cannot be shared; nothing is ever put into it. */
const NO_PORTS = new Map<string, string>();

/** What of a Service matters to an address. */
export interface AddressRequest {
  /** `namespace/name`. */
  readonly key: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** `tcp/80` and the like, sorted. */
  readonly ports: readonly string[];
  readonly sharingKey: string;
  readonly backendKey: string;
}

export function createLedger(): Ledger {
  return {
    table: createPoolTable([]),
    allocations: new Map(),
    uses: new Map(),
    touchedPools: new Set(),
  };
}

/** Key of the sharing group in an address space; undefined when the keys do not allow sharing. */
export function groupKeyOf(keys: {
  readonly sharingKey: string;
  readonly backendKey: string;
}): string | undefined {
  return keys.sharingKey === '' ? undefined : JSON.stringify([keys.sharingKey, keys.backendKey]);
}

/** Replaces what the Service holds. The caller has checked that it may (`assignment.ts`). */
export function hold(ledger: Ledger, allocation: Allocation, places: readonly Place[]): void {
  const previous = ledger.allocations.get(allocation.key);
  if (previous && sameAllocation(previous, allocation)) return;
  if (previous) {
    for (const ip of previous.ips) {
      if (!allocation.ips.some((kept) => kept.text === ip.text)) leave(ledger, ip, previous);
    }
  }
  for (const [index, ip] of allocation.ips.entries()) {
    const place = places[index];
    if (place === undefined) throw new Error(`no place for ${ip.text}`);
    join(ledger, { ip, place, allocation, previous });
  }
  ledger.allocations.set(allocation.key, allocation);
}

/** Drops what the Service holds, if anything, and returns it. */
export function release(ledger: Ledger, key: string): Allocation | undefined {
  const allocation = ledger.allocations.get(key);
  if (!allocation) return undefined;
  for (const ip of allocation.ips) leave(ledger, ip, allocation);
  ledger.allocations.delete(key);
  return allocation;
}

/**
 * Puts other pools in force. Each allocation moves to the pool that owns all its addresses now; one without such a pool is
 * dropped.
 * @returns the keys of the allocations dropped
 */
export function replacePools(ledger: Ledger, pools: readonly Pool[]): string[] {
  const previous = [...ledger.allocations.values()];
  ledger.table = createPoolTable(pools);
  ledger.allocations.clear();
  ledger.uses.clear();
  for (const name of ledger.table.entries.keys()) ledger.touchedPools.add(name);
  const dropped: string[] = [];
  for (const allocation of previous) {
    const places = allocation.ips.map((ip) => placeOf(ledger.table, ip));
    const owners = new Set(places.map((place) => place?.entry.pool));
    const [owner] = owners;
    if (owners.size === 1 && owner && !allocation.ips.some((ip) => avoids(owner, ip))) {
      hold(
        ledger,
        { ...allocation, pool: owner.name },
        places.filter((place) => place !== undefined),
      );
    } else {
      dropped.push(allocation.key);
    }
  }
  return dropped.sort(compareText);
}

/** Equal in every field, the order of the addresses included. */
export function sameAllocation(a: Allocation, b: Allocation): boolean {
  return (
    a.pool === b.pool &&
    a.sharingKey === b.sharingKey &&
    a.backendKey === b.backendKey &&
    a.ips.length === b.ips.length &&
    a.ips.every((ip, index) => ip.text === b.ips[index]?.text) &&
    samePorts(a, b)
  );
}

export function samePorts(a: Allocation, b: Allocation): boolean {
  return a.ports.length === b.ports.length && a.ports.every((port, index) => port === b.ports[index]);
}

interface Joining {
  readonly ip: IpAddress;
  readonly place: Place;
  readonly allocation: Allocation;
  /** What the same Service held until now, perhaps this very address. */
  readonly previous: Allocation | undefined;
}

function join(ledger: Ledger, { ip, place, allocation, previous }: Joining): void {
  const { sharingKey, backendKey, key, ports } = allocation;
  const use = ledger.uses.get(ip.text);
  if (!use) {
    const fresh: AddressUse = {
      ip,
      pool: place.entry.pool.name,
      space: place.space,
      position: place.position,
      sharingKey,
      backendKey,
      ports: sharingKey === '' ? NO_PORTS : new Map(ports.map((port) => [port, key])),
      users: [key],
    };
    ledger.uses.set(ip.text, fresh);
    markUsed(place.space, place.position);
    ledger.touchedPools.add(fresh.pool);
    enterGroup(fresh);
    return;
  }
  const isUser = use.users.includes(key);
  if (previous && isUser) dropPorts(use, previous);
  if (use.sharingKey !== sharingKey || use.backendKey !== backendKey) {
    leaveGroup(use);
    use.sharingKey = sharingKey;
    use.backendKey = backendKey;
    enterGroup(use);
  }
  if (!isUser) use.users = [...use.users, key];
  if (sharingKey === '') return;
  if (use.ports === NO_PORTS) use.ports = new Map();
  for (const port of ports) use.ports.set(port, key);
}

function leave(ledger: Ledger, ip: IpAddress, allocation: Allocation): void {
  const use = ledger.uses.get(ip.text);
  if (!use?.users.includes(allocation.key)) throw new Error(`${allocation.key} does not use ${ip.text}`);
  use.users = use.users.filter((user) => user !== allocation.key);
  if (use.users.length > 0) {
    dropPorts(use, allocation);
    return;
  }
  leaveGroup(use);
  ledger.uses.delete(ip.text);
  markFree(use.space, use.position);
  ledger.touchedPools.add(use.pool);
}

function dropPorts(use: AddressUse, allocation: Allocation): void {
  for (const port of allocation.ports) {
    if (use.ports.get(port) === allocation.key) use.ports.delete(port);
  }
  const groupKey = groupKeyOf(use);
  const group = groupKey === undefined ? undefined : use.space.groups.get(groupKey);
  if (group) portsReleased(group, use.position);
}

function enterGroup(use: AddressUse): void {
  const groupKey = groupKeyOf(use);
  if (groupKey === undefined) return;
  let group = use.space.groups.get(groupKey);
  if (!group) {
    group = createSharingGroup();
    use.space.groups.set(groupKey, group);
  }
  addMember(group, use);
}

function leaveGroup(use: AddressUse): void {
  const groupKey = groupKeyOf(use);
  if (groupKey === undefined) return;
  const group = use.space.groups.get(groupKey);
  if (!group) throw new Error(`address ${use.ip.text} has no sharing group`);
  removeMember(group, use);
  if (group.members.length === 0) use.space.groups.delete(groupKey);
}
