import type { Logger } from 'pino';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { createComplaint } from './complaint.ts';
import {
  heldLease,
  leaseSpecOf,
  observeLease,
  releasedLease,
  takeableAt,
  type LeaseSpec,
  type ObservedLease,
} from './lease-decision.ts';
import { isRawObject, type RawObject } from './raw-object.ts';
import { reflect } from './reflector.ts';
import { collectionPath, objectPath, RESOURCES } from './resources.ts';

/** The names are client-go's. */
export interface LeaseTiming {
  /** Others may take the Lease when it has not changed for this long. */
  readonly leaseDurationMs: number;
  /** The holder gives up when it could not renew for this long; less than `leaseDurationMs`. */
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/**
 * A killed holder is followed after 6 s; a renewal every 2 s, and two in a row in time before an API server whose every
 * answer takes 2 s.
 */
export const LEASE_TIMING: LeaseTiming = {
  leaseDurationMs: 6_000,
  renewDeadlineMs: 5_000,
  retryPeriodMs: 2_000,
};
/** An attempt to take or to renew a Lease that failed is repeated after this long. */
const RETRY_MS = 500;

export interface LeaderElectionOptions {
  readonly client: ApiClient;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Another one for each process. */
  readonly identity: string;
  readonly timing?: LeaseTiming;
  /** What only one may do. Its signal is aborted before another one can begin. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Waits for a Lease, leads while holding it, and begins again when it was lost, until `signal` is aborted; then the Lease
 * is given back. The rules are those of client-go's leaderelection package, with one difference: who waits is told by a
 * watch when the Lease is given back, and does not ask for it over and over.
 */
export async function runWithLease(options: LeaderElectionOptions): Promise<void> {
  const { signal } = options;
  while (!signal.aborted) {
    const held = await acquire(options);
    if (!held) return;
    await leadWith(options, held);
  }
}

/** A Lease as the API server holds it. */
interface Held {
  readonly raw: RawObject;
  readonly spec: LeaseSpec;
  /** When we asked for it to be so, on our own clock; others cannot have seen it any sooner. */
  readonly at: number;
}

/** @returns undefined when `signal` was aborted first */
async function acquire(options: LeaderElectionOptions): Promise<Held | undefined> {
  const { client, lease, identity, logger, signal, timing = LEASE_TIMING } = options;
  const done = new AbortController();
  const until = AbortSignal.any([signal, done.signal]);
  // undefined: not known yet whether there is a Lease.
  let known: { readonly raw?: RawObject; readonly observed?: ObservedLease } | undefined;
  let wake = Promise.withResolvers<undefined>();
  const learn = (next: RawObject | undefined): void => {
    known = next
      ? { raw: next, observed: observeLease(known?.observed, leaseSpecOf(next), performance.now()) }
      : {};
    wake.resolve(undefined);
    wake = Promise.withResolvers();
  };
  const watching = reflect({
    client,
    query: { type: RESOURCES.Lease, ...lease },
    handlers: {
      put: learn,
      remove: () => {
        learn(undefined);
      },
      listed: (keys) => {
        if (keys.size === 0) learn(undefined);
      },
    },
    logger,
    signal: until,
  });
  const complaint = createComplaint();
  let saidHolder: string | undefined;
  try {
    while (!until.aborted) {
      const changed = wake.promise;
      const waitMs = waitFrom(known, identity);
      if (waitMs > 0) {
        const holder = known?.observed?.spec.holderIdentity;
        if (holder !== undefined && holder !== saidHolder) {
          saidHolder = holder;
          logger.info({ lease: lease.name, holder }, 'standing by');
        }
        await waitFor(changed, waitMs, until);
        continue;
      }
      const taken = await take(options, known?.raw, timing);
      if (taken.kind === 'held') return taken.held;
      if (taken.error && complaint.isNews(taken.error.message)) {
        logger.warn({ err: taken.error, lease: lease.name }, 'the Lease cannot be taken, trying again');
      }
      await waitFor(changed, Math.max(RETRY_MS, taken.error?.retryAfterMs ?? 0), until);
    }
    return undefined;
  } finally {
    done.abort();
    await watching;
  }
}

/** How long the Lease may not be taken yet: for ever while nothing is known of it. */
function waitFrom(known: { readonly observed?: ObservedLease } | undefined, identity: string): number {
  if (!known) return Infinity;
  return known.observed ? takeableAt(known.observed, identity) - performance.now() : 0;
}

/** `error` is missing when somebody else was quicker. */
type Taken =
  { readonly kind: 'held'; readonly held: Held } | { readonly kind: 'failed'; readonly error?: ApiError };

async function take(
  { client, lease, identity, signal }: LeaderElectionOptions,
  raw: RawObject | undefined,
  timing: LeaseTiming,
): Promise<Taken> {
  const before = raw && leaseSpecOf(raw);
  const spec = heldLease(before, {
    identity,
    durationSeconds: Math.ceil(timing.leaseDurationMs / 1_000),
    time: new Date(),
  });
  const at = performance.now();
  try {
    const answer = raw
      ? await put(client, raw, spec, timing.renewDeadlineMs)
      : await client.request(
          {
            method: 'POST',
            path: collectionPath(RESOURCES.Lease, lease.namespace),
            body: { apiVersion: RESOURCES.Lease.apiVersion, kind: 'Lease', metadata: lease, spec },
            timeoutMs: timing.renewDeadlineMs,
          },
          signal,
        );
    if (isRawObject(answer)) return { kind: 'held', held: { raw: answer, spec, at } };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 409 && !signal.aborted) return { kind: 'failed', error };
  }
  return { kind: 'failed' };
}

/** Leads until the Lease is lost or `signal` is aborted; gives it back in that case. */
async function leadWith(options: LeaderElectionOptions, held: Held): Promise<void> {
  const { client, lease, logger, signal, lead, timing = LEASE_TIMING } = options;
  const lost = new AbortController();
  logger.info({ lease: lease.name, transitions: held.spec.leaseTransitions }, 'leading');
  const leading = lead(AbortSignal.any([signal, lost.signal]));
  const latest = await renew(options, held, { timing, lost, until: leading });
  await leading;
  if (lost.signal.aborted) {
    logger.error({ lease: lease.name }, 'the Lease was lost, standing by');
    return;
  }
  try {
    await put(client, latest.raw, releasedLease(latest.spec, new Date()), timing.retryPeriodMs);
    logger.info({ lease: lease.name }, 'the Lease is given back');
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    logger.warn({ err: error, lease: lease.name }, 'the Lease cannot be given back, it will expire');
  }
}

/** Renews until told to end, or until it did not succeed for as long as the deadline says: `lost` is aborted then. */
async function renew(
  options: LeaderElectionOptions,
  held: Held,
  { timing, lost, until }: { timing: LeaseTiming; lost: AbortController; until: Promise<void> },
): Promise<Held> {
  const { client, identity, logger, signal } = options;
  const ended = new AbortController();
  // However leading ends, renewing ends with it.
  const leadingEnded = until.finally(() => {
    ended.abort();
  });
  leadingEnded.catch(() => undefined); // whoever awaits `until` hears of it
  let current = held;
  const untilRenewal = (): number => current.at + timing.retryPeriodMs - performance.now();
  const untilLost = (): number => current.at + timing.renewDeadlineMs - performance.now();
  let waitMs = untilRenewal();
  const stop = AbortSignal.any([signal, ended.signal]);
  const isOver = (): boolean => stop.aborted;
  while (!isOver()) {
    await delay(Math.max(0, waitMs), undefined, { signal: stop }).catch(() => undefined);
    if (isOver()) break;
    const leftMs = untilLost();
    if (leftMs <= 0) {
      lost.abort();
      break;
    }
    const at = performance.now();
    try {
      const spec = heldLease(current.spec, {
        identity,
        durationSeconds: Math.ceil(timing.leaseDurationMs / 1_000),
        time: new Date(),
      });
      const answer = await put(client, current.raw, spec, leftMs);
      // An answer that cannot be read may have been a renewal all the same: the next try will tell by a conflict.
      if (isRawObject(answer)) current = { raw: answer, spec, at };
      waitMs = isRawObject(answer) ? untilRenewal() : RETRY_MS;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 409 || error.status === 404) {
        const now = await reread(options, leftMs);
        if (now?.spec.holderIdentity !== identity) {
          lost.abort();
          break;
        }
        current = { ...now, at: current.at };
      } else {
        logger.warn({ err: error }, 'the Lease cannot be renewed, trying again');
      }
      // A busy server's wish to be left alone is heard for as long as there is time for another try.
      waitMs = Math.min(untilLost(), Math.max(RETRY_MS, Math.min(error.retryAfterMs ?? 0, leftMs / 2)));
    }
  }
  return current;
}

/** Somebody wrote the Lease: it may still name us, when our own write arrived and its answer did not. */
async function reread(
  { client, lease }: LeaderElectionOptions,
  timeoutMs: number,
): Promise<Omit<Held, 'at'> | undefined> {
  try {
    const raw = await client.request({
      method: 'GET',
      path: objectPath(RESOURCES.Lease, lease),
      timeoutMs: Math.max(1, timeoutMs),
    });
    return isRawObject(raw) ? { raw, spec: leaseSpecOf(raw) } : undefined;
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

function put(client: ApiClient, raw: RawObject, spec: LeaseSpec, timeoutMs: number): Promise<unknown> {
  const { name, namespace = '', resourceVersion } = raw.metadata;
  return client.request({
    method: 'PUT',
    path: objectPath(RESOURCES.Lease, { namespace, name }),
    // The version makes the write fail when anybody else has written since.
    body: {
      apiVersion: RESOURCES.Lease.apiVersion,
      kind: 'Lease',
      metadata: { name, namespace, resourceVersion },
      spec,
    },
    timeoutMs: Math.max(1, Math.ceil(timeoutMs)),
  });
}

async function waitFor(changed: Promise<undefined>, ms: number, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const aborted = AbortSignal.any([signal, ended.signal]);
  const pause = Number.isFinite(ms)
    ? delay(ms, undefined, { signal: aborted }).catch(() => undefined)
    : new Promise<undefined>((resolve) => {
        aborted.addEventListener('abort', () => {
          resolve(undefined);
        });
      });
  await Promise.race([changed, pause]);
  ended.abort();
}
