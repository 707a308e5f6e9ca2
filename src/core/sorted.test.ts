import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exchanged, placeIn } from './sorted.ts';

test('the place is behind all that come before, and before all others', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9)), fc.nat(10), (items, item) => {
      const sorted = items.toSorted((a, b) => a - b);
      expect(placeIn(sorted, (each) => each < item)).toBe(sorted.filter((each) => each < item).length);
    }),
  );
});

test('what stands together in a sorted list is exchanged for what belongs there', () => {
  const byValue = (a: number, b: number): number => a - b;
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(30)),
      fc.uniqueArray(fc.nat(30)),
      fc.nat(30),
      fc.nat(30),
      (list, others, one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const within = (item: number): boolean => item >= from && item <= to;
        const sorted = list.toSorted(byValue);
        const come = others.filter(within).toSorted(byValue);
        const after = exchanged(sorted, sorted.filter(within), come, byValue);
        expect(after).toEqual([...list.filter((item) => !within(item)), ...come].sort(byValue));
      },
    ),
  );
});
