import { formatProblem } from '../core/problem.ts';
import { folderSource, statusFolderOf, StatusStore, writeStatusObjects } from '../source/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { DecidedStatuses, OpenBackend } from './backend.ts';
import { controllerStatusObjects } from './report.ts';
import { createReporter } from './reporter.ts';
import { createStatusWriter } from './status-writer.ts';

const REPORT_FILE = 'controller.yaml';

/** A folder of manifests; statuses go to `.status/` in it, and Events to the log. */
export function folderBackend(options: {
  /** Folder or file of manifests. */
  readonly path: string;
  readonly namespace: string;
  readonly logger: Logger;
}): OpenBackend {
  const { path, namespace, logger } = options;
  return ({ signal, report, onFailure }) => {
    const folder = statusFolderOf(path);
    const store = new StatusStore(folder);
    for (const problem of store.load()) {
      logger.error({ problem: formatProblem(problem) }, 'status of an earlier run cannot be read');
    }
    logger.info({ source: path, adopted: store.all().length }, 'controller started');
    const writer = createStatusWriter({ store, folder, logger, signal, onFailure });
    const reporter = createReporter({
      write: () => {
        writeStatusObjects(folder, REPORT_FILE, controllerStatusObjects(report()));
      },
      logger,
      signal,
    });
    return {
      source: folderSource({ path, namespace, logger }),
      statuses: statusesIn(store),
      // There is no API server that would give a Service its cluster IPs.
      missingClusterIPs: 'fromSpec',
      flush: writer.flush,
      reportChanged: reporter.request,
      record: (service, { type, reason, message }) => {
        logger[type === 'Warning' ? 'warn' : 'info']({ service, reason, message }, 'event');
      },
      close: () => Promise.resolve(),
    };
  };
}

/** In files, what nobody says anything about and what is somebody else's are the same: there is no entry. */
export function statusesIn(store: StatusStore): DecidedStatuses {
  const remove = store.remove.bind(store);
  return {
    get: store.get.bind(store),
    all: store.all.bind(store),
    set: store.set.bind(store),
    clear: remove,
    forget: remove,
  };
}
