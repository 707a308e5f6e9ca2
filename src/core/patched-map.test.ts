import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PatchedMap } from './patched-map.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const key = fc.constantFrom(...KEYS);
const change = fc.tuple(key, fc.option(fc.constantFrom('1', '2', '3'), { nil: undefined }));
const changes = fc.array(change, { maxLength: 5 });

/** A Map to which all that has been done. */
function changed(map: ReadonlyMap<string, string>, edits: Iterable<readonly [string, string | undefined]>) {
  const copy = new Map(map);
  for (const [at, value] of edits) {
    if (value === undefined) copy.delete(at);
    else copy.set(at, value);
  }
  return copy;
}

describe('a map made from another', () => {
  test('has what a copy would have, however often it is changed', () => {
    fc.assert(
      fc.property(fc.array(changes), (rounds) => {
        const first = new Map([
          ['a', '0'],
          ['b', '0'],
        ]);
        let wanted: ReadonlyMap<string, string> = first;
        let map: ReadonlyMap<string, string> = first;
        for (const edits of rounds) {
          wanted = changed(wanted, edits);
          map = PatchedMap.from(map, edits);
          expect(map.size).toBe(wanted.size);
          expect(new Map(map)).toEqual(wanted);
          expect(new Set(map.keys())).toEqual(new Set(wanted.keys()));
          expect([...map.values()].sort()).toEqual([...wanted.values()].sort());
          for (const each of KEYS) {
            expect(map.get(each)).toBe(wanted.get(each));
            expect(map.has(each)).toBe(wanted.has(each));
          }
        }
        expect(first).toEqual(
          new Map([
            ['a', '0'],
            ['b', '0'],
          ]),
        );
      }),
    );
  });

  test('and again when so much is another that all is copied', () => {
    let map: ReadonlyMap<string, string> = new Map([['first', '0']]);
    for (let at = 0; at < 200; at += 1) map = PatchedMap.from(map, [[`key ${at}`, '1']]);
    expect(map.size).toBe(201);
    expect(map.get('key 7')).toBe('1');
    expect([...map]).toHaveLength(201);
  });
});

describe('what two maps may differ in', () => {
  test('is among what was changed, when one was made from the other', () => {
    fc.assert(
      fc.property(changes, changes, (some, others) => {
        const first = new Map([
          ['a', '0'],
          ['b', '0'],
        ]);
        const [one, other] = [PatchedMap.from(first, some), PatchedMap.from(first, others)];
        const keys = new Set(PatchedMap.unlike(one, other));
        for (const each of KEYS) if (one.get(each) !== other.get(each)) expect(keys).toContain(each);
        expect(keys.size).toBeLessThanOrEqual(some.length + others.length);
      }),
    );
  });

  test('is nothing of the same map, and anything of two that have nothing to do with each other', () => {
    const map = new Map([['a', '0']]);
    expect([...(PatchedMap.unlike(map, map) ?? ['anything'])]).toEqual([]);
    expect(PatchedMap.unlike(map, new Map(map))).toBeUndefined();
  });
});
