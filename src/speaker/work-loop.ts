import { setTimeout as delay } from 'node:timers/promises';

/** What one run of the work says of itself. */
export type WorkResult = 'done' | 'retry';

export interface WorkLoopOptions {
  /** Looks at the newest state and acts on it. It must not throw. */
  readonly work: () => Promise<WorkResult>;
  /** Wait before the nth retry in a row (n from 1). */
  readonly backoffMs: (attempt: number) => number;
  readonly signal: AbortSignal;
}

/**
 * Runs work on request: at once when idle, once more afterwards for whatever was asked for meanwhile, never two at a
 * time. A retry waits its turn even when requests keep coming, and then finds the newest state.
 */
export function createWorkLoop(options: WorkLoopOptions): { request: () => void; idle: () => Promise<void> } {
  let wanted = false;
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    let attempt = 0;
    while (wanted && !options.signal.aborted) {
      wanted = false;
      if ((await options.work()) === 'done') {
        attempt = 0;
        continue;
      }
      attempt += 1;
      wanted = true;
      // An abort ends the wait, and with it the loop.
      await delay(options.backoffMs(attempt), undefined, { signal: options.signal }).catch(() => undefined);
    }
  };
  const start = (): void => {
    running = run().finally(() => {
      running = undefined;
      // Asked for between the last look and here.
      if (wanted && !options.signal.aborted) start();
    });
  };
  return {
    request: () => {
      wanted = true;
      if (!running) start();
    },
    idle: async () => {
      while (running) await running;
    },
  };
}

/** 100 ms, doubled each time, at most 5 s, up to a quarter less so that nodes do not move in step. */
export function applyBackoffMs(attempt: number, random: () => number = Math.random): number {
  return Math.min(100 * 2 ** (attempt - 1), 5_000) * (1 - random() / 4);
}
