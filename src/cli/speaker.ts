import { Command } from 'commander';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runSpeaker } from '../speaker/index.ts';
import { createLogger } from '../telemetry/index.ts';
import {
  loadBalancerClassOption,
  logLevelOption,
  metricsPortOption,
  namespaceOption,
  sourceOption,
  withOptions,
  type LogLevel,
} from './common-options.ts';
import { examples } from './output.ts';
import { endOnSignals } from './signals.ts';
import { readTemplate } from './template.ts';

const FRR_RELOAD = '/usr/lib/frr/frr-reload.py';

export function speakerCommand(): Command {
  const command = new Command('speaker')
    .summary("keep this node's FRR at what the manifests say")
    .description(
      'Watches a folder of manifests and keeps the FRR of one node at what they say. FRR runs beside it, started by others. Logs JSON lines to standard output; ends on SIGTERM and leaves FRR as it is.',
    )
    .requiredOption('--node-name <name>', 'name of the node this runs on')
    .option('--frr-sockets <folder>', "folder of the daemons' vty sockets", '/var/run/frr')
    .option(
      '--frr-config <file>',
      'file that FRR reads its configuration from when it starts',
      '/etc/frr/frr.conf',
    )
    .option('--vtysh <program>', 'vtysh that belongs to this FRR', 'vtysh')
    .option('--hostname <name>', 'host name in the configuration (default: the node name)')
    .option(
      '--ignore-exclude-lb',
      'announce from a node labelled node.kubernetes.io/exclude-from-external-load-balancers',
      false,
    )
    .addHelpText(
      'after',
      examples(
        'metallb-frr speaker --source dir:/etc/metallb --node-name n1',
        'metallb-frr speaker --source dir:. --node-name n1 --frr-sockets /run/frr-n1 --frr-config /run/frr-n1/frr.conf',
      ),
    );
  return withOptions(
    command,
    sourceOption(),
    namespaceOption(),
    loadBalancerClassOption(),
    metricsPortOption(),
    logLevelOption(),
  ).action(run);
}

async function run(options: {
  source: string;
  nodeName: string;
  frrSockets: string;
  frrConfig: string;
  vtysh: string;
  hostname?: string;
  ignoreExcludeLb: boolean;
  metricsPort: number;
  namespace: string;
  lbClass: string;
  logLevel: LogLevel;
}): Promise<void> {
  const hasReload = await access(FRR_RELOAD).then(
    () => true,
    () => false,
  );
  const configDir = dirname(options.frrConfig);
  const { frrSockets } = options;
  await runSpeaker({
    source: options.source,
    namespace: options.namespace,
    nodeName: options.nodeName,
    hostname: options.hostname ?? options.nodeName,
    loadBalancerClass: options.lbClass,
    ignoreExcludeLabel: options.ignoreExcludeLb,
    logLevel: options.logLevel,
    templateText: readTemplate(),
    metricsPort: options.metricsPort,
    frr: {
      vtysh: [options.vtysh, '--vty_socket', frrSockets, '--config_dir', configDir],
      socketsDir: frrSockets,
      configFile: options.frrConfig,
      ...(hasReload
        ? { reload: [FRR_RELOAD, '--reload', '--vty_socket', frrSockets, '--confdir', configDir] }
        : {}),
    },
    logger: createLogger({ component: 'speaker', level: options.logLevel, node: options.nodeName }),
    signal: endOnSignals(),
  });
}
