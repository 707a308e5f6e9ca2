import type { PoolCounters, ServiceDecision } from '../allocator/index.ts';
import { buildConfig, type ConfigMemory } from '../config/index.ts';
import type { Problem } from '../core/problem.ts';
import type { SourceState } from '../source/index.ts';
import { createProblemLog, type Logger } from '../telemetry/index.ts';
import { createAssigner, type Assignments } from './assigner.ts';
import type { OpenBackend } from './backend.ts';
import type { ControllerMetrics } from './metrics.ts';

export interface ControllerOptions {
  /** Where objects are found, and where decisions go. */
  readonly open: OpenBackend;
  /** Of the metallb.io objects. */
  readonly namespace: string;
  /** Empty: only Services without a class. */
  readonly loadBalancerClass: string;
  readonly metrics: ControllerMetrics;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Gives the Services of a source their addresses until `signal` is aborted. The statuses that it writes are its memory: a
 * restart finds them and takes nothing away.
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const { open, namespace, loadBalancerClass, metrics, logger, signal } = options;
  const sayProblems = createProblemLog(logger);
  let memory: ConfigMemory | undefined;
  let pools: readonly PoolCounters[] = [];
  let problems: readonly Problem[] = [];
  let unknown = '';

  const backend = open({
    signal,
    report: () => ({ namespace, problems, pools }),
    onFailure: metrics.updateFailed,
  });
  const assigner = createAssigner({
    store: backend.statuses,
    loadBalancerClass,
    missingClusterIPs: backend.missingClusterIPs,
  });
  metrics.showPools(() => pools);

  const tell = (decisions: readonly ServiceDecision[]): void => {
    for (const { key, changed, ingress, pool, events, reason, outcome } of decisions) {
      if (changed && ingress.length > 0) logger.debug({ service: key, ingress, pool }, 'address assigned');
      else if (changed) logger.info({ service: key, reason: reason.message }, 'address withdrawn');
      else if (outcome === 'refused') logger.debug({ service: key, reason: reason.message }, 'no address');
      for (const event of events) backend.record(key, event);
    }
  };
  const carryOut = (assignments: Assignments): void => {
    ({ pools } = assignments);
    backend.flush();
    tell(assignments.decisions);
    backend.reportChanged();
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
  await backend.source(onState, signal);
  await backend.close();
  logger.info('controller ended');
}
