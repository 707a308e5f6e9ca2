/** What left a list and what came, in list order. */
export interface ChangedMiddle<T> {
  readonly removed: readonly T[];
  readonly added: readonly T[];
}

/**
 * The difference of two lists that mostly agree at both ends, by identity. What stands between two changes is in both
 * parts.
 */
export function changedMiddle<T>(before: readonly T[], after: readonly T[]): ChangedMiddle<T> {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return { removed: before.slice(start, before.length - end), added: after.slice(start, after.length - end) };
}
