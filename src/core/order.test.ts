import fc from 'fast-check';
import { expect, test } from 'vitest';
import { objectKey } from './problem.ts';
import { compareKey, compareMeta } from './order.ts';

/** Signs of names, among them the ones before and behind the slash of a key. */
const name = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '0'), minLength: 1, maxLength: 3 });
const meta = fc.record({ namespace: name, name });

test('keys have the order of their objects', () => {
  fc.assert(
    fc.property(meta, meta, (a, b) => {
      expect(compareKey(objectKey(a), objectKey(b))).toBe(compareMeta(a, b));
    }),
  );
  expect(compareKey('a-b/x', 'a/y')).toBe(1);
});
