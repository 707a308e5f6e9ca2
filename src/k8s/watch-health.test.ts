import { describe, expect, test } from 'vitest';
import { WatchHealth } from './watch-health.ts';

function listed(): WatchHealth {
  const health = new WatchHealth(['a', 'b']);
  health.listed('a');
  health.listed('b');
  return health;
}

describe('what was read through watches', () => {
  test('is known when every one was listed', () => {
    const health = new WatchHealth(['a', 'b']);
    health.listed('a');
    expect(health.isFresh(0)).toBe(false);
    health.listed('b');
    expect(health.isFresh(0)).toBe(true);
  });

  test('is in doubt as soon as one is broken, old after three seconds, and new again a little after it is open', () => {
    const health = listed();
    health.watching('a', false, 1_000);
    expect([health.isInDoubt(1_000), health.isFresh(4_000), health.isFresh(4_001)]).toEqual([
      true,
      true,
      false,
    ]);
    health.watching('a', true, 9_000);
    expect([health.isFresh(9_299), health.isFresh(9_300), health.isInDoubt(9_300)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test('a break that is mended soon makes nothing old', () => {
    const health = listed();
    health.watching('a', false, 1_000);
    health.watching('a', true, 3_000);
    expect([health.isFresh(3_000), health.isInDoubt(3_000)]).toEqual([true, false]);
  });

  test('what was written and does not come back: doubt first, then deaf', () => {
    const health = listed();
    health.wrote('2026-01-02T00:00:01.000000Z', 1_000);
    expect([health.isInDoubt(1_500), health.isInDoubt(1_501)]).toEqual([false, true]);
    health.wrote('2026-01-02T00:00:03.000000Z', 3_000); // the first one counts
    expect([health.isDeaf(4_000), health.isDeaf(4_001), health.isFresh(4_001)]).toEqual([false, true, false]);
    health.heard('2026-01-02T00:00:01.000000Z'); // not the last that was written
    expect(health.isDeaf(4_001)).toBe(true);
    health.heard('2026-01-02T00:00:03.000000Z');
    expect([health.isDeaf(4_001), health.isInDoubt(4_001)]).toEqual([false, false]);
  });

  test('what comes back before its write is answered is not waited for', () => {
    const health = listed();
    health.heard('2026-01-02T00:00:01.000000Z');
    health.wrote('2026-01-02T00:00:01.000000Z', 1_000);
    expect([health.isInDoubt(60_000), health.isDeaf(60_000)]).toEqual([false, false]);
  });

  test('watches begun anew tell nothing new before they are open', () => {
    const health = listed();
    health.wrote('1', 0);
    health.listenAgain(['a', 'b'], 3_001);
    expect([health.isDeaf(3_001), health.isFresh(3_001)]).toEqual([false, false]);
    health.watching('a', true, 3_100);
    expect(health.isFresh(3_500)).toBe(false);
    health.watching('b', true, 3_600);
    expect(health.isFresh(4_000)).toBe(true);
  });

  test('what cannot be written: doubt, and old after three seconds', () => {
    const health = listed();
    health.wrote(undefined, 1_000);
    expect([health.isInDoubt(1_000), health.isFresh(4_000), health.isFresh(4_001)]).toEqual([
      true,
      true,
      false,
    ]);
    health.wrote('1', 5_000);
    expect([health.isInDoubt(5_000), health.isFresh(5_000)]).toEqual([false, true]);
  });
});
