/** What left a list and what came, in list order. */
export interface ChangedMiddle<T> {
  /** Where both parts begin. */
  readonly start: number;
  readonly removed: readonly T[];
  readonly added: readonly T[];
}

/** More are not passed one by one: arguments lie on the stack. */
const MOST_ARGUMENTS = 1_000;

/** Of a list that {@link withMiddle} made: from which one, and what was changed. Gone with the list. */
const made = new WeakMap<
  readonly unknown[],
  { readonly from: readonly unknown[]; readonly change: ChangedMiddle<unknown> }
>();

/**
 * The difference of two lists that mostly agree at both ends, by identity. What stands between two changes is in both
 * parts. Of a list that {@link withMiddle} made from the other it is known without a look at them.
 */
export function changedMiddle<T>(before: readonly T[], after: readonly T[]): ChangedMiddle<T> {
  if (before === after) return { start: before.length, removed: [], added: [] };
  const known = made.get(after);
  if (known?.from === before) return known.change as ChangedMiddle<T>;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let [from, to] = [before.length, after.length];
  while (from > start && to > start && before[from - 1] === after[to - 1]) {
    from -= 1;
    to -= 1;
  }
  return { start, removed: before.slice(start, from), added: after.slice(start, to) };
}

/**
 * A list with `added` in the place of the `count` items from `start` on, however many there are; the very list when that
 * makes no difference.
 */
export function withMiddle<T>(
  list: readonly T[],
  start: number,
  count: number,
  added: readonly T[],
): readonly T[] {
  const removed = list.slice(start, start + count);
  if (removed.length === added.length && removed.every((item, index) => item === added[index])) return list;
  const after =
    added.length > MOST_ARGUMENTS
      ? list.slice(0, start).concat(added, list.slice(start + count))
      : list.toSpliced(start, count, ...added);
  made.set(after, { from: list, change: { start, removed, added } });
  // Else each list would keep all that were before it.
  made.delete(list);
  return after;
}
