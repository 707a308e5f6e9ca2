import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { metaOfKey } from '../core/problem.ts';
import {
  isNewer,
  MOVE_ANNOTATION,
  serviceL2StatusName,
  statusOfOwnership,
  type OwnershipRecord,
} from '../l2/index.ts';
import { PATCH_TYPES, type ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { AGAIN, createKeyedQueue, DONE, type KeyedQueue, type KeyResult } from './keyed-queue.ts';
import { NODE_LABEL, statusLabels, type SeenStatus } from './layer2-objects.ts';
import { isRawObject } from './raw-object.ts';
import { collectionPath, objectPath, RESOURCES } from './resources.ts';
import type { SeenStatuses } from './seen-statuses.ts';

/** Not paced: a hand-over waits for its record. Some connections are left to others. */
const CONCURRENCY = 12;
const BACKOFF = { firstMs: 50, mostMs: 1_500 };
/** A write that the server finds wrong will hardly be right the next moment. */
const REFUSED_WAIT_MS = 30_000;
const MANAGER = 'metallb-speaker';

export interface OwnershipWriterOptions {
  readonly client: Pick<ApiClient, 'request'>;
  readonly namespace: string;
  readonly node: string;
  /** What stands in the API server, as far as it was seen. */
  readonly seen: SeenStatuses;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Brings what this node owns into the API server. Every write names the version that it was decided for, and what another
 * node wrote later is left alone.
 */
export class OwnershipWriter {
  readonly #options: OwnershipWriterOptions;
  readonly #queue: KeyedQueue;
  #own: ReadonlyMap<string, OwnershipRecord> | undefined;
  /** Records of nodes that are gone, of Services that are gone. */
  readonly #stale = new Set<string>();
  #isFailing = false;

  constructor(options: OwnershipWriterOptions) {
    this.#options = options;
    this.#queue = createKeyedQueue({
      work: (key) => this.#work(key),
      concurrency: CONCURRENCY,
      backoff: BACKOFF,
      signal: options.signal,
    });
  }

  get own(): ReadonlyMap<string, OwnershipRecord> | undefined {
    return this.#own;
  }

  /** @param keys of what stands in the API server */
  publish(own: ReadonlyMap<string, OwnershipRecord>, keys: Iterable<string>): void {
    const before = this.#own;
    this.#own = new Map(own);
    for (const [key, record] of own) {
      // What waits after a failure does not wait any longer for another record than that.
      if (before?.get(key) !== record) this.#queue.hurry(key);
    }
    for (const key of keys) if (!own.has(key)) this.check(key);
  }

  /** Another version of this Service's object was seen. */
  check(key: string): void {
    if (this.#isDue(key)) this.#queue.add(key);
  }

  /** What stands there of a Service is nobody's any more. */
  removeStale(key: string): void {
    this.#stale.add(key);
    this.#queue.add(key);
  }

  idle(): Promise<void> {
    return this.#queue.idle();
  }

  #isDue(key: string): boolean {
    const { seen, node } = this.#options;
    if (this.#own === undefined) return false;
    const status = seen.ofService(key);
    const wanted = this.#wanted(key, status);
    if (!wanted) return status?.record?.node === node && !this.#own.has(key);
    return (
      !isDeepStrictEqual(status?.record, wanted) ||
      status?.labelledNode !== node ||
      status.moveTo === node ||
      seen.leftovers(key).length > 0
    );
  }

  /** What is to stand there; undefined when it is not for us to say. */
  #wanted(key: string, status: SeenStatus | undefined): OwnershipRecord | undefined {
    const wanted = this.#own?.get(key);
    const there = status?.record;
    const isAnothers = there !== undefined && there.node !== this.#options.node;
    return wanted !== undefined && isAnothers && isNewer(there, wanted) ? undefined : wanted;
  }

  async #work(key: string): Promise<KeyResult> {
    const { logger, signal } = this.#options;
    try {
      const result = await this.#bring(key);
      if (this.#isFailing) logger.info('owners of addresses can be written again');
      this.#isFailing = false;
      return result;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (signal.aborted) return DONE;
      // Somebody wrote meanwhile, or removed it: what stands there now decides.
      if (error.status === 409 || error.status === 404) return this.#readAgain(key);
      return this.#failed(key, error);
    }
  }

  #failed(key: string, error: ApiError): KeyResult {
    const { logger, signal } = this.#options;
    if (signal.aborted) return DONE;
    if (!this.#isFailing) {
      logger.warn({ service: key, err: error }, 'the owner of an address cannot be written, trying again');
    }
    this.#isFailing = true;
    const isRefused = error.status >= 400 && error.status < 500 && error.status !== 429;
    return { kind: 'retry', afterMs: Math.max(error.retryAfterMs ?? 0, isRefused ? REFUSED_WAIT_MS : 0) };
  }

  async #readAgain(key: string): Promise<KeyResult> {
    const { client, seen, signal } = this.#options;
    const name = nameOf(key);
    try {
      const raw = await client.request({ method: 'GET', path: this.#path(name) }, signal);
      if (isRawObject(raw)) seen.put(raw);
      return AGAIN;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status !== 404) return this.#failed(key, error);
      seen.remove(name);
      return AGAIN;
    }
  }

  async #bring(key: string): Promise<KeyResult> {
    const { seen } = this.#options;
    if (!this.#isDue(key)) {
      const status = seen.ofService(key);
      if (!this.#stale.delete(key) || status === undefined || this.#own?.has(key) === true) return DONE;
      await this.#delete(status);
      return DONE;
    }
    const status = seen.ofService(key);
    const wanted = this.#wanted(key, status);
    if (!wanted) {
      if (status) await this.#delete(status);
      return DONE;
    }
    const object = status ?? (await this.#create(wanted));
    if (object && !isDeepStrictEqual(object.record, wanted)) {
      const now = await this.#writeStatus(object, wanted);
      if (!isDeepStrictEqual(now?.record, wanted)) return this.#notKept(key);
    }
    await this.#tidy(key, wanted);
    return DONE;
  }

  /** The server took the record and did not keep it. */
  #notKept(key: string): KeyResult {
    this.#options.logger.error(
      { service: key, hint: "bring the chart's CRDs to this version: kubectl replace -f crds" },
      'the kind ServiceL2Status does not hold what is written into it',
    );
    return { kind: 'retry', afterMs: REFUSED_WAIT_MS };
  }

  async #create(wanted: OwnershipRecord): Promise<SeenStatus | undefined> {
    const { client, namespace, signal } = this.#options;
    const { apiVersion, kind } = RESOURCES.ServiceL2Status;
    const name = serviceL2StatusName(wanted.service);
    const raw = await client.request(
      {
        method: 'POST',
        path: collectionPath(RESOURCES.ServiceL2Status, namespace),
        query: { fieldManager: MANAGER },
        body: { apiVersion, kind, metadata: { name, namespace, labels: statusLabels(wanted) } },
      },
      signal,
    );
    return this.#saw(raw, wanted);
  }

  async #writeStatus(object: SeenStatus, wanted: OwnershipRecord): Promise<SeenStatus | undefined> {
    const { client, namespace, signal } = this.#options;
    const { apiVersion, kind } = RESOURCES.ServiceL2Status;
    const { name, resourceVersion } = object;
    const raw = await client.request(
      {
        method: 'PATCH',
        path: `${this.#path(name)}/status`,
        query: { fieldManager: MANAGER, force: 'true' },
        // The version makes the write fail when anybody else has written since.
        body: {
          apiVersion,
          kind,
          metadata: { name, namespace, resourceVersion },
          status: statusOfOwnership(wanted),
        },
        contentType: PATCH_TYPES.apply,
      },
      signal,
    );
    return this.#saw(raw, wanted);
  }

  /** The label that names the node, a request that is fulfilled, and what MetalLB left. */
  async #tidy(key: string, wanted: OwnershipRecord): Promise<void> {
    const { client, node, seen, signal } = this.#options;
    const status = seen.ofService(key);
    if (status && (status.labelledNode !== node || status.moveTo === node)) {
      const raw = await client.request(
        {
          method: 'PATCH',
          path: this.#path(status.name),
          body: {
            metadata: {
              resourceVersion: status.resourceVersion,
              labels: { [NODE_LABEL]: node },
              ...(status.moveTo === node ? { annotations: { [MOVE_ANNOTATION]: null } } : {}),
            },
          },
          contentType: PATCH_TYPES.merge,
        },
        signal,
      );
      this.#saw(raw, wanted);
    }
    for (const name of seen.leftovers(key)) {
      await this.#remove(name);
      seen.remove(name);
    }
  }

  #saw(raw: unknown, { service }: OwnershipRecord): SeenStatus | undefined {
    const { seen } = this.#options;
    if (isRawObject(raw)) seen.put(raw);
    return seen.ofService(`${service.namespace}/${service.name}`);
  }

  async #delete({ name, resourceVersion }: SeenStatus): Promise<void> {
    await this.#remove(name, { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion } });
    this.#options.seen.remove(name);
  }

  async #remove(name: string, body?: object): Promise<void> {
    const { client, signal } = this.#options;
    try {
      await client.request({ method: 'DELETE', path: this.#path(name), ...(body ? { body } : {}) }, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }

  #path(name: string): string {
    return objectPath(RESOURCES.ServiceL2Status, { namespace: this.#options.namespace, name });
  }
}

function nameOf(key: string): string {
  return serviceL2StatusName(metaOfKey(key));
}
