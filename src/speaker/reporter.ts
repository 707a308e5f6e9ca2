import type { Logger } from 'pino';
import type { PublishReport, SpeakerReport } from './status-report.ts';

/** Status is for people and for later: it waits until nothing has happened for this long, */
const QUIET_MS = 1_000;
/** but never longer than this. */
const MAX_WAIT_MS = 10_000;

export interface Reporter {
  readonly request: () => void;
}

/**
 * Writes the node's status when things have come to rest; never in the way of a route. A status that cannot be written
 * is said once and tried again with the next change.
 */
export function createReporter(options: {
  readonly read: () => SpeakerReport | undefined;
  readonly publish: PublishReport;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Reporter {
  let timer: NodeJS.Timeout | undefined;
  let waitingSinceMs = 0;
  let failing = false;
  const report = (): void => {
    timer = undefined;
    const now = options.read();
    if (!now) return;
    try {
      options.publish(now);
      failing = false;
    } catch (error) {
      if (!failing) options.logger.warn({ err: error }, 'status cannot be written');
      failing = true;
    }
  };
  options.signal.addEventListener('abort', () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    report();
  });
  return {
    request: () => {
      if (options.signal.aborted) return;
      if (timer === undefined) waitingSinceMs = performance.now();
      clearTimeout(timer);
      const leftMs = waitingSinceMs + MAX_WAIT_MS - performance.now();
      timer = setTimeout(report, Math.max(0, Math.min(QUIET_MS, leftMs)));
    },
  };
}
