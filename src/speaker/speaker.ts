import type { ClusterSnapshot } from '../api/index.ts';
import { compileFrrConf, type FrrLogLevel } from '../frr-render/index.ts';
import { FrrApplier, watchDaemons, type ApplierOptions } from '../frr-vty/index.ts';
import type { Problem } from '../core/problem.ts';
import type { Layer2Store, LinkExclusion } from '../l2/index.ts';
import { watchLinks } from '../links/index.ts';
import { createNodeDecider, nodeNamesOf, nodeOf, type NodeDecision } from '../pipeline/index.ts';
import type { BfdPeer, BgpDesiredState } from '../reconciler/index.ts';
import type { ClusterSource, OnState, SourceState } from '../source/index.ts';
import { createProblemLog, type Logger, type LogLevel } from '../telemetry/index.ts';
import { startLayer2, type Layer2Event, type Layer2Metrics } from './layer2/index.ts';
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
  /** How much FRR logs; absent: as much as we do. */
  readonly frrLogLevel?: FrrLogLevel;
  readonly templateText: string;
  readonly metrics: SpeakerMetrics;
  readonly frr: {
    readonly vtysh: ApplierOptions['vtysh'];
    readonly socketsDir: string;
    readonly configFile: string;
    readonly reload?: readonly [string, ...string[]];
  };
  /** Layer 2; absent: this node announces over BGP only. */
  readonly layer2?: {
    readonly store: Layer2Store;
    /** Interfaces that are never used. */
    readonly exclusion: LinkExclusion;
    readonly metrics: Layer2Metrics;
    readonly onEvent: (service: string, event: Layer2Event) => void;
    /** A cordoned node hands its addresses over. */
    readonly drainCordoned: boolean;
  };
  readonly logger: Logger;
  /** The speaker should end: it hands over what it has on layer 2, and then calls `end`. */
  readonly stopping: AbortSignal;
  readonly end: () => void;
  /** Ends everything at once. */
  readonly signal: AbortSignal;
}

const FRR_LEVEL_FOR: Readonly<Record<LogLevel, FrrLogLevel>> = {
  all: 'debugging',
  debug: 'debugging',
  info: 'informational',
  warn: 'warnings',
  error: 'errors',
  none: 'emergencies',
};

/** What FRR is told waits for layer 2 this long after the start: a store that cannot be read must not keep BGP waiting. */
const SESSIONS_MS = 2_000;

/**
 * Keeps one node's FRR at what the source says, and answers for addresses on its LANs, until it should stop; FRR is left as
 * it is then.
 */
export async function runSpeaker(options: SpeakerOptions): Promise<void> {
  const { frr, logger, metrics, signal, namespace, nodeName } = options;
  const decide = createNodeDecider(options);
  let state: SourceState | undefined;
  let decision: NodeDecision | undefined;
  let frrProblems: readonly Problem[] = [];
  let speakers: readonly string[] | undefined;
  let bfdPeers: readonly BfdPeer[] = [];
  let wanted: { readonly of: BgpDesiredState; readonly value: BgpDesiredState } | undefined;

  const observer = startObserver({
    vtysh: frr.vtysh,
    logger,
    signal,
    onObserved: (observed) => {
      layer2?.observed(observed);
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
    renderOptions: {
      hostname: options.hostname,
      logLevel: options.frrLogLevel ?? FRR_LEVEL_FOR[options.logLevel],
    },
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
    owned: () => layer2?.owned() ?? [],
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
    decision = decide(next.snapshot, speakers);
    // The same object for as long as nothing is new: the driver has nothing to do then.
    if (wanted?.of !== decision.state.bgp || wanted.value.bfdPeers !== bfdPeers) {
      wanted = { of: decision.state.bgp, value: { ...decision.state.bgp, bfdPeers } };
    }
    layer2?.want(decision.layer2.services);
    if (!awaitsSessions(decision.layer2)) {
      driver.want(wanted.value, { inputAt, heardAtMs, keepUnknown: next.unread.length > 0 });
    }
    layer2?.drain(drainCordoned && isCordoned(next.snapshot, nodeName));
    metrics.updated();
    logProblems(problems());
    reporter.request();
  };
  const again = (): void => {
    if (state) onState(state, performance.now());
  };
  /**
   * Whether layer 2 has not said yet which sessions it keeps. FRR still has those of the run before; without them the other
   * speakers would take this node to be lost.
   */
  const awaitsSessions = ({ services, refused }: NodeDecision['layer2']): boolean =>
    patience !== undefined && services.length + refused.length > 0;
  let patience =
    options.layer2 &&
    setTimeout(() => {
      patience = undefined;
      again();
    }, SESSIONS_MS);
  const { drainCordoned = false } = options.layer2 ?? {};
  const layer2 =
    options.layer2 &&
    startLayer2({
      ...options.layer2,
      me: nodeName,
      logger,
      nodes: () => (state ? nodeNamesOf(state.snapshot) : []),
      isDraining: (node) => drainCordoned && state !== undefined && isCordoned(state.snapshot, node),
      onSpeakers: (names) => {
        speakers = names;
        again();
      },
      onSessions: (sessions) => {
        bfdPeers = sessions;
        clearTimeout(patience);
        patience = undefined;
        again();
      },
    });
  const links = layer2
    ? watchLinks({
        onLinks: layer2.links,
        onFailure: (error) => {
          logger.warn({ err: error }, 'interfaces cannot be read, trying again');
        },
        signal,
      })
    : Promise.resolve();
  const stop = async (): Promise<void> => {
    await layer2?.stop();
    options.end();
  };
  options.stopping.addEventListener('abort', () => void stop());
  logger.info({ sockets: frr.socketsDir }, 'speaker started');
  await options.source(onState, signal);
  clearTimeout(patience);
  await links;
  await daemons.close();
  await Promise.all([driver.idle(), observer.idle()]);
  await applier.close();
  logger.info('speaker ended, FRR goes on');
}

function isCordoned(snapshot: ClusterSnapshot, nodeName: string): boolean {
  return nodeOf(snapshot, nodeName)?.spec.unschedulable ?? false;
}
