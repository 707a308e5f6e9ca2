import { placeIn } from '../core/sorted.ts';

/** Arrays kept in ascending order without duplicates. Searching costs O(log n); inserting and removing move memory once. */

/** Index of the first item that is not below `item`; the array's length when there is none. */
export function lowerBound<T>(items: readonly T[], item: T, compare: (a: T, b: T) => number): number {
  return placeIn(items, (at) => compare(at, item) < 0);
}

export function insertSorted<T>(items: T[], item: T, compare: (a: T, b: T) => number): void {
  const index = lowerBound(items, item, compare);
  const at = items[index];
  if (at !== undefined && compare(at, item) === 0) return;
  items.splice(index, 0, item);
}

export function removeSorted<T>(items: T[], item: T, compare: (a: T, b: T) => number): void {
  const index = lowerBound(items, item, compare);
  const at = items[index];
  if (at !== undefined && compare(at, item) === 0) items.splice(index, 1);
}
