/**
 * The same list without the room for sixteen more that V8 leaves behind `flatMap` and `filter`: 128 bytes, for lists that are
 * kept by the ten thousand.
 */
export function exactList<T>(list: readonly T[]): readonly T[] {
  return list.slice();
}
