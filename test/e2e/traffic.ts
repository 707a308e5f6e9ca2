import { execa } from 'execa';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestCluster } from '../cluster/index.ts';
import type { Tally } from './requests.ts';

const REQUESTS = fileURLToPath(new URL('requests.ts', import.meta.url));
const INTERVAL_MS = 10;
/** After what was done: what a router does late (End-of-RIB, the end of stale routes) belongs to it. */
const AFTERWARDS_MS = 3_000;

export interface Watched extends Tally {
  /** Packets that the client's TCP sent again: lost ones, or ones whose answer the machine was too busy to give in time. */
  readonly sentAgain: number;
  /** What the client said of requests that failed, a line each. */
  readonly failures: string;
  /** Every change of the router's kernel routes and next hops, as `ip -o monitor` prints them. */
  readonly routeChanges: readonly string[];
}

/** An address, and who fetches from it. */
export interface Fetching {
  readonly address: string;
  /** The control plane's host is on the LAN of the nodes, the client behind the router. */
  readonly by: 'client' | 'controlPlane';
}

/**
 * Has a host, the client unless told otherwise, fetch from an address every 10 ms while something is done, and somewhat
 * longer.
 */
export async function whileFetching(
  lab: TestCluster,
  from: string | Fetching,
  action: () => Promise<void>,
): Promise<Watched> {
  const { address, by } = typeof from === 'string' ? { address: from, by: 'client' as const } : from;
  const { [by]: host, router } = lab.cluster.plan;
  const inNetns = (netns: string): string => `--net=/run/netns/${netns}`;
  const monitor = spawn(
    'nsenter',
    [inNetns(router.netns), '--', 'ip', '-o', '-ts', 'monitor', 'route', 'nexthop'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let routeChanges = '';
  monitor.stdout.on('data', (part: Buffer) => (routeChanges += part.toString()));
  const url = `http://${address}/`;
  const requests = execa(
    'nsenter',
    [inNetns(host.netns), '--', process.execPath, REQUESTS, url, String(INTERVAL_MS)],
    { stdin: 'pipe', timeout: 300_000 },
  );
  const sentAgainBefore = await sentAgainBy(lab, host.name);
  try {
    await action();
    await sleep(AFTERWARDS_MS);
    requests.stdin.end();
    const { stdout, stderr } = await requests;
    const tally = JSON.parse(stdout) as Tally; // our own program's
    return {
      ...tally,
      sentAgain: (await sentAgainBy(lab, host.name)) - sentAgainBefore,
      failures: stderr,
      routeChanges: routeChanges.split('\n').filter(Boolean),
    };
  } finally {
    requests.kill('SIGKILL');
    const ended = once(monitor, 'exit');
    monitor.kill('SIGKILL');
    await ended;
  }
}

/** Tcp RetransSegs of a host's network (RFC 4022, tcpRetransSegs). */
async function sentAgainBy(lab: TestCluster, host: string): Promise<number> {
  const [names = [], values = []] = (await lab.inHost(host, ['cat', '/proc/net/snmp']))
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('RetransSegs')]);
}
