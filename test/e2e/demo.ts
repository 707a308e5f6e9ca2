// `npm run demo:cluster`: what a user does in a cluster, from `helm install` to a page that a client behind a router fetches.
import { Command, InvalidArgumentError } from 'commander';
import { execa, ExecaError } from 'execa';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { Interrupted, interruptible } from '../../src/cli/interruptible.ts';
import { EXIT, examples, formatTable, severityWord } from '../../src/cli/output.ts';
import { compareText } from '../../src/core/order.ts';
import { SetupError } from '../../scripts/lib/process.mjs';
import { parseCount, parseName } from '../cluster/arguments.ts';
import { clusterDown } from '../cluster/down.ts';
import { ClusterError } from '../cluster/error.ts';
import { clusterNames, readState } from '../cluster/state.ts';
import { clusterUp, type Cluster } from '../cluster/up.ts';
import { output, print, seconds, step } from './demo-text.ts';
import { webManifest } from './web.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const TAG = 'demo';
const OWN_IMAGE = `localhost/metallb-frr:${TAG}`;
const VALUES = [
  `image.repository=localhost/metallb-frr,image.tag=${TAG}`,
  `frr.image.repository=localhost/metallb-frr-frr,frr.image.tag=${TAG}`,
].join(',');
const NAMESPACE = 'metallb-system';
/** The first of the pool of examples/cluster. */
const ADDRESS = '192.0.2.1';
const REQUESTS = 30;
const IMAGES_TIMEOUT_MS = 1_800_000;
const COMMAND_TIMEOUT_MS = 150_000;
const ROUTE_TIMEOUT_MS = 60_000;
const SETTLED_MS = 2_000;

/** A step whose result was not what it should be; `next` is what to do, if that is not to look into the cluster. */
class DemoError extends Error {
  readonly next: string | undefined;

  constructor(message: string, next?: string) {
    super(message);
    this.next = next;
  }
}

interface DemoOptions {
  readonly name: string;
  readonly nodes: number;
  readonly keep: boolean;
}

interface Stage {
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

async function demo({ name, nodes, keep }: DemoOptions, signal: AbortSignal): Promise<void> {
  if ((await clusterNames()).includes(name)) {
    const next = `npm run cluster -- down --name ${name} removes it`;
    throw new DemoError(`the cluster ${name} of an earlier run is still there`, next);
  }
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'mlf-demo-'));
  try {
    const images = await buildImages(folder, signal);
    step(`Starting a control plane, ${String(nodes)} nodes, a router and a client in network namespaces`);
    try {
      const cluster = await clusterUp({
        ...{ name, nodeCount: nodes, proxyMode: 'iptables', router: 'frr' },
        ...{ images, signal, onProgress: print },
      });
      await play({ cluster, signal });
      if (keep) lookAround(cluster);
    } finally {
      // Interrupted at its start, it has gone by itself; of that name there may also be somebody else's by now.
      const isThere = (await readState(name))?.starter.pid === process.pid;
      if (isThere && (!keep || signal.aborted)) await remove(name);
    }
    print(`That took ${seconds(startedAt)}.`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function remove(name: string): Promise<void> {
  step('Removing the cluster');
  await clusterDown(name);
  print('No namespace, process or file of it is left.');
}

/** @returns docker-archives of both images */
async function buildImages(folder: string, signal: AbortSignal): Promise<string[]> {
  step('Building the images; what has not changed since the last time is taken from there');
  const command = [join(CHECKOUT, 'scripts/images.mjs'), '--make-base', '--tag', TAG, '--output', folder];
  const build = execa(process.execPath, command, {
    ...{ cwd: CHECKOUT, stdin: 'ignore', timeout: IMAGES_TIMEOUT_MS, cancelSignal: signal, reject: false },
    ...{ lines: true, all: true },
  });
  for await (const line of build.iterable({ from: 'all' })) print(line);
  if ((await build).failed) {
    signal.throwIfAborted();
    const next = 'do what is said above; npm run images -- --make-base does this step alone';
    throw new DemoError('the images were not built', next);
  }
  return ['frr.tar', 'metallb-frr.tar'].map((file) => join(folder, file));
}

async function play(stage: Stage): Promise<void> {
  try {
    await installChart(stage);
    await applyExamples(stage);
    await showRoute(stage);
    await fetchPages(stage);
  } catch (error) {
    if (!stage.signal.aborted) await showState(stage);
    throw error;
  }
}

async function installChart(stage: Stage): Promise<void> {
  step('Installing the chart');
  const { cluster, signal } = stage;
  const startedAt = performance.now();
  const install = ['install', 'metallb-frr', 'charts/metallb-frr', '--namespace', NAMESPACE];
  await execa(
    cluster.helm,
    [...install, '--create-namespace', '--wait', '--timeout', '120s', '--set', VALUES],
    {
      ...{ cwd: CHECKOUT, env: { KUBECONFIG: cluster.kubeconfig } },
      ...{ timeout: COMMAND_TIMEOUT_MS, cancelSignal: signal },
    },
  );
  print(`$ helm ${install.join(' ')} --create-namespace --wait   (${seconds(startedAt)})`);
  // helm is content when all but one pod of a DaemonSet are ready.
  await kubectl(stage, ['wait', '--for=condition=Ready', 'pod', '--all', '-n', NAMESPACE, '--timeout=60s']);
  await show(stage, ['get', 'pods', '-n', NAMESPACE, '-o', 'wide']);
}

async function applyExamples(stage: Stage): Promise<void> {
  step(
    'A pool, an advertisement, a peer and a Service: examples/cluster. And pods for the Service, one on each node',
  );
  await show(stage, ['apply', '-f', 'examples/cluster']);
  // The pod's name, its node's, and the node that a request came in by: kube-proxy puts an address of that in its place.
  const answer = "[env.POD, env.NODE, from.replace('::ffff:', '')].join(' ')";
  await kubectl(stage, ['apply', '-f', '-'], webManifest(OWN_IMAGE, answer));
  await show(stage, ['rollout', 'status', 'daemonset/web', '--timeout=120s']);
}

async function showRoute(stage: Stage): Promise<void> {
  const { nodes } = stage.cluster.plan;
  step(`The address, and the route to it in the router's kernel through ${String(nodes.length)} nodes`);
  await areSettled(stage);
  await show(stage, ['get', 'service', 'web']);
  // FRR explains its codes first.
  output(
    "router$ vtysh -c 'show ip route bgp'",
    (await askRouter(stage, 'show ip route bgp')).replace(/^Codes: [^]*?\n\n/, ''),
  );
}

/**
 * Waits until the router has the route through every node, and BFD with each, and both for a while: FRR 8.4 ends a session
 * once when it makes BFD's anew with its own address.
 */
async function areSettled(stage: Stage): Promise<void> {
  const { nodes, router } = stage.cluster.plan;
  const startedAt = performance.now();
  let sinceMs = startedAt;
  for (;;) {
    const route = await inHost(stage, router.netns, ['ip', 'route', 'show', ADDRESS]);
    const bfd = await askRouter(stage, 'show bfd peers brief');
    const isUp = (ip: string): boolean =>
      route.includes(`via ${ip} `) && new RegExp(` ${ip} +up\\s`).test(bfd);
    const nowMs = performance.now();
    if (!nodes.every(({ ipv4 }) => isUp(ipv4))) sinceMs = nowMs;
    if (nowMs > sinceMs + SETTLED_MS) return;
    if (nowMs > startedAt + ROUTE_TIMEOUT_MS) {
      const words = `no route to ${ADDRESS} through every node, or no BFD with each`;
      throw new DemoError(`${words}, after ${seconds(startedAt)}:\n${route}\n${bfd}`);
    }
    await sleep(100, undefined, { signal: stage.signal });
  }
}

async function askRouter({ cluster, signal }: Stage, question: string): Promise<string> {
  const [vtysh = '', ...words] = cluster.routerCommand;
  const { stdout } = await execa(vtysh, [...words, '-c', question], {
    ...{ timeout: COMMAND_TIMEOUT_MS, cancelSignal: signal },
  });
  return stdout;
}

async function fetchPages(stage: Stage): Promise<void> {
  const { nodes, client } = stage.cluster.plan;
  step(`${String(REQUESTS)} requests of a client behind the router`);
  const counts = new Map<string, number[]>();
  for (let count = 0; count < REQUESTS; count += 1) {
    const curl = ['curl', '--silent', '--show-error', '--max-time', '5', `http://${ADDRESS}/`];
    const [pod = '', on = '', from = ''] = (await inHost(stage, client.netns, curl)).trim().split(' ');
    // Of its own pods a node asks with an address of its bridge.
    const way = nodes.findIndex(({ name, ipv4 }) => from === ipv4 || (name === on && from !== client.ipv4));
    if (way === -1) throw new DemoError(`${pod} was asked by ${from}, which is none of the nodes`);
    const row = counts.get(`${pod} on ${on}`) ?? nodes.map(() => 0);
    counts.set(`${pod} on ${on}`, row.with(way, (row[way] ?? 0) + 1));
  }
  const rows = [...counts]
    .sort(([a], [b]) => compareText(a, b))
    .map(([pod, row]) => [pod, ...row.map(String)]);
  const table = formatTable(['answered by', ...nodes.map(({ name }) => `came in by ${name}`)], rows);
  output(`client$ curl http://${ADDRESS}/   (${String(REQUESTS)} times)`, table);
  const ways = nodes.filter((_, index) => [...counts.values()].some((row) => (row[index] ?? 0) > 0));
  if (ways.length < 2 || counts.size < 2)
    throw new DemoError('the requests did not spread over nodes and pods');
  print(
    styleText(
      'green',
      `The router chose ${String(ways.length)} nodes, kube-proxy ${String(counts.size)} pods.`,
    ),
  );
}

/** What a person would look at first, on standard error. */
async function showState(stage: Stage): Promise<void> {
  const looks = [
    ['get', 'pods', '-A', '-o', 'wide'],
    ['get', 'configurationstates', '-n', NAMESPACE],
    ['get', 'events', '-A', '--sort-by=.lastTimestamp', '--field-selector', 'type!=Normal'],
  ];
  for (const look of looks) {
    const { stdout, stderr } = await execa(...kubectlCommand(stage, look), {
      reject: false,
      timeout: 15_000,
    });
    process.stderr.write(`\n$ kubectl ${look.join(' ')}\n${stdout}\n${stderr}\n`);
  }
}

function lookAround({ kubeconfig, plan: { name } }: Cluster): void {
  step('The cluster stays. To look around in it, as root:');
  print(`export KUBECONFIG=${kubeconfig}`);
  print(`npm run cluster -- kc --name ${name} get services -A`);
  print(`npm run cluster -- router --name ${name} -c 'show ip route'`);
  print(`npm run cluster -- in --name ${name} cl curl -s http://${ADDRESS}/`);
  print(`npm run cluster -- crash --name ${name} n1        (and boot)`);
  print(`npm run cluster -- down --name ${name}            (removes everything)`);
}

function kubectlCommand({ cluster }: Stage, args: readonly string[]): [string, string[]] {
  return [cluster.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args]];
}

async function kubectl(stage: Stage, args: readonly string[], input = ''): Promise<string> {
  const { stdout } = await execa(...kubectlCommand(stage, args), {
    ...{ cwd: CHECKOUT, input, timeout: COMMAND_TIMEOUT_MS, cancelSignal: stage.signal },
  });
  return stdout;
}

async function inHost({ signal }: Stage, netns: string, command: readonly string[]): Promise<string> {
  const { stdout } = await execa('nsenter', [`--net=/run/netns/${netns}`, '--', ...command], {
    ...{ timeout: COMMAND_TIMEOUT_MS, cancelSignal: signal },
  });
  return stdout;
}

async function show(stage: Stage, args: readonly string[]): Promise<void> {
  output(`$ kubectl ${args.join(' ')}`, await kubectl(stage, args));
}

const command = new Command('demo:cluster')
  .description(
    'Shows the product in a Kubernetes cluster of its own in network namespaces of this machine, and removes it. Needs root.',
  )
  .option('--keep', 'leave the cluster, also after a failure, and say how to look around', false)
  .option('--name <name>', 'name of the cluster', parseName, 'demo')
  .option('--nodes <count>', 'number of nodes, 2 or more', parseNodes, 3)
  .addHelpText('after', examples('npm run demo:cluster', 'npm run demo:cluster -- --keep'))
  .parse();
try {
  await interruptible((signal) => demo(command.opts<DemoOptions>(), signal));
} catch (error) {
  if (error instanceof Interrupted) {
    process.exitCode = error.exitCode;
  } else if (isExpected(error)) {
    process.stderr.write(`\n${severityWord('error')}: ${error.message}\n`);
    process.stderr.write(`Next: ${nextOf(error, command.opts<DemoOptions>())}\n`);
    process.exitCode = EXIT.problems;
  } else {
    throw error;
  }
}

/** A route through several nodes takes several. */
function parseNodes(text: string): number {
  const count = parseCount(text);
  if (count >= 2) return count;
  throw new InvalidArgumentError('must be 2 or more');
}

function nextOf(error: Error, { keep, name }: DemoOptions): string {
  if ((error instanceof DemoError || error instanceof SetupError) && error.next !== undefined)
    return error.next;
  if (!keep) return 'npm run demo:cluster -- --keep leaves the cluster when it fails, to be looked into';
  return `npm run cluster -- status --name ${name} says what is left, down --name ${name} removes it`;
}

/** What the message says all about; anything else is a fault of the demo. */
function isExpected(error: unknown): error is Error {
  return [DemoError, ClusterError, SetupError, ExecaError].some((kind) => error instanceof kind);
}
