import { describe, expect, test } from 'vitest';
import {
  anySelectorMatches,
  selectorMatches,
  selectorText,
  type LabelRequirement,
  type LabelSelector,
} from './selector.ts';

const selector = (
  matchLabels: Record<string, string>,
  ...matchExpressions: LabelRequirement[]
): LabelSelector => ({
  matchLabels,
  matchExpressions,
});

const LABELS = { rack: 'a', role: '', 'example.com/x': 'y' };

describe('selectorMatches', () => {
  test.each([
    { of: selector({}), want: true },
    { of: selector({ rack: 'a' }), want: true },
    { of: selector({ rack: 'b' }), want: false },
    { of: selector({ rack: 'a', 'example.com/x': 'y' }), want: true },
    { of: selector({ rack: 'a', absent: '' }), want: false },
    { of: selector({ role: '' }), want: true },
    { of: selector({}, { key: 'rack', operator: 'In', values: ['b', 'a'] }), want: true },
    { of: selector({}, { key: 'absent', operator: 'In', values: [''] }), want: false },
    { of: selector({}, { key: 'rack', operator: 'NotIn', values: ['a'] }), want: false },
    { of: selector({}, { key: 'absent', operator: 'NotIn', values: ['a'] }), want: true },
    { of: selector({}, { key: 'role', operator: 'Exists' }), want: true },
    { of: selector({}, { key: 'absent', operator: 'Exists' }), want: false },
    { of: selector({}, { key: 'role', operator: 'DoesNotExist' }), want: false },
    { of: selector({}, { key: 'absent', operator: 'DoesNotExist' }), want: true },
    { of: selector({ rack: 'a' }, { key: 'role', operator: 'DoesNotExist' }), want: false },
    { of: selector({}, { key: 'constructor', operator: 'Exists' }), want: false },
    { of: selector({}, { key: 'toString', operator: 'DoesNotExist' }), want: true },
  ])('$of: $want', ({ of, want }) => {
    expect(selectorMatches(of, LABELS)).toBe(want);
  });
});

test('a list is an OR, and an empty one matches everything', () => {
  expect(anySelectorMatches([], LABELS)).toBe(true);
  expect(anySelectorMatches([selector({ rack: 'b' }), selector({ rack: 'a' })], LABELS)).toBe(true);
  expect(anySelectorMatches([selector({ rack: 'b' })], LABELS)).toBe(false);
});

test('selectorText is the same for another order, and for nothing else', () => {
  const one = selector(
    { a: '1', b: '2' },
    { key: 'c', operator: 'In', values: ['x', 'y'] },
    { key: 'd', operator: 'Exists' },
  );
  const same = selector(
    { b: '2', a: '1' },
    { key: 'd', operator: 'Exists' },
    { key: 'c', operator: 'In', values: ['y', 'x'] },
  );
  expect(selectorText(same)).toBe(selectorText(one));
  const others = [
    selector({}),
    selector({ a: '1' }),
    selector({}, { key: 'a', operator: 'In', values: ['1'] }),
    selector({}, { key: 'a', operator: 'NotIn', values: ['1'] }),
    selector({}, { key: 'a', operator: 'In', values: ['1', '2'] }),
    selector({}, { key: 'a', operator: 'Exists' }),
  ];
  expect(new Set(others.map(selectorText)).size).toBe(others.length);
});
