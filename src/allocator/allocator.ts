import type { ServiceObject } from '../api/index.ts';
import type { Pool } from '../config/index.ts';
import { compareText } from '../core/order.ts';
import { objectKey } from '../core/problem.ts';
import { assign } from './assignment.ts';
import { converge, familyFits, type Verdict } from './converge.ts';
import { countersOf, takeChanges } from './counters.ts';
import { decisionOf, withDecision } from './decision.ts';
import { createLedger, release, replacePools, type Ledger } from './ledger.ts';
import { samePools } from './pool-table.ts';
import { reasonOf } from './reason.ts';
import { isOurs } from './service-class.ts';
import { currentIpsOf, viewOf, type ServiceView } from './service-view.ts';
import { createWaitingList, setWaiting, topicsOfChange, type Topic, type WaitingList } from './topics.ts';
import type {
  Allocation,
  AllocatorOptions,
  PoolChanges,
  PoolCounters,
  PoolsResult,
  ServiceDecision,
} from './types.ts';

/**
 * Everything the allocator remembers. Owned by one caller, who makes one call at a time; every function changes it in
 * place. It can be built anew at any time from the statuses of the Services (`allocateAll`).
 */
export interface AllocatorState {
  readonly options: AllocatorOptions;
  readonly ledger: Ledger;
  /** Undefined until the first valid configuration. */
  pools: readonly Pool[] | undefined;
  /** A full pass has been made: what the statuses hold is known, so nobody else is given it. */
  ready: boolean;
  readonly waiting: WaitingList;
  /** The Services that wait, as they read once their last decision is written. */
  readonly waitingServices: Map<string, WaitingService>;
  /** What became available and somebody waits for; emptied by looking at those who wait. */
  readonly released: Set<Topic>;
  /** Pool numbers as last handed out. */
  readonly reported: Map<string, PoolCounters>;
}

export interface WaitingService {
  readonly service: ServiceObject;
  /** Why it waits, as last said. */
  readonly message: string;
}

export function createAllocatorState(options: AllocatorOptions = {}): AllocatorState {
  return {
    options,
    ledger: createLedger(),
    pools: undefined,
    ready: false,
    waiting: createWaitingList(),
    waitingServices: new Map(),
    released: new Set(),
    reported: new Map(),
  };
}

/** False until the first `allocateAll`; before it no Service is looked at alone. */
export function isReady(state: AllocatorState): boolean {
  return state.ready;
}

/**
 * Puts pools in force. Every allocation moves to the pool that owns its addresses now, or is dropped. When this returns
 * `changed` every Service must be looked at again: `allocateAll` does both.
 */
export function setPools(state: AllocatorState, pools: readonly Pool[]): PoolsResult {
  if (state.pools && samePools(state.pools, pools)) {
    state.pools = pools;
    return { changed: false, freed: [] };
  }
  state.pools = pools;
  return { changed: true, freed: replacePools(state.ledger, pools) };
}

/**
 * Decides about one Service. When `reprocess` is set others may gain: call `allocateWaiting`. Many Services at once are
 * better given to `applyChanges`.
 */
export function allocateOne(state: AllocatorState, service: ServiceObject): ServiceDecision {
  if (!state.ready) return decisionOf(service, notReady(state), false);
  const { verdict, reprocess } = look(state, viewOf(service, state.options));
  noteWaiting(state, service, verdict);
  return decisionOf(service, verdict, reprocess);
}

/** Forgets a Service whose object is gone, and frees what it held. */
export function releaseOne(
  state: AllocatorState,
  key: string,
): { readonly released: boolean; readonly reprocess: boolean } {
  setWaiting(state.waiting, key, []);
  state.waitingServices.delete(key);
  const { reprocess, result } = tracked(state, key, () => release(state.ledger, key));
  return { released: result !== undefined, reprocess };
}

/** What a Service holds. */
export function allocationOf(state: AllocatorState, key: string): Allocation | undefined {
  return state.ledger.allocations.get(key);
}

/** Keys of the Services that would gain from a release by another one, ascending. */
export function waitingServices(state: AllocatorState): readonly string[] {
  return [...state.waitingServices.keys()].sort(compareText);
}

/** The numbers of every pool, by name. */
export function poolCounters(state: AllocatorState): readonly PoolCounters[] {
  return [...state.ledger.table.entries.values()].map(countersOf);
}

/** The pool numbers that changed since they were last handed out, here or in a pass result. */
export function takePoolChanges(state: AllocatorState): PoolChanges {
  return takeChanges(state.ledger, state.reported);
}

interface Look {
  readonly verdict: Verdict;
  readonly reprocess: boolean;
}

/** Brings the ledger in line with one Service and notes what that released. */
export function look(state: AllocatorState, view: ServiceView): Look {
  const { options, ledger } = state;
  const { result: verdict, reprocess } = tracked(state, view.key, () =>
    isOurs(view.service, options.loadBalancerClass) ? converge(ledger, view) : leaveToOthers(ledger, view),
  );
  return { verdict, reprocess };
}

/** Remembers, or forgets, that a Service waits. */
export function noteWaiting(state: AllocatorState, service: ServiceObject, verdict: Verdict): void {
  const key = objectKey(service.metadata);
  setWaiting(state.waiting, key, verdict.waitsFor);
  if (verdict.waitsFor.length === 0) {
    state.waitingServices.delete(key);
    return;
  }
  state.waitingServices.set(key, {
    service: withDecision(service, decisionOf(service, verdict, false)),
    message: verdict.reason.message,
  });
}

/** Takes what the status of a Service holds into the ledger if nothing speaks against it, and decides nothing. */
export function adopt(state: AllocatorState, view: ServiceView): void {
  if (view.kind === 'other' || !isOurs(view.service, state.options.loadBalancerClass)) return;
  const { key, request, cluster, current } = view;
  if (current.kind !== 'known' || cluster.kind === 'none') return;
  if (cluster.kind === 'known' && !familyFits(current.ips, cluster.wish)) return;
  // A refusal is not lost: the same check is made, and told of, when the Service is decided about.
  tracked(state, key, () => assign(state.ledger, request, current.ips));
}

/** Runs a change of one Service's allocation and notes what it released that others wait for. */
function tracked<T>(
  state: AllocatorState,
  key: string,
  change: () => T,
): { readonly result: T; readonly reprocess: boolean } {
  const before = state.ledger.allocations.get(key);
  const result = change();
  const after = state.ledger.allocations.get(key);
  if (before === after) return { result, reprocess: false };
  const topics = topicsOfChange(state.ledger, before, after);
  for (const topic of topics) {
    if (state.waiting.keysOf.has(topic)) state.released.add(topic);
  }
  return { result, reprocess: topics.length > 0 || sharesDifferently(before, after) };
}

function sharesDifferently(before: Allocation | undefined, after: Allocation | undefined): boolean {
  return (
    (before?.sharingKey ?? '') !== (after?.sharingKey ?? '') ||
    (before?.backendKey ?? '') !== (after?.backendKey ?? '')
  );
}

export function notReady(state: AllocatorState): Verdict {
  const message = state.pools
    ? 'not every Service has been looked at since the start'
    : 'no pool configuration has been read yet';
  return { outcome: 'notReady', reason: reasonOf('notReady', message), events: [], waitsFor: [] };
}

/** A Service of another class: what was ours is given back, the rest is not touched. */
function leaveToOthers(ledger: Ledger, { key, service }: ServiceView): Verdict {
  const held = release(ledger, key);
  const message = `loadBalancerClass ${JSON.stringify(service.spec.loadBalancerClass ?? '')} belongs to another controller`;
  const reason = reasonOf('otherLoadBalancerClass', message);
  if (!held) return { outcome: 'ignored', reason, events: [], waitsFor: [] };
  const current = currentIpsOf(service);
  const statusIsOurs =
    service.spec.type !== 'LoadBalancer' ||
    (current.kind === 'known' && current.ips.every((ip) => held.ips.some((ours) => ours.text === ip.text)));
  const verdict: Verdict = { outcome: 'none', reason, events: [], waitsFor: [] };
  return statusIsOurs ? { ...verdict, target: { ips: [] } } : verdict;
}
