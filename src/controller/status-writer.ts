import { watchFlatFolder, type StatusStore } from '../source/index.ts';
import type { Logger } from '../telemetry/index.ts';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** Two controllers on one folder put back each other's statuses: not more often than this. */
const PUT_BACK_MS = 1_000;

/**
 * Puts the store on disk when asked, at once, and again with a back-off while that fails. What somebody else changes or
 * deletes in the status folder afterwards is put back.
 */
export function createStatusWriter(options: {
  readonly store: StatusStore;
  readonly folder: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onFailure: () => void;
}): { readonly flush: () => void } {
  const { store, folder, logger, signal } = options;
  let retry: { readonly timer: NodeJS.Timeout; readonly ms: number } | undefined;

  const write = (): void => {
    const ms = retry ? Math.min(retry.ms * 2, LAST_RETRY_MS) : FIRST_RETRY_MS;
    clearTimeout(retry?.timer);
    try {
      const files = store.flush();
      if (files > 0) logger.debug({ files }, 'statuses written');
      if (retry) logger.info('statuses can be written again');
      retry = undefined;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      if (!retry) logger.error({ err: error, folder }, 'statuses cannot be written, trying again');
      options.onFailure();
      if (!signal.aborted) retry = { timer: setTimeout(write, ms), ms };
    }
  };
  const flush = (): void => {
    if (!retry) write(); // otherwise the back-off decides when
  };
  let putBackAt = -Infinity;
  let later: NodeJS.Timeout | undefined;
  const putBack = (): void => {
    const wait = putBackAt + PUT_BACK_MS - performance.now();
    if (wait > 0) {
      later ??= setTimeout(() => {
        later = undefined;
        putBack();
      }, wait);
      return;
    }
    const files = store.checkFiles();
    if (files.length === 0) return;
    putBackAt = performance.now();
    logger.warn({ files }, 'statuses were changed or deleted by somebody else, putting them back');
    flush();
  };
  watchFlatFolder({ folder, onTouched: putBack, logger, signal });
  signal.addEventListener('abort', () => {
    clearTimeout(later);
    if (retry) write();
  });
  return { flush };
}
