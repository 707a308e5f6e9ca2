import { describe, expect, test } from 'vitest';
import { compare, ratiosOf } from './ratios.ts';

describe('what a row costs', () => {
  test('is the shortest of its times as a multiple of the shortest of the yardstick, of any look', () => {
    const looks = [
      { yardstickMs: 12, shortestMs: { render: 3, elect: 40 } },
      { yardstickMs: 10, shortestMs: { render: 4, elect: 20 } },
    ];
    expect(ratiosOf(looks)).toEqual({ render: 0.3, elect: 2 });
  });
});

describe('a row', () => {
  test.each([
    ['as noted is fine', 2, 2, false],
    ['that costs less is fine', 2, 1, false],
    ['that costs a quarter more is fine', 2, 2.5, false],
    ['that costs more than that is a step back', 2, 2.51, true],
  ])('%s', (_, noted, now, isStepBack) => {
    expect(compare({ render: noted }, { render: now })).toEqual([{ name: 'render', noted, now, isStepBack }]);
  });

  test('that is noted and not measured, or measured and not noted, is a step back: nothing is compared', () => {
    expect(compare({ gone: 1 }, { added: 2 })).toEqual([
      { name: 'gone', noted: 1, now: undefined, isStepBack: true },
      { name: 'added', noted: undefined, now: 2, isStepBack: true },
    ]);
  });
});
