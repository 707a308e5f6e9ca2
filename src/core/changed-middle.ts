/** What left a list and what came, in list order. */
export interface ChangedMiddle<T> {
  /** Where both parts begin. */
  readonly start: number;
  readonly removed: readonly T[];
  readonly added: readonly T[];
}

/**
 * The difference of two lists that mostly agree at both ends, by identity. What stands between two changes is in both
 * parts.
 */
export function changedMiddle<T>(before: readonly T[], after: readonly T[]): ChangedMiddle<T> {
  if (before === after) return { start: before.length, removed: [], added: [] };
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
