import { metaOfKey } from './problem.ts';

/** Total orderings. Whatever comes out of a Map or a list call is sorted with one of these before it is output. */

/** By UTF-16 code unit, the same on every machine and in every locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Namespace first, then name. */
export function compareMeta(
  a: { readonly namespace: string; readonly name: string },
  b: { readonly namespace: string; readonly name: string },
): number {
  return compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

/** Of keys `namespace/name`: the order that {@link compareMeta} gives to their objects. */
export function compareKey(a: string, b: string): number {
  return compareMeta(metaOfKey(a), metaOfKey(b));
}

/** For `sort`: orders by the text that `key` gives. */
export function byText<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => compareText(key(a), key(b));
}
