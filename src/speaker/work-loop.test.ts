import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { applyBackoffMs, createWorkLoop, type WorkResult } from './work-loop.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Work that ends when told to, with the result told. */
function manualWork(): {
  readonly work: () => Promise<WorkResult>;
  readonly end: (result: WorkResult) => Promise<void>;
  readonly runs: () => number;
} {
  let runs = 0;
  let finish: ((result: WorkResult) => void) | undefined;
  return {
    work: () => {
      if (finish) throw new Error('two at a time');
      runs += 1;
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
    end: async (result) => {
      const settle = finish;
      finish = undefined;
      settle?.(result);
      await vi.advanceTimersByTimeAsync(0);
    },
    runs: () => runs,
  };
}

function loopOf(
  work: () => Promise<WorkResult>,
  signal = new AbortController().signal,
): ReturnType<typeof createWorkLoop> {
  return createWorkLoop({ work, backoffMs: (attempt) => attempt * 1_000, signal });
}

describe('a work loop', () => {
  test('works at once when idle, and not before it is asked', async () => {
    const manual = manualWork();
    const loop = loopOf(manual.work);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(manual.runs()).toBe(0);
    loop.request();
    expect(manual.runs()).toBe(1);
    await manual.end('done');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(manual.runs()).toBe(1);
  });

  test('works once more for all that was asked for meanwhile', async () => {
    const manual = manualWork();
    const loop = loopOf(manual.work);
    loop.request();
    loop.request();
    loop.request();
    await manual.end('done');
    expect(manual.runs()).toBe(2);
    await manual.end('done');
    expect(manual.runs()).toBe(2);
  });

  test('waits longer before each retry in a row, whatever is asked for', async () => {
    const manual = manualWork();
    const loop = loopOf(manual.work);
    loop.request();
    await manual.end('retry');
    loop.request();
    await vi.advanceTimersByTimeAsync(999);
    expect(manual.runs()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(manual.runs()).toBe(2);
    await manual.end('retry');
    await vi.advanceTimersByTimeAsync(1_999);
    expect(manual.runs()).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(manual.runs()).toBe(3);
    await manual.end('done');
    loop.request();
    expect(manual.runs()).toBe(4);
    await manual.end('retry');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(manual.runs()).toBe(5);
  });

  test('hurried, it does not wait, and its next waits are short again', async () => {
    const manual = manualWork();
    const loop = loopOf(manual.work);
    loop.request();
    await manual.end('retry');
    await vi.advanceTimersByTimeAsync(1_000);
    await manual.end('retry');
    expect(manual.runs()).toBe(2);
    loop.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(manual.runs()).toBe(3);
    await manual.end('retry');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(manual.runs()).toBe(4);
  });

  test('ends with its signal: during work, during a wait, and for good', async () => {
    const abort = new AbortController();
    const manual = manualWork();
    const loop = loopOf(manual.work, abort.signal);
    loop.request();
    await manual.end('retry');
    abort.abort();
    await loop.idle();
    loop.request();
    loop.hurry();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(manual.runs()).toBe(1);
  });

  test('is idle when the work asked for is done', async () => {
    const manual = manualWork();
    const loop = loopOf(manual.work);
    await loop.idle();
    loop.request();
    let idle = false;
    const settled = loop.idle().then(() => {
      idle = true;
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(idle).toBe(false);
    await manual.end('done');
    await settled;
    expect(idle).toBe(true);
  });
});

test.each([
  [1, 100],
  [2, 200],
  [6, 3_200],
  [7, 5_000],
  [5_000, 5_000],
])('retry %i waits %i ms, up to a quarter less', (attempt, ms) => {
  expect(applyBackoffMs(attempt, () => 0)).toBe(ms);
  expect(applyBackoffMs(attempt, () => 1)).toBe(ms * 0.75);
});
