import { withMiddle } from '../core/changed-middle.ts';
import { compareMeta } from '../core/order.ts';
import type { ResourceRef } from '../core/problem.ts';
import { placeIn } from '../core/sorted.ts';

interface Named {
  readonly metadata: { readonly namespace: string; readonly name: string };
}

/** More changes than this are merged into the list in one pass; each of fewer finds its own place. */
const ONE_BY_ONE = 8;

/**
 * A list sorted by namespace and name after some of its objects were put in, exchanged or (undefined) taken out.
 * @returns the very list when it stays as it is
 */
export function mergeSorted<T extends Named>(
  list: readonly T[],
  changes: readonly (readonly [ResourceRef, T | undefined])[],
): readonly T[] {
  if (changes.length <= ONE_BY_ONE) {
    return changes.reduce((merged, [ref, object]) => withChange(merged, ref, object), list);
  }
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

function withChange<T extends Named>(
  list: readonly T[],
  ref: ResourceRef,
  object: T | undefined,
): readonly T[] {
  const at = placeIn(list, ({ metadata }) => compareMeta(metadata, ref) < 0);
  const present = list[at];
  const before = present && compareMeta(present.metadata, ref) === 0 ? present : undefined;
  return withMiddle(list, at, before ? 1 : 0, object ? [object] : []);
}
