import type { Logger } from 'pino';
import { watchFlatFolder, type StatusStore } from '../source/index.ts';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

/**
 * Puts the store on disk when asked, at once, and again with a back-off when that fails. What somebody else changes or
 * deletes in the status folder is put back.
 */
export function createStatusWriter(options: {
  readonly store: StatusStore;
  readonly folder: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onFailure: () => void;
}): { readonly flush: () => void; readonly guard: () => void } {
  const { store, folder, logger, signal } = options;
  let retryMs = FIRST_RETRY_MS;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    try {
      const files = store.flush();
      if (files > 0) logger.debug({ files }, 'statuses written');
      if (retryMs !== FIRST_RETRY_MS) logger.info('statuses can be written again');
      retryMs = FIRST_RETRY_MS;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      if (retryMs === FIRST_RETRY_MS) logger.error({ err: error, folder }, 'statuses cannot be written, trying again');
      options.onFailure();
      if (signal.aborted) return;
      timer = setTimeout(flush, retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    }
  };
  signal.addEventListener('abort', () => {
    if (timer) flush();
    clearTimeout(timer);
  });
  return {
    flush,
    /** From now on; before that, the files are those of an earlier run. */
    guard: () => {
      watchFlatFolder({
        folder,
        onTouched: () => {
          store.checkFiles();
          if (timer === undefined || retryMs === FIRST_RETRY_MS) flush();
        },
        logger,
        signal,
      });
    },
  };
}
