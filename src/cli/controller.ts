import { Command } from 'commander';
import { runController } from '../controller/index.ts';
import { createLogger } from '../telemetry/index.ts';
import {
  loadBalancerClassOption,
  logLevelOption,
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
      'Watches a folder of manifests and gives its LoadBalancer Services addresses from its pools. They are written to ' +
        '.status/ inside the folder, where the speakers find them. Logs JSON lines to standard output; ends on SIGTERM.',
    )
    .addHelpText(
      'after',
      examples(
        'metallb-frr controller --source dir:/etc/metallb',
        'metallb-frr controller --source dir:examples/configmap --log-level debug',
      ),
    );
  return withOptions(
    command,
    sourceOption(),
    namespaceOption(),
    loadBalancerClassOption(),
    logLevelOption(),
  ).action(run);
}

async function run(options: {
  source: string;
  namespace: string;
  lbClass: string;
  logLevel: LogLevel;
}): Promise<void> {
  await runController({
    source: options.source,
    namespace: options.namespace,
    loadBalancerClass: options.lbClass,
    logger: createLogger({ component: 'controller', level: options.logLevel }),
    signal: endOnSignals(),
  });
}
