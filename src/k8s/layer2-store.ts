import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import {
  createHeartbeats,
  firstHeld,
  isSameView,
  MOVE_ANNOTATION,
  ownershipsOf,
  type Layer2Store,
  type Layer2View,
  type OwnershipRecord,
  type SpeakerRecord,
  type SpeakerSeen,
} from '../l2/index.ts';
import { oncePerTurn } from '../source/index.ts';
import { PATCH_TYPES, type ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { seenSpeaker, type SeenSpeaker } from './layer2-objects.ts';
import { OwnershipWriter } from './ownership-writer.ts';
import type { RawObject } from './raw-object.ts';
import { reflect } from './reflector.ts';
import { objectPath, RESOURCES, type ResourceQuery } from './resources.ts';
import { SeenStatuses } from './seen-statuses.ts';
import { createSpeakerLease, SPEAKER_LEASE_SELECTOR, type SpeakerLease } from './speaker-lease.ts';
import { WatchHealth } from './watch-health.ts';

/** How often what depends on time is looked at. */
const JUDGE_MS = 250;
/** How often it is looked for what nobody else removes. */
const CLEAN_MS = 10_000;
/** The shortest time between two renewals of a speaker's Lease. */
const RENEW_MS = 10_000;
/** The Lease of a speaker that is gone is kept for this long. */
const FORGET_MS = 3_600_000;

export interface ClusterLayer2StoreOptions {
  readonly client: ApiClient;
  /** Of the Leases and the ServiceL2Statuses: our own. */
  readonly namespace: string;
  readonly node: string;
  /** Whether there is a Service of this `namespace/name`; undefined: not known yet. */
  readonly serviceExists: (key: string) => boolean | undefined;
  /** {@link RENEW_MS} when absent. */
  readonly renewMs?: number;
  readonly logger: Logger;
  /** Ends everything; what is to be said last is said before. */
  readonly signal: AbortSignal;
}

/**
 * The API server as the place where speakers write down what the others have to know: a Lease for each speaker, a
 * ServiceL2Status for each Service.
 */
export function clusterLayer2Store(options: ClusterLayer2StoreOptions): Layer2Store {
  const store = new ClusterLayer2Store(options);
  return {
    start: (onChange) => {
      store.start(onChange);
    },
    publishSpeaker: (record) => {
      store.publishSpeaker(record);
    },
    publishOwnership: (own) => {
      store.publishOwnership(own);
    },
    release: () => store.release(),
    idle: () => store.idle(),
  };
}

/** Asks in the API server that a node gets the addresses of a Service; an empty text takes the wish back. */
export async function requestClusterMove(
  client: Pick<ApiClient, 'request'>,
  { namespace, name, node }: { readonly namespace: string; readonly name: string; readonly node: string },
): Promise<void> {
  await client.request({
    method: 'PATCH',
    path: objectPath(RESOURCES.ServiceL2Status, { namespace, name }),
    body: { metadata: { annotations: { [MOVE_ANNOTATION]: node === '' ? null : node } } },
    contentType: PATCH_TYPES.merge,
  });
}

interface KnownSpeaker extends SeenSpeaker {
  readonly leaseName: string;
  /** Its Lease was removed: remembered for as long as it would have held. */
  readonly isRemoved?: boolean;
}

class ClusterLayer2Store {
  readonly #options: ClusterLayer2StoreOptions;
  readonly #lease: SpeakerLease;
  readonly #writer: OwnershipWriter;
  readonly #statuses: SeenStatuses;
  readonly #speakers = new Map<string, KnownSpeaker>();
  readonly #heartbeats = createHeartbeats();
  readonly #health = new WatchHealth(['leases', 'statuses']);
  readonly #requestEmit: () => void;
  /** Found to be of use to nobody the last time, and since when. */
  readonly #uselessSince = new Map<string, number>();
  #watches: AbortController | undefined;
  #onChange: ((view: Layer2View) => void) | undefined;
  #view: Layer2View | undefined;
  #isFresh = false;
  #speaker: SpeakerRecord | undefined;
  #isReleased = false;

  constructor(options: ClusterLayer2StoreOptions) {
    const { client, namespace, node, logger, signal } = options;
    this.#options = options;
    this.#requestEmit = oncePerTurn(() => {
      this.#emit();
    }, signal);
    this.#statuses = new SeenStatuses((key) => {
      this.#writer.check(key);
      this.#requestEmit();
    });
    this.#writer = new OwnershipWriter({ client, namespace, node, seen: this.#statuses, logger, signal });
    this.#lease = createSpeakerLease({
      ...{ client, namespace, node, logger, signal },
      renewMs: options.renewMs ?? RENEW_MS,
      speakers: () => this.#speakers.size,
      onWritten: (spec) => {
        this.#health.wrote(spec?.renewTime, performance.now());
      },
    });
  }

  start(onChange: (view: Layer2View) => void): void {
    const { signal } = this.#options;
    this.#onChange = onChange;
    this.#watch();
    const timers = [
      setInterval(() => {
        this.#judge();
      }, JUDGE_MS),
      setInterval(() => {
        this.#clean();
      }, CLEAN_MS),
    ];
    signal.addEventListener('abort', () => {
      for (const timer of timers) clearInterval(timer);
    });
  }

  publishSpeaker(record: SpeakerRecord): void {
    if (!this.#isReleased && isDeepStrictEqual(this.#speaker, record)) return;
    this.#speaker = record;
    this.#isReleased = false;
    this.#lease.publish(record);
    this.#requestEmit();
  }

  publishOwnership(own: ReadonlyMap<string, OwnershipRecord>): void {
    this.#writer.publish(own, this.#statuses.keys());
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    await this.#lease.release();
  }

  async idle(): Promise<void> {
    await Promise.all([this.#lease.idle(), this.#writer.idle()]);
  }

  #watch(): void {
    const { client, namespace, logger, signal } = this.#options;
    this.#watches?.abort();
    const watches = new AbortController();
    this.#watches = watches;
    const until = AbortSignal.any([signal, watches.signal]);
    const begin = (name: string, query: ResourceQuery, handlers: WatchHandlers): void => {
      void reflect({
        client,
        query,
        logger,
        signal: until,
        handlers: {
          put: (raw) => {
            if (!until.aborted) handlers.put(raw);
          },
          remove: (raw) => {
            if (!until.aborted) handlers.remove(raw.metadata.name);
          },
          listed: (keys) => {
            if (until.aborted) return;
            handlers.listed(new Set([...keys].map((key) => key.slice(key.indexOf('/') + 1))));
            this.#health.listed(name);
            this.#judge();
          },
          watching: (isWatching) => {
            if (!until.aborted) this.#health.watching(name, isWatching, performance.now());
          },
        },
      });
    };
    begin(
      'leases',
      { type: RESOURCES.Lease, namespace, labelSelector: SPEAKER_LEASE_SELECTOR },
      {
        put: (raw) => {
          this.#seeLease(raw);
        },
        remove: (name) => {
          this.#loseLease(name);
        },
        listed: (names) => {
          for (const { leaseName } of [...this.#speakers.values()]) {
            if (!names.has(leaseName)) this.#loseLease(leaseName);
          }
        },
      },
    );
    begin(
      'statuses',
      { type: RESOURCES.ServiceL2Status, namespace },
      {
        put: (raw) => {
          this.#statuses.put(raw);
        },
        remove: (name) => {
          this.#statuses.remove(name);
        },
        listed: (names) => {
          this.#statuses.retain(names);
        },
      },
    );
  }

  #seeLease(raw: RawObject): void {
    const seen = seenSpeaker(raw);
    if (!seen) return;
    const { node } = seen.record;
    if (node === this.#options.node) this.#health.heard(seen.renewTime);
    const before = this.#speakers.get(node)?.record;
    const record = before && isDeepStrictEqual(before, seen.record) ? before : seen.record;
    this.#speakers.set(node, { ...seen, record, leaseName: raw.metadata.name });
    this.#heartbeats.see(node, seen.heartbeat, performance.now());
    this.#requestEmit();
  }

  /** Somebody removed a Lease. That is no sign that its speaker is gone: it will write it again. */
  #loseLease(leaseName: string): void {
    const known = [...this.#speakers.values()].find((each) => each.leaseName === leaseName);
    if (!known) return;
    if (known.record.node === this.#options.node) {
      if (this.#speaker && !this.#isReleased) this.#lease.publish(this.#speaker);
      return;
    }
    this.#speakers.set(known.record.node, { ...known, isRemoved: true });
    this.#requestEmit();
  }

  #judge(): void {
    const now = performance.now();
    if (this.#health.isDeaf(now) && this.#health.isListed && this.#watches) {
      this.#options.logger.warn('what is written does not come back, watching anew');
      this.#health.listenAgain(['leases', 'statuses'], now);
      this.#watch();
    }
    this.#isFresh = this.#health.isFresh(now);
    this.#heartbeats.judge(now, this.#isFresh && !this.#health.isInDoubt(now));
    for (const [node, { isRemoved }] of this.#speakers) {
      if (isRemoved !== true || this.#heartbeats.isHeld(node)) continue;
      this.#speakers.delete(node);
      this.#heartbeats.forget(node);
    }
    this.#requestEmit();
  }

  /** The first of those that live removes what nobody else can: of nodes that are no speakers any more. */
  #clean(): void {
    const { node: me, serviceExists } = this.#options;
    const view = this.#view;
    const useless = new Set<string>();
    if (view?.isFresh === true && firstHeld(view.speakers) === me) {
      for (const { key, isOurs, record, labelledNode } of this.#statuses.all()) {
        if (key === undefined || !isOurs) continue;
        const owner = record?.node ?? labelledNode;
        if (owner !== me && view.speakers.get(owner)?.isHeld !== true && serviceExists(key) === false)
          useless.add(`status ${key}`);
      }
      for (const [node, { leaseName }] of this.#speakers) {
        if (node !== me && !this.#heartbeats.isHeld(node)) useless.add(`lease ${leaseName}`);
      }
    }
    const now = performance.now();
    for (const what of [...this.#uselessSince.keys()])
      if (!useless.has(what)) this.#uselessSince.delete(what);
    for (const what of useless) {
      const since = this.#uselessSince.get(what);
      if (since === undefined) this.#uselessSince.set(what, now);
      else this.#removeUseless(what, now - since);
    }
  }

  #removeUseless(what: string, ageMs: number): void {
    const { client, namespace, logger, signal } = this.#options;
    const [kind, name = ''] = what.split(' ');
    if (kind === 'status') {
      this.#writer.removeStale(name);
      return;
    }
    if (ageMs < FORGET_MS) return;
    this.#uselessSince.delete(what);
    client
      .request({ method: 'DELETE', path: objectPath(RESOURCES.Lease, { namespace, name }) }, signal)
      .catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (!signal.aborted && error.status !== 404)
          logger.warn({ err: error, lease: name }, 'the Lease of a speaker that is gone cannot be removed');
      });
  }

  #emit(): void {
    // Before everything was read once nothing is known.
    if (!this.#onChange || !this.#health.isListed) return;
    const view = this.#currentView();
    if (this.#view && isSameView(this.#view, view)) return;
    this.#view = view;
    this.#onChange(view);
  }

  #currentView(): Layer2View {
    const { node } = this.#options;
    const speakers = new Map<string, SpeakerSeen>();
    for (const [name, { record }] of this.#speakers) {
      if (name !== node) speakers.set(name, { record, isHeld: this.#heartbeats.isHeld(name) });
    }
    if (this.#speaker) speakers.set(node, { record: this.#speaker, isHeld: !this.#isReleased });
    const moves = new Map<string, string>();
    const seen: [string, OwnershipRecord][] = [];
    for (const { key, record, moveTo, isOurs } of this.#statuses.all()) {
      if (key === undefined || !isOurs) continue;
      if (record) seen.push([key, record]);
      if (moveTo !== '') moves.set(key, moveTo);
    }
    return {
      isFresh: this.#isFresh,
      speakers,
      ownerships: ownershipsOf({ node, seen, own: this.#writer.own }),
      moves,
    };
  }
}

interface WatchHandlers {
  readonly put: (raw: RawObject) => void;
  readonly remove: (name: string) => void;
  readonly listed: (names: ReadonlySet<string>) => void;
}
