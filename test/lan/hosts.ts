import { z } from 'zod';
import {
  ipIn,
  nodeProcesses,
  requireNode,
  runIn,
  setWire,
  signalProcesses,
  type LabState,
} from '../../src/lab/index.ts';

/** What can happen to the hosts and the switch of a LAN, and what the switch learned. */

const links = z.array(z.object({ address: z.string() }));

/** MAC address of a lab node's interface. */
export async function macOf(state: LabState, node: string, interfaceName = 'eth1'): Promise<string> {
  const { netns } = requireNode(state, node);
  const [link] = links.parse(JSON.parse(await ipIn(netns, ['-json', 'link', 'show', 'dev', interfaceName])));
  if (link === undefined) throw new Error(`${node} has no ${interfaceName}`);
  return link.address;
}

const fdbEntries = z.array(z.object({ mac: z.string(), ifname: z.string(), state: z.string().optional() }));

/** Where a switch learned MAC addresses: address to port, without its own. */
export async function learnedPorts(
  state: LabState,
  switchNode: string,
  bridge = 'br0',
): Promise<ReadonlyMap<string, string>> {
  const { netns } = requireNode(state, switchNode);
  const { stdout } = await runIn(netns, ['bridge', '-json', 'fdb', 'show', 'br', bridge]);
  const entries = fdbEntries.parse(JSON.parse(stdout));
  return new Map(
    entries.filter((entry) => entry.state !== 'permanent').map(({ mac, ifname }) => [mac, ifname]),
  );
}

/**
 * Puts ports of a switch into another LAN, `br1`, which is made when it is not there, or back into `br0`. Ports keep their
 * carrier, and all within one part go on reaching each other.
 */
export async function movePorts(
  state: LabState,
  switchNode: string,
  { ports, bridge }: { readonly ports: readonly string[]; readonly bridge: 'br0' | 'br1' },
): Promise<void> {
  const { netns } = requireNode(state, switchNode);
  const names = await ipIn(netns, ['-brief', 'link', 'show', 'type', 'bridge']);
  const make = /^br1\b/m.test(names) ? [] : ['link add br1 up type bridge mcast_snooping 0'];
  const commands = [...make, ...ports.map((port) => `link set ${port} master ${bridge}`)];
  await runIn(netns, ['ip', '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

/** Stops every process of a node where it is; its kernel goes on. @returns when, in milliseconds since the epoch */
export async function freeze(state: LabState, node: string): Promise<number> {
  return signalAll(state, node, 'SIGSTOP');
}

export async function thaw(state: LabState, node: string): Promise<number> {
  return signalAll(state, node, 'SIGCONT');
}

async function signalAll(state: LabState, node: string, signal: NodeJS.Signals): Promise<number> {
  const processes = await nodeProcesses(requireNode(state, node));
  const atMs = nowMs();
  if (signalProcesses(processes, signal) === 0) throw new Error(`${node} has no processes`);
  return atMs;
}

/** Signals the processes of that name. @returns when, in milliseconds since the epoch */
export async function signalNamed(
  state: LabState,
  node: string,
  { names, signal }: { readonly names: readonly string[]; readonly signal: NodeJS.Signals },
): Promise<number> {
  const processes = await nodeProcesses(requireNode(state, node));
  const wanted = processes.filter(({ name }) => names.includes(name));
  const atMs = nowMs();
  if (signalProcesses(wanted, signal) === 0) {
    const running = processes.map(({ name }) => name).join(', ');
    throw new Error(`${node} runs no ${names.join(', ')}; it runs ${running}`);
  }
  return atMs;
}

/** FRR's daemons; without watchfrr, which starts them again. */
export const FRR_DAEMONS = ['zebra', 'mgmtd', 'bgpd', 'bfdd', 'staticd'] as const;

/**
 * Takes the power from a node: no carrier on its links, and nothing in it runs. {@link powerOn} starts what would start
 * with the machine.
 */
export async function powerOff(state: LabState, node: string): Promise<number> {
  const processes = await nodeProcesses(requireNode(state, node));
  const atMs = nowMs();
  signalProcesses(processes, 'SIGSTOP');
  await setWires(state, node, 'unplugged');
  return atMs;
}

export async function powerOn(state: LabState, node: string): Promise<number> {
  const processes = await nodeProcesses(requireNode(state, node));
  const fresh = processes.filter(({ name }) => name === 'speaker' || isDaemon(name));
  signalProcesses(fresh, 'SIGKILL');
  await setWires(state, node, 'whole');
  const atMs = nowMs();
  signalProcesses(processes, 'SIGCONT');
  return atMs;
}

async function setWires(state: LabState, node: string, wire: 'unplugged' | 'whole'): Promise<void> {
  const ends = state.links.flatMap(({ a, b }) => [a, b]).filter((end) => end.node === node);
  await Promise.all(ends.map((end) => setWire(state, end, wire)));
}

function isDaemon(name: string): boolean {
  return FRR_DAEMONS.some((daemon) => daemon === name);
}

/** The clock of recordings. */
export function nowMs(): number {
  return Date.now();
}
