import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { ResourceRef } from '../core/problem.ts';
import { PATCH_TYPES, type ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { createKeyedQueue, DONE, type KeyResult } from './keyed-queue.ts';
import { collectionPath, objectPath, RESOURCES } from './resources.ts';
import { timeText } from './seen-service.ts';

/** Different Events remembered, so that the same one again only counts up. */
const REMEMBERED = 4_096;
/** Different Events waiting to be written; more are dropped and said. */
const MAX_WAITING = 1_000;
/** 20 a second for a long time: the API server has better things to do. */
const PACE_MS = 50;
const ATTEMPTS = 3;
const BACKOFF = { firstMs: 500, mostMs: 5_000 };

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** As in MetalLB; one of them contains blanks. */
  readonly reason: string;
  readonly message: string;
}

export interface EventRecorder {
  readonly record: (object: ResourceRef & { readonly uid?: string | undefined }, event: EventText) => void;
}

interface Recorded {
  readonly object: ResourceRef & { readonly uid?: string | undefined };
  readonly event: EventText;
  readonly first: Date;
  last: Date;
  count: number;
  /** How often it stood in the API server after the last write; 0: not there yet. */
  written: number;
  attempts: number;
}

/**
 * Writes Events (core/v1) about objects, off the path of everything else: paced, the same one again as a count, and
 * dropped after a few failures, because an Event is news for people and never state.
 */
export function createEventRecorder(options: {
  readonly client: ApiClient;
  /** `metallb-controller` or `metallb-speaker`. */
  readonly component: string;
  readonly host?: string;
  /** What comes after a rest is written within so long, at random. */
  readonly spreadMs?: () => number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): EventRecorder {
  const { client, component, host, spreadMs, logger, signal } = options;
  const recorded = new Map<string, Recorded>();
  let dropped = 0;

  const write = async (key: string): Promise<KeyResult> => {
    const entry = recorded.get(key);
    if (!entry || entry.written === entry.count) return DONE;
    const { count } = entry;
    try {
      await client.request(entry.written === 0 ? creation(key, entry) : counting(key, entry), signal);
      entry.written = count;
      entry.attempts = 0;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (signal.aborted) return DONE;
      entry.attempts += 1;
      if (error.status === 404) entry.written = 0; // Events end after an hour.
      if (error.status === 409) entry.written = 1; // There already: an earlier try did arrive.
      if (entry.attempts < ATTEMPTS) return { kind: 'retry', afterMs: error.retryAfterMs ?? 0 };
      recorded.delete(key);
      logger.debug({ err: error, reason: entry.event.reason }, 'Event cannot be written');
    }
    return DONE;
  };
  const queue = createKeyedQueue({
    ...{ work: write, concurrency: 2, backoff: BACKOFF, paceMs: PACE_MS, signal },
    ...(spreadMs ? { spreadMs } : {}),
  });

  const nameOf = (key: string, { object }: Recorded): string => `${object.name.slice(0, 200)}.${key}`;
  const creation = (key: string, entry: Recorded): Parameters<ApiClient['request']>[0] => {
    const { object, event, first, last, count } = entry;
    const namespace = object.namespace === '' ? 'default' : object.namespace;
    return {
      method: 'POST',
      path: collectionPath(RESOURCES.Event, namespace),
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: nameOf(key, entry), namespace },
        involvedObject: {
          apiVersion: 'v1',
          kind: object.kind,
          namespace: object.namespace,
          name: object.name,
          ...(object.uid === undefined ? {} : { uid: object.uid }),
        },
        type: event.type,
        reason: event.reason,
        message: event.message.slice(0, 1_024),
        source: { component, ...(host === undefined ? {} : { host }) },
        firstTimestamp: timeText(first),
        lastTimestamp: timeText(last),
        count,
      },
    };
  };
  const counting = (key: string, entry: Recorded): Parameters<ApiClient['request']>[0] => ({
    method: 'PATCH',
    path: objectPath(RESOURCES.Event, {
      namespace: entry.object.namespace === '' ? 'default' : entry.object.namespace,
      name: nameOf(key, entry),
    }),
    body: { count: entry.count, lastTimestamp: timeText(entry.last) },
    contentType: PATCH_TYPES.merge,
  });

  return {
    record: (object, event) => {
      const key = keyFor(object, event, host);
      const known = recorded.get(key);
      if (known) {
        known.count += 1;
        known.last = new Date();
        recorded.delete(key);
        recorded.set(key, known); // the newest last
      } else {
        if (queue.size() >= MAX_WAITING) {
          dropped += 1;
          if (dropped % MAX_WAITING === 1)
            logger.warn({ dropped }, 'too many Events at once, some are not written');
          return;
        }
        const now = new Date();
        recorded.set(key, { object, event, first: now, last: now, count: 1, written: 0, attempts: 0 });
        const [oldest] = recorded.keys();
        if (recorded.size > REMEMBERED && oldest !== undefined) recorded.delete(oldest);
      }
      queue.add(key);
    },
  };
}

/** One for each object, text and writer; it ends the Event's name. */
function keyFor(
  object: ResourceRef & { readonly uid?: string | undefined },
  event: EventText,
  host = '',
): string {
  const parts = [object.kind, object.namespace, object.name, object.uid ?? '', event.type, event.reason];
  return createHash('sha256')
    .update([...parts, event.message, host].join('\0'))
    .digest('hex')
    .slice(0, 16);
}
