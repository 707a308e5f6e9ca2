import type { PoolCounters, ServiceDecision } from '../allocator/index.ts';
import { buildConfig, type ConfigMemory } from '../config/index.ts';
import { formatProblem, type Problem } from '../core/problem.ts';
import { folderSource, statusFolderOf, StatusStore, type SourceState } from '../source/index.ts';
import { createProblemLog, serveMetrics, type Logger } from '../telemetry/index.ts';
import { createAssigner, type Assignments } from './assigner.ts';
import { createControllerMetrics } from './metrics.ts';
import { createReporter } from './reporter.ts';
import { createStatusWriter } from './status-writer.ts';

export interface ControllerOptions {
  /** Folder or file of manifests; statuses go to `.status/` beside them. */
  readonly source: string;
  /** Of the metallb.io objects. */
  readonly namespace: string;
  /** Empty: only Services without a class. */
  readonly loadBalancerClass: string;
  /** 0: no metrics are served. */
  readonly metricsPort: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Gives the Services of a folder their addresses until `signal` is aborted. The statuses that it writes are its memory: a
 * restart finds them and takes nothing away.
 *
 * @throws when the metrics port is taken
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const { source, namespace, loadBalancerClass, metricsPort, logger, signal } = options;
  const folder = statusFolderOf(source);
  const store = new StatusStore(folder);
  for (const problem of store.load()) {
    logger.error({ problem: formatProblem(problem) }, 'status of an earlier run cannot be read');
  }
  const assigner = createAssigner({ store, loadBalancerClass });
  const sayProblems = createProblemLog(logger);
  let memory: ConfigMemory | undefined;
  let pools: readonly PoolCounters[] = [];
  let problems: readonly Problem[] = [];
  let unknown = '';

  const metrics = createControllerMetrics({ pools: () => pools });
  if (metricsPort !== 0) await serveMetrics({ registry: metrics.registry, port: metricsPort, signal });
  const writer = createStatusWriter({ store, folder, logger, signal, onFailure: metrics.updateFailed });
  const reporter = createReporter({ read: () => ({ namespace, problems, pools }), folder, logger, signal });

  const carryOut = (assignments: Assignments): void => {
    ({ pools } = assignments);
    writer.flush();
    logDecisions(logger, assignments.decisions);
    reporter.request();
    const nowUnknown = assignments.unknown.join(', ');
    if (nowUnknown !== unknown && nowUnknown !== '') {
      logger.warn(
        { unread: assignments.unknown },
        'part of the input cannot be read, no address is taken away',
      );
    }
    unknown = nowUnknown;
    if (assignments.settled) return;
    setImmediate(() => {
      if (!signal.aborted) carryOut(assigner.goOn());
    });
  };
  const onState = (state: SourceState): void => {
    const built = buildConfig(state.snapshot, memory);
    ({ memory } = built);
    carryOut(assigner.assign(state, built.config.pools));
    problems = [...state.problems, ...built.problems];
    sayProblems(problems);
    metrics.updated({ stale: problems.some(({ severity }) => severity === 'error') });
  };
  logger.info({ source, adopted: store.all().length }, 'controller started');
  await folderSource({ path: source, namespace, logger })(onState, signal);
  logger.info('controller ended');
}

function logDecisions(logger: Logger, decisions: readonly ServiceDecision[]): void {
  for (const { key, changed, ingress, pool, events, reason, outcome } of decisions) {
    if (changed && ingress.length > 0) logger.debug({ service: key, ingress, pool }, 'address assigned');
    else if (changed) logger.info({ service: key, reason: reason.message }, 'address withdrawn');
    else if (outcome === 'refused') logger.debug({ service: key, reason: reason.message }, 'no address');
    for (const event of events) {
      const level = event.type === 'Warning' ? 'warn' : 'info';
      logger[level]({ service: key, reason: event.reason, message: event.message }, 'event');
    }
  }
}
