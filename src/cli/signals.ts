import { constants } from 'node:os';

/**
 * A signal that is aborted by the first SIGTERM or SIGINT; a second one ends the process at once.
 *
 * The handlers stay in place: execa's own ends the process as soon as it finds itself the only one.
 */
export function endOnSignals(): AbortSignal {
  const end = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (end.signal.aborted) process.exit(128 + constants.signals[name]);
      end.abort();
    });
  }
  return end.signal;
}
