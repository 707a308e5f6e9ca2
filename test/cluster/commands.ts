import { execa } from 'execa';
import { interruptible } from '../../src/cli/interruptible.ts';
import { EXIT, formatTable } from '../../src/cli/output.ts';
import { clusterDown } from './down.ts';
import { ClusterError } from './error.ts';
import type { ProxyMode } from './node-config.ts';
import { inNode, requireRunningNode } from './node.ts';
import { bootNodeAgain, crashNode } from './power.ts';
import { provideClusterPrograms } from './programs.ts';
import { DEFAULT_NAME, hostNames, netnsName, planCluster } from './plan.ts';
import type { RouterKind } from './router-config.ts';
import { clusterNames, kubeconfigFile, readState, requireCluster } from './state.ts';
import { clusterStatus, isHealthy, type ClusterStatus } from './status.ts';
import { clusterUp, readCluster, type Cluster } from './up.ts';

/** What the subcommands of `npm run cluster` do. Each gives an exit status. */

export interface UpOptions {
  readonly name: string;
  readonly nodes: number;
  readonly proxyMode: ProxyMode;
  readonly router: RouterKind;
  readonly images: readonly string[];
  readonly output: 'text' | 'json';
}

export async function up({ nodes, output, ...options }: UpOptions): Promise<number> {
  const started = performance.now();
  const cluster = await interruptible((signal) =>
    clusterUp({ ...options, nodeCount: nodes, onProgress: say, signal }),
  ).catch(async (error: unknown) => {
    const left = (await readState(options.name))?.starter.pid === process.pid;
    if (left) say('What was started is still there to be looked at; `npm run cluster -- down` removes it.');
    throw error;
  });
  if (output === 'json') process.stdout.write(`${JSON.stringify(cluster, undefined, 2)}\n`);
  else process.stdout.write(upText(cluster, (performance.now() - started) / 1000));
  return EXIT.fine;
}

function upText({ plan, kubeconfig }: Cluster, seconds: number): string {
  const name = plan.name === DEFAULT_NAME ? '' : ` --name ${plan.name}`;
  return [
    `Cluster ${plan.name} is up after ${seconds.toFixed(1)} s.`,
    ...[plan.controlPlane, ...plan.nodes, plan.router, plan.client].map(
      ({ name: host, netns, ipv4, ipv6 }) =>
        `  ${host.padEnd(4)} ${netns.padEnd(20)} ${ipv4.padEnd(16)} ${ipv6}`,
    ),
    `Kubeconfig: ${kubeconfig}`,
    'Next:',
    `  npm run cluster -- kc${name} get nodes`,
    `  npm run cluster -- down${name}`,
    '',
  ].join('\n');
}

export async function status(options: {
  readonly name?: string;
  readonly output: 'text' | 'json';
}): Promise<number> {
  const { name } = options;
  const states = await Promise.all(
    name === undefined ? (await clusterNames()).map(readState) : [requireCluster(name)],
  );
  const found = await Promise.all(states.filter((state) => state !== undefined).map(clusterStatus));
  if (options.output === 'json') process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  else if (found.length === 0) process.stdout.write('No cluster is up.\n');
  else process.stdout.write(found.map(statusText).join('\n'));
  return found.every(isHealthy) ? EXIT.fine : EXIT.problems;
}

function statusText({ name, phase, startedAt, components }: ClusterStatus): string {
  const rows = components.map((component) => [
    component.name,
    component.state,
    String(component.pid),
    component.log,
  ]);
  return `${name}  ${phase}  since ${startedAt}\n${formatTable(['component', 'state', 'process', 'log'], rows)}\n`;
}

export async function kubectl(name: string, words: readonly string[]): Promise<number> {
  const { kubectl: program } = await readCluster(name);
  return passOn([program, '--kubeconfig', kubeconfigFile(name), ...words]);
}

/** What the router itself is asked with: vtysh or birdc. */
export async function router(name: string, words: readonly string[]): Promise<number> {
  const { routerCommand } = await readCluster(name);
  return passOn([...routerCommand, ...words]);
}

/** Not `ip netns exec`, which would hide the cgroups. */
export async function inNamespace(name: string, host: string, words: readonly string[]): Promise<number> {
  const { nodeCount } = await requireCluster(name);
  const hosts = hostNames(planCluster(name, nodeCount));
  if (!hosts.includes(host)) {
    throw new ClusterError(
      'ERR_CLUSTER_UNKNOWN',
      `cluster ${name} has no ${host}; it has ${hosts.join(', ')}`,
    );
  }
  return passOn(['nsenter', `--net=/run/netns/${netnsName(name, host)}`, '--', ...words]);
}

export async function enter(name: string, node: string, words: readonly string[]): Promise<number> {
  const init = await requireRunningNode(name, node);
  return passOn(['nsenter', ...inNode(init), ...(words.length === 0 ? ['sh'] : words)]);
}

export async function crash(name: string, node: string): Promise<number> {
  await crashNode(name, node);
  process.stdout.write(`${node} has no power.\n`);
  return EXIT.fine;
}

export async function boot(name: string, node: string): Promise<number> {
  await interruptible((signal) => bootNodeAgain(name, node, signal));
  process.stdout.write(`${node} is Ready.\n`);
  return EXIT.fine;
}

export async function down(options: { readonly name: string; readonly all: boolean }): Promise<number> {
  for (const name of options.all ? await clusterNames() : [options.name]) {
    await clusterDown(name);
    process.stdout.write(`Cluster ${name} is gone.\n`);
  }
  return EXIT.fine;
}

export async function tools(): Promise<number> {
  const programs = await provideClusterPrograms();
  for (const [name, path] of Object.entries(programs))
    process.stdout.write(`${name.padEnd(24)} ${String(path)}\n`);
  return EXIT.fine;
}

/** Runs a command with this terminal. Ctrl-C is the command's: it is in the same process group and gets it too. */
async function passOn([file = '', ...args]: readonly string[]): Promise<number> {
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    const { exitCode } = await execa(file, args, { stdio: 'inherit', reject: false });
    return exitCode ?? EXIT.problems;
  } finally {
    process.off('SIGINT', ignore);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
