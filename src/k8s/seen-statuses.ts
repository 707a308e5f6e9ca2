import { isDeepStrictEqual } from 'node:util';
import { seenStatus, type SeenStatus } from './layer2-objects.ts';
import { isOlderVersion, type RawObject } from './raw-object.ts';

/** The ServiceL2Statuses of the namespace, as they were last seen. */
export class SeenStatuses {
  readonly #byName = new Map<string, SeenStatus>();
  /** Names of all objects of a Service. */
  readonly #names = new Map<string, Set<string>>();
  readonly #onSeen: (key: string) => void;

  /** @param onSeen told of each Service of which something else stands there now */
  constructor(onSeen: (key: string) => void) {
    this.#onSeen = onSeen;
  }

  put(raw: RawObject): void {
    const now = seenStatus(raw);
    const before = this.#byName.get(now.name);
    if (before && isOlderVersion(now.resourceVersion, before.resourceVersion)) return;
    const isSame = before?.record !== undefined && isDeepStrictEqual(before.record, now.record);
    // The record of before, where it says the same: its identity tells that nothing changed.
    this.#byName.set(now.name, isSame ? { ...now, record: before.record } : now);
    if (before && before.key !== now.key) this.#unname(before);
    if (now.key !== undefined) {
      const names = this.#names.get(now.key) ?? new Set();
      this.#names.set(now.key, names.add(now.name));
      this.#onSeen(now.key);
    }
  }

  remove(name: string): void {
    const before = this.#byName.get(name);
    if (!before) return;
    this.#byName.delete(name);
    this.#unname(before);
    if (before.key !== undefined) this.#onSeen(before.key);
  }

  /** Forgets what is not among these names. */
  retain(names: ReadonlySet<string>): void {
    for (const name of [...this.#byName.keys()]) if (!names.has(name)) this.remove(name);
  }

  ofService(key: string): SeenStatus | undefined {
    for (const name of this.#names.get(key) ?? []) {
      const status = this.#byName.get(name);
      if (status?.isOurs === true) return status;
    }
    return undefined;
  }

  leftovers(key: string): readonly string[] {
    return [...(this.#names.get(key) ?? [])].filter((name) => this.#byName.get(name)?.isOurs === false);
  }

  keys(): Iterable<string> {
    return this.#names.keys();
  }

  all(): Iterable<SeenStatus> {
    return this.#byName.values();
  }

  #unname({ key, name }: SeenStatus): void {
    if (key === undefined) return;
    const names = this.#names.get(key);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(key);
  }
}
