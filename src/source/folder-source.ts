import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { ServiceObject } from '../api/index.ts';
import { watchFlatFolder } from './flat-folder-watch.ts';
import { FolderFiles } from './folder-files.ts';
import { listManifests, listSingle } from './list-files.ts';
import { PATIENCE, sameProblems, type Patience } from './manifest-file.ts';
import { DEFAULT_NAMESPACE } from './namespaces.ts';
import { ObjectIndex } from './object-index.ts';
import { createDocumentParser } from './parsed-document.ts';
import { withServiceStatus, type ServiceStatus } from './service-status.ts';
import type { ClusterSource, OnState, SourceState } from './source.ts';
import { prepareStatusFolder } from './status-folder.ts';
import { StatusReader } from './status-reader.ts';
import { watchTree } from './tree-watch.ts';
import { oncePerTurn } from './turn.ts';

/** A folder that was made just now may get files before it is watched: look once more after this time. */
const SECOND_LOOK_MS = 100;
/** Looking at the whole folder without cause takes at most a thousandth of the time, and is done at least this often. */
const SCAN_SHARE = 1_000;
const SCAN_INTERVAL_MS = { least: 2_000, most: 60_000 };
/** Looking at the whole folder because of events takes at most a tenth of the time. */
const EVENT_SCAN_SHARE = 10;

export interface FolderSourceOptions {
  /** A folder, with all folders in it, or one file. */
  readonly path: string;
  /** Where metallb.io objects are read from. */
  readonly namespace: string;
  /**
   * A folder with the controller's statuses: what stands there is the status of each Service, and nothing else is.
   * Absent: a Service has the status that its own manifest gives it.
   */
  readonly statusFolder?: string;
  readonly logger: Logger;
  readonly patience?: Partial<Patience>;
}

/** A folder of manifests as a source: woken by the kernel, and looking for itself now and then. */
export function folderSource(options: FolderSourceOptions): ClusterSource {
  return async (onState, signal) => {
    const watch = new FolderWatch(options, onState, signal);
    await watch.run();
  };
}

class FolderWatch {
  readonly #options: FolderSourceOptions;
  readonly #onState: OnState;
  readonly #signal: AbortSignal;
  readonly #root: string;
  readonly #isSingle: boolean;
  readonly #index: ObjectIndex;
  readonly #files: FolderFiles;
  readonly #statuses: StatusReader | undefined;
  #state: SourceState | undefined;
  #statusNames: Set<string> | 'all' = new Set();
  /** Paths that are no manifest files and have been heard of. */
  readonly #others = new Set<string>();
  readonly #requestTurn: () => void;
  #scanDue = false;
  #lastScan = { endedAt: -Infinity, tookMs: 0 };
  #checkTimer: NodeJS.Timeout | undefined;
  #scanTimer: NodeJS.Timeout | undefined;
  #secondLook: NodeJS.Timeout | undefined;

  constructor(options: FolderSourceOptions, onState: OnState, signal: AbortSignal) {
    this.#options = options;
    this.#onState = onState;
    this.#signal = signal;
    this.#requestTurn = oncePerTurn((askedAtMs) => {
      this.#turn(askedAtMs);
    }, signal);
    const patience = { ...PATIENCE, ...options.patience };
    this.#root = resolve(options.path);
    this.#isSingle = statSync(this.#root, { throwIfNoEntry: false })?.isFile() ?? false;
    this.#statuses =
      options.statusFolder === undefined
        ? undefined
        : new StatusReader({ folder: options.statusFolder, goneMs: patience.goneMs });
    this.#index = new ObjectIndex({ namespace: options.namespace, completeService: this.#completeService() });
    this.#files = new FolderFiles({
      list: () => (this.#isSingle ? listSingle(this.#root) : listManifests(this.#root)),
      root: this.#root,
      index: this.#index,
      parse: createDocumentParser({
        defaultNamespace: DEFAULT_NAMESPACE,
        metallbNamespace: options.namespace,
      }),
      patience,
    });
  }

  async run(): Promise<void> {
    const { logger, statusFolder } = this.#options;
    const closed = watchTree({
      root: this.#isSingle ? dirname(this.#root) : this.#root,
      recursive: !this.#isSingle,
      onFile: (path, modified) => {
        if (this.#isSingle && path !== this.#root) return;
        this.#files.touch(path, modified);
        this.#requestTurn();
      },
      onOther: (path) => {
        this.#others.add(path);
        this.#requestTurn();
      },
      onTree: () => {
        this.#requestScan();
      },
      logger,
      signal: this.#signal,
    });
    if (statusFolder !== undefined) this.#watchStatuses(statusFolder);
    this.#scan();
    this.#statusNames = 'all';
    this.#turn();
    await closed;
    clearTimeout(this.#checkTimer);
    clearTimeout(this.#scanTimer);
    clearTimeout(this.#secondLook);
  }

  #turn(askedAtMs = performance.now()): void {
    const now = performance.now();
    this.#files.refresh(now);
    this.#refreshStatuses(now);
    this.#report(askedAtMs);
    this.#planCheck();
    // Last, because it asks the file system: temporary files of editors and tools come here with every change.
    if ([...this.#others].some((path) => this.#files.concernsTree(path))) this.#requestScan();
    this.#others.clear();
  }

  #refreshStatuses(now: number): void {
    if (!this.#statuses) return;
    const names = this.#statusNames;
    this.#statusNames = new Set();
    this.#index.touchServices(this.#statuses.refresh(names, now));
  }

  #report(heardAtMs: number): void {
    const snapshot = this.#index.snapshot();
    const problems = [...this.#files.problems, ...(this.#statuses?.problems ?? [])];
    const { unread } = this.#files;
    const before = this.#state;
    const isSame =
      before?.snapshot === snapshot &&
      sameProblems(before.problems, problems) &&
      before.unread.join('\0') === unread.join('\0');
    if (isSame) return;
    this.#state = { snapshot, problems, unread };
    this.#onState(this.#state, heardAtMs);
  }

  #planCheck(): void {
    clearTimeout(this.#checkTimer);
    const times = [this.#files.nextCheckAt, this.#statuses?.nextCheckAt].filter((time) => time !== undefined);
    if (times.length === 0) return;
    // Timers of Node may fire up to a millisecond early.
    const delayMs = Math.max(0, Math.min(...times) - performance.now()) + 1;
    this.#checkTimer = setTimeout(() => {
      this.#requestTurn();
    }, delayMs);
  }

  /** Soon, but not so often that a busy folder with many files is all we do. */
  #requestScan(): void {
    if (this.#scanDue || this.#signal.aborted) return;
    this.#scanDue = true;
    const { endedAt, tookMs } = this.#lastScan;
    const delayMs = Math.max(0, endedAt + tookMs * EVENT_SCAN_SHARE - performance.now());
    const scan = (): void => {
      this.#scanDue = false;
      if (this.#signal.aborted) return;
      this.#scan();
      this.#requestTurn();
      clearTimeout(this.#secondLook);
      this.#secondLook = setTimeout(() => {
        this.#scan();
        this.#requestTurn();
      }, SECOND_LOOK_MS);
    };
    // What is known to have changed goes first.
    if (delayMs === 0) setImmediate(scan);
    else setTimeout(scan, delayMs).unref();
  }

  #scan(): void {
    const startedAt = performance.now();
    this.#files.scan();
    const endedAt = performance.now();
    const tookMs = endedAt - startedAt;
    this.#lastScan = { endedAt, tookMs };
    clearTimeout(this.#scanTimer);
    const { least, most } = SCAN_INTERVAL_MS;
    this.#scanTimer = setTimeout(
      () => {
        this.#scan();
        this.#requestTurn();
      },
      Math.min(Math.max(tookMs * SCAN_SHARE, least), most),
    );
  }

  #watchStatuses(folder: string): void {
    try {
      prepareStatusFolder(folder);
    } catch (error) {
      this.#options.logger.warn({ err: error, folder }, 'status folder cannot be made, waiting for it');
    }
    watchFlatFolder({
      folder,
      onTouched: (names) => {
        if (names === 'all') this.#statusNames = 'all';
        else if (this.#statusNames !== 'all') for (const name of names) this.#statusNames.add(name);
        this.#turn();
      },
      logger: this.#options.logger,
      signal: this.#signal,
    });
  }

  /** Gives the same object for the same Service and status. */
  #completeService(): (service: ServiceObject) => ServiceObject {
    const statuses = this.#statuses;
    if (!statuses) return (service) => service;
    const completed = new WeakMap<
      ServiceObject,
      { status: ServiceStatus | undefined; service: ServiceObject }
    >();
    return (service) => {
      const status = statuses.get(service.metadata);
      const known = completed.get(service);
      if (known?.status === status && known) return known.service;
      const complete = withServiceStatus(service, status);
      completed.set(service, { status, service: complete });
      return complete;
    };
  }
}
