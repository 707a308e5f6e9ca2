/**
 * Which version of each object is used, when some cannot be used together. What is in use has the first claim; a
 * newcomer is an object or an edit that is not in use yet, and it has to fit.
 */

export interface Candidate<T> {
  readonly key: string;
  /** The newest version; absent when it cannot be used whatever else there is. */
  readonly current?: T;
  /** The version in use until now. */
  readonly last?: T;
  /** Whether `current` says the same as `last`. */
  readonly isUnchanged: boolean;
}

export interface Admission<T, Fault> {
  /** By key: the version to use. */
  readonly accepted: ReadonlyMap<string, T>;
  /** Newest versions that do not fit, with the reason. Where there was a last version, that one is in `accepted`. */
  readonly refused: ReadonlyMap<string, readonly Fault[]>;
}

/** Adds a newcomer to what is accepted so far, or says why it does not fit. */
export type TryAdd<T, Fault> = (newcomer: T, key: string) => readonly Fault[];

/**
 * Decides for all candidates at once. When an edit is refused, the version before it is in use again and may be in
 * the way of a newcomer that was accepted, so everything is decided anew with it among what is in use; each round
 * refuses at least one more edit, so the rounds end.
 * @param candidates in the order in which newcomers are heard
 * @param begin takes what is in use, which fits together because it did so until now
 */
export function admit<T, Fault>(
  candidates: readonly Candidate<T>[],
  begin: (inUse: ReadonlyMap<string, T>) => TryAdd<T, Fault>,
): Admission<T, Fault> {
  const fallenBack = new Map<string, readonly Fault[]>();
  for (;;) {
    const accepted = new Map<string, T>();
    const newcomers: { readonly key: string; readonly current: T; readonly hasLast: boolean }[] = [];
    for (const { key, current, last, isUnchanged } of candidates) {
      if (last !== undefined && (current === undefined || fallenBack.has(key))) accepted.set(key, last);
      else if (current !== undefined && isUnchanged) accepted.set(key, current);
      else if (current !== undefined) newcomers.push({ key, current, hasLast: last !== undefined });
    }
    const tryAdd = begin(accepted);
    const refused = new Map<string, readonly Fault[]>();
    let isSettled = true;
    for (const { key, current, hasLast } of newcomers) {
      const faults = tryAdd(current, key);
      if (faults.length === 0) accepted.set(key, current);
      else if (hasLast) {
        fallenBack.set(key, faults);
        isSettled = false;
      } else refused.set(key, faults);
    }
    if (isSettled) return { accepted, refused: new Map([...fallenBack, ...refused]) };
  }
}
