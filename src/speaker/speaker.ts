import { compileFrrConf, type FrrLogLevel } from '../frr-render/index.ts';
import { FrrApplier, watchDaemons, type ApplierOptions } from '../frr-vty/index.ts';
import type { Problem } from '../core/problem.ts';
import { createNodeDecider, type NodeDecision } from '../pipeline/index.ts';
import type { ClusterSource, OnState, SourceState } from '../source/index.ts';
import { createProblemLog, type Logger, type LogLevel } from '../telemetry/index.ts';
import { createFrrDriver } from './frr-driver.ts';
import type { SpeakerMetrics } from './metrics.ts';
import { startObserver } from './observer.ts';
import { createReporter } from './reporter.ts';
import type { PublishReport } from './status-report.ts';

export interface SpeakerOptions {
  readonly source: ClusterSource;
  readonly publish: PublishReport;
  readonly namespace: string;
  readonly nodeName: string;
  readonly hostname: string;
  readonly loadBalancerClass: string;
  readonly ignoreExcludeLabel: boolean;
  readonly logLevel: LogLevel;
  readonly templateText: string;
  readonly metrics: SpeakerMetrics;
  readonly frr: {
    readonly vtysh: ApplierOptions['vtysh'];
    readonly socketsDir: string;
    readonly configFile: string;
    readonly reload?: readonly [string, ...string[]];
  };
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const FRR_LOG_LEVELS: Readonly<Record<LogLevel, FrrLogLevel>> = {
  all: 'debugging',
  debug: 'debugging',
  info: 'informational',
  warn: 'warnings',
  error: 'errors',
  none: 'emergencies',
};

/** Keeps one node's FRR at what the source says until `signal` is aborted, and leaves FRR as it is then. */
export async function runSpeaker(options: SpeakerOptions): Promise<void> {
  const { frr, logger, metrics, signal, namespace, nodeName } = options;
  const decide = createNodeDecider(options);
  let state: SourceState | undefined;
  let decision: NodeDecision | undefined;
  let frrProblems: readonly Problem[] = [];

  const observer = startObserver({
    vtysh: frr.vtysh,
    logger,
    signal,
    onObserved: () => {
      reporter.request();
    },
  });
  const applier = new FrrApplier({
    vtysh: frr.vtysh,
    configFile: frr.configFile,
    ...(frr.reload ? { frrReload: frr.reload } : {}),
  });
  const driver = createFrrDriver({
    applier,
    render: compileFrrConf(options.templateText),
    renderOptions: { hostname: options.hostname, logLevel: FRR_LOG_LEVELS[options.logLevel] },
    namespace,
    logger,
    signal,
    onApply: metrics.applied,
    onReport: (report) => {
      frrProblems = report.problems;
      reporter.request();
    },
  });
  const problems = (): readonly Problem[] => [
    ...(state?.problems ?? []),
    ...(decision?.problems ?? []),
    ...frrProblems,
  ];
  metrics.show({
    observed: observer.refreshed,
    desired: () => decision?.state,
    stale: () => problems().some(({ severity }) => severity === 'error'),
  });
  const reporter = createReporter({
    logger,
    signal,
    read: () =>
      decision && {
        node: nodeName,
        namespace,
        desired: decision.state,
        observed: observer.state(),
        problems: problems(),
      },
    publish: options.publish,
  });
  const daemons = watchDaemons(frr.socketsDir, ({ restarted }) => {
    logger.warn({ restarted }, 'a daemon of FRR came or went, looking at FRR afresh');
    metrics.frrRestarted(restarted);
    driver.frrRestarted();
    observer.frrRestarted();
  });
  const logProblems = createProblemLog(logger);
  const onState: OnState = (next, heardAtMs) => {
    const inputAt = Date.now();
    state = next;
    decision = decide(next.snapshot);
    driver.want(decision.state.bgp, { inputAt, heardAtMs, keepUnknown: next.unread.length > 0 });
    metrics.updated();
    logProblems(problems());
    reporter.request();
  };
  logger.info({ sockets: frr.socketsDir }, 'speaker started');
  await options.source(onState, signal);
  await daemons.close();
  await Promise.all([driver.idle(), observer.idle()]);
  await applier.close();
  logger.info('speaker ended, FRR goes on');
}
