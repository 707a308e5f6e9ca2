/** Why something that was interrupted did not finish, with the exit status of its process (128 and the signal). */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

/** Runs something that SIGINT, SIGTERM and SIGHUP abort; it then cleans up before this throws. */
export async function interruptible<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  const listeners = Object.entries(signals).map(([name, exitCode]) => {
    const listener = (): void => {
      controller.abort(new Interrupted(exitCode));
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  try {
    return await action(controller.signal);
  } catch (error) {
    // Whatever the abort made fail, the interruption is the reason.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    for (const [name, listener] of listeners) process.off(name, listener);
  }
}
