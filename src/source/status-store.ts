import { join } from 'node:path';
import { compareMeta, compareText } from '../core/order.ts';
import { objectKey, type Problem } from '../core/problem.ts';
import { MAX_MANIFEST_BYTES } from '../manifest/index.ts';
import { readFile } from './read-file.ts';
import { renderServiceStatus, statusesEqual, type ServiceStatus } from './service-status.ts';
import { listStatusFiles, readStatusFile, statusFileNameFor, versionOf } from './status-files.ts';
import { removeStatusFile, statusFileText, writeStatusFile } from './status-folder.ts';

interface Stored {
  readonly status: ServiceStatus;
  /** As it stands in its file; rendered when it is first written. */
  text?: string;
}

/**
 * The statuses of all Services, as their only writer sees them: in memory, and in the files of the status folder. A
 * change costs the file it falls into; many changes between two flushes cost each file once.
 */
export class StatusStore {
  readonly #folder: string;
  /** By file name, then by key. */
  readonly #files = new Map<string, Map<string, Stored>>();
  readonly #dirty = new Set<string>();
  /** The version of each file that we wrote. */
  readonly #written = new Map<string, string | undefined>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes over what an earlier run left. Files that cannot be read give a Problem, and are left alone. */
  load(): readonly Problem[] {
    const listing = listStatusFiles(this.#folder);
    const problems: Problem[] = listing.problem ? [listing.problem] : [];
    for (const name of listing.names) {
      const file = readStatusFile(this.#folder, name);
      if (file?.problem) problems.push(file.problem);
      for (const status of file?.statuses.values() ?? []) {
        const home = statusFileNameFor(status);
        this.#entriesOf(home).set(objectKey(status), { status });
        // Spread over another number of files by another version: write it where it belongs, then clear up.
        if (home !== name) this.#dirty.add(home).add(name);
      }
      this.#written.set(name, versionOf(join(this.#folder, name)));
    }
    return problems;
  }

  get(service: { readonly namespace: string; readonly name: string }): ServiceStatus | undefined {
    return this.#files.get(statusFileNameFor(service))?.get(objectKey(service))?.status;
  }

  /** All statuses, by namespace and name. */
  all(): readonly ServiceStatus[] {
    return [...this.#files.values()]
      .flatMap((entries) => [...entries.values()].map(({ status }) => status))
      .sort(compareMeta);
  }

  set(status: ServiceStatus): void {
    const name = statusFileNameFor(status);
    const entries = this.#entriesOf(name);
    const key = objectKey(status);
    const before = entries.get(key);
    if (before && statusesEqual(before.status, status)) return;
    entries.set(key, { status });
    this.#dirty.add(name);
  }

  remove(service: { readonly namespace: string; readonly name: string }): void {
    const name = statusFileNameFor(service);
    if (this.#files.get(name)?.delete(objectKey(service))) this.#dirty.add(name);
  }

  /**
   * Writes the files whose content changed.
   * @returns how many
   * @throws the error of the file system; what was not written is tried again by the next call
   */
  flush(): number {
    let count = 0;
    // A file that stops being used goes last: what it held stands elsewhere by then.
    for (const name of [...this.#dirty].sort(byUse(this.#files))) {
      const entries = this.#files.get(name);
      if (entries && entries.size > 0) writeStatusFile(this.#folder, name, textOf(entries));
      else removeStatusFile(this.#folder, name);
      this.#written.set(name, versionOf(join(this.#folder, name)));
      this.#dirty.delete(name);
      count += 1;
    }
    return count;
  }

  /**
   * Marks for writing what is no longer as we left it: deleted, or changed by somebody else.
   * @returns the names of such files
   */
  checkFiles(): readonly string[] {
    const altered: string[] = [];
    for (const [name, version] of this.#written) {
      const now = versionOf(join(this.#folder, name));
      if (now === version) continue;
      if (this.#isAsWritten(name)) {
        this.#written.set(name, now);
        continue;
      }
      this.#dirty.add(name);
      altered.push(name);
    }
    return altered;
  }

  #isAsWritten(name: string): boolean {
    const entries = this.#files.get(name);
    if (!entries || entries.size === 0 || this.#dirty.has(name)) return false;
    const read = readFile(join(this.#folder, name), MAX_MANIFEST_BYTES);
    return read.kind === 'bytes' && read.bytes.toString() === statusFileText(textOf(entries));
  }

  #entriesOf(name: string): Map<string, Stored> {
    const known = this.#files.get(name);
    if (known) return known;
    const entries = new Map<string, Stored>();
    this.#files.set(name, entries);
    return entries;
  }
}

function textOf(entries: ReadonlyMap<string, Stored>): string {
  const sorted = [...entries.values()].sort((a, b) => compareMeta(a.status, b.status));
  return sorted.map((stored) => (stored.text ??= renderServiceStatus(stored.status))).join('');
}

function byUse(files: ReadonlyMap<string, ReadonlyMap<string, Stored>>): (a: string, b: string) => number {
  const rank = (name: string): number => ((files.get(name)?.size ?? 0) > 0 ? 0 : 1);
  return (a, b) => rank(a) - rank(b) || compareText(a, b);
}
