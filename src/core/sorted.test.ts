import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeIn } from './sorted.ts';

test('the place is behind all that come before, and before all others', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9)), fc.nat(10), (items, item) => {
      const sorted = items.toSorted((a, b) => a - b);
      expect(placeIn(sorted, (each) => each < item)).toBe(sorted.filter((each) => each < item).length);
    }),
  );
});
