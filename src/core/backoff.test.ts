import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test.each([
  { attempt: 1, random: 0, want: 100 },
  { attempt: 2, random: 0, want: 200 },
  { attempt: 3, random: 0.5, want: 350 },
  { attempt: 7, random: 0, want: 5_000 },
  { attempt: 5_000, random: 0, want: 5_000 },
  { attempt: 7, random: 0.999_9, want: 3_750.125 },
])('attempt $attempt waits $want ms', ({ attempt, random, want }) => {
  expect(backoffMs(attempt, { firstMs: 100, mostMs: 5_000 }, random)).toBeCloseTo(want, 5);
});
