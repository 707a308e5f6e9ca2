import { lstatSync } from 'node:fs';
import { compareText } from '../core/order.ts';
import type { Problem } from '../core/problem.ts';
import { decodeManifest, documentsOf, MAX_MANIFEST_BYTES } from '../manifest/index.ts';
import type { Listing } from './list-files.ts';
import {
  afterDoubt,
  afterRead,
  emptyManifestFile,
  type FileContent,
  type ManifestFile,
  type Patience,
} from './manifest-file.ts';
import type { ObjectIndex } from './object-index.ts';
import type { DocumentParser, ParsedDocument } from './parsed-document.ts';
import { isUnchanged, readFile, type FileStamp } from './read-file.ts';

/** Pause before a file that changes while it is read is read again; doubled each time in a row, up to the second. */
const FIRST_RETRY_MS = 4;
const LAST_RETRY_MS = 128;

interface KnownFile {
  readonly state: ManifestFile;
  readonly content?: string;
  readonly stamp?: FileStamp;
  readonly retry?: { readonly at: number; readonly afterMs: number };
}

export interface FolderFilesOptions {
  readonly list: () => Listing;
  readonly root: string;
  readonly index: ObjectIndex;
  readonly parse: DocumentParser;
  readonly patience: Patience;
}

/** The manifest files of a folder: which there are, what is in use of each. Reads only what was touched. */
export class FolderFiles {
  readonly #options: FolderFilesOptions;
  readonly #files = new Map<string, KnownFile>();
  readonly #touched = new Set<string>();
  /** Files whose last event put them in place whole. */
  readonly #placed = new Set<string>();
  #listing: Listing = { files: [], folders: new Set(), failures: [] };

  constructor(options: FolderFilesOptions) {
    this.#options = options;
  }

  touch(path: string, modified: boolean): void {
    this.#touched.add(path);
    if (modified) this.#placed.delete(path);
    else this.#placed.add(path);
  }

  /** Whether a path that is no manifest file can change what the folder holds. */
  concernsTree(path: string): boolean {
    if (this.#listing.folders.has(path)) return true;
    try {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats !== undefined && (stats.isDirectory() || stats.isSymbolicLink());
    } catch {
      return true; // Not to be seen: let the listing say what is wrong.
    }
  }

  /** Looks at the whole folder, and touches what is new, gone, or not as it was read. */
  scan(): void {
    this.#listing = this.#options.list();
    const { files, failures } = this.#listing;
    for (const path of files) {
      const stamp = this.#files.get(path)?.stamp;
      if (!stamp || !isUnchanged(path, stamp)) this.#touched.add(path);
    }
    const listed = new Set(files);
    const unlisted = failures.filter(({ folder, missing }) => !missing || folder === this.#options.root);
    for (const path of this.#files.keys()) {
      if (listed.has(path)) continue;
      // In a folder that cannot be listed it may well be there.
      if (!unlisted.some(({ folder }) => path.startsWith(`${folder}/`))) this.#touched.add(path);
    }
  }

  /** Reads what was touched, and settles what has been doubted for long enough. */
  refresh(now: number): void {
    for (const [path, { state, retry }] of this.#files) {
      if (retry && retry.at <= now) this.#touched.add(path);
      if (state.doubt && state.doubt.until <= now && !this.#touched.has(path)) {
        this.#put(path, afterDoubt(state));
      }
    }
    // By name, so that of two files which bring the same object at once the first one counts.
    const touched = [...this.#touched].sort(compareText);
    this.#touched.clear();
    for (const path of touched) this.#read(path, now);
  }

  /** When {@link refresh} is due although nothing was touched. */
  get nextCheckAt(): number | undefined {
    const times = [...this.#files.values()].flatMap(({ state, retry }) => [
      ...(state.doubt ? [state.doubt.until] : []),
      ...(retry ? [retry.at] : []),
    ]);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Files and folders whose content is not known, because no version of them could be read whole since start. */
  get unread(): readonly string[] {
    const folders = this.#listing.failures.map(({ folder }) => folder);
    const files = [...this.#files.values()]
      .filter(({ state }) => !state.wasWhole)
      .map(({ state }) => state.path);
    return [...folders, ...files].sort(compareText);
  }

  get problems(): readonly Problem[] {
    const folders = this.#listing.failures.map(({ folder, message }) => folderProblem(folder, message));
    const files = [...this.#files.keys()]
      .sort(compareText)
      .flatMap((path) => this.#files.get(path)?.state.problems ?? []);
    return [
      ...folders,
      ...files,
      ...this.#options.index.duplicateProblems((file, document) => this.#lineOf(file, document)),
    ];
  }

  #read(path: string, now: number): void {
    const known = this.#files.get(path) ?? { state: emptyManifestFile(path) };
    const read = readFile(path, MAX_MANIFEST_BYTES);
    if (read.kind === 'changing') {
      const afterMs = Math.min((known.retry?.afterMs ?? FIRST_RETRY_MS / 2) * 2, LAST_RETRY_MS);
      this.#files.set(path, { ...known, retry: { at: now + afterMs, afterMs } });
      return;
    }
    const content = this.#contentOf(path, read);
    const text = content.kind === 'text' ? content.text : undefined;
    const stamp = read.kind === 'bytes' ? read.stamp : undefined;
    const { patience, parse } = this.#options;
    const isSame = text !== undefined && text === known.content;
    const state = isSame ? known.state : afterRead(known.state, content, { now, patience, parse });
    this.#put(path, state, { ...(text === undefined ? {} : { content: text }), ...(stamp ? { stamp } : {}) });
  }

  #contentOf(path: string, read: Exclude<ReturnType<typeof readFile>, { kind: 'changing' }>): FileContent {
    switch (read.kind) {
      case 'missing':
        return { kind: 'missing' };
      case 'unreadable':
        return { kind: 'unreadable', problem: fileProblem(path, read.message) };
      case 'bytes': {
        const decoded = decodeManifest(read.bytes, path);
        if (!decoded.ok) return { kind: 'unreadable', problem: decoded.problem };
        return { kind: 'text', text: decoded.text, placedWhole: this.#placed.has(path) };
      }
    }
  }

  #put(path: string, state: ManifestFile, read?: Pick<KnownFile, 'content' | 'stamp'>): void {
    const known = this.#files.get(path);
    this.#options.index.update(known?.state ?? emptyManifestFile(path), state);
    const isGone = state.text === undefined && state.documents.length === 0 && state.problems.length === 0;
    if (isGone) {
      this.#files.delete(path);
      this.#placed.delete(path);
      return;
    }
    const { content, stamp } = read ?? known ?? {};
    this.#files.set(path, {
      state,
      ...(content === undefined ? {} : { content }),
      ...(stamp ? { stamp } : {}),
    });
  }

  #lineOf(path: string, document: ParsedDocument): number {
    const text = this.#files.get(path)?.state.text;
    return (text && documentsOf(text).find(({ value }) => value === document)?.line) ?? 1;
  }
}

function fileProblem(file: string, message: string): Problem {
  return {
    field: '',
    reason: 'FileUnreadable',
    message,
    transient: false,
    severity: 'error',
    position: { file, line: 1, column: 1 },
  };
}

function folderProblem(folder: string, message: string): Problem {
  return {
    field: '',
    reason: 'FileUnreadable',
    message: `folder ${folder} cannot be listed: ${message}; what was read from it stays in use`,
    transient: true,
    severity: 'error',
  };
}
