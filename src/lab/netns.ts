import { execa } from 'execa';

/**
 * Network namespaces and the links between them, by iproute2. A namespace is a host: its own interfaces, addresses,
 * routes, neighbours and sysctls under /proc/sys/net. Every call needs root and is bounded in time.
 */

/** IFNAMSIZ of Linux is 16 with the closing zero. */
const MAX_INTERFACE_NAME = 15;
const IP_TIMEOUT_MS = 10_000;

export interface VethEnd {
  /** Namespace the interface lives in; it must exist. */
  readonly netns: string;
  /** Interface name, at most 15 characters. */
  readonly interface: string;
  /** `00:00:5e:00:53:01`; chosen by the kernel when absent. */
  readonly mac?: string;
  /** Addresses with prefix length, for example `192.0.2.1/24`; usable at once (IPv6 without duplicate address detection). */
  readonly addresses?: readonly string[];
}

/**
 * Makes a namespace with its loopback up.
 * @param name also the name of a file under /run/netns: letters, digits, dot, dash, underscore
 * @throws when it exists already or the name is no file name
 */
export async function createNetns(name: string): Promise<void> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new Error(
      `network namespace name ${JSON.stringify(name)}: must be 1 to 64 letters, digits, ".", "-" or "_"`,
    );
  }
  await ip(['netns', 'add', name]);
  await ipIn(name, ['link', 'set', 'lo', 'up']);
}

/**
 * Removes a namespace, and with it its interfaces (a veth pair goes at both ends). A namespace that does not exist is fine.
 * Processes still inside keep it alive without a name: end them first, see {@link netnsPids}.
 */
export async function deleteNetns(name: string): Promise<void> {
  try {
    await ip(['netns', 'delete', name]);
  } catch (error) {
    if ((await listNetns()).includes(name)) throw error;
  }
}

/** Names of the namespaces there are, sorted. */
export async function listNetns(): Promise<string[]> {
  const text = await ip(['netns', 'list']);
  // A line is `name` or `name (id: 3)`.
  return text
    .split('\n')
    .map((line) => line.split(' ', 1)[0] ?? '')
    .filter((name) => name !== '')
    .sort();
}

/** Process ids of everything that runs in the namespace; empty when it does not exist. */
export async function netnsPids(name: string): Promise<number[]> {
  if (!(await listNetns()).includes(name)) return [];
  const text = await ip(['netns', 'pids', name]);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

/**
 * Connects two namespaces with a veth pair, both ends up. Removing one end, or one of the namespaces, removes the pair.
 * @param mtu bytes, the same at both ends; 1500 when absent
 */
export async function addVeth(pair: {
  readonly a: VethEnd;
  readonly b: VethEnd;
  readonly mtu?: number;
}): Promise<void> {
  const ends = [pair.a, pair.b];
  for (const end of ends) requireInterfaceName(end.interface);
  const mtu = pair.mtu === undefined ? [] : ['mtu', String(pair.mtu)];
  const [a, b] = ends.map((end) => [
    ...['name', end.interface, 'netns', end.netns, ...mtu],
    ...(end.mac === undefined ? [] : ['address', end.mac]),
  ]);
  await ip(['link', 'add', ...(a ?? []), 'type', 'veth', 'peer', ...(b ?? [])]);
  for (const end of ends) {
    for (const address of end.addresses ?? []) await addAddress(end.netns, end.interface, address);
    await setLink(end.netns, end.interface, 'up');
  }
}

/** Adds an address with prefix length. IPv6 addresses are usable at once: duplicate address detection is off for them. */
export async function addAddress(netns: string, interfaceName: string, address: string): Promise<void> {
  const nodad = address.includes(':') ? ['nodad'] : [];
  await ipIn(netns, ['address', 'add', address, 'dev', interfaceName, ...nodad]);
}

/** Brings an interface up or down. Down at one end of a veth pair takes the carrier from the other: a cut cable. */
export async function setLink(netns: string, interfaceName: string, state: 'up' | 'down'): Promise<void> {
  await ipIn(netns, ['link', 'set', 'dev', interfaceName, state]);
}

/**
 * Sets kernel parameters of the namespace, for example `{ 'net.ipv4.ip_forward': 1 }`. As in sysctl(8), a key whose
 * first separator is a slash keeps its dots (`net/ipv4/conf/eth0.100/rp_filter`).
 */
export async function setSysctls(
  netns: string,
  values: Readonly<Record<string, string | number>>,
): Promise<void> {
  const pairs = Object.entries(values).flatMap(([key, value]) => [sysctlPath(key), String(value)]);
  if (pairs.length === 0) return;
  // Written directly, since sysctl(8) is not on every small system.
  const script = 'while [ $# -gt 0 ]; do printf %s "$2" > "$1"; shift 2; done';
  await runIn(netns, ['sh', '-ec', script, 'sh', ...pairs]);
}

function sysctlPath(key: string): string {
  const slashFirst = /^[^./]+\//.test(key);
  const path = slashFirst ? key : key.replaceAll('.', '/');
  if (!path.startsWith('net/') || path.split('/').includes('..')) {
    throw new Error(`sysctl ${key}: must begin with "net.", others are not per network namespace`);
  }
  return `/proc/sys/${path}`;
}

/** Runs `ip ARGS` and gives its standard output. Throws with what `ip` said. */
export async function ip(args: readonly string[]): Promise<string> {
  const { stdout } = await execa('ip', args, { timeout: IP_TIMEOUT_MS });
  return stdout;
}

/** Runs `ip ARGS` on a namespace, without a process inside it. */
export async function ipIn(netns: string, args: readonly string[]): Promise<string> {
  return ip(['-n', netns, ...args]);
}

/** The words that, in front of a command, run it inside the namespace (with a private mount namespace, see ip-netns(8)). */
export function inNetns(netns: string): readonly string[] {
  return ['ip', 'netns', 'exec', netns];
}

export interface RunOptions {
  /** 30,000 unless given. */
  readonly timeoutMs?: number;
  /** Text for standard input; nothing unless given. */
  readonly input?: string;
}

/** Runs a command inside the namespace to its end. Throws, with what it said, when it fails or takes too long. */
export async function runIn(
  netns: string,
  command: readonly string[],
  options: RunOptions = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const [file = 'ip', ...args] = [...inNetns(netns), ...command];
  const { stdout, stderr } = await execa(file, args, {
    timeout: options.timeoutMs ?? 30_000,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
  });
  return { stdout, stderr };
}

function requireInterfaceName(name: string): void {
  if (name.length === 0 || name.length > MAX_INTERFACE_NAME || /[\s/:]/.test(name) || name.startsWith('.')) {
    throw new Error(
      `interface name ${JSON.stringify(name)}: must be 1 to ${MAX_INTERFACE_NAME} characters without blanks, "/" and ":"`,
    );
  }
}
