import { setTimeout as delay } from 'node:timers/promises';
import { formatProblem, objectKey } from '../core/problem.ts';
import {
  folderSource,
  renderYaml,
  statusFolderOf,
  StatusStore,
  writeStatusFile,
  type SourceState,
} from '../source/index.ts';
import { createProblemLog, type Logger } from '../telemetry/index.ts';
import { createAllocation, type AllocationStep } from './allocation.ts';
import { controllerStatusObjects } from './status-report.ts';
import { statusOfDecision } from './status-of-decision.ts';

/** The folder of statuses is looked through this often for what somebody else changed in it. */
const CHECK_INTERVAL_MS = 30_000;
const RETRY_MS = { first: 100, most: 5_000 };

export interface ControllerOptions {
  /** Folder or file of manifests; statuses go to `.status/` in it. */
  readonly source: string;
  readonly namespace: string;
  readonly loadBalancerClass: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Gives the Services of a folder their addresses until `signal` is aborted. Statuses are what it remembers: a restart
 * finds them and takes nothing away.
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const { logger, namespace, signal, source } = options;
  const folder = statusFolderOf(source);
  const store = new StatusStore(folder);
  for (const problem of store.load()) logger.error({ problem: formatProblem(problem) }, 'status of an earlier run cannot be read');
  const allocate = createAllocation({ loadBalancerClass: options.loadBalancerClass, statuses: store });
  const logProblems = createProblemLog(logger);
  let lastReport = '';

  const write = createRetrying(logger, signal, () => {
    store.flush();
  });
  const onState = (state: SourceState): void => {
    if (state.unread.length === 0) removeOrphans(store, state);
    let step = allocate(state);
    carryOut(store, step, state, logger);
    while (step.unsettled && !signal.aborted) {
      step = allocate(state);
      carryOut(store, step, state, logger);
    }
    write();
    const problems = [...state.problems, ...step.problems];
    logProblems(problems);
    const report = renderYaml(controllerStatusObjects({ namespace, problems }));
    if (report !== lastReport) {
      lastReport = report;
      createRetrying(logger, signal, () => {
        writeStatusFile(folder, 'controller.yaml', report);
      })();
    }
  };
  const check = setInterval(() => {
    store.checkFiles();
    write();
  }, CHECK_INTERVAL_MS);
  logger.info({ source, statuses: folder }, 'controller started');
  try {
    await folderSource({ path: source, namespace, logger })(onState, signal);
  } finally {
    clearInterval(check);
  }
  logger.info('controller ended');
}

function carryOut(store: StatusStore, step: AllocationStep, state: SourceState, logger: Logger): void {
  for (const decision of step.decisions) {
    const [namespace = '', name = ''] = decision.key.split('/');
    const status = statusOfDecision(decision);
    if (status) store.set(status);
    else if (decision.outcome !== 'notReady') store.remove({ namespace, name });
    for (const { type, reason, message } of decision.events) {
      logger[type === 'Normal' ? 'info' : 'warn']({ service: decision.key, reason, message }, 'event');
    }
  }
  if (state.unread.length > 0) return;
  for (const key of step.deleted) {
    const [namespace = '', name = ''] = key.split('/');
    store.remove({ namespace, name });
  }
}

/** Statuses of Services that are gone, be it that they went while no controller ran. */
function removeOrphans(store: StatusStore, state: SourceState): void {
  const services = new Set(state.snapshot.objects.Service.map(({ metadata }) => objectKey(metadata)));
  for (const status of store.all()) if (!services.has(objectKey(status))) store.remove(status);
}

/** Runs a write at once; when it fails, again and again with a growing pause, and says so once. */
function createRetrying(logger: Logger, signal: AbortSignal, work: () => void): () => void {
  let retrying = false;
  const retry = async (): Promise<void> => {
    for (let pause = RETRY_MS.first; !signal.aborted; pause = Math.min(pause * 2, RETRY_MS.most)) {
      await delay(pause, undefined, { signal }).catch(() => undefined);
      try {
        work();
        logger.info('status can be written again');
        return;
      } catch {
        continue; // said when it began
      }
    }
  };
  return () => {
    try {
      work();
    } catch (error) {
      if (retrying) return;
      retrying = true;
      logger.error({ err: error }, 'status cannot be written, trying again');
      void retry().finally(() => {
        retrying = false;
      });
    }
  };
}
