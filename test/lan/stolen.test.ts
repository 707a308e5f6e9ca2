import { expect, test } from 'vitest';
import { mostStolen, stolenMs } from './stolen.ts';

test('each CPU of this machine is told of, and it only grows', async () => {
  const before = await stolenMs();
  const after = await stolenMs();
  expect(before.length).toBeGreaterThan(0);
  expect(after.map((ms, cpu) => ms >= (before[cpu] ?? NaN))).toEqual(before.map(() => true));
});

test('what counts is the CPU that lost the most', () => {
  expect(mostStolen([100, 2_000], [160, 2_010])).toBe(60);
  expect(mostStolen([100], [100])).toBe(0);
  // One that came while nobody looked has lost nothing that is known.
  expect(mostStolen([100], [100, 5_000])).toBe(0);
});
