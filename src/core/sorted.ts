import { withMiddle } from './changed-middle.ts';

/** Where the items of a sorted list begin of which `isBefore` is not true; its length when it is true of all. O(log n). */
export function placeIn<T>(sorted: readonly T[], isBefore: (item: T) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && isBefore(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * A sorted list in which `come` has taken the place of `gone`. Each of the two is sorted as all are, and nothing else of the
 * list stands between what they begin and end with.
 */
export function exchanged<T>(
  sorted: readonly T[],
  gone: readonly T[],
  come: readonly T[],
  compare: (a: T, b: T) => number,
): readonly T[] {
  const [first] = [...gone.slice(0, 1), ...come.slice(0, 1)].sort(compare);
  if (first === undefined) return sorted;
  const at = placeIn(sorted, (item) => compare(item, first) < 0);
  return withMiddle(sorted, at, gone.length, come);
}
