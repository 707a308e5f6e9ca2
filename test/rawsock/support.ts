import { execa } from 'execa';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { addVeth, inNetns, ipIn } from '../../src/lab/index.ts';
import { atEnd, testNetns } from '../support/index.ts';
import type { AgentCommands } from './agent.ts';

const AGENT = fileURLToPath(new URL('agent.ts', import.meta.url));

export const LINK = 'eth0';
/** Hex, as in frames. */
export const MACS = { a: '00005e005301', b: '00005e005302' } as const;
export const BROADCAST = 'ffffffffffff';

/** Two hosts with a cable between them. */
export interface Pair {
  readonly a: string;
  readonly b: string;
}

export async function makePair(options: { readonly mtu?: number } = {}): Promise<Pair> {
  const pair = { a: await testNetns(), b: await testNetns() };
  await connect(pair, options);
  return pair;
}

export async function connect(pair: Pair, options: { readonly mtu?: number } = {}): Promise<void> {
  await addVeth({
    a: end(pair.a, MACS.a, ['192.0.2.1/24', '2001:db8::1/64']),
    b: end(pair.b, MACS.b, ['192.0.2.2/24', '2001:db8::2/64']),
    ...options,
  });
}

function end(netns: string, hex: string, addresses: readonly string[]) {
  return { netns, interface: LINK, mac: hex.replaceAll(/..(?=.)/g, '$&:'), addresses };
}

/** What an agent says of a call that failed. */
export class AgentError extends Error {
  readonly code: string;
  readonly sent: number;

  constructor({ code, message, sent }: { code: string; message: string; sent: number }) {
    super(message);
    this.code = code;
    this.sent = sent;
  }
}

export interface Agent {
  readonly pid: number;
  readonly call: <Name extends keyof AgentCommands>(
    name: Name,
    ...args: Parameters<AgentCommands[Name]>
  ) => Promise<Awaited<ReturnType<AgentCommands[Name]>>>;
  /** Ends its standard input; gives how it ended and what it wrote to standard error. */
  readonly end: () => Promise<{ readonly exitCode: number | undefined; readonly stderr: string }>;
}

/**
 * Starts test/rawsock/agent.ts in a namespace, to be ended after the last test of the file.
 * @param options.prefix words in front of the program
 * @param options.args for the agent
 */
export async function startAgent(
  netns: string,
  options: { readonly prefix?: readonly string[]; readonly args?: readonly string[] } = {},
): Promise<Agent> {
  const [file, ...words] = [...inNetns(netns), ...(options.prefix ?? []), process.execPath, AGENT];
  const child = execa(file, [...words, ...(options.args ?? [])], { stdin: 'pipe', reject: false });
  const waiting = new Map<number, (line: readonly unknown[]) => void>();
  let last = 0;
  const started = new Promise((resolve) => waiting.set(0, resolve));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as readonly unknown[];
    waiting.get(answer[0] as number)?.(answer);
    waiting.delete(answer[0] as number);
  });
  const ended = child.then((result) => {
    for (const resolve of waiting.values()) {
      resolve([0, null, { code: 'ENDED', message: `the agent ended: ${result.stderr}` }]);
    }
    return { exitCode: result.exitCode, stderr: result.stderr };
  });
  atEnd(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await started;
  return {
    pid: child.pid!,
    call: async (name, ...args) => {
      last += 1;
      const id = last;
      const answer = new Promise<readonly unknown[]>((resolve) => waiting.set(id, resolve));
      child.stdin.write(`${JSON.stringify([id, name, ...args])}\n`);
      const [, result, error] = await answer;
      if (error !== undefined) throw new AgentError(error as ConstructorParameters<typeof AgentError>[0]);
      return result as never;
    },
    end: () => {
      child.stdin.end();
      return ended;
    },
  };
}

/** An ARP request of `b` for an address, from the Ethernet header on; padded as on a wire. */
export function arpRequest(options: {
  readonly to?: string;
  readonly target?: string;
  readonly tag?: number;
}): string {
  const { to = BROADCAST, target = 'c000020a', tag } = options;
  const inline = tag === undefined ? '' : `8100${tag.toString(16).padStart(4, '0')}`;
  const packet = `0001080006040001${MACS.b}c0000202000000000000${target}`;
  return `${to}${MACS.b}${inline}0806${packet}${'00'.repeat(18)}`;
}

export async function groupsOf(netns: string, family: 'link' | 'inet6'): Promise<string[]> {
  const flag = family === 'link' ? [] : ['-6'];
  const text = await ipIn(netns, [...flag, 'maddress', 'show', 'dev', LINK]);
  return [...text.matchAll(new RegExp(`^\\s+${family}\\s+(\\S+)`, 'gm'))].map((match) => match[1]!);
}

/** Not every kernel has been built with VLAN interfaces. */
export async function canMakeVlans(): Promise<boolean> {
  const script = 'ip link add a type veth peer b && ip link add link a name a.5 type vlan id 5';
  const { failed } = await execa('unshare', ['--net', 'sh', '-c', script], {
    reject: false,
    timeout: 10_000,
  });
  return !failed;
}
