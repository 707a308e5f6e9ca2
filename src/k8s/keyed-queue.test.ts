import { expect, test, vi } from 'vitest';
import { atEnd } from '../../test/support/index.ts';
import { AGAIN, createKeyedQueue, DONE, type KeyedQueueOptions, type KeyResult } from './keyed-queue.ts';

function queue(options: Partial<KeyedQueueOptions> & Pick<KeyedQueueOptions, 'work'>): {
  readonly queue: ReturnType<typeof createKeyedQueue>;
  readonly end: () => void;
} {
  const controller = new AbortController();
  const end = (): void => {
    controller.abort();
  };
  atEnd(() => {
    end();
    return Promise.resolve();
  });
  const created = createKeyedQueue({
    concurrency: 1,
    backoff: { firstMs: 5, mostMs: 20 },
    signal: controller.signal,
    random: () => 0,
    ...options,
  });
  return { queue: created, end };
}

test('works on each key once, in order, however often it is asked for before its turn', async () => {
  const seen: string[] = [];
  const { queue: q } = queue({
    work: async (key) => {
      await Promise.resolve();
      seen.push(key);
      return DONE;
    },
  });
  for (const key of ['a', 'b', 'b', 'c', 'b']) q.add(key);
  await q.idle();
  expect(seen).toEqual(['a', 'b', 'c']);
});

test('never twice at once on the same key; asked for meanwhile, it has one more turn', async () => {
  let running = 0;
  let turns = 0;
  const { queue: q } = queue({
    concurrency: 4,
    work: async () => {
      running += 1;
      expect(running).toBe(1);
      if (turns === 0) for (let count = 0; count < 3; count += 1) q.add('a');
      turns += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return DONE;
    },
  });
  q.add('a');
  await q.idle();
  expect(turns).toBe(2);
});

test('several keys at once, up to the limit', async () => {
  let running = 0;
  let most = 0;
  const { queue: q } = queue({
    concurrency: 3,
    work: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      return DONE;
    },
  });
  for (let count = 0; count < 10; count += 1) q.add(String(count));
  await q.idle();
  expect(most).toBe(3);
});

test('what fails is tried again, later each time, and does not hold up others', async () => {
  const at: number[] = [];
  const others: string[] = [];
  const { queue: q } = queue({
    work: (key): Promise<KeyResult> => {
      if (key !== 'bad') others.push(key);
      else at.push(performance.now());
      return Promise.resolve(key === 'bad' && at.length < 4 ? { kind: 'retry', afterMs: 0 } : DONE);
    },
  });
  q.add('bad');
  q.add('good');
  await vi.waitFor(() => {
    expect(others).toEqual(['good']);
  });
  await q.idle();
  const waits = at.slice(1).map((time, index) => time - (at[index] ?? 0));
  expect(waits).toHaveLength(3);
  expect(waits[0]).toBeGreaterThanOrEqual(4);
  expect(waits[2]).toBeGreaterThanOrEqual(18);
});

test('what fails waits however often it is asked for, also while it is being worked on', async () => {
  const at: number[] = [];
  const { queue: q } = queue({
    work: async (): Promise<KeyResult> => {
      at.push(performance.now());
      if (at.length === 3) return DONE;
      q.add('a');
      await Promise.resolve();
      q.add('a');
      return { kind: 'retry', afterMs: 20 };
    },
  });
  q.add('a');
  setTimeout(() => {
    q.add('a');
  }, 10);
  await vi.waitFor(() => {
    expect(at.length).toBeGreaterThanOrEqual(3);
  });
  expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(19);
  expect((at[2] ?? 0) - (at[1] ?? 0)).toBeGreaterThanOrEqual(19);
});

test('hurry ends the wait of what failed, and only of that', async () => {
  const seen: string[] = [];
  const { queue: q, end } = queue({
    work: (key): Promise<KeyResult> => {
      seen.push(key);
      return Promise.resolve({ kind: 'retry', afterMs: 60_000 });
    },
  });
  q.add('a');
  q.add('b');
  await vi.waitFor(() => {
    expect(seen).toEqual(['a', 'b']);
  });
  q.hurry('b');
  await vi.waitFor(() => {
    expect(seen).toEqual(['a', 'b', 'b']);
  });
  expect(q.size()).toBe(2);
  end();
  await q.idle();
});

test('what was tried and is wanted no more is tried again at once', async () => {
  let tries = 0;
  const { queue: q } = queue({
    backoff: { firstMs: 60_000, mostMs: 60_000 },
    work: () => {
      tries += 1;
      return Promise.resolve(tries < 3 ? AGAIN : DONE);
    },
  });
  q.add('a');
  await q.idle();
  expect(tries).toBe(3);
});

test('keeps its pace', async () => {
  const at: number[] = [];
  const { queue: q } = queue({
    paceMs: 10,
    work: () => {
      at.push(performance.now());
      return Promise.resolve(DONE);
    },
  });
  for (let count = 0; count < 4; count += 1) q.add(String(count));
  await q.idle();
  expect((at[3] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(28);
});

test('begins at random after a rest, and what comes meanwhile with it', async () => {
  const seen: { readonly key: string; readonly afterMs: number }[] = [];
  let startedAt = performance.now();
  const { queue: q } = queue({
    spreadMs: () => 80,
    random: () => 0.5,
    work: (key) => {
      seen.push({ key, afterMs: performance.now() - startedAt });
      return Promise.resolve(DONE);
    },
  });
  q.add('a');
  await new Promise((resolve) => setTimeout(resolve, 20));
  q.add('b');
  await q.idle();
  expect(seen.map(({ key }) => key)).toEqual(['a', 'b']);
  for (const { afterMs } of seen) expect(afterMs).toBeGreaterThanOrEqual(39);
  startedAt = performance.now();
  q.add('c');
  await q.idle();
  expect(seen.at(-1)).toMatchObject({ key: 'c' });
  expect(seen.at(-1)?.afterMs).toBeGreaterThanOrEqual(39);
});

test('ends with its signal: what waits is dropped, what runs is awaited', async () => {
  let finish: (() => void) | undefined;
  const done: string[] = [];
  const { queue: q, end } = queue({
    work: async (key) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      done.push(key);
      return DONE;
    },
  });
  q.add('a');
  q.add('b');
  end();
  const idle = q.idle();
  finish?.();
  await idle;
  expect(done).toEqual(['a']);
  expect(q.size()).toBe(0);
});
