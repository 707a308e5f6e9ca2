import type { ServiceObject } from '../api/index.ts';
import type { IpAddress, IpFamily } from '../core/ip.ts';
import { annotationOf } from './annotations.ts';
import { assign } from './assignment.ts';
import {
  allocateFromAnyPool,
  allocateFromPool,
  familyOf,
  findAddress,
  secondFamilyRefusal,
  secondFamilyTopics,
  type ChooseResult,
  type FamilyWish,
} from './choose.ts';
import { release, type AddressRequest, type Ledger } from './ledger.ts';
import type { PoolEntry } from './pool-table.ts';
import { familyName, listText, quote, reasonOf } from './reason.ts';
import { requestedIpsOf, type Requested } from './request.ts';
import type { CurrentIps, ServiceView } from './service-view.ts';
import { addressTopic, type Topic } from './topics.ts';
import type { AllocationEvent, AllocationReason, DecisionOutcome, EventReason } from './types.ts';

/** Where one Service should stand; what of it is news is found by comparing with the object. */
export interface Verdict {
  readonly outcome: DecisionOutcome;
  /** Absent: the status and the annotation stay as they are. */
  readonly target?: Target;
  readonly reason: AllocationReason;
  readonly events: readonly AllocationEvent[];
  readonly waitsFor: readonly Topic[];
}

export interface Target {
  readonly ips: readonly IpAddress[];
  readonly pool?: string;
}

const EMPTY: Target = { ips: [] };

/** What is carried through the steps for one Service. */
interface Work {
  readonly ledger: Ledger;
  readonly service: ServiceObject;
  readonly request: AddressRequest;
  readonly wish: FamilyWish;
  readonly events: AllocationEvent[];
}

/**
 * Brings the ledger in line with one Service: what its status holds is kept where it may be, released where it may not,
 * and what is missing is allocated. The same Service and ledger always give the same verdict.
 */
export function converge(ledger: Ledger, view: ServiceView): Verdict {
  const { key, service } = view;
  const events: AllocationEvent[] = [];
  if (view.kind === 'other') {
    release(ledger, key);
    const message = `the type is ${service.spec.type}; only LoadBalancer Services have addresses`;
    return {
      outcome: 'none',
      target: EMPTY,
      reason: reasonOf('notLoadBalancer', message),
      events,
      waitsFor: [],
    };
  }
  const clearAndRefuse = (reason: AllocationReason): Verdict => {
    release(ledger, key);
    return { outcome: 'refused', target: EMPTY, reason, events, waitsFor: [] };
  };
  if (ledger.table.entries.size === 0) {
    return clearAndRefuse(reasonOf('noPools', 'there is no address pool; create an IPAddressPool'));
  }
  const { request, cluster, current } = view;
  if (cluster.kind === 'none') {
    return clearAndRefuse(
      reasonOf('noClusterIP', `${key} has no cluster IP, which tells the address family`),
    );
  }
  if (service.spec.ipFamilyPolicy === 'RequireDualStack' && cluster.count < 2) {
    const message = `ipFamilyPolicy is RequireDualStack and there is only one cluster IP; it takes one of each family`;
    events.push(warning('not enough clusterips', `${key}: ${message}`));
    return clearAndRefuse(reasonOf('notEnoughClusterIPs', message));
  }
  if (current.kind === 'unknown') events.push(statusUnreadable(key, current.texts));
  if (cluster.kind === 'unknown') {
    events.push(warning('noclusterIPsIPFamily', `${key}: ${cluster.message}`));
    const reason = reasonOf('clusterFamilyUnknown', cluster.message);
    if (current.kind === 'none') return clearAndRefuse(reason);
    // The status stays, so nobody else may be given its addresses meanwhile; unless they are not its own any more.
    if (current.kind === 'known') {
      const held = assign(ledger, request, current.ips);
      if (!held.ok) {
        events.push(mayNotKeep(key, current.ips, held.reason));
        return clearAndRefuse(reason);
      }
    } else {
      release(ledger, key);
    }
    return { outcome: 'refused', reason, events, waitsFor: [] };
  }
  const work: Work = { ledger, service, request, wish: cluster.wish, events };
  const kept = keepCurrent(work, current);
  if (kept.kind === 'refused') return kept.verdict;
  return kept.ips.length > 0 ? settle(work, kept.ips, kept.requested) : allocate(work);
}

function mayNotKeep(key: string, ips: readonly IpAddress[], reason: AllocationReason): AllocationEvent {
  return normal('ClearAssignment', `${key} may not keep ${textsOf(ips)}: ${reason.message}`);
}

function statusUnreadable(key: string, texts: readonly string[]): AllocationEvent {
  const message = `${key}: the status has ${listText(texts.map(quote))}, which is not one address or one of each family`;
  return warning('nolbIPsIPFamily', message);
}

/** Addresses of a status may be kept when they are of the cluster's families, or of one of them under PreferDualStack. */
export function familyFits(ips: readonly IpAddress[], wish: FamilyWish): boolean {
  return familyOf(ips) === wish.family || (wish.family === 'dual' && wish.policy === 'PreferDualStack');
}

type Kept =
  | { readonly kind: 'refused'; readonly verdict: Verdict }
  /** No addresses: all were given up, or there were none. */
  | { readonly kind: 'kept'; readonly ips: readonly IpAddress[]; readonly requested: boolean };

const NOTHING_KEPT: Kept = { kind: 'kept', ips: [], requested: false };

/** Keeps the addresses of the status if every rule allows it, or gives them up. */
function keepCurrent(work: Work, current: CurrentIps): Kept {
  const { ledger, service, request, wish, events } = work;
  const { key } = request;
  if (current.kind !== 'known' || !familyFits(current.ips, wish)) {
    release(ledger, key);
    return NOTHING_KEPT;
  }
  let held = true;
  const assigned = assign(ledger, request, current.ips);
  if (!assigned.ok) {
    events.push(mayNotKeep(key, current.ips, assigned.reason));
    held = false;
  } else {
    const wantedPool = annotationOf(service, 'address-pool');
    if (wantedPool !== '' && wantedPool !== assigned.allocation.pool) held = false;
  }
  if (!held) release(ledger, key);
  const requested = requestedIpsOf(service);
  if (!requested.ok) {
    const { reason } = requested;
    events.push(warning('LoadBalancerFailed', `${key}: ${reason.message}`));
    const verdict: Verdict = { outcome: 'refused', reason, events, waitsFor: [] };
    return { kind: 'refused', verdict: held ? verdict : { ...verdict, target: EMPTY } };
  }
  const isRequested = requested.ips.length > 0;
  if (held && isRequested && !sameSet(requested.ips, current.ips)) {
    release(ledger, key);
    held = false;
  }
  return held ? { kind: 'kept', ips: current.ips, requested: isRequested } : NOTHING_KEPT;
}

/** A Service that keeps its addresses: under PreferDualStack a missing second one is tried. */
function settle(work: Work, ips: readonly IpAddress[], requested: boolean): Verdict {
  const { ledger, request, wish, events } = work;
  const missing = missingFamily(ips, wish);
  // One address that was asked for by name is all that was asked for.
  if (missing === undefined || requested) return assigned(work, ips);
  const entry = poolEntryOf(ledger, request.key);
  const second = findAddress(entry, request, missing);
  if (!second) {
    const verdict = assignedHalf(work, ips, missing);
    events.push(normal('AdditionalAssignFailed', `${request.key} keeps ${verdict.reason.message}`));
    return verdict;
  }
  const both = [...ips, second];
  const result = assign(ledger, request, both);
  if (!result.ok) throw new Error(`${second.text} found acceptable was refused: ${result.reason.message}`);
  events.push(normal('IPAllocated', `added ${second.text} from pool ${result.allocation.pool}`));
  return assigned(work, both);
}

/** A Service that holds nothing gets what it asks for, or the reason why not. */
function allocate(work: Work): Verdict {
  const { service, request, wish, events } = work;
  const result = choose(work, annotationOf(service, 'address-pool'), requestedIpsOf(service));
  if (!result.ok) {
    const { reason, waitsFor } = result;
    events.push(warning('AllocationFailed', `no address for ${request.key}: ${reason.message}`));
    return { outcome: 'refused', target: EMPTY, reason, events, waitsFor };
  }
  const { ips, pool } = result.allocation;
  events.push(normal('IPAllocated', `assigned ${textsOf(ips)} from pool ${pool}`));
  const missing = missingFamily(ips, wish);
  return missing === undefined ? assigned(work, ips) : assignedHalf(work, ips, missing);
}

function choose(work: Work, poolName: string, requested: Requested): ChooseResult {
  const { ledger, request, wish } = work;
  if (!requested.ok) return { ok: false, reason: requested.reason, waitsFor: [] };
  if (requested.ips.length === 0) {
    return poolName === ''
      ? allocateFromAnyPool(ledger, request, wish)
      : allocateFromPool(ledger, request, wish, poolName);
  }
  const family = familyOf(requested.ips);
  if (family !== wish.family) {
    const right =
      wish.family === 'dual' ? 'one address of each family' : `one ${familyName(wish.family)} address`;
    const message = `${textsOf(requested.ips)} is ${familyName(family)} and the cluster IPs are ${familyName(wish.family)}; request ${right}`;
    return { ok: false, reason: reasonOf('requestFamilyMismatch', message), waitsFor: [] };
  }
  const result = assign(ledger, request, requested.ips, poolName === '' ? undefined : poolName);
  return result.ok ? result : { ...result, waitsFor: requested.ips.map((ip) => addressTopic(ip.text)) };
}

function assigned(work: Work, ips: readonly IpAddress[]): Verdict {
  const pool = poolEntryOf(work.ledger, work.request.key).pool.name;
  const reason = reasonOf('assigned', `${textsOf(ips)} from pool ${pool}`);
  return { outcome: 'assigned', target: { ips, pool }, reason, events: work.events, waitsFor: [] };
}

/** PreferDualStack with one address: in use, and waiting for one of the family `missing`. */
function assignedHalf(work: Work, ips: readonly IpAddress[], missing: IpFamily): Verdict {
  const entry = poolEntryOf(work.ledger, work.request.key);
  const refusal = secondFamilyRefusal(entry, work.request, missing);
  return {
    ...assigned(work, ips),
    reason: reasonOf('secondFamilyMissing', `${textsOf(ips)} alone: ${refusal.message}`, [refusal]),
    waitsFor: secondFamilyTopics(entry, work.request, missing),
  };
}

/** The family that PreferDualStack asks for beside the one held; undefined when nothing is missing. */
function missingFamily(ips: readonly IpAddress[], wish: FamilyWish): IpFamily | undefined {
  const [only] = ips;
  if (!only || ips.length > 1 || wish.family !== 'dual' || wish.policy !== 'PreferDualStack')
    return undefined;
  return only.family === 'ipv4' ? 'ipv6' : 'ipv4';
}

function poolEntryOf(ledger: Ledger, key: string): PoolEntry {
  const name = ledger.allocations.get(key)?.pool;
  const entry = name === undefined ? undefined : ledger.table.entries.get(name);
  if (!entry) throw new Error(`${key} holds addresses of no pool`);
  return entry;
}

function sameSet(a: readonly IpAddress[], b: readonly IpAddress[]): boolean {
  return a.length === b.length && a.every((ip) => b.some((other) => other.text === ip.text));
}

function textsOf(ips: readonly IpAddress[]): string {
  return ips.map((ip) => ip.text).join(', ');
}

function normal(reason: EventReason, message: string): AllocationEvent {
  return { type: 'Normal', reason, message };
}

function warning(reason: EventReason, message: string): AllocationEvent {
  return { type: 'Warning', reason, message };
}
