import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long to go on trying; 10,000 unless given. Generous: it is a bound, not an expectation. */
  readonly timeoutMs?: number;
  /** Pause between two tries; 20 unless given. */
  readonly intervalMs?: number;
}

/**
 * Tries until `attempt` neither throws nor rejects, and gives its value. What it throws last is the failure's cause, so
 * put the expectations inside: `await eventually(async () => { expect(await peers()).toEqual([...]); })`.
 */
export async function eventually<T>(
  attempt: () => Promise<T> | T,
  options: EventuallyOptions = {},
): Promise<T> {
  const { timeoutMs = 10_000, intervalMs = 20 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= deadline) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`not so after ${timeoutMs} ms of trying: ${reason}`, { cause: error });
      }
    }
    await delay(intervalMs);
  }
}
