import { objectKey, type Problem } from '../core/problem.ts';
import { statusesEqual, type ServiceStatus } from './service-status.ts';
import { isStatusFileName, listStatusFiles, readStatusFile, type StatusFile } from './status-files.ts';

/** The statuses of all Services, as a reader of the status folder sees them. */
export class StatusReader {
  readonly #folder: string;
  /** How long the statuses of a deleted file are kept, in milliseconds: its writer puts it back. */
  readonly #goneMs: number;
  readonly #files = new Map<string, StatusFile>();
  readonly #statuses = new Map<string, ServiceStatus>();
  /** When a missing file counts as gone. */
  readonly #missing = new Map<string, number>();
  #folderProblem: Problem | undefined;

  constructor(options: { readonly folder: string; readonly goneMs: number }) {
    this.#folder = options.folder;
    this.#goneMs = options.goneMs;
  }

  get(service: { readonly namespace: string; readonly name: string }): ServiceStatus | undefined {
    return this.#statuses.get(objectKey(service));
  }

  get problems(): readonly Problem[] {
    return [this.#folderProblem, ...[...this.#files.values()].map(({ problem }) => problem)].filter(
      (problem) => problem !== undefined,
    );
  }

  /** When to call {@link refresh} again although nothing was touched; undefined: not needed. */
  get nextCheckAt(): number | undefined {
    return this.#missing.size === 0 ? undefined : Math.min(...this.#missing.values());
  }

  /**
   * Reads what may have changed.
   * @returns the Services whose status is another one now
   */
  refresh(names: ReadonlySet<string> | 'all', now: number): readonly ServiceStatus[] {
    const wanted = names === 'all' ? [...this.#list(), ...this.#files.keys()] : names;
    const due = [...this.#missing].filter(([, at]) => at <= now).map(([name]) => name);
    return [...new Set([...wanted, ...due])]
      .filter(isStatusFileName)
      .flatMap((name) => this.#refreshFile(name, now));
  }

  #list(): readonly string[] {
    const listing = listStatusFiles(this.#folder);
    this.#folderProblem = listing.problem;
    return listing.names;
  }

  #refreshFile(name: string, now: number): readonly ServiceStatus[] {
    const before = this.#files.get(name);
    const after = readStatusFile(this.#folder, name, before);
    if (after) {
      this.#missing.delete(name);
      if (after === before) return [];
      this.#files.set(name, after);
      return this.#take(before, after);
    }
    if (!before) return [];
    const goneAt = this.#missing.get(name) ?? now + this.#goneMs;
    if (now < goneAt) {
      this.#missing.set(name, goneAt);
      return [];
    }
    this.#missing.delete(name);
    this.#files.delete(name);
    return this.#take(before, { statuses: new Map() });
  }

  #take(before: StatusFile | undefined, after: StatusFile): readonly ServiceStatus[] {
    const changed: ServiceStatus[] = [];
    for (const [key, status] of before?.statuses ?? []) {
      const known = this.#statuses.get(key);
      // Another file may say something else of it by now.
      if (after.statuses.has(key) || !known || !statusesEqual(known, status)) continue;
      this.#statuses.delete(key);
      changed.push(status);
    }
    for (const [key, status] of after.statuses) {
      const known = this.#statuses.get(key);
      if (known && statusesEqual(known, status)) continue;
      this.#statuses.set(key, status);
      changed.push(status);
    }
    return changed;
  }
}
