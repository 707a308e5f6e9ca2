import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changedMiddle, withMiddle } from './changed-middle.ts';

const items = fc.array(fc.nat(3), { maxLength: 8 });

describe('the difference of two lists', () => {
  test('put into the first gives the second', () => {
    fc.assert(
      fc.property(items, items, (before, after) => {
        const { start, removed, added } = changedMiddle(before, after);
        expect(before.toSpliced(start, removed.length, ...added)).toEqual(after);
      }),
    );
  });

  test('is that of the change a list was made by', () => {
    fc.assert(
      fc.property(items, fc.nat(8), fc.nat(8), items, (list, start, count, added) => {
        const at = Math.min(start, list.length);
        const after = withMiddle(list, at, count, added);
        expect(after).toEqual(list.toSpliced(at, count, ...added));
        const change = changedMiddle(list, after);
        expect(list.toSpliced(change.start, change.removed.length, ...change.added)).toEqual(after);
      }),
    );
  });

  test('is found by looking when changes came between', () => {
    const first = [1, 2, 3];
    const second = withMiddle(first, 0, 1, [7]);
    const third = withMiddle(second, 2, 1, [8, 9]);
    expect(third).toEqual([7, 2, 8, 9]);
    expect(changedMiddle(first, third)).toEqual({ start: 0, removed: [1, 2, 3], added: [7, 2, 8, 9] });
    expect(changedMiddle(second, third)).toEqual({ start: 2, removed: [3], added: [8, 9] });
  });
});

test('a change that makes no difference gives the very list', () => {
  const list = [1, 2, 3];
  expect(withMiddle(list, 1, 1, [2])).toBe(list);
  expect(withMiddle(list, 3, 0, [])).toBe(list);
});
