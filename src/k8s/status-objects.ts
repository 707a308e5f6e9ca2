import type { Logger } from 'pino';
import { isDeepStrictEqual } from 'node:util';
import type { StatusObject } from '../api/index.ts';
import { changedMiddle } from '../core/changed-middle.ts';
import { objectKey } from '../core/problem.ts';
import { PATCH_TYPES, type ApiClient } from './api-client.ts';
import { ApiError, isRefusal } from './api-error.ts';
import { AGAIN, createKeyedQueue, DONE, type KeyedQueue, type KeyResult } from './keyed-queue.ts';
import { keyOfRaw, type RawObject } from './raw-object.ts';
import { reflect, type ReflectorHandlers } from './reflector.ts';
import { objectPath, RESOURCES, type ResourceQuery, type ResourceType } from './resources.ts';
import { timeText } from './seen-service.ts';
import { stamped, standingOf } from './standing-status.ts';

/** 10 objects a second, two requests each: status is for people, and ten thousand of them must not crowd out what carries traffic. */
const PACE_MS = 100;
const BACKOFF = { firstMs: 500, mostMs: 30_000 };
/**
 * What others changed is put back so much later: by then what was only the echo of a write that is not complete has been
 * followed by the rest, and somebody who writes against us is not answered at once.
 */
const PUT_BACK_MS = 1_000;

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** Kinds that exist only because somebody says their status; the others are their users' own. */
const MADE_HERE: ReadonlySet<string> = new Set(['ConfigurationState', 'ServiceBGPStatus']);

export interface StatusObjectsOptions {
  readonly client: Pick<ApiClient, 'request' | 'stream'>;
  /** Where these objects stand: what they say there is compared with what was published. Kinds without one are only written. */
  readonly queries: readonly ResourceQuery[];
  /** Field manager of server-side apply. */
  readonly managerOf: (kind: StatusObject['kind']) => string;
  /** Owner of the objects made here: with it they go. */
  readonly owner: OwnerReference | undefined;
  /** See {@link KeyedQueueOptions}. */
  readonly spreadMs?: () => number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Keeps objects in the API server whose status we say, by server-side apply: whatever is published and differs from what
 * stands there goes out, at a pace, and what is published no more is deleted. What others change or delete is put back.
 */
export class StatusObjects {
  readonly #options: StatusObjectsOptions;
  readonly #queue: KeyedQueue;
  #published: readonly StatusObject[] = [];
  readonly #wanted = new Map<string, StatusObject>();
  /** Whose status stands there as it is here. */
  readonly #written = new Map<string, StatusObject>();
  /** Whose labels or owner do not. */
  readonly #unlabelled = new Set<string>();
  /** Kinds of which it is not known yet what stands there. */
  readonly #unlisted: Set<string>;
  /** Changed by others, or by us and not heard of in full. */
  readonly #strayed = new Set<string>();
  #putBackTimer: NodeJS.Timeout | undefined;
  #isWatching = false;
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
    this.#unlisted = new Set(options.queries.map(({ type }) => type.kind));
    options.signal.addEventListener('abort', () => {
      clearTimeout(this.#putBackTimer);
    });
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
    // Before anything is published nobody knows what is left of an earlier run.
    if (!this.#isWatching) this.#watch();
  }

  #want(key: string, object: StatusObject): void {
    this.#wanted.set(key, object);
    if (isSame(this.#written.get(key), object)) return;
    if (this.#unlisted.has(object.kind)) return;
    const refused = this.#refused.get(key);
    // What was wrong with the one says nothing of the other.
    if (refused && !isSame(refused, object)) this.#queue.hurry(key);
    else this.#queue.add(key);
  }

  #watch(): void {
    this.#isWatching = true;
    const { client, queries, logger, signal } = this.#options;
    for (const query of queries) {
      void reflect({ client, query, handlers: this.#handlersFor(query), logger, signal });
    }
  }

  #handlersFor({ type }: ResourceQuery): ReflectorHandlers {
    const keyFor = (raw: RawObject): string => `${type.kind} ${keyOfRaw(raw)}`;
    return {
      put: (raw) => {
        const key = keyFor(raw);
        const wanted = this.#wanted.get(key);
        if (wanted) this.#compare(key, wanted, raw);
        // An earlier run left it, or somebody else made it in our name.
        else if (MADE_HERE.has(type.kind)) this.#drop(key, { type, ...refOf(raw) });
      },
      remove: (raw) => {
        this.#putBack(keyFor(raw));
      },
      listed: (names) => {
        const isFirst = this.#unlisted.delete(type.kind);
        for (const [key, object] of this.#wanted) {
          if (object.kind !== type.kind) continue;
          if (isFirst && !this.#stands(key, object)) this.#queue.add(key);
          const isGone = this.#written.has(key) && !names.has(objectKey(object.metadata));
          if (isGone) this.#putBack(key);
        }
      },
    };
  }

  #stands(key: string, object: StatusObject): boolean {
    return isSame(this.#written.get(key), object) && !this.#unlabelled.has(key);
  }

  #compare(key: string, wanted: StatusObject, raw: RawObject): void {
    const isMade = MADE_HERE.has(wanted.kind);
    const standing = standingOf(raw, wanted, isMade ? this.#options.owner?.uid : undefined);
    if (standing.status) this.#written.set(key, wanted);
    const isLabelled = standing.metadata || !isMade;
    if (isLabelled) this.#unlabelled.delete(key);
    else this.#unlabelled.add(key);
    if (standing.status && isLabelled) this.#strayed.delete(key);
    else this.#putBack(key);
  }

  #putBack(key: string): void {
    const wanted = this.#wanted.get(key);
    if (!wanted || this.#unlisted.has(wanted.kind) || this.#options.signal.aborted) return;
    this.#strayed.add(key);
    this.#putBackTimer ??= setTimeout(() => {
      this.#putBackTimer = undefined;
      for (const each of this.#strayed) {
        this.#written.delete(each);
        this.#queue.add(each);
      }
      this.#strayed.clear();
    }, PUT_BACK_MS);
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
        this.#unlabelled.delete(key);
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
    if (this.#stands(key, object)) return;
    const type = RESOURCES[object.kind];
    const path = objectPath(type, object.metadata);
    const manager = this.#options.managerOf(object.kind);
    const head = { apiVersion: type.apiVersion, kind: type.kind };
    if (MADE_HERE.has(object.kind)) {
      const { owner } = this.#options;
      const metadata = { ...object.metadata, ...(owner ? { ownerReferences: [owner] } : {}) };
      await this.#patch(path, manager, { ...head, metadata });
      this.#unlabelled.delete(key);
      if (isSame(this.#written.get(key), object)) return;
    }
    const { name, namespace } = object.metadata;
    await this.#patch(`${path}/status`, manager, {
      ...head,
      metadata: { name, namespace },
      status: stamped(object.status, timeText(new Date())),
    });
    this.#written.set(key, object);
  }

  async #patch(path: string, manager: string, body: object): Promise<void> {
    const { client, signal } = this.#options;
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

function keyOf({ kind, metadata }: Pick<StatusObject, 'kind' | 'metadata'>): string {
  return `${kind} ${objectKey(metadata)}`;
}

function refOf({ metadata: { namespace = '', name } }: RawObject): { namespace: string; name: string } {
  return { namespace, name };
}

function isSame(a: StatusObject | undefined, b: StatusObject): boolean {
  return a === b || isDeepStrictEqual(a, b);
}
