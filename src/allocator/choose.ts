import { ipFromValue, type IpAddress, type IpFamily } from '../core/ip.ts';
import { addressAt, firstFree } from './address-space.ts';
import { assign, pinRefusal } from './assignment.ts';
import { groupKeyOf, type AddressRequest, type Ledger } from './ledger.ts';
import { pinnedPoolsFor, type PoolEntry } from './pool-table.ts';
import { familyName, listText, quote, reasonOf } from './reason.ts';
import { firstJoinable } from './sharing-group.ts';
import { freeTopic, shareTopic, type Need, type Topic } from './topics.ts';
import type { Allocation, AllocationReason, PoolRefusal, ServiceFamily } from './types.ts';

/** Which families a Service wants. */
export interface FamilyWish {
  /** That of its cluster IPs. */
  readonly family: ServiceFamily;
  readonly policy: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack';
  /** The one to fall back to first under PreferDualStack. */
  readonly primary: IpFamily;
}

export type ChooseResult =
  | { readonly ok: true; readonly allocation: Allocation }
  | {
      readonly ok: false;
      readonly reason: AllocationReason;
      /** What must be released before another attempt can end differently. */
      readonly waitsFor: readonly Topic[];
    };

/**
 * The first acceptable address of a pool and family: unused, or in use by Services that it may share with. Does not
 * change anything.
 */
export function findAddress(
  entry: PoolEntry,
  request: AddressRequest,
  family: IpFamily,
): IpAddress | undefined {
  const space = entry.spaces[family];
  const position = firstFree(space);
  const free = position === undefined ? undefined : BigInt(position);
  const groupKey = groupKeyOf(request);
  const group = groupKey === undefined ? undefined : space.groups.get(groupKey);
  const joinable = group && firstJoinable(group, request.ports, free);
  if (joinable) return joinable.ip;
  return free === undefined ? undefined : ipFromValue(family, addressAt(space, free));
}

/** An address (or two) from whichever pool comes first: pinned pools as a group, then the general ones. */
export function allocateFromAnyPool(ledger: Ledger, request: AddressRequest, wish: FamilyWish): ChooseResult {
  const early = keepHeld(ledger, request, wish) ?? needsPolicy(request, wish);
  if (early) return early;
  const pinned = pinnedPoolsFor(ledger.table, request);
  const general = ledger.table.general;
  for (const group of [pinned, general]) {
    const ips = firstFitting(group, request, wish);
    if (ips) return take(ledger, request, ips);
  }
  const tried = [...pinned, ...general];
  const refusals = [
    ...tried.map((entry) => refusalOf(entry, request, wish)),
    ...passedOver(ledger, request, tried),
  ];
  return {
    ok: false,
    reason: anyPoolReason(tried.length, refusals),
    waitsFor: topicsFor(tried, request, wish),
  };
}

/** An address (or two) from the pool that the Service names; `autoAssign: false` does not matter, pinning does. */
export function allocateFromPool(
  ledger: Ledger,
  request: AddressRequest,
  wish: FamilyWish,
  poolName: string,
): ChooseResult {
  const early = keepHeld(ledger, request, wish) ?? needsPolicy(request, wish);
  if (early) return early;
  const entry = ledger.table.entries.get(poolName);
  if (!entry) {
    const names = [...ledger.table.entries.keys()];
    return refused(
      reasonOf('poolUnknown', `there is no pool ${quote(poolName)}; the pools are ${listText(names)}`),
    );
  }
  const incompatible = pinRefusal(entry.pool, request);
  if (incompatible) return refused(reasonOf('poolIncompatible', incompatible.message, [incompatible]));
  const ips = firstFitting([entry], request, wish);
  if (ips) return take(ledger, request, ips);
  const refusal = refusalOf(entry, request, wish);
  return {
    ok: false,
    reason: reasonOf('poolsExhausted', refusal.message, [refusal]),
    waitsFor: topicsFor([entry], request, wish),
  };
}

/** What must be released for `family` of one pool to become available to this Service. */
export function secondFamilyTopics(entry: PoolEntry, request: AddressRequest, family: IpFamily): Topic[] {
  return topicsFor([entry], request, { family, policy: 'SingleStack', primary: family });
}

/** Why a pool has no address of `family` for this Service. */
export function secondFamilyRefusal(
  entry: PoolEntry,
  request: AddressRequest,
  family: IpFamily,
): PoolRefusal {
  return refusalOf(entry, request, { family, policy: 'SingleStack', primary: family });
}

function refused(reason: AllocationReason): ChooseResult {
  return { ok: false, reason, waitsFor: [] };
}

function take(ledger: Ledger, request: AddressRequest, ips: readonly IpAddress[]): ChooseResult {
  const result = assign(ledger, request, ips);
  if (result.ok) return result;
  throw new Error(`an address found acceptable for ${request.key} was refused: ${result.reason.message}`);
}

/** A Service that holds addresses of the right family keeps them; its ports and keys are taken over. */
function keepHeld(ledger: Ledger, request: AddressRequest, wish: FamilyWish): ChooseResult | undefined {
  const held = ledger.allocations.get(request.key);
  if (!held) return undefined;
  const heldFamily = familyOf(held.ips);
  if (heldFamily !== wish.family && !(wish.family === 'dual' && wish.policy === 'PreferDualStack')) {
    const message = `${request.key} holds ${familyName(heldFamily)} addresses and asks for ${familyName(wish.family)}; release them first`;
    return refused(reasonOf('wrongFamilyHeld', message));
  }
  const result = assign(ledger, request, held.ips);
  return result.ok ? result : refused(result.reason);
}

function needsPolicy(request: AddressRequest, wish: FamilyWish): ChooseResult | undefined {
  if (wish.family !== 'dual' || wish.policy !== 'SingleStack') return undefined;
  return refused(
    reasonOf(
      'dualStackPolicyMissing',
      `${request.key} has cluster IPs of both families; set ipFamilyPolicy to PreferDualStack or RequireDualStack, or request one address of each family`,
    ),
  );
}

/** One family, or `dual` for one address of each. The addresses are one, or two of different families. */
export function familyOf(ips: readonly IpAddress[]): ServiceFamily {
  const [first] = ips;
  if (!first) throw new Error('no address to tell the family of');
  return ips.length > 1 ? 'dual' : first.family;
}

/** The addresses of the winning pool, IPv4 first; undefined when no pool of the group fits. */
function firstFitting(
  group: readonly PoolEntry[],
  request: AddressRequest,
  wish: FamilyWish,
): IpAddress[] | undefined {
  if (wish.family !== 'dual') {
    for (const entry of group) {
      const ip = findAddress(entry, request, wish.family);
      if (ip) return [ip];
    }
    return undefined;
  }
  const fallback: Partial<Record<IpFamily, IpAddress>> = {};
  for (const entry of group) {
    const ipv4 = findAddress(entry, request, 'ipv4');
    const ipv6 = findAddress(entry, request, 'ipv6');
    if (ipv4 && ipv6) return [ipv4, ipv6];
    if (ipv4) fallback.ipv4 ??= ipv4;
    if (ipv6) fallback.ipv6 ??= ipv6;
  }
  if (wish.policy !== 'PreferDualStack') return undefined;
  const ip = fallback[wish.primary] ?? fallback[wish.primary === 'ipv4' ? 'ipv6' : 'ipv4'];
  return ip && [ip];
}

/** Why one pool that was tried gave nothing. */
function refusalOf(entry: PoolEntry, request: AddressRequest, wish: FamilyWish): PoolRefusal {
  const { pool, capacity } = entry;
  const families: readonly IpFamily[] = wish.family === 'dual' ? ['ipv4', 'ipv6'] : [wish.family];
  const short = families.filter((family) => findAddress(entry, request, family) === undefined);
  const missing = short.filter((family) => capacity[family] === 0n);
  const parts = short.map((family) =>
    capacity[family] === 0n
      ? `no ${familyName(family)} addresses`
      : `no free ${familyName(family)} address (${String(entry.spaces[family].usedCount)} of ${String(capacity[family])} in use)`,
  );
  const sharing =
    request.sharingKey !== '' && missing.length < short.length
      ? `, and none to share under key ${quote(request.sharingKey)} with ${listText(request.ports)}`
      : '';
  const lacking = wish.policy === 'PreferDualStack' ? missing.length === short.length : missing.length > 0;
  return {
    pool: pool.name,
    code: lacking ? 'familyMissing' : 'exhausted',
    message: `pool ${pool.name} has ${parts.join(' and ')}${sharing}`,
  };
}

/** Why the pools that were not tried were not. */
function passedOver(
  ledger: Ledger,
  request: AddressRequest,
  tried: readonly PoolEntry[],
): readonly PoolRefusal[] {
  const done = new Set(tried);
  const refusals: PoolRefusal[] = [];
  for (const entry of ledger.table.entries.values()) {
    if (done.has(entry)) continue;
    const { pool } = entry;
    const onRequest = `annotate the Service with metallb.io/address-pool: ${pool.name} to use it`;
    refusals.push(
      pinRefusal(pool, request) ??
        (pool.autoAssign
          ? {
              pool: pool.name,
              code: 'onRequestOnly',
              message: `pool ${pool.name} is pinned and no namespace or Service is selected; ${onRequest}`,
            }
          : {
              pool: pool.name,
              code: 'manual',
              message: `pool ${pool.name} has autoAssign false; ${onRequest}`,
            }),
    );
  }
  return refusals;
}

function anyPoolReason(triedCount: number, refusals: readonly PoolRefusal[]): AllocationReason {
  const details = listText(
    refusals.map((refusal) => refusal.message),
    '; ',
  );
  return triedCount === 0
    ? reasonOf('noPoolForService', `no pool serves this Service by itself: ${details}`, refusals)
    : reasonOf('poolsExhausted', `${details}; add addresses to a pool or release some`, refusals);
}

function topicsFor(entries: readonly PoolEntry[], request: AddressRequest, wish: FamilyWish): Topic[] {
  const need: Need =
    wish.family !== 'dual' ? wish.family : wish.policy === 'PreferDualStack' ? 'either' : 'both';
  // Of two addresses one can be shared, so one that comes free may be enough.
  const sharing = request.sharingKey !== '';
  const awaited: Need = sharing && need === 'both' ? 'either' : need;
  const topics: Topic[] = entries
    .filter((entry) => canEverServe(entry, need))
    .map((entry) => freeTopic(awaited, entry.pool.name));
  if (sharing) topics.push(shareTopic(request.sharingKey));
  return topics;
}

function canEverServe(entry: PoolEntry, need: Need): boolean {
  const { ipv4, ipv6 } = entry.capacity;
  switch (need) {
    case 'ipv4':
      return ipv4 > 0n;
    case 'ipv6':
      return ipv6 > 0n;
    case 'both':
      return ipv4 > 0n && ipv6 > 0n;
    case 'either':
      return ipv4 > 0n || ipv6 > 0n;
  }
}
