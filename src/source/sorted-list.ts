import { compareMeta } from '../core/order.ts';
import type { ResourceRef } from '../core/problem.ts';

interface Named {
  readonly metadata: { readonly namespace: string; readonly name: string };
}

/**
 * A list sorted by namespace and name after some of its objects were put in, exchanged or (undefined) taken out.
 * One pass over the list whatever the number of changes.
 * @returns the very list when it stays as it is
 */
export function mergeSorted<T extends Named>(
  list: readonly T[],
  changes: readonly (readonly [ResourceRef, T | undefined])[],
): readonly T[] {
  if (changes.length === 0) return list;
  const sorted = changes.toSorted(([a], [b]) => compareMeta(a, b));
  const merged: T[] = [];
  let changed = false;
  let at = 0;
  for (const [ref, object] of sorted) {
    for (let next = list[at]; next && compareMeta(next.metadata, ref) < 0; next = list[at]) {
      merged.push(next);
      at += 1;
    }
    const present = list[at];
    const before = present && compareMeta(present.metadata, ref) === 0 ? present : undefined;
    if (before) at += 1;
    if (object) merged.push(object);
    changed ||= object !== before;
  }
  if (!changed) return list;
  return at < list.length ? merged.concat(list.slice(at)) : merged;
}
