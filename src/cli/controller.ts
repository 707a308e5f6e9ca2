import { Command } from 'commander';
import { runController } from '../controller/index.ts';
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

export function controllerCommand(): Command {
  const command = new Command('controller')
    .summary('give Services their addresses')
    .description(
      'Watches a folder of manifests, gives its LoadBalancer Services addresses from the pools, and writes them to .status/ ' +
        'in that folder, where speakers find them. One controller for each folder. Addresses are kept when it is started ' +
        'again. Logs JSON lines to standard output; ends on SIGTERM.',
    )
    .addHelpText(
      'after',
      examples(
        'metallb-frr controller --source dir:/etc/metallb',
        'metallb-frr controller --source dir:services.yaml --lb-class example.com/metallb --log-level debug',
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
  namespace: string;
  lbClass: string;
  metricsPort: number;
  logLevel: LogLevel;
}): Promise<void> {
  await runController({
    source: options.source,
    namespace: options.namespace,
    loadBalancerClass: options.lbClass,
    metricsPort: options.metricsPort,
    logger: createLogger({ component: 'controller', level: options.logLevel }),
    signal: endOnSignals(),
  });
}
