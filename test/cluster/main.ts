// `npm run cluster -- COMMAND`: a Kubernetes cluster in network namespaces of this machine.
import { Command, CommanderError, Option } from 'commander';
import { EXIT, examples } from '../../src/cli/output.ts';
import { Interrupted } from '../../src/cli/interruptible.ts';
import { SetupError } from '../../scripts/lib/process.mjs';
import { parseCount, parseName } from './arguments.ts';
import {
  crash,
  boot,
  down,
  enter,
  inNamespace,
  kubectl,
  router,
  status,
  tools,
  up,
  type UpOptions,
} from './commands.ts';
import { ClusterError } from './error.ts';
import { PROXY_MODES } from './node-config.ts';
import { DEFAULT_NAME } from './plan.ts';
import { ROUTERS } from './router-config.ts';

const RUN = 'npm run cluster --';

function nameOption(): Option {
  return new Option('--name <name>', 'name of the cluster')
    .env('METALLB_FRR_CLUSTER')
    .default(DEFAULT_NAME)
    .argParser(parseName);
}

function program(): Command {
  const root = new Command('cluster')
    .description(
      'A Kubernetes cluster for tests, without containers or virtual machines: a control plane, nodes, a router and a client in ' +
        'network namespaces of this machine, which it leaves as it was. Needs root.',
    )
    .addHelpText(
      'after',
      examples(`${RUN} up`, `${RUN} kc get nodes`, `${RUN} in r1 ip route`, `${RUN} down`),
    )
    .addHelpText(
      'after',
      `\nExit status: 0 fine, 1 it did not work, 2 wrong usage; kc, router, in and enter give their command's.\n`,
    )
    .enablePositionalOptions()
    .exitOverride();
  root
    .command('up')
    .summary('start a cluster; returns when its nodes are Ready')
    .addOption(nameOption())
    .addOption(new Option('--nodes <count>', 'number of nodes').default(3).argParser(parseCount))
    .addOption(
      new Option('--proxy-mode <mode>', 'how kube-proxy works').choices(PROXY_MODES).default('iptables'),
    )
    .addOption(new Option('--router <kind>', 'what runs in r1').choices(ROUTERS).default('frr'))
    .option('--images <file...>', 'docker-archives to import into every node', [])
    .addOption(
      new Option('-o, --output <form>', 'form of the result').choices(['text', 'json']).default('text'),
    )
    .addHelpText(
      'after',
      examples(`${RUN} up --nodes 2 --images a.tar b.tar`, `${RUN} up --router bird -o json`),
    )
    .action((options: UpOptions) => finish(() => up(options)));
  root
    .command('status')
    .summary('show what of a cluster runs; all clusters without --name')
    .option('--name <name>', 'name of the cluster', parseName)
    .addOption(
      new Option('-o, --output <form>', 'form of the result').choices(['text', 'json']).default('text'),
    )
    .action((options: { name?: string; output: 'text' | 'json' }) => finish(() => status(options)));
  root
    .command('kc')
    .summary('run kubectl as the administrator')
    .argument('<arguments...>')
    .addOption(nameOption())
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText('after', examples(`${RUN} kc get pods -A`, `${RUN} kc logs -n kube-system mypod`))
    .action((words: string[], { name }: { name: string }) => finish(() => kubectl(name, words)));
  root
    .command('router')
    .summary("run the router's own command: vtysh or birdc")
    .argument('[arguments...]')
    .addOption(nameOption())
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText('after', examples(`${RUN} router -c 'show ip route bgp'`))
    .action((words: string[], { name }: { name: string }) => finish(() => router(name, words)));
  root
    .command('in')
    .summary('run a command in the network of a host: cp, n1, n2, ..., r1, cl or lan')
    .argument('<host>')
    .argument('<command...>')
    .addOption(nameOption())
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText(
      'after',
      examples(
        `${RUN} in cl curl http://192.0.2.1/`,
        `${RUN} in lan ip link set n1 nomaster    # cut a cable`,
      ),
    )
    .action((host: string, words: string[], { name }: { name: string }) =>
      finish(() => inNamespace(name, host, words)),
    );
  root
    .command('enter')
    .summary('run a command inside a node: its files, processes and network')
    .argument('<node>')
    .argument('[command...]', 'a shell unless given')
    .addOption(nameOption())
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText('after', examples(`${RUN} enter n1 ctr -n k8s.io images ls`))
    .action((node: string, words: string[], { name }: { name: string }) =>
      finish(() => enter(name, node, words)),
    );
  root
    .command('crash')
    .summary('take the power of a node away')
    .argument('<node>')
    .addOption(nameOption())
    .action((node: string, { name }: { name: string }) => finish(() => crash(name, node)));
  root
    .command('boot')
    .summary('switch a node on again; returns when it is Ready')
    .argument('<node>')
    .addOption(nameOption())
    .action((node: string, { name }: { name: string }) => finish(() => boot(name, node)));
  root
    .command('down')
    .summary('end a cluster and remove all it made')
    .addOption(nameOption())
    .option('-a, --all', 'all clusters', false)
    .action((options: { name: string; all: boolean }) => finish(() => down(options)));
  root
    .command('tools')
    .summary('install and build what a cluster needs')
    .action(() => finish(tools));
  return root;
}

async function finish(action: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await action();
  } catch (error) {
    if (error instanceof Interrupted) {
      process.exitCode = error.exitCode;
    } else if (error instanceof ClusterError || error instanceof SetupError) {
      process.stderr.write(`error: ${error.message}\n`);
      if (error instanceof SetupError) process.stderr.write(`next: ${error.next}\n`);
      process.exitCode = EXIT.problems;
    } else {
      throw error;
    }
  }
}

try {
  await program().parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed what was wrong; help comes here too, with exit code 0.
  process.exitCode = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
}
