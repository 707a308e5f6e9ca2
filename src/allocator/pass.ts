import type { ServiceObject } from '../api/index.ts';
import type { Pool } from '../config/index.ts';
import { byText, compareText } from '../core/order.ts';
import { objectKey } from '../core/problem.ts';
import {
  adopt,
  look,
  notReady,
  noteWaiting,
  releaseOne,
  setPools,
  takePoolChanges,
  type AllocatorState,
} from './allocator.ts';
import type { Verdict } from './converge.ts';
import { decisionOf, mergeVerdicts } from './decision.ts';
import { viewOf, type ServiceView } from './service-view.ts';
import { nextWaiting, setWaiting } from './topics.ts';
import type { PassResult, ServiceDecision } from './types.ts';

/** Each round serves at least one more waiting Service, or is the last one. */
const MAX_ROUNDS = 100;

/** A Service decided about in this pass, with the object the decision is compared to. */
interface Pending {
  readonly service: ServiceObject;
  readonly verdict: Verdict;
}

/**
 * Puts the pools in force and decides about every Service. What the statuses hold is taken over first, so that nobody else
 * is given it; then each Service is decided about, those with more status entries first, then by key. Services that
 * are not listed are released. The first such pass makes the state ready.
 */
export function allocateAll(
  state: AllocatorState,
  pools: readonly Pool[],
  services: readonly ServiceObject[],
): PassResult {
  setPools(state, pools);
  const listed = new Set(services.map((service) => objectKey(service.metadata)));
  const gone = new Set(
    [...state.ledger.allocations.keys(), ...state.waitingServices.keys()].filter((key) => !listed.has(key)),
  );
  const deleted = releaseAll(state, gone);
  const pending = new Map<string, Pending>();
  const views = inPassOrder(services.map((service) => viewOf(service, state.options)));
  for (const view of views) adopt(state, view);
  for (const view of views) decide(state, view, pending);
  state.ready = true;
  const settled = serveWaiting(state, pending);
  return finish(state, { pending, deleted, settled });
}

/**
 * Decides about the Services that changed, after the deleted ones have been released and those who waited for them served.
 * Before the first full pass only deletions have an effect.
 * @param changes.deleted keys of objects that are gone
 */
export function applyChanges(
  state: AllocatorState,
  changes: { readonly services: readonly ServiceObject[]; readonly deleted: readonly string[] },
): PassResult {
  const deleted = releaseAll(state, new Set(changes.deleted));
  const pending = new Map<string, Pending>();
  const views = inPassOrder(changes.services.map((service) => viewOf(service, state.options)));
  if (!state.ready) {
    for (const { key, service } of views) {
      pending.set(key, { service, verdict: notReady(state) });
    }
    return finish(state, { pending, deleted, settled: true });
  }
  for (const view of views) {
    // What is remembered of it is an older object.
    setWaiting(state.waiting, view.key, []);
    state.waitingServices.delete(view.key);
    adopt(state, view);
  }
  serveWaiting(state, pending);
  for (const view of views) decide(state, view, pending);
  const settled = serveWaiting(state, pending);
  return finish(state, { pending, deleted, settled });
}

/** Looks again at the Services that wait for what was released since the last time; the decisions are those that are news. */
export function allocateWaiting(state: AllocatorState): PassResult {
  const pending = new Map<string, Pending>();
  const settled = serveWaiting(state, pending);
  return finish(state, { pending, deleted: [], settled });
}

function inPassOrder(views: ServiceView[]): ServiceView[] {
  return views.sort(
    (a, b) => b.service.status.ingress.length - a.service.status.ingress.length || compareText(a.key, b.key),
  );
}

function releaseAll(state: AllocatorState, keys: Iterable<string>): string[] {
  const deleted: string[] = [];
  for (const key of keys) {
    if (releaseOne(state, key).released) deleted.push(key);
  }
  return deleted.sort(compareText);
}

function decide(state: AllocatorState, view: ServiceView, pending: Map<string, Pending>): Verdict {
  const { key, service } = view;
  const { verdict } = look(state, view);
  const earlier = pending.get(key);
  pending.set(
    key,
    earlier
      ? { service: earlier.service, verdict: mergeVerdicts(earlier.verdict, verdict) }
      : { service, verdict },
  );
  noteWaiting(state, service, verdict);
  return verdict;
}

/**
 * Looks at those who wait for what was released, in key order, until nothing is released any more.
 * @returns false when the bound on rounds came first; the rest stays noted
 */
function serveWaiting(state: AllocatorState, pending: Map<string, Pending>): boolean {
  for (let round = 0; state.released.size > 0; round += 1) {
    if (round === MAX_ROUNDS) return false;
    const topics = [...state.released];
    state.released.clear();
    let key = nextWaiting(state.waiting, state.ledger, topics, '');
    while (key !== undefined) {
      const waiting = state.waitingServices.get(key);
      if (!waiting) throw new Error(`${key} waits and its object is not known`);
      const known = pending.has(key);
      const verdict = decide(state, viewOf(waiting.service, state.options), pending);
      // Still waiting for the same reason is no news.
      if (!known && verdict.reason.message === waiting.message) pending.delete(key);
      key = nextWaiting(state.waiting, state.ledger, topics, key);
    }
  }
  return true;
}

function finish(
  state: AllocatorState,
  pass: {
    readonly pending: ReadonlyMap<string, Pending>;
    readonly deleted: readonly string[];
    readonly settled: boolean;
  },
): PassResult {
  const decisions: ServiceDecision[] = [];
  // Whatever was released has been looked at already, so no decision asks for that.
  for (const { service, verdict } of pass.pending.values())
    decisions.push(decisionOf(service, verdict, false));
  return {
    decisions: decisions.sort(byText((decision) => decision.key)),
    deleted: pass.deleted,
    pools: takePoolChanges(state),
    settled: pass.settled,
  };
}
