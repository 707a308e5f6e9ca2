import { fieldOf } from '../core/field.ts';
import type { Logger } from 'pino';
import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import { ApiError } from './api-error.ts';
import type { ApiClient } from './api-client.ts';
import { createComplaint } from './complaint.ts';
import { listAll } from './paged-list.ts';
import { isRawObject, keyOfRaw, type RawObject } from './raw-object.ts';
import { collectionPath, selectorsOf, type ResourceQuery } from './resources.ts';

/** Not longer, so that what was missed while the server was away is caught up with within two seconds of its return. */
const BACKOFF = { firstMs: 200, mostMs: 1_500 };
/** The server ends a watch after 5 to 10 minutes, spread so that not all are begun anew at once. */
const WATCH_SECONDS = { least: 300, spread: 300 };
/** The server sends a bookmark about every minute: a watch that says nothing for two is dead. */
const SILENCE_MS = 125_000;
/** A watch that ends sooner than this counts as a failure, so that a server that ends each at once is not pressed. */
const SHORT_WATCH_MS = 1_000;

export interface ReflectorHandlers {
  readonly put: (object: RawObject) => void;
  readonly remove: (object: RawObject) => void;
  /** A list is complete: what is not among these keys (`namespace/name`) is gone. */
  readonly listed: (keys: ReadonlySet<string>) => void;
  /** Whether the server sends what happens: told when a watch is open, and when something went wrong. */
  readonly watching?: (isWatching: boolean) => void;
}

export interface ReflectorOptions {
  readonly client: Pick<ApiClient, 'request' | 'stream'>;
  readonly query: ResourceQuery;
  readonly handlers: ReflectorHandlers;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly random?: () => number;
  /** A watch that says nothing for this long is begun anew. Default: twice the time between two bookmarks. */
  readonly silenceMs?: number;
}

/**
 * Keeps handlers told of every object of a query until `signal` is aborted: a list by pages, then a watch from there on
 * (Kubernetes API concepts, "Efficient detection of changes"). A watch that ends goes on where it was; only when the
 * server no longer knows that place (410 Gone) the list is read again. While the server is away nothing is told: what was
 * known stays.
 */
export async function reflect(options: ReflectorOptions): Promise<void> {
  const { query, logger, signal, random = Math.random } = options;
  const what = { kind: query.type.kind, name: query.name };
  let resourceVersion: string | undefined;
  let attempt = 0;
  const complaint = createComplaint();
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    const isGoingOn = resourceVersion !== undefined;
    let watchedMs = 0;
    let failure: ApiError | undefined;
    try {
      resourceVersion ??= await list(options);
      const end = await watch(options, resourceVersion);
      ({ resourceVersion, watchedMs, failure } = end);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      failure = error;
    }
    if (isOver()) return;
    if (watchedMs >= SHORT_WATCH_MS) {
      if (attempt > 0) logger.info(what, 'watching again');
      attempt = 0;
      if (!failure) continue;
    }
    if (failure) options.handlers.watching?.(false);
    if (failure && complaint.isNews(failure.message)) {
      logger.warn({ ...what, err: failure, hint: hintFor(failure) }, 'cannot be watched, trying again');
    }
    // The server is there and has forgotten where we were: that is no reason to wait, unless it just told us where it is.
    if (failure?.status === 410 && isGoingOn) continue;
    attempt += 1;
    const waitMs = Math.max(failure?.retryAfterMs ?? 0, backoffMs(attempt, BACKOFF, random()));
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns the version to watch from */
async function list({ client, query, handlers, signal }: ReflectorOptions): Promise<string> {
  const keys = new Set<string>();
  const onObject = (object: RawObject): void => {
    keys.add(keyOfRaw(object));
    handlers.put(object);
  };
  const version = await listAll({ client, query, onObject, signal });
  handlers.listed(keys);
  return version;
}

interface WatchEnd {
  /** Where to go on; undefined: the list has to be read again. */
  readonly resourceVersion: string | undefined;
  /** How long the watch was open. */
  readonly watchedMs: number;
  /** Undefined: the server ended the watch in the usual way. */
  readonly failure: ApiError | undefined;
}

async function watch(options: ReflectorOptions, from: string): Promise<WatchEnd> {
  const { client, query, signal, handlers, random = Math.random, silenceMs = SILENCE_MS } = options;
  let resourceVersion = from;
  let failure: ApiError | undefined;
  let openedAt = Infinity;
  const onLine = (line: string): void => {
    const event = parseEvent(line);
    const type = fieldOf(event, 'type');
    const object = fieldOf(event, 'object');
    if (type === 'ERROR') {
      failure = errorOfEvent(object);
      return;
    }
    const version = fieldOf(fieldOf(object, 'metadata'), 'resourceVersion');
    if (typeof version === 'string') resourceVersion = version;
    if (!isRawObject(object)) return;
    if (type === 'ADDED' || type === 'MODIFIED') handlers.put(object);
    else if (type === 'DELETED') handlers.remove(object);
  };
  try {
    await client.stream({
      path: collectionPath(query.type, query.namespace),
      query: {
        ...selectorsOf(query),
        watch: 'true',
        resourceVersion: from,
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(Math.round(WATCH_SECONDS.least + random() * WATCH_SECONDS.spread)),
      },
      onOpen: () => {
        openedAt = performance.now();
        handlers.watching?.(true);
      },
      onLine,
      silenceMs,
      signal,
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    failure ??= error;
  }
  const watchedMs = Math.max(0, performance.now() - openedAt);
  return { resourceVersion: failure?.status === 410 ? undefined : resourceVersion, watchedMs, failure };
}

function parseEvent(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (cause) {
    throw new ApiError('a line of a watch is not JSON', { status: 200, reason: 'InvalidAnswer', cause });
  }
}

function errorOfEvent(status: unknown): ApiError {
  const code = fieldOf(status, 'code');
  const message = fieldOf(status, 'message');
  const reason = fieldOf(status, 'reason');
  return new ApiError(typeof message === 'string' ? message : 'the server ended the watch with an error', {
    status: typeof code === 'number' ? code : 0,
    reason: typeof reason === 'string' ? reason : '',
  });
}

function hintFor({ status, reason }: ApiError): string | undefined {
  if (status === 404) return "the API server does not know this kind: install the chart's CRDs";
  if (status === 403) return "the ServiceAccount may not list and watch this kind: see the chart's RBAC";
  if (status === 401) return 'the credentials are not accepted: see the token or the kubeconfig';
  return reason === 'ECONNREFUSED' ? 'the API server is not there' : undefined;
}
