/** More entries than this are not carried beside the base: the map is made anew. */
const MOST_PATCHED = 64;

/**
 * A map that shares all but a few entries with the one it was made from: to change a few of ten thousand costs those few, and
 * so does comparing the two. The order of its entries means nothing.
 */
export class PatchedMap<K, V extends object | string> implements ReadonlyMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  /** What is another than in the base; undefined: not there. */
  readonly #patch: ReadonlyMap<K, V | undefined>;
  readonly size: number;

  private constructor(base: ReadonlyMap<K, V>, patch: ReadonlyMap<K, V | undefined>, size: number) {
    this.#base = base;
    this.#patch = patch;
    this.size = size;
  }

  /** A copy of `map`, which must not be changed from here on, with these entries; those that are undefined are taken out. */
  static from<K, V extends object | string>(
    map: ReadonlyMap<K, V>,
    changes: Iterable<readonly [K, V | undefined]>,
  ): PatchedMap<K, V> {
    const { base, patch: before } = PatchedMap.#partsOf(map);
    const patch = new Map(before);
    let { size } = map;
    for (const [key, value] of changes) {
      const known = patch.has(key) ? patch.get(key) : base.get(key);
      size += Number(value !== undefined) - Number(known !== undefined);
      patch.set(key, value);
    }
    const patched = new PatchedMap<K, V>(base, patch, size);
    if (patch.size <= MOST_PATCHED) return patched;
    return new PatchedMap<K, V>(new Map(patched), new Map(), size);
  }

  /** The keys that may have another value in one of two maps than in the other; undefined: any may. */
  static unlike<K, V extends object | string>(
    one: ReadonlyMap<K, V>,
    other: ReadonlyMap<K, V>,
  ): Iterable<K> | undefined {
    const [a, b] = [PatchedMap.#partsOf(one), PatchedMap.#partsOf(other)];
    return a.base === b.base ? new Set([...a.patch.keys(), ...b.patch.keys()]) : undefined;
  }

  static #partsOf<K, V extends object | string>(
    map: ReadonlyMap<K, V>,
  ): { readonly base: ReadonlyMap<K, V>; readonly patch: ReadonlyMap<K, V | undefined> } {
    if (!(map instanceof PatchedMap)) return { base: map, patch: new Map() };
    const patched = map as PatchedMap<K, V>;
    return { base: patched.#base, patch: patched.#patch };
  }

  get(key: K): V | undefined {
    return this.#patch.has(key) ? this.#patch.get(key) : this.#base.get(key);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[K, V]> {
    for (const entry of this.#base) if (!this.#patch.has(entry[0])) yield entry;
    for (const [key, value] of this.#patch) if (value !== undefined) yield [key, value];
  }

  *keys(): MapIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(each: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this);
  }
}
