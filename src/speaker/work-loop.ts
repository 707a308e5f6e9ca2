import { backoffMs } from '../core/backoff.ts';

/** What one run of the work says of itself. */
export type WorkResult = 'done' | 'retry';

export interface WorkLoopOptions {
  /** Looks at the newest state and acts on it. It must not throw. */
  readonly work: () => Promise<WorkResult>;
  /** Wait before the nth retry in a row (n from 1). */
  readonly backoffMs: (attempt: number) => number;
  readonly signal: AbortSignal;
}

export interface WorkLoop {
  /** The state has changed. */
  readonly request: () => void;
  /** The cause of the last failure may be gone: the wait for the next try ends, and later waits begin short again. */
  readonly hurry: () => void;
  /** Settles when nothing runs and nothing is asked for. */
  readonly idle: () => Promise<void>;
}

/**
 * Runs work on request: at once when idle, once more afterwards for whatever was asked for meanwhile, never two at a
 * time. A retry waits its turn even when requests keep coming, and then finds the newest state.
 */
export function createWorkLoop(options: WorkLoopOptions): WorkLoop {
  let wanted = false;
  let running: Promise<void> | undefined;
  let attempt = 0;
  let endWait: (() => void) | undefined;

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        options.signal.removeEventListener('abort', end);
        endWait = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      endWait = end;
      options.signal.addEventListener('abort', end);
      if (options.signal.aborted) end();
    });

  const run = async (): Promise<void> => {
    while (wanted && !options.signal.aborted) {
      wanted = false;
      if ((await options.work()) === 'done') {
        attempt = 0;
        continue;
      }
      attempt += 1;
      wanted = true;
      await wait(options.backoffMs(attempt));
    }
  };
  const start = (): void => {
    running = run().finally(() => {
      running = undefined;
      // Asked for between the last look and here.
      if (wanted && !options.signal.aborted) start();
    });
  };
  const request = (): void => {
    wanted = true;
    if (!running && !options.signal.aborted) start();
  };
  return {
    request,
    hurry: () => {
      attempt = 0;
      endWait?.();
      request();
    },
    idle: async () => {
      while (running) await running;
    },
  };
}

const APPLY_BACKOFF = { firstMs: 100, mostMs: 5_000 };

/** The wait before the nth try in a row to bring FRR to its configuration. */
export function applyBackoffMs(attempt: number, random: () => number = Math.random): number {
  return backoffMs(attempt, APPLY_BACKOFF, random());
}
