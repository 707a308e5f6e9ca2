import { Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  clusterBackend,
  createControllerMetrics,
  folderBackend,
  runController,
  type OpenBackend,
} from '../controller/index.ts';
import { runWithLease } from '../k8s/index.ts';
import { createLogger, serveHealth } from '../telemetry/index.ts';
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
import { acceptIdleFlags, CONTROLLER_IDLE, sayIdle } from './metallb-flags.ts';
import { addMetricsOptions, serveAllMetrics, type MetricsOptions } from './metrics-options.ts';
import { examples } from './output.ts';
import { endOnSignals } from './signals.ts';
import { trimMemory } from './trim-memory.ts';

const LEASE = 'metallb-frr-controller';

export function controllerCommand(): Command {
  const command = new Command('controller')
    .summary('give Services their addresses')
    .description(
      'Gives the LoadBalancer Services of a cluster addresses from the pools and writes them into their status. Of several ' +
        'controllers, the one that holds the Lease works. With --source dir:PATH it watches a folder of manifests instead ' +
        'and writes statuses to .status/ in it, where speakers find them; one controller for each folder. Addresses are ' +
        'kept when it is started again. Logs JSON lines to standard output; ends on SIGTERM.',
    )
    .addHelpText(
      'after',
      examples(
        'KUBECONFIG=~/.kube/config metallb-frr controller --namespace metallb-system',
        'metallb-frr controller --source dir:/etc/metallb',
        'metallb-frr controller --source dir:services.yaml --lb-class example.com/metallb --log-level debug',
      ),
    );
  addMetricsOptions(command);
  acceptIdleFlags(command, CONTROLLER_IDLE);
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

interface Options extends MetricsOptions {
  readonly source?: string;
  readonly namespace: string;
  readonly lbClass: string;
  readonly healthProbePort?: number;
  readonly podName?: string;
  readonly logLevel: LogLevel;
}

async function run(options: Options, command: Command): Promise<void> {
  const { source, namespace, lbClass: loadBalancerClass } = options;
  const logger = createLogger({ component: 'controller', level: options.logLevel });
  const signal = endOnSignals();
  sayIdle(command, CONTROLLER_IDLE, logger);
  trimMemory(signal);
  const metrics = createControllerMetrics();
  const healthPort = options.healthProbePort ?? (source === undefined ? CLUSTER_HEALTH_PORT : 0);
  // A controller that stands by is ready: it is there to take over.
  if (healthPort !== 0) await serveHealth({ port: healthPort, ready: () => [], signal });
  const control = (open: OpenBackend, until: AbortSignal): Promise<void> =>
    runController({ open, namespace, loadBalancerClass, metrics, logger, signal: until });
  const { registry } = metrics;
  if (source !== undefined) {
    await serveAllMetrics(options, { registry, client: undefined, signal });
    await control(folderBackend({ path: source, namespace, logger }), signal);
    return;
  }
  const { client, owner } = await openCluster({ namespace, podName: options.podName });
  await serveAllMetrics(options, { registry, client, signal });
  const open = clusterBackend({ client, namespace, loadBalancerClass, owner, logger });
  await runWithLease({
    client,
    lease: { namespace, name: LEASE },
    identity: `${options.podName ?? hostname()}_${randomUUID()}`,
    lead: (leading) => control(open, leading),
    logger,
    signal,
  });
  client.close();
}
