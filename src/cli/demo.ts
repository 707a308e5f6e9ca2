import { Command } from 'commander';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { formatProblem } from '../core/problem.ts';
import {
  labDown,
  LabError,
  labUp,
  openRouteMonitor,
  parseTopology,
  requireNode,
  runInNode,
  setWire,
  type KernelRoutes,
  type LabState,
  type RouteMonitor,
  type Topology,
} from '../lab/index.ts';
import { Interrupted, interruptible } from './interruptible.ts';
import { severityWord } from './output.ts';

/**
 * `npm run demo`: the main job, seen from the router. Brings up test/containerlab/a-listen-range.clab.yml with the
 * manifests of examples/configmap, shows the routes and the traffic, adds a Service, cuts a link, and cleans up.
 */

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const TOPOLOGY = join(CHECKOUT, 'test/containerlab/a-listen-range.clab.yml');
const ROUTER = 'router';
const WEB = '198.51.100.1';
const SHOP = '198.51.100.2';
const N1 = { node: 'n1', interface: 'eth1', address: '192.0.2.11' };
const BOTH = ['192.0.2.11', '192.0.2.12'];
const REQUESTS = 10;
/** One round of requests through one node alone happens by chance once in 512 rounds; three rounds, in 134 million. */
const MAX_ROUNDS = 3;
const FIRST_ROUTE_TIMEOUT_MS = 45_000;
const CHANGE_TIMEOUT_MS = 15_000;

/** A step whose result was not what it should be. */
class DemoError extends Error {}

interface DemoOptions {
  /** Of the lab; not the topology's own, so that a user's lab from the same file does not stand in the way. */
  readonly name: string;
  readonly keep: boolean;
}

interface Stage {
  readonly lab: LabState;
  /** The router's kernel. */
  readonly routes: RouteMonitor;
  readonly signal: AbortSignal;
}

async function demo({ name, keep }: DemoOptions, signal: AbortSignal): Promise<void> {
  const topology = await demoTopology(name);
  print('A router, two nodes, a controller and a client, each a network namespace of this machine.');
  print(
    'The nodes run FRR and the speaker; the router is a plain FRR that knows nothing of them but their subnet.',
  );
  step(`Starting test/containerlab/a-listen-range.clab.yml`);
  const lab = await labUp({ topology, file: TOPOLOGY, signal, onProgress: print });
  let done = false;
  try {
    const routes = await openRouteMonitor(requireNode(lab, ROUTER).netns, signal);
    try {
      await show({ lab, routes, signal });
    } finally {
      await routes.close();
    }
    done = true;
  } finally {
    if (keep && done) {
      lookAround(lab);
    } else {
      step('Removing the lab');
      await labDown(lab.name);
      print('No namespace, process or file of it is left.');
    }
  }
}

async function show(stage: Stage): Promise<void> {
  await firstRoute(stage);
  step(`What the node n1 advertises to the router`);
  await showCommand(stage, 'n1', [
    'vtysh',
    '-c',
    'show bgp ipv4 unicast neighbors 192.0.2.1 advertised-routes',
  ]);
  step(`${String(REQUESTS)} requests of the client to http://${WEB}/; each node answers with its name`);
  await spreadRequests(stage);
  await addService(stage);
  await cutLink(stage);
}

async function firstRoute({ lab, routes, signal }: Stage): Promise<void> {
  step(`Waiting until ${WEB}/32 is in the router's kernel through both nodes`);
  const { source, copy } = manifests(lab);
  print(`Controller and speakers watch ${copy}`);
  print(`(a copy of ${source.slice(CHECKOUT.length)}: MetalLB's old ConfigMap, one Service, two Nodes).`);
  await routes.until(goesThrough(WEB, BOTH), FIRST_ROUTE_TIMEOUT_MS);
  await showCommand({ lab, routes, signal }, ROUTER, ['vtysh', '-c', 'show ip route']);
}

/** Requests until both nodes have answered: the kernel chooses a next hop by a hash over addresses and ports. */
async function spreadRequests(stage: Stage): Promise<void> {
  const seen = new Set<string>();
  for (let round = 0; round < MAX_ROUNDS && seen.size < BOTH.length; round += 1) {
    if (round > 0) print('All of them hashed to one node; once more:');
    for (const name of await requests(stage, WEB)) seen.add(name);
  }
  if (seen.size < BOTH.length) throw new DemoError(`only ${[...seen].join(', ')} answered`);
}

async function addService(stage: Stage): Promise<void> {
  step('Adding a Service: writing shop.yaml into the watched folder');
  const text = await readFile(join(CHECKOUT, 'examples/shop.yaml'), 'utf8');
  const startMs = performance.now();
  await writeFile(join(manifests(stage.lab).copy, 'shop.yaml'), text);
  const thereMs = await stage.routes.until(goesThrough(SHOP, BOTH), CHANGE_TIMEOUT_MS);
  result(
    `${SHOP}/32 stood in the router's kernel, with both next hops, ${milliseconds(thereMs - startMs)} after the file changed.`,
  );
  print(
    '(FRR itself holds each change: 50 ms before a node sends it, 60 ms more before the router installs it.)',
  );
  await showCommand(stage, ROUTER, ['vtysh', '-c', 'show ip route bgp']);
}

async function cutLink(stage: Stage): Promise<void> {
  step(`Cutting n1's link; BFD sends every 50 ms and gives up after three`);
  await bfdUp(stage);
  await showCommand(stage, ROUTER, ['vtysh', '-c', 'show bfd peers brief']);
  print(
    'The link runs through a bridge that stops forwarding: both ends keep their carrier, only BFD can tell.',
  );
  const startMs = performance.now();
  await setWire(stage.lab, N1, 'cut');
  const others = BOTH.filter((hop) => hop !== N1.address);
  const goneMs = await stage.routes.until(goesThrough(WEB, others), CHANGE_TIMEOUT_MS);
  result(`${N1.address} was gone from the router's kernel ${milliseconds(goneMs - startMs)} after the cut.`);
  await showCommand(stage, ROUTER, ['vtysh', '-c', 'show ip route bgp']);
  const names = await requests(stage, WEB);
  if (names.includes(N1.node)) throw new DemoError(`${N1.node} answered behind a cut link`);
  await setWire(stage.lab, N1, 'whole');
}

/** BFD starts slowly, one packet a second (RFC 5880 section 6.8.3), so it is up some seconds after BGP. */
async function bfdUp({ lab, signal }: Stage): Promise<void> {
  const deadline = performance.now() + CHANGE_TIMEOUT_MS;
  for (;;) {
    const command = ['vtysh', '-c', 'show bfd peers brief'];
    const { stdout } = await runInNode(requireNode(lab, ROUTER), command, { timeoutMs: 10_000, signal });
    if (BOTH.every((address) => new RegExp(` ${address} +up`).test(stdout))) return;
    if (performance.now() > deadline) throw new DemoError(`BFD did not come up:\n${stdout}`);
    await sleep(100, undefined, { signal });
  }
}

/** One round of requests from the client; prints and returns the names that answered. */
async function requests({ lab, signal }: Stage, address: string): Promise<string[]> {
  const names: string[] = [];
  for (let count = 0; count < REQUESTS; count += 1) {
    signal.throwIfAborted();
    const curl = ['curl', '--silent', '--show-error', '--max-time', '3', `http://${address}/`];
    const answer = await runInNode(requireNode(lab, 'client'), curl, { timeoutMs: 10_000, signal });
    if (answer.failed) throw new DemoError(`curl http://${address}/ failed: ${answer.stderr.trim()}`);
    names.push(answer.stdout.trim());
  }
  const counts = [...new Set(names)]
    .sort()
    .map((name) => `${name} ${String(names.filter((n) => n === name).length)}`);
  print(`client$ curl http://${address}/   (${String(REQUESTS)} times)`);
  result(`${names.join(' ')}   (${counts.join(', ')})`);
  return names;
}

async function showCommand({ lab, signal }: Stage, node: string, command: readonly string[]): Promise<void> {
  const { stdout, stderr, failed } = await runInNode(requireNode(lab, node), command, {
    timeoutMs: 10_000,
    signal,
  });
  if (failed) throw new DemoError(`${node}: ${command.join(' ')}: ${stderr.trim() || stdout.trim()}`);
  const shown = command.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ');
  print(`${node}$ ${shown}`);
  const lines = withoutLegend(stdout.trim()).split('\n');
  process.stdout.write(`${lines.map((line) => `     ${line}`.trimEnd()).join('\n')}\n`);
}

/** FRR explains its codes before each table, the same ten lines every time. */
function withoutLegend(text: string): string {
  return text.replace(/^(?:Codes|Status codes): [^]*?\n\n/m, '');
}

function goesThrough(address: string, hops: readonly string[]): (routes: KernelRoutes) => boolean {
  return (routes) => routes.get(`${address}/32`)?.join(' ') === hops.join(' ');
}

function manifests(lab: LabState): LabState['folders'][number] {
  const [folder] = lab.folders;
  if (!folder) throw new Error('the demo topology binds no manifests');
  return folder;
}

function lookAround(lab: LabState): void {
  step('The lab stays. To look around, as root:');
  print(`bin/metallb-frr lab status ${lab.name}`);
  print(`bin/metallb-frr lab exec --lab ${lab.name} router -- vtysh -c 'show ip route'`);
  print(`bin/metallb-frr lab exec --lab ${lab.name} n1 -- vtysh -c 'show running-config'`);
  print(`bin/metallb-frr lab exec --lab ${lab.name} client -- curl http://${WEB}/`);
  print(`bin/metallb-frr lab cut --lab ${lab.name} n2:eth1      (and lab mend)`);
  print(`edit the files of ${manifests(lab).copy} and watch the router`);
  print(`bin/metallb-frr lab down ${lab.name}                   (removes everything)`);
}

async function demoTopology(name: string): Promise<Topology> {
  const parsed = parseTopology(await readFile(TOPOLOGY, 'utf8'), TOPOLOGY);
  if (!parsed.ok) throw new DemoError(parsed.problems.map(formatProblem).join('\n'));
  return { ...parsed.topology, name };
}

let steps = 0;

function step(text: string): void {
  steps += 1;
  process.stdout.write(`\n${styleText('bold', `${String(steps)}. ${text}`)}\n`);
}

function print(text: string): void {
  process.stdout.write(`   ${text}\n`);
}

function result(text: string): void {
  print(styleText('green', text));
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(0)} ms`;
}

async function main(): Promise<void> {
  const command = new Command('demo')
    .description('Shows routes from manifests on a real router, in network namespaces. Needs root.')
    .option('--keep', 'leave the lab and say how to look around', false)
    .option('--name <name>', 'name of the lab', 'demo')
    .parse();
  try {
    await interruptible((signal) => demo(command.opts<DemoOptions>(), signal));
  } catch (error) {
    if (error instanceof Interrupted) {
      process.exitCode = error.exitCode;
    } else if (error instanceof LabError || error instanceof DemoError) {
      process.stderr.write(`\n${severityWord('error')}: ${error.message}\n`);
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}

await main();
