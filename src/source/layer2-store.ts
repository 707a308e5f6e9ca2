import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { objectKey } from '../core/problem.ts';
import {
  createHeartbeats,
  firstHeld,
  isSameView,
  ownershipsOf,
  type Layer2Store,
  type Layer2View,
  type OwnershipRecord,
  type SpeakerRecord,
  type SpeakerSeen,
} from '../l2/index.ts';
import { MAX_MANIFEST_BYTES } from '../manifest/index.ts';
import { watchFlatFolder } from './flat-folder-watch.ts';
import { contentOf, type Layer2Content } from './layer2-content.ts';
import {
  layer2FileOf,
  moveFileName,
  ownedFileName,
  renderMoveFile,
  renderOwnedFile,
  renderSpeakerFile,
  speakerFileName,
  type MoveRequest,
  type OwnedFile,
  type SpeakerFile,
} from './layer2-files.ts';
import { isUnchanged, readFile, statIfThere, type FileStamp } from './read-file.ts';
import { prepareStatusFolder, removeStatusFile, writeStatusFile } from './status-folder.ts';
import { versionOf } from './status-files.ts';
import { oncePerTurn } from './turn.ts';

export interface Layer2StoreTiming {
  /** How often a speaker says that it lives. */
  readonly renewMs: number;
  /** For how long that holds. What a file said is kept for this long after it is gone, too: its writer puts it back. */
  readonly heldMs: number;
  /** How often it is looked whose time is over. */
  readonly judgeMs: number;
}

const TIMING: Layer2StoreTiming = { renewMs: 2_000, heldMs: 8_000, judgeMs: 500 };
/** A speaker that is gone is remembered for this long. */
const FORGET_MS = 600_000;

export interface FolderLayer2StoreOptions {
  /** The status folder of the source. */
  readonly folder: string;
  readonly node: string;
  /** Whether there is a Service of this `namespace/name`; undefined: not known yet. */
  readonly serviceExists: (key: string) => boolean | undefined;
  readonly timing?: Layer2StoreTiming;
  readonly logger: Logger;
  /** Ends everything; what is to be said last is said before. */
  readonly signal: AbortSignal;
}

/** Files of the status folder as the place where speakers write down what the others have to know. */
export function folderLayer2Store(options: FolderLayer2StoreOptions): Layer2Store {
  const store = new FolderStore(options);
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
    release: () => {
      store.release();
      return Promise.resolve();
    },
    idle: () => {
      store.flush();
      return Promise.resolve();
    },
  };
}

/** Asks in a status folder that a node gets the addresses of a Service. */
export function requestFolderMove(folder: string, request: MoveRequest): void {
  writeStatusFile(folder, moveFileName(request.service), renderMoveFile(request));
}

interface KnownFile {
  /** Absent: nothing of it could be read yet. */
  readonly content?: Layer2Content;
  readonly stamp?: FileStamp;
  /** It is not there any more, and what it said is dropped at this time. */
  readonly goneAt?: number;
}

class FolderStore {
  readonly #options: FolderLayer2StoreOptions;
  readonly #timing: Layer2StoreTiming;
  readonly #files = new Map<string, KnownFile>();
  readonly #heartbeats = createHeartbeats();
  /** When a speaker was first found to live no more. */
  readonly #deadSince = new Map<string, number>();
  /** What is wrong with a file, said once. */
  readonly #complaints = new Map<string, string>();
  readonly #requestEmit: () => void;
  readonly #requestFlush: () => void;
  #onChange: ((view: Layer2View) => void) | undefined;
  #view: Layer2View | undefined;
  #isFresh = false;
  #speaker: SpeakerRecord | undefined;
  #isReleased = false;
  #own: ReadonlyMap<string, OwnershipRecord> | undefined;
  /** What of it stands in our file, and the version of that file. */
  #written: { readonly own: object; readonly version: string | undefined } | undefined;

  constructor(options: FolderLayer2StoreOptions) {
    this.#options = options;
    this.#timing = options.timing ?? TIMING;
    this.#requestEmit = oncePerTurn(() => {
      this.#emit();
    }, options.signal);
    this.#requestFlush = oncePerTurn(() => {
      this.flush();
    }, options.signal);
  }

  start(onChange: (view: Layer2View) => void): void {
    const { folder, logger, signal } = this.#options;
    this.#onChange = onChange;
    this.#try('the status folder cannot be made', () => {
      prepareStatusFolder(folder);
    });
    this.#renew();
    this.#refresh('all');
    watchFlatFolder({
      folder,
      onTouched: (names) => {
        this.#refresh(names);
      },
      logger,
      signal,
    });
    const timers = [
      setInterval(() => {
        this.#renew();
        this.#clean();
      }, this.#timing.renewMs),
      setInterval(() => {
        this.#judge();
      }, this.#timing.judgeMs),
    ];
    signal.addEventListener('abort', () => {
      for (const timer of timers) clearInterval(timer);
    });
  }

  publishSpeaker(record: SpeakerRecord): void {
    if (!this.#isReleased && isDeepStrictEqual(this.#speaker, record)) return;
    this.#speaker = record;
    this.#isReleased = false;
    this.#renew();
    this.#requestEmit();
  }

  publishOwnership(own: ReadonlyMap<string, OwnershipRecord>): void {
    this.#own = new Map(own);
    this.#requestFlush();
  }

  release(): void {
    this.flush();
    this.#isReleased = true;
    this.#writeSpeaker();
  }

  /** Writes what was said and does not stand in the folder, and clears the requests that it fulfils. */
  flush(): void {
    const { folder, node } = this.#options;
    if (this.#own === undefined) return;
    const own = this.#own;
    const name = ownedFileName(node);
    const path = join(folder, name);
    if (this.#written?.own !== own || this.#written.version !== versionOf(path)) {
      const isWritten = this.#try('what this node owns cannot be written, trying again', () => {
        writeStatusFile(folder, name, renderOwnedFile(own.values()));
      });
      if (!isWritten) return;
      this.#written = { own, version: versionOf(path) };
    }
    this.#clearMoves(own);
  }

  #clearMoves(own: ReadonlyMap<string, OwnershipRecord>): void {
    const { folder, node } = this.#options;
    for (const [name, { content }] of this.#files) {
      if (content?.kind !== 'move') continue;
      const { service, node: to } = content.request;
      if (to !== node || !own.has(objectKey(service))) continue;
      const isRemoved = this.#try('a request to move cannot be removed, trying again', () => {
        removeStatusFile(folder, name);
      });
      if (!isRemoved) return;
      this.#files.delete(name);
      this.#requestEmit();
    }
  }

  #renew(): void {
    if (this.#speaker === undefined || this.#isReleased) return;
    this.#writeSpeaker();
    // Somebody may have removed or altered the file.
    this.flush();
  }

  #writeSpeaker(): void {
    const record = this.#speaker;
    if (!record) return;
    const { folder, node } = this.#options;
    const renewTime = new Date().toISOString();
    this.#try('this speaker cannot say that it lives, trying again', () => {
      const text = renderSpeakerFile({
        record,
        isReleased: this.#isReleased,
        renewTime,
        heldMs: this.#timing.heldMs,
      });
      writeStatusFile(folder, speakerFileName(node), text);
    });
  }

  #refresh(names: ReadonlySet<string> | 'all'): void {
    const now = performance.now();
    const isFolderNamed = names === 'all' || !this.#isFresh;
    const listed = isFolderNamed ? this.#list(now) : [];
    this.#heartbeats.judge(now, this.#isFresh);
    if (this.#isFresh) {
      for (const name of isFolderNamed ? new Set([...listed, ...this.#files.keys()]) : names)
        this.#read(name, now);
    }
    this.#requestEmit();
  }

  /** The names in the folder. Without it nothing new is known, and nobody's time runs. */
  #list(now: number): readonly string[] {
    try {
      const names = readdirSync(this.#options.folder);
      if (!this.#isFresh) {
        for (const [name, file] of this.#files) {
          if (file.goneAt !== undefined)
            this.#files.set(name, { ...file, goneAt: now + this.#timing.heldMs });
        }
      }
      this.#isFresh = true;
      return names;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      if (this.#isFresh) {
        this.#options.logger.warn({ err: error }, 'status folder cannot be read, what was known stays');
      }
      this.#isFresh = false;
      return [];
    }
  }

  #read(name: string, now: number): void {
    const { folder, node } = this.#options;
    const file = layer2FileOf(name);
    if (!file) return;
    // Of our own we know better, apart from what an earlier run left.
    if (file.kind === 'speaker' && file.node === node) return;
    if (file.kind === 'owned' && file.node === node && this.#own) return;
    const path = join(folder, name);
    const before = this.#files.get(name);
    if (before?.stamp && isUnchanged(path, before.stamp)) return;
    const read = readFile(path, MAX_MANIFEST_BYTES);
    switch (read.kind) {
      case 'missing':
        this.#complaints.delete(name);
        if (file.kind === 'move') this.#files.delete(name);
        else if (before)
          this.#files.set(name, { ...omitStamp(before), goneAt: before.goneAt ?? now + this.#timing.heldMs });
        return;
      case 'changing':
        return;
      case 'unreadable':
        this.#complain(name, read.message);
        return;
      case 'bytes': {
        const content = contentOf(read.bytes, { path, file, before: before?.content });
        if (typeof content === 'string') {
          this.#complain(name, content);
          this.#files.set(name, { ...before, stamp: read.stamp });
          return;
        }
        this.#complaints.delete(name);
        const kept = before?.content && isDeepStrictEqual(before.content, content) ? before.content : content;
        this.#files.set(name, { content: kept, stamp: read.stamp });
        if (content.kind === 'speaker') this.#see(content.file, now);
      }
    }
  }

  #see({ record, isReleased, renewTime, heldMs }: SpeakerFile, now: number): void {
    this.#heartbeats.see(record.node, { version: renewTime, heldMs, isReleased }, now);
  }

  #complain(name: string, message: string): void {
    if (this.#complaints.get(name) === message) return;
    this.#complaints.set(name, message);
    this.#options.logger.warn(
      { file: name, reason: message },
      'file of a speaker cannot be read, what it said before stays',
    );
  }

  #judge(): void {
    const now = performance.now();
    // That a folder above was moved away is told by no event.
    if ((statIfThere(this.#options.folder) !== undefined) !== this.#isFresh) this.#refresh('all');
    this.#heartbeats.judge(now, this.#isFresh);
    if (this.#isFresh) {
      for (const [name, { goneAt = Infinity }] of this.#files) {
        if (goneAt > now) continue;
        this.#read(name, now);
        if (this.#files.get(name)?.goneAt !== undefined) this.#drop(name);
      }
    }
    this.#requestEmit();
  }

  #drop(name: string): void {
    const content = this.#files.get(name)?.content;
    this.#files.delete(name);
    if (content?.kind === 'speaker') this.#heartbeats.forget(content.file.record.node);
  }

  /** The first of those that live removes what nobody else can: the files of nodes that are no speakers any more. */
  #clean(): void {
    const view = this.#view;
    if (!view?.isFresh || firstHeld(view.speakers) !== this.#options.node) return;
    const now = performance.now();
    for (const [name, { content }] of this.#files) {
      if (content?.kind !== 'speaker' && content?.kind !== 'owned') continue;
      const node = content.kind === 'owned' ? content.node : content.file.record.node;
      if (node === this.#options.node || view.speakers.get(node)?.isHeld === true) {
        this.#deadSince.delete(name);
        continue;
      }
      const since = this.#deadSince.get(name) ?? now;
      this.#deadSince.set(name, since);
      const isDue =
        content.kind === 'owned' ? this.#isObsolete(content.owned, view) : now - since >= FORGET_MS;
      // Twice in a row: what was just written may not have been read yet.
      if (!isDue || since === now) continue;
      this.#deadSince.delete(name);
      this.#try('a file of a speaker that is gone cannot be removed', () => {
        removeStatusFile(this.#options.folder, name);
      });
    }
  }

  #isObsolete(owned: OwnedFile, { ownerships }: Layer2View): boolean {
    return [...owned].every(
      ([key, { record }]) =>
        ownerships.get(key)?.node !== record.node || this.#options.serviceExists(key) === false,
    );
  }

  #emit(): void {
    if (!this.#onChange) return;
    // Before the folder was read once nothing is known.
    if (!this.#isFresh && this.#view === undefined) return;
    const view = this.#currentView();
    if (this.#view && isSameView(this.#view, view)) return;
    this.#view = view;
    this.#onChange(view);
  }

  #currentView(): Layer2View {
    const { node } = this.#options;
    const speakers = new Map<string, SpeakerSeen>();
    const moves = new Map<string, string>();
    const seen: [string, OwnershipRecord][] = [];
    for (const { content } of this.#files.values()) {
      if (content?.kind === 'speaker') {
        const { record } = content.file;
        speakers.set(record.node, { record, isHeld: this.#heartbeats.isHeld(record.node) });
      } else if (content?.kind === 'move') {
        moves.set(objectKey(content.request.service), content.request.node);
      } else if (content) {
        for (const [key, { record }] of content.owned) seen.push([key, record]);
      }
    }
    if (this.#speaker) speakers.set(node, { record: this.#speaker, isHeld: !this.#isReleased });
    return {
      isFresh: this.#isFresh,
      speakers,
      ownerships: ownershipsOf({ node, seen, own: this.#own }),
      moves,
    };
  }

  /** @returns whether it went well; a failure is said once until it does again */
  #try(complaint: string, action: () => void): boolean {
    try {
      action();
      this.#complaints.delete(complaint);
      return true;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      if (!this.#complaints.has(complaint)) this.#options.logger.warn({ err: error }, complaint);
      this.#complaints.set(complaint, error.message);
      return false;
    }
  }
}

function omitStamp({ stamp: _stamp, ...rest }: KnownFile): KnownFile {
  return rest;
}
