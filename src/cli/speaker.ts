import { Command, InvalidArgumentError, Option } from 'commander';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ServiceObject } from '../api/index.ts';
import { objectKey } from '../core/problem.ts';
import { FRR_LOG_LEVELS, type FrrLogLevel } from '../frr-render/index.ts';
import { missingDaemons } from '../frr-vty/index.ts';
import { clusterLayer2Store, clusterSource, speakerQueries, type ApiClient } from '../k8s/index.ts';
import { folderLayer2Store, folderSource, statusFolderOf } from '../source/index.ts';
import {
  clusterReports,
  createLayer2Metrics,
  createSpeakerMetrics,
  folderReports,
  runSpeaker,
  type SpeakerOptions,
} from '../speaker/index.ts';
import { createLogger, serveHealth, type Logger } from '../telemetry/index.ts';
import { CLUSTER_HEALTH_PORT, openCluster } from './cluster.ts';
import {
  healthPortOption,
  loadBalancerClassOption,
  logLevelOption,
  namespaceOption,
  podNameOption,
  sourceOption,
  withOptions,
  type LogLevel,
} from './common-options.ts';
import { EXCLUDED_LINKS, readLinkExclusion } from './link-exclusion.ts';
import { acceptIdleFlags, SPEAKER_IDLE, sayIdle } from './metallb-flags.ts';
import { addMetricsOptions, serveAllMetrics, type MetricsOptions } from './metrics-options.ts';
import { examples } from './output.ts';
import { endOnSignals } from './signals.ts';
import { readTemplate } from './template.ts';
import { trimMemory } from './trim-memory.ts';

const FRR_RELOAD = '/usr/lib/frr/frr-reload.py';

export function speakerCommand(): Command {
  const command = new Command('speaker')
    .summary("keep this node's FRR at what the cluster's objects say")
    .description(
      "Watches a cluster's objects and keeps the FRR of one node at what they say; with --source dir:PATH it watches a " +
        'folder of manifests instead. FRR runs beside it, started by others. Logs JSON lines to standard output; ends on ' +
        'SIGTERM and leaves FRR as it is.',
    )
    .addOption(
      new Option('--node-name <name>', 'name of the node this runs on')
        .env('METALLB_NODE_NAME')
        .makeOptionMandatory(),
    )
    .option('--frr-sockets <folder>', "folder of the daemons' vty sockets", '/var/run/frr')
    .option(
      '--frr-config <file>',
      'file that FRR reads its configuration from when it starts',
      '/etc/frr/frr.conf',
    )
    .option('--vtysh <program>', 'vtysh that belongs to this FRR', 'vtysh')
    .addOption(
      new Option('--frr-log-level <level>', 'how much FRR logs, in its own words (default: as --log-level)')
        .env('FRR_LOGGING_LEVEL')
        .argParser(parseFrrLogLevel),
    )
    .option('--hostname <name>', 'host name in the configuration (default: the node name)')
    .addOption(
      new Option(
        '--ignore-exclude-lb [true|false]',
        'announce from a node labelled node.kubernetes.io/exclude-from-external-load-balancers',
      )
        .argParser((value) => value === 'true')
        .preset('true')
        .default(false),
    )
    .option(
      '--l2-drain-cordoned',
      'hand the layer 2 addresses of this node over while it is cordoned (kubectl cordon, kubectl drain)',
      false,
    )
    .addHelpText(
      'after',
      examples(
        'KUBECONFIG=~/.kube/config metallb-frr speaker --node-name n1',
        'metallb-frr speaker --source dir:/etc/metallb --node-name n1',
        'metallb-frr speaker --source dir:. --node-name n1 --frr-sockets /run/frr-n1 --frr-config /run/frr-n1/frr.conf',
      ),
    );
  addMetricsOptions(command);
  acceptIdleFlags(command, SPEAKER_IDLE);
  return withOptions(
    command,
    sourceOption(),
    namespaceOption(),
    loadBalancerClassOption(),
    healthPortOption(),
    podNameOption(),
    logLevelOption(),
  ).action(run);
}

/** As FRR reads it: a level may be cut short while it can be no other. Nothing is as if it had not been given. */
function parseFrrLogLevel(text: string): FrrLogLevel | undefined {
  if (text === '') return undefined;
  const [level, ...others] = FRR_LOG_LEVELS.filter((each) => each.startsWith(text));
  if (level !== undefined && others.length === 0) return level;
  throw new InvalidArgumentError(`must be one of ${FRR_LOG_LEVELS.join(', ')}`);
}

interface Options extends MetricsOptions {
  readonly source?: string;
  readonly nodeName: string;
  readonly frrSockets: string;
  readonly frrConfig: string;
  readonly vtysh: string;
  readonly frrLogLevel?: FrrLogLevel;
  readonly hostname?: string;
  readonly ignoreExcludeLb: boolean;
  readonly l2DrainCordoned: boolean;
  readonly healthProbePort?: number;
  readonly podName?: string;
  readonly namespace: string;
  readonly lbClass: string;
  readonly logLevel: LogLevel;
}

async function run(options: Options, command: Command): Promise<void> {
  const { nodeName } = options;
  const logger = createLogger({ component: 'speaker', level: options.logLevel, node: nodeName });
  const stopping = endOnSignals();
  // What is on layer 2 is handed over before anything ends.
  const ended = new AbortController();
  const { signal } = ended;
  const end = (): void => {
    ended.abort();
  };
  try {
    await runUntil(options, command, { logger, stopping, end, signal });
  } finally {
    end();
  }
}

interface Course {
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  readonly end: () => void;
  readonly signal: AbortSignal;
}

async function runUntil(options: Options, command: Command, course: Course): Promise<void> {
  const { nodeName, namespace, frrSockets } = options;
  const { logger, stopping, end, signal } = course;
  // Before the speaker runs there is nothing to hand over.
  stopping.addEventListener('abort', end);
  sayIdle(command, SPEAKER_IDLE, logger);
  const metrics = createSpeakerMetrics({ node: nodeName });
  trimMemory(signal, () => metrics.owned().length > 0);
  const state = { isSynced: false, nodes: 0 };
  const healthPort = options.healthProbePort ?? (options.source === undefined ? CLUSTER_HEALTH_PORT : 0);
  if (healthPort !== 0) {
    await serveHealth({
      port: healthPort,
      host: '127.0.0.1',
      ready: async () => [
        ...(state.isSynced ? [] : ['the objects have not been read yet']),
        ...(await missingDaemons(frrSockets)).map((name) => `${name} does not answer in ${frrSockets}`),
      ],
      signal,
    });
  }
  const services = createServiceList();
  const { source, publish, client, layer2, close } = await edgesOf(options, {
    ...{ logger, signal },
    serviceExists: services.has,
    nodes: () => state.nodes,
  });
  await serveAllMetrics(options, { registry: metrics.registry, client, signal });
  if (signal.aborted) return;
  stopping.removeEventListener('abort', end);
  await runSpeaker({
    source: (onState, until) =>
      source((next, heardAtMs) => {
        state.isSynced = true;
        state.nodes = next.snapshot.objects.Node.length;
        services.set(next.snapshot.objects.Service);
        onState(next, heardAtMs);
      }, until),
    publish,
    namespace,
    nodeName,
    hostname: options.hostname ?? nodeName,
    loadBalancerClass: options.lbClass,
    ignoreExcludeLabel: options.ignoreExcludeLb,
    logLevel: options.logLevel,
    ...(options.frrLogLevel ? { frrLogLevel: options.frrLogLevel } : {}),
    templateText: readTemplate(),
    metrics,
    frr: await frrOf(options),
    layer2: {
      ...layer2,
      metrics: createLayer2Metrics(metrics.registry),
      exclusion: readLinkExclusion(EXCLUDED_LINKS),
      drainCordoned: options.l2DrainCordoned,
    },
    logger,
    stopping,
    end,
    signal,
  });
  await close();
}

/** Where the speaker's objects come from, and where its reports go. */
type Edges = Pick<SpeakerOptions, 'source' | 'publish'> & {
  readonly client: ApiClient | undefined;
  readonly layer2: Pick<NonNullable<SpeakerOptions['layer2']>, 'store' | 'onEvent'>;
  readonly close: () => Promise<void>;
};

async function edgesOf(
  options: Options,
  context: {
    readonly logger: Logger;
    readonly signal: AbortSignal;
    readonly serviceExists: (key: string) => boolean | undefined;
    readonly nodes: () => number;
  },
): Promise<Edges> {
  const { logger, signal, nodes } = context;
  const { source: path, namespace, nodeName: node } = options;
  if (path !== undefined) {
    const statusFolder = statusFolderOf(path);
    return {
      source: folderSource({ path, namespace, statusFolder, logger }),
      publish: folderReports(statusFolder),
      client: undefined,
      layer2: {
        store: folderLayer2Store({ ...context, folder: statusFolder, node }),
        onEvent: (service, { type, reason, message }) => {
          logger[type === 'Warning' ? 'warn' : 'info']({ service, reason, message }, 'event');
        },
      },
      close: () => Promise.resolve(),
    };
  }
  const { client, owner } = await openCluster({ namespace, podName: options.podName });
  const reports = clusterReports({ client, namespace, node, owner, nodes, logger, signal });
  const queries = speakerQueries(namespace);
  return {
    source: clusterSource({ client, namespace, queries, withSecrets: true, logger }),
    publish: reports.publish,
    client,
    layer2: {
      store: clusterLayer2Store({ ...context, client, namespace, node }),
      onEvent: reports.event,
    },
    close: async () => {
      await reports.idle();
      client.close();
    },
  };
}

async function frrOf({ frrSockets, frrConfig, vtysh }: Options): Promise<SpeakerOptions['frr']> {
  const configDir = dirname(frrConfig);
  const hasReload = await access(FRR_RELOAD).then(
    () => true,
    () => false,
  );
  return {
    vtysh: [vtysh, '--vty_socket', frrSockets, '--config_dir', configDir],
    socketsDir: frrSockets,
    configFile: frrConfig,
    ...(hasReload
      ? { reload: [FRR_RELOAD, '--reload', '--vty_socket', frrSockets, '--confdir', configDir] }
      : {}),
  };
}

/** Which Services there are, as the newest snapshot has them. */
function createServiceList(): {
  readonly set: (services: readonly ServiceObject[]) => void;
  readonly has: (key: string) => boolean | undefined;
} {
  let services: readonly ServiceObject[] | undefined;
  let keys: ReadonlySet<string> | undefined;
  return {
    set: (next) => {
      if (next === services) return;
      services = next;
      keys = undefined;
    },
    // Asked now and then only: the names are not gathered with each change.
    has: (key) => {
      keys ??= services && new Set(services.map(({ metadata }) => objectKey(metadata)));
      return keys?.has(key);
    },
  };
}
