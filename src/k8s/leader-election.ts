import type { Logger } from 'pino';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
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

/** A killed holder is followed after 6 s; a renewal every 2 s. */
export const LEASE_TIMING: LeaseTiming = {
  leaseDurationMs: 6_000,
  renewDeadlineMs: 4_000,
  retryPeriodMs: 2_000,
};
/** An attempt to take a Lease that failed is repeated after this long. */
const ACQUIRE_RETRY_MS = 500;

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
      const held = await take(options, known?.raw, timing);
      if (held) return held;
      await waitFor(changed, ACQUIRE_RETRY_MS, until);
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

async function take(
  { client, lease, identity, logger, signal }: LeaderElectionOptions,
  raw: RawObject | undefined,
  timing: LeaseTiming,
): Promise<Held | undefined> {
  const before = raw && leaseSpecOf(raw);
  const spec = heldLease(before, {
    identity,
    durationSeconds: Math.ceil(timing.leaseDurationMs / 1_000),
    time: new Date(),
  });
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
    if (isRawObject(answer)) return { raw: answer, spec };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 409 && !signal.aborted) {
      logger.warn({ err: error, lease: lease.name }, 'the Lease cannot be taken, trying again');
    }
  }
  return undefined;
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
  let renewedAt = performance.now();
  let waitMs = timing.retryPeriodMs;
  const stop = AbortSignal.any([signal, ended.signal]);
  const isOver = (): boolean => stop.aborted;
  while (!isOver()) {
    await delay(waitMs, undefined, { signal: stop }).catch(() => undefined);
    if (isOver()) break;
    const leftMs = renewedAt + timing.renewDeadlineMs - performance.now();
    if (leftMs <= 0) {
      lost.abort();
      break;
    }
    const startedAt = performance.now();
    try {
      const spec = heldLease(current.spec, {
        identity,
        durationSeconds: Math.ceil(timing.leaseDurationMs / 1_000),
        time: new Date(),
      });
      const answer = await put(client, current.raw, spec, leftMs);
      if (isRawObject(answer)) current = { raw: answer, spec };
      // From when it was asked for: the answer may have taken long.
      renewedAt = startedAt;
      waitMs = timing.retryPeriodMs;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 409 || error.status === 404) {
        const now = await reread(options, leftMs);
        if (now?.spec.holderIdentity !== identity) {
          lost.abort();
          break;
        }
        current = now;
      } else {
        logger.warn({ err: error }, 'the Lease cannot be renewed, trying again');
      }
      waitMs = Math.min(ACQUIRE_RETRY_MS, Math.max(0, leftMs / 4));
    }
  }
  return current;
}

/** Somebody wrote the Lease: it may still name us, when our own write arrived and its answer did not. */
async function reread(
  { client, lease }: LeaderElectionOptions,
  timeoutMs: number,
): Promise<Held | undefined> {
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
