import type { Logger } from 'pino';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { StatusObject } from '../api/index.ts';
import { backoffMs } from '../core/backoff.ts';
import { changedMiddle } from '../core/changed-middle.ts';
import { PATCH_TYPES, type ApiClient } from './api-client.ts';
import { ApiError, isRefusal } from './api-error.ts';
import { AGAIN, createKeyedQueue, DONE, type KeyedQueue, type KeyResult } from './keyed-queue.ts';
import { listAll } from './paged-list.ts';
import { keyOfRaw, type RawObject } from './raw-object.ts';
import { objectPath, RESOURCES, type ResourceType } from './resources.ts';
import { timeText } from './seen-service.ts';

/** 10 objects a second, two requests each: status is for people, and ten thousand of them must not crowd out what carries traffic. */
const PACE_MS = 100;
const BACKOFF = { firstMs: 500, mostMs: 30_000 };

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** Kinds that exist only because somebody says their status; the others are their users' own. */
const MADE_HERE: ReadonlySet<string> = new Set(['ConfigurationState', 'ServiceBGPStatus']);

export interface StatusObjectsOptions {
  readonly client: Pick<ApiClient, 'request'>;
  /** Field manager of server-side apply. */
  readonly manager: string;
  /** Owner of the objects made here: with it they go. */
  readonly owner: OwnerReference | undefined;
  /** See {@link KeyedQueueOptions}. */
  readonly spreadMs?: () => number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Keeps objects in the API server whose status we say, by server-side apply: whatever is published and differs from what
 * was written before goes out, at a pace, and what is published no more is deleted.
 */
export class StatusObjects {
  readonly #options: StatusObjectsOptions;
  readonly #queue: KeyedQueue;
  #published: readonly StatusObject[] = [];
  readonly #wanted = new Map<string, StatusObject>();
  readonly #written = new Map<string, StatusObject>();
  /** What waits because the server refused it. */
  readonly #refused = new Map<string, StatusObject>();
  /** Not there to be written to, or of a kind that the server does not know: looked for with each publication. */
  readonly #missing = new Set<string>();
  /** To be deleted. */
  readonly #stale = new Map<
    string,
    { readonly type: ResourceType; readonly namespace: string; readonly name: string }
  >();
  #isFailing = false;

  constructor(options: StatusObjectsOptions) {
    this.#options = options;
    this.#queue = createKeyedQueue({
      work: (key) => this.#write(key),
      concurrency: 2,
      backoff: BACKOFF,
      paceMs: PACE_MS,
      ...(options.spreadMs ? { spreadMs: options.spreadMs } : {}),
      signal: options.signal,
    });
  }

  /** All objects there are to be, in an order that stays. Those that are the very same as before cost nothing. */
  publish(objects: readonly StatusObject[]): void {
    const { removed, added } = changedMiddle(this.#published, objects);
    this.#published = objects;
    for (const key of this.#missing) this.#queue.add(key);
    this.#missing.clear();
    const keys = new Set<string>();
    for (const object of added) {
      const key = keyOf(object);
      keys.add(key);
      this.#want(key, object);
    }
    for (const { kind, metadata } of removed) {
      const key = keyOf({ kind, metadata });
      if (keys.has(key)) continue;
      this.#wanted.delete(key);
      if (MADE_HERE.has(kind)) this.#drop(key, { type: RESOURCES[kind], ...metadata });
      else this.#queue.add(key);
    }
  }

  #want(key: string, object: StatusObject): void {
    this.#wanted.set(key, object);
    if (isSame(this.#written.get(key), object)) return;
    const refused = this.#refused.get(key);
    // What was wrong with the one says nothing of the other.
    if (refused && !isSame(refused, object)) this.#queue.hurry(key);
    else this.#queue.add(key);
  }

  /** Deletes objects that an earlier run left and that are not published now; tries until they could be listed. */
  async dropStale(query: {
    readonly kind: 'ConfigurationState' | 'ServiceBGPStatus';
    readonly namespace: string;
    readonly labelSelector: string;
  }): Promise<void> {
    const { client, logger, signal } = this.#options;
    const { kind, namespace, labelSelector } = query;
    const type = RESOURCES[kind];
    const onObject = (object: RawObject): void => {
      const key = `${kind} ${keyOfRaw(object)}`;
      const { name } = object.metadata;
      if (!this.#wanted.has(key)) this.#drop(key, { type, namespace, name });
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        await listAll({ client, query: { type, namespace, labelSelector }, onObject, signal });
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (signal.aborted) return;
        if (attempt === 1) logger.warn({ err: error, kind }, 'objects of an earlier run cannot be listed');
        const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(attempt, BACKOFF, Math.random()));
        await delay(waitMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  idle(): Promise<void> {
    return this.#queue.idle();
  }

  #drop(key: string, object: { type: ResourceType; namespace: string; name: string }): void {
    this.#stale.set(key, object);
    this.#queue.add(key);
  }

  async #write(key: string): Promise<KeyResult> {
    const { logger, signal } = this.#options;
    const wanted = this.#wanted.get(key);
    this.#refused.delete(key);
    try {
      const stale = this.#stale.get(key);
      if (wanted) {
        await this.#apply(key, wanted);
      } else {
        // Another one of this name may come, and knows nothing of what was written to this one.
        this.#written.delete(key);
        if (stale) await this.#delete(stale);
      }
      this.#stale.delete(key);
      if (this.#isFailing) logger.info('status objects can be written again');
      this.#isFailing = false;
      return DONE;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (signal.aborted) return DONE;
      if (error.status === 404) {
        this.#stale.delete(key);
        if (wanted) this.#missing.add(key);
        return DONE;
      }
      if (!this.#isFailing) logger.warn({ err: error }, 'status object cannot be written, trying again');
      this.#isFailing = true;
      if (wanted && isRefusal(error)) {
        if (this.#wanted.get(key) !== wanted) return AGAIN;
        this.#refused.set(key, wanted);
      }
      return { kind: 'retry', afterMs: error.retryAfterMs ?? 0 };
    }
  }

  async #apply(key: string, object: StatusObject): Promise<void> {
    if (isSame(this.#written.get(key), object)) return;
    const type = RESOURCES[object.kind];
    const path = objectPath(type, object.metadata);
    const head = { apiVersion: type.apiVersion, kind: type.kind };
    if (MADE_HERE.has(object.kind)) {
      const { owner } = this.#options;
      const metadata = { ...object.metadata, ...(owner ? { ownerReferences: [owner] } : {}) };
      await this.#patch(path, { ...head, metadata });
    }
    const { name, namespace } = object.metadata;
    await this.#patch(`${path}/status`, {
      ...head,
      metadata: { name, namespace },
      status: stamped(object.status, timeText(new Date())),
    });
    this.#written.set(key, object);
  }

  async #patch(path: string, body: object): Promise<void> {
    const { client, manager, signal } = this.#options;
    await client.request(
      {
        method: 'PATCH',
        path,
        query: { fieldManager: manager, force: 'true' },
        body,
        contentType: PATCH_TYPES.apply,
      },
      signal,
    );
  }

  async #delete({ type, ...ref }: { type: ResourceType; namespace: string; name: string }): Promise<void> {
    await this.#options.client.request(
      { method: 'DELETE', path: objectPath(type, ref) },
      this.#options.signal,
    );
  }
}

/** Conditions need a time; MetalLB's is that of the last write. */
function stamped(status: StatusObject['status'], lastTransitionTime: string): object {
  const { conditions } = status;
  if (!Array.isArray(conditions)) return status;
  return {
    ...status,
    conditions: (conditions as readonly object[]).map((condition) => ({ ...condition, lastTransitionTime })),
  };
}

function keyOf({ kind, metadata }: Pick<StatusObject, 'kind' | 'metadata'>): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

function isSame(a: StatusObject | undefined, b: StatusObject): boolean {
  return a === b || isDeepStrictEqual(a, b);
}
