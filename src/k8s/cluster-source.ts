import type { Logger } from 'pino';
import { compareText } from '../core/order.ts';
import { oncePerTurn, type ClusterSource, type OnState, type SourceState } from '../source/index.ts';
import type { ApiClient } from './api-client.ts';
import { ClusterStore, type ClusterStoreOptions } from './cluster-store.ts';
import { keyOfRaw, type RawObject } from './raw-object.ts';
import { reflect, type ReflectorHandlers } from './reflector.ts';
import { RESOURCES, type ResourceQuery } from './resources.ts';
import { announcedPart } from './trim.ts';

/** A Secret that cannot be read must not keep everything else waiting at the start. */
const SECRETS_WAIT_MS = 3_000;

export interface ClusterSourceOptions {
  readonly client: ApiClient;
  /** Where metallb.io objects are read from. */
  readonly namespace: string;
  readonly queries: readonly ResourceQuery[];
  /** Whether the Secrets that BGPPeers name are wanted. */
  readonly withSecrets: boolean;
  readonly isEcho?: NonNullable<ClusterStoreOptions['isEcho']>;
  /** Told of every version of every Service before `onState` is, and of each that is gone (its `namespace/name`). */
  readonly onService?: { readonly put: (raw: RawObject) => void; readonly remove: (key: string) => void };
  readonly logger: Logger;
}

/** What the controller reads. */
export function controllerQueries(namespace: string): readonly ResourceQuery[] {
  return [
    { type: RESOURCES.IPAddressPool, namespace },
    { type: RESOURCES.Community, namespace },
    { type: RESOURCES.Namespace },
    { type: RESOURCES.Service },
    { type: RESOURCES.ConfigMap, namespace, name: 'config' },
  ];
}

/** What a speaker reads. */
export function speakerQueries(namespace: string): readonly ResourceQuery[] {
  return [
    { type: RESOURCES.IPAddressPool, namespace },
    { type: RESOURCES.BGPAdvertisement, namespace },
    { type: RESOURCES.L2Advertisement, namespace },
    { type: RESOURCES.BGPPeer, namespace },
    { type: RESOURCES.BFDProfile, namespace },
    { type: RESOURCES.Community, namespace },
    { type: RESOURCES.Node },
    { type: RESOURCES.Service, part: announcedPart },
    { type: RESOURCES.EndpointSlice },
    { type: RESOURCES.ConfigMap, namespace, name: 'config' },
    { type: RESOURCES.ConfigMap, namespace, name: 'bgpextras' },
  ];
}

/**
 * The API server as a source: every query is listed and watched, and what changed in one turn of the event loop becomes
 * one state. Nothing is given out before every query has been listed once.
 */
export function clusterSource(options: ClusterSourceOptions): ClusterSource {
  return async (onState, signal) => {
    const source = new WatchedCluster(options, onState, signal);
    await source.run();
  };
}

class WatchedCluster {
  readonly #options: ClusterSourceOptions;
  readonly #onState: OnState;
  readonly #signal: AbortSignal;
  readonly #store: ClusterStore;
  /** Queries that have not been listed yet. */
  readonly #unlisted = new Set<ResourceQuery>();
  /** The Secrets that are watched, and how to end that. */
  readonly #secrets = new Map<string, AbortController>();
  readonly #running = new Set<Promise<void>>();
  #before: SourceState | undefined;
  #isSynced = false;
  #secretsTimer: NodeJS.Timeout | undefined;
  readonly #requestTurn: () => void;

  constructor(options: ClusterSourceOptions, onState: OnState, signal: AbortSignal) {
    this.#options = options;
    this.#onState = onState;
    this.#signal = signal;
    this.#requestTurn = oncePerTurn((askedAtMs) => {
      this.#turn(askedAtMs);
    }, signal);
    this.#store = new ClusterStore({
      namespace: options.namespace,
      ...(options.isEcho ? { isEcho: options.isEcho } : {}),
    });
  }

  async run(): Promise<void> {
    for (const query of this.#options.queries) this.#start(query, this.#signal);
    while (this.#running.size > 0) await Promise.race(this.#running);
    clearTimeout(this.#secretsTimer);
  }

  #start(query: ResourceQuery, signal: AbortSignal): void {
    const { client, logger } = this.#options;
    if (!this.#isSynced) this.#unlisted.add(query);
    const running = reflect({
      client,
      query,
      handlers: this.#handlersFor(query, signal),
      logger,
      signal,
    }).finally(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  #handlersFor(query: ResourceQuery, signal: AbortSignal): ReflectorHandlers {
    const { type, part = (raw: RawObject): RawObject => raw } = query;
    const services = type.kind === 'Service' ? this.#options.onService : undefined;
    return {
      put: (raw) => {
        if (signal.aborted) return;
        services?.put(raw);
        if (this.#store.put(type, part(raw))) this.#requestTurn();
      },
      remove: (raw) => {
        if (signal.aborted) return;
        const key = keyOfRaw(raw);
        services?.remove(key);
        if (this.#store.remove(type, key)) this.#requestTurn();
      },
      listed: (keys) => {
        if (signal.aborted) return;
        for (const key of this.#store.retain(query, keys)) services?.remove(key);
        this.#unlisted.delete(query);
        this.#requestTurn();
      },
    };
  }

  #turn(askedAtMs: number): void {
    if (!this.#isSynced && [...this.#unlisted].some(({ type }) => type.kind !== 'Secret')) return;
    const state = this.#store.state();
    if (this.#options.withSecrets) this.#watchSecrets(secretNames(state));
    if (!this.#isSynced && this.#unlisted.size > 0) {
      this.#secretsTimer ??= setTimeout(() => {
        this.#unlisted.clear();
        this.#requestTurn();
      }, SECRETS_WAIT_MS);
      return;
    }
    if (!this.#isSynced) {
      this.#isSynced = true;
      clearTimeout(this.#secretsTimer);
    }
    const isSame = this.#before?.snapshot === state.snapshot && this.#before.problems === state.problems;
    if (isSame) return;
    this.#before = state;
    this.#onState(state, askedAtMs);
  }

  #watchSecrets(names: ReadonlySet<string>): void {
    for (const [name, controller] of this.#secrets) {
      if (names.has(name)) continue;
      this.#secrets.delete(name);
      controller.abort();
      if (this.#store.remove(RESOURCES.Secret, `${this.#options.namespace}/${name}`)) this.#requestTurn();
    }
    for (const name of [...names].sort(compareText)) {
      if (this.#secrets.has(name)) continue;
      const controller = new AbortController();
      this.#secrets.set(name, controller);
      this.#start(
        { type: RESOURCES.Secret, namespace: this.#options.namespace, name },
        AbortSignal.any([this.#signal, controller.signal]),
      );
    }
  }
}

/**
 * The Secrets that BGPPeers name. They are looked for in our own namespace and no other is ever read: a namespace that a
 * reference gives means nothing, as in MetalLB.
 */
function secretNames({ snapshot }: SourceState): ReadonlySet<string> {
  const names = snapshot.objects.BGPPeer.map(({ spec }) => spec.passwordSecret?.name ?? '');
  return new Set(names.filter((name) => name !== ''));
}
