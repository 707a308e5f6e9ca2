import { backoffMs, type Backoff } from '../core/backoff.ts';

/**
 * What became of one key: dealt with, to be tried again after at least `afterMs`, or, because what was tried is wanted no
 * more, to be tried at once.
 */
export type KeyResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'again' };

export const DONE: KeyResult = { kind: 'done' };
export const AGAIN: KeyResult = { kind: 'again' };

export interface KeyedQueueOptions {
  /** Brings what the key stands for to its newest state. It must not throw. */
  readonly work: (key: string) => Promise<KeyResult>;
  /** Keys worked on at once. */
  readonly concurrency: number;
  readonly backoff: Backoff;
  /** At least this long between two beginnings, on the average: 0 for no limit. */
  readonly paceMs?: number;
  /**
   * What comes after a rest begins within so long, at random: where many processes hear of the same change at the same moment,
   * they do not all write at once.
   */
  readonly spreadMs?: () => number;
  readonly signal: AbortSignal;
  readonly random?: () => number;
}

export interface KeyedQueue {
  /**
   * The key's state has changed. Asked for many times before its turn, it is worked on once; a key that failed and waits
   * for its next try goes on waiting.
   */
  readonly add: (key: string) => void;
  /** As `add`, and what made the key fail may be gone: its wait ends. */
  readonly hurry: (key: string) => void;
  /** Keys waiting, being worked on, or to be tried again. */
  readonly size: () => number;
  /** Settles when nothing is left, or the signal is aborted and nothing runs. */
  readonly idle: () => Promise<void>;
}

/**
 * Works on keys in the order in which they were added, several at once but never twice on the same one, and again with a
 * back-off of its own for each that failed. Its length is bounded by the number of different keys.
 */
export function createKeyedQueue(options: KeyedQueueOptions): KeyedQueue {
  const { work, concurrency, backoff, paceMs = 0, spreadMs, signal, random = Math.random } = options;
  const waiting = new Set<string>();
  const running = new Set<string>();
  /** Added while being worked on: to be worked on once more. */
  const again = new Set<string>();
  const retries = new Map<string, NodeJS.Timeout>();
  const failures = new Map<string, number>();
  let settle: (() => void)[] = [];
  let nextAt = 0;
  let pacer: NodeJS.Timeout | undefined;

  const size = (): number => waiting.size + running.size + retries.size;
  const checkIdle = (): void => {
    if (running.size > 0 || (size() > 0 && !signal.aborted)) return;
    for (const each of settle) each();
    settle = [];
  };
  const run = async (key: string): Promise<void> => {
    const result = await work(key);
    running.delete(key);
    if (result.kind === 'done') failures.delete(key);
    const wasAsked = again.delete(key);
    if (!signal.aborted) {
      // The newest state goes out with the next try: being asked meanwhile does not shorten the wait of what failed.
      if (result.kind === 'retry') retryLater(key, result.afterMs);
      else if (wasAsked || result.kind === 'again') waiting.add(key);
    }
    pump();
    checkIdle();
  };
  const retryLater = (key: string, afterMs: number): void => {
    const attempt = (failures.get(key) ?? 0) + 1;
    failures.set(key, attempt);
    const timer = setTimeout(
      () => {
        retries.delete(key);
        waiting.add(key);
        pump();
      },
      Math.max(afterMs, backoffMs(attempt, backoff, random())),
    );
    retries.set(key, timer);
  };
  const pump = (): void => {
    while (!signal.aborted && running.size < concurrency) {
      const [key] = waiting;
      if (key === undefined) return;
      const now = performance.now();
      if (now < nextAt) {
        pacer ??= setTimeout(() => {
          pacer = undefined;
          pump();
        }, nextAt - now);
        return;
      }
      nextAt = Math.max(now, nextAt) + paceMs;
      waiting.delete(key);
      running.add(key);
      void run(key);
    }
  };
  signal.addEventListener('abort', () => {
    clearTimeout(pacer);
    for (const timer of retries.values()) clearTimeout(timer);
    retries.clear();
    waiting.clear();
    checkIdle();
  });
  const add = (key: string): void => {
    if (signal.aborted) return;
    if (running.has(key)) {
      again.add(key);
      return;
    }
    if (retries.has(key)) return;
    if (spreadMs && size() === 0) nextAt = Math.max(nextAt, performance.now() + random() * spreadMs());
    waiting.add(key);
    pump();
  };
  return {
    add,
    hurry: (key) => {
      clearTimeout(retries.get(key));
      retries.delete(key);
      add(key);
    },
    size,
    idle: () =>
      new Promise((resolve) => {
        settle.push(resolve);
        checkIdle();
      }),
  };
}
