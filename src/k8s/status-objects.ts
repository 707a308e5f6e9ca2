import { fieldOf } from '../core/field.ts';
import type { Logger } from 'pino';
import type { StatusObject } from '../api/index.ts';
import { PATCH_TYPES, type ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { createKeyedQueue, DONE, type KeyedQueue, type KeyResult } from './keyed-queue.ts';
import { isRawObject, keyOfRaw } from './raw-object.ts';
import { collectionPath, objectPath, RESOURCES, type ResourceType } from './resources.ts';
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
  readonly client: ApiClient;
  /** Field manager of server-side apply. */
  readonly manager: string;
  /** Owner of the objects made here: with it they go. */
  readonly owner: OwnerReference | undefined;
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
  readonly #wanted = new Map<string, StatusObject>();
  /** What was written last, as text. */
  readonly #written = new Map<string, string>();
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
      signal: options.signal,
    });
  }

  /** All objects there are to be; those that are as they were cost nothing. */
  publish(objects: readonly StatusObject[]): void {
    const keys = new Set<string>();
    for (const object of objects) {
      const key = keyOf(object);
      keys.add(key);
      this.#wanted.set(key, object);
      if (this.#written.get(key) !== textOf(object)) this.#queue.add(key);
    }
    for (const [key, { kind, metadata }] of this.#wanted) {
      if (keys.has(key)) continue;
      this.#wanted.delete(key);
      if (MADE_HERE.has(kind)) this.#drop(key, { type: RESOURCES[kind], ...metadata });
    }
  }

  /**
   * Deletes objects that an earlier run left and that are not published now.
   * @throws {ApiError} when they cannot be listed
   */
  async dropStale(query: {
    readonly kind: 'ConfigurationState' | 'ServiceBGPStatus';
    readonly namespace: string;
    readonly labelSelector: string;
  }): Promise<void> {
    const type = RESOURCES[query.kind];
    const answer = await this.#options.client.request(
      {
        method: 'GET',
        path: collectionPath(type, query.namespace),
        query: { labelSelector: query.labelSelector },
        timeoutMs: 30_000,
      },
      this.#options.signal,
    );
    const items = fieldOf(answer, 'items');
    for (const item of Array.isArray(items) ? (items as unknown[]) : []) {
      if (!isRawObject(item)) continue;
      const key = `${query.kind} ${keyOfRaw(item)}`;
      const { name, namespace = query.namespace } = item.metadata;
      if (!this.#wanted.has(key)) this.#drop(key, { type, namespace, name });
    }
  }

  idle(): Promise<void> {
    return this.#queue.idle();
  }

  #drop(key: string, object: { type: ResourceType; namespace: string; name: string }): void {
    this.#written.delete(key);
    this.#stale.set(key, object);
    this.#queue.add(key);
  }

  async #write(key: string): Promise<KeyResult> {
    const { logger, signal } = this.#options;
    try {
      const wanted = this.#wanted.get(key);
      const stale = this.#stale.get(key);
      if (wanted) await this.#apply(key, wanted);
      else if (stale) await this.#delete(stale);
      this.#stale.delete(key);
      if (this.#isFailing) logger.info('status objects can be written again');
      this.#isFailing = false;
      return DONE;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A pool that is gone has no status.
      if (signal.aborted || error.status === 404) return DONE;
      if (!this.#isFailing) logger.warn({ err: error }, 'status object cannot be written, trying again');
      this.#isFailing = true;
      return { kind: 'retry', afterMs: error.retryAfterMs ?? 0 };
    }
  }

  async #apply(key: string, object: StatusObject): Promise<void> {
    const text = textOf(object);
    if (this.#written.get(key) === text) return;
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
    this.#written.set(key, text);
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

function keyOf({ kind, metadata }: StatusObject): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

function textOf(object: StatusObject): string {
  return JSON.stringify(object, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}
