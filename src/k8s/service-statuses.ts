import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { ServiceObject } from '../api/index.ts';
import { compareMeta } from '../core/order.ts';
import { objectKey } from '../core/problem.ts';
import { statusesEqual, withServiceStatus, type ServiceStatus } from '../source/index.ts';
import { PATCH_TYPES, type ApiClient } from './api-client.ts';
import { ApiError, isRefusal } from './api-error.ts';
import { AGAIN, createKeyedQueue, DONE, type KeyedQueue, type KeyResult } from './keyed-queue.ts';
import { isOlderVersion, isRawObject, keyOfRaw, type RawObject } from './raw-object.ts';
import { objectPath, RESOURCES } from './resources.ts';
import { seenService, statusPatch, type SeenService } from './seen-service.ts';

const CONCURRENCY = 8;
/** Not longer, so that what could not be written while the server was away is there two seconds after its return. */
const BACKOFF = { firstMs: 50, mostMs: 1_500 };
/** A write that the server finds wrong will hardly be right the next moment. */
const REFUSED_WAIT_MS = 30_000;
/** Somebody else writes the same status: it is put back, and not more often than this. */
const PUT_BACK_MS = 1_000;

interface Ref {
  readonly namespace: string;
  readonly name: string;
}

export interface ServiceStatusesOptions {
  readonly client: Pick<ApiClient, 'request'>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** A write failed and will be tried again. */
  readonly onFailure: () => void;
}

/**
 * The statuses of Services as they were decided, and their way into the API server. What is wanted is compared with what
 * was last seen there; only a difference is written, and written again when somebody else undoes it.
 */
export class ServiceStatuses {
  readonly #options: ServiceStatusesOptions;
  readonly #queue: KeyedQueue;
  readonly #wanted = new Map<string, ServiceStatus>();
  readonly #seen = new Map<string, SeenService>();
  /** What was written last, and when: writing the very same again means that somebody undid it. */
  readonly #written = new Map<string, { readonly status: ServiceStatus; readonly at: number }>();
  /** What waits because of what it says: the server refused it, or somebody else keeps undoing it. */
  readonly #heldBack = new Map<string, ServiceStatus>();
  #dirty = new Set<string>();

  constructor(options: ServiceStatusesOptions) {
    this.#options = options;
    this.#queue = createKeyedQueue({
      work: (key) => this.#write(key),
      concurrency: CONCURRENCY,
      backoff: BACKOFF,
      signal: options.signal,
    });
  }

  get(service: Ref): ServiceStatus | undefined {
    return this.#wanted.get(objectKey(service));
  }

  /** By namespace and name. */
  all(): readonly ServiceStatus[] {
    return [...this.#wanted.values()].sort(compareMeta);
  }

  set(status: ServiceStatus): void {
    const key = objectKey(status);
    this.#wanted.set(key, status);
    this.#dirty.add(key);
  }

  /** Takes what was seen of this Service for what was decided. */
  adopt(service: Ref): void {
    const key = objectKey(service);
    const seen = this.#seen.get(key);
    if (seen) this.#wanted.set(key, seen.status);
  }

  uidOf(key: string): string | undefined {
    return this.#seen.get(key)?.uid;
  }

  /** Whatever stands in this Service's status is to be taken away. */
  clear({ namespace, name }: Ref): void {
    this.set({ namespace, name, ingress: [] });
  }

  /** The Service is gone, or somebody else's: its status is left as it is. */
  forget(service: Ref): void {
    const key = objectKey(service);
    this.#wanted.delete(key);
    this.#dirty.delete(key);
    this.#written.delete(key);
    this.#endWait(key);
  }

  /** Begins to write what was set. */
  flush(): void {
    const keys = this.#dirty;
    this.#dirty = new Set();
    for (const key of keys) {
      if (!this.#differs(key)) continue;
      const held = this.#heldBack.get(key);
      // What was wrong with the one says nothing of the other.
      if (held && this.#isNewsAfter(key, held)) this.#queue.hurry(key);
      else this.#queue.add(key);
    }
  }

  /** A version of a Service that the API server sent. */
  observe(raw: RawObject): void {
    const key = keyOfRaw(raw);
    const seen = seenService(raw);
    const before = this.#seen.get(key);
    if (before?.uid === seen.uid && isOlderVersion(seen.resourceVersion, before.resourceVersion)) return;
    this.#seen.set(key, seen);
    if (before !== undefined && before.uid !== seen.uid) this.#endWait(key);
    if (this.#differs(key)) this.#queue.add(key);
  }

  unobserve(key: string): void {
    this.#seen.delete(key);
    this.#endWait(key);
  }

  /** A change of nothing but the status that is decided here. */
  isEcho(before: ServiceObject, after: ServiceObject): boolean {
    if (!this.#wanted.has(objectKey(after.metadata))) return false;
    return isDeepStrictEqual(withServiceStatus(before, undefined), withServiceStatus(after, undefined));
  }

  idle(): Promise<void> {
    return this.#queue.idle();
  }

  #differs(key: string): boolean {
    const wanted = this.#wanted.get(key);
    const seen = this.#seen.get(key);
    return wanted !== undefined && seen !== undefined && !statusesEqual(wanted, seen.status);
  }

  async #write(key: string): Promise<KeyResult> {
    const wanted = this.#wanted.get(key);
    const seen = this.#seen.get(key);
    this.#heldBack.delete(key);
    if (!wanted || !seen || !this.#differs(key)) return DONE;
    const written = this.#written.get(key);
    const waitMs = written?.status === wanted ? written.at + PUT_BACK_MS - performance.now() : 0;
    if (waitMs > 0) return this.#holdBack(key, wanted, waitMs);
    try {
      const answer = await this.#options.client.request(
        {
          method: 'PATCH',
          path: `${objectPath(RESOURCES.Service, wanted)}/status`,
          body: statusPatch(seen, wanted, new Date()),
          contentType: PATCH_TYPES.strategic,
        },
        this.#options.signal,
      );
      this.#written.set(key, { status: wanted, at: performance.now() });
      if (isRawObject(answer)) this.observe(answer);
      return DONE;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return this.#afterFailure(key, { wanted, seen, error });
    }
  }

  #afterFailure(
    key: string,
    { wanted, seen, error }: { wanted: ServiceStatus; seen: SeenService; error: ApiError },
  ): KeyResult {
    const { signal, logger, onFailure } = this.#options;
    // Gone: the watch says so too, and if it is made again, that there is another one.
    if (error.status === 404 || signal.aborted) return DONE;
    // Changed meanwhile: what has changed is there already, or the watch is about to bring it.
    if (error.status === 409) return this.#seen.get(key) === seen ? { kind: 'retry', afterMs: 0 } : AGAIN;
    onFailure();
    logger.warn({ service: key, err: error }, 'status cannot be written, trying again');
    const afterMs = error.retryAfterMs ?? 0;
    return isRefusal(error)
      ? this.#holdBack(key, wanted, Math.max(afterMs, REFUSED_WAIT_MS))
      : { kind: 'retry', afterMs };
  }

  /** Lets this status wait; another one, which may be wanted by now or any moment later, does not wait with it. */
  #holdBack(key: string, status: ServiceStatus, afterMs: number): KeyResult {
    if (this.#isNewsAfter(key, status)) return AGAIN;
    this.#heldBack.set(key, status);
    return { kind: 'retry', afterMs };
  }

  #isNewsAfter(key: string, status: ServiceStatus): boolean {
    const wanted = this.#wanted.get(key);
    return wanted === undefined || !statusesEqual(wanted, status);
  }

  /** Another Service of the same name does not wait for what befell this one. */
  #endWait(key: string): void {
    if (this.#heldBack.delete(key)) this.#queue.hurry(key);
  }
}
