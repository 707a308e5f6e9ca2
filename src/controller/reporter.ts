import type { Logger } from '../telemetry/index.ts';

/** What is for people is written at most this often. */
const QUIET_MS = 1_000;

/**
 * Writes what the controller says of itself some time after it changed, never in the way of an address. A report that
 * cannot be written is said once and tried again with the next change.
 */
export function createReporter(options: {
  readonly write: () => void;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): { readonly request: () => void } {
  const { logger, signal } = options;
  let timer: NodeJS.Timeout | undefined;
  let failing = false;
  const write = (): void => {
    timer = undefined;
    try {
      options.write();
      failing = false;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      if (!failing) logger.warn({ err: error }, 'report cannot be written');
      failing = true;
    }
  };
  signal.addEventListener('abort', () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    write();
  });
  return {
    request: () => {
      if (!signal.aborted) timer ??= setTimeout(write, QUIET_MS);
    },
  };
}
