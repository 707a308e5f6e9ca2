import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';

test('gives the value of the first attempt that succeeds', async () => {
  let tries = 0;
  const value = await eventually(
    () => {
      tries += 1;
      if (tries < 3) throw new Error('not yet');
      return `after ${tries}`;
    },
    { intervalMs: 1 },
  );
  expect(value).toBe('after 3');
});

test('gives up after the bound with the last reason', async () => {
  let tries = 0;
  const attempt = eventually(
    () => {
      tries += 1;
      throw new Error(`reason ${tries}`);
    },
    { timeoutMs: 20, intervalMs: 1 },
  );
  await expect(attempt).rejects.toThrow(/^not so after 20 ms of trying: reason \d+$/);
  expect(tries).toBeGreaterThan(1);
});
