import type { Logger } from 'pino';
import { serviceStatusObjects, speakerStatusObjects, type SpeakerReport } from './status-report.ts';

/** Status is for people and for later: it waits until the routes are out, and is written at most this often. */
const QUIET_MS = 1_000;

export interface Reporter {
  readonly request: () => void;
}

/**
 * Writes the node's status some time after it changed; never in the way of a route. A status that cannot be written is
 * said once and tried again with the next change.
 */
export function createReporter(options: {
  readonly read: () => SpeakerReport | undefined;
  readonly write: (name: string, objects: readonly object[]) => void;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Reporter {
  let timer: NodeJS.Timeout | undefined;
  let failing = false;
  const written = new Map<string, string>();

  const put = (name: string, objects: readonly object[]): void => {
    const text = JSON.stringify(objects);
    if (written.get(name) === text) return;
    options.write(name, objects);
    written.set(name, text);
  };
  const report = (): void => {
    timer = undefined;
    const now = options.read();
    if (!now) return;
    try {
      put(`speaker-${now.node}.yaml`, speakerStatusObjects(now));
      put(`announced-${now.node}.yaml`, serviceStatusObjects(now));
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
      if (!options.signal.aborted) timer ??= setTimeout(report, QUIET_MS);
    },
  };
}
