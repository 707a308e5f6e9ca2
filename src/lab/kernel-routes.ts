import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { compareText } from '../core/order.ts';
import { LabError } from './error.ts';
import { ipIn } from './netns.ts';

/** A kernel's routes: prefix with length -> next hops, addresses or interfaces, sorted. */
export type KernelRoutes = ReadonlyMap<string, readonly string[]>;

const hop = {
  dev: z.string().optional(),
  gateway: z.string().optional(),
  via: z.object({ host: z.string() }).optional(),
};
const routesSchema = z.array(
  z.object({ dst: z.string(), ...hop, nexthops: z.array(z.object(hop)).optional() }),
);

/** The main routing table of a namespace, both families; the default route is 0.0.0.0/0 or ::/0. */
export async function kernelRoutes(netns: string): Promise<KernelRoutes> {
  const [v4, v6] = await Promise.all([
    ipIn(netns, ['-json', '-4', 'route', 'show']),
    ipIn(netns, ['-json', '-6', 'route', 'show']),
  ]);
  return new Map([...parseKernelRoutes(v4, 32), ...parseKernelRoutes(v6, 128)]);
}

/** Reads `ip -json route show`. @param bits length of a prefix that is printed as a bare address */
export function parseKernelRoutes(text: string, bits: 32 | 128): [string, readonly string[]][] {
  return routesSchema.parse(text.trim() === '' ? [] : JSON.parse(text)).map((route) => {
    const any = bits === 32 ? '0.0.0.0/0' : '::/0';
    const prefix =
      route.dst === 'default' ? any : route.dst.includes('/') ? route.dst : `${route.dst}/${String(bits)}`;
    const hops = route.nexthops ?? [route];
    return [prefix, hops.map((each) => each.gateway ?? each.via?.host ?? each.dev ?? '').sort(compareText)];
  });
}

/** Tells the time at which a kernel's routes became as wished, without polling. */
export interface RouteMonitor {
  /**
   * Waits until the routes satisfy `wanted`. The kernel may announce a lost next hop as a changed next-hop group and not
   * as a changed route, so each event of either kind has the table read again; the time is that of the event, not of
   * the reading.
   * @returns milliseconds as of `performance.now()`
   * @throws ERR_LAB_TIMEOUT when it is not so within `timeoutMs`
   */
  readonly until: (wanted: (routes: KernelRoutes) => boolean, timeoutMs: number) => Promise<number>;
  readonly close: () => Promise<void>;
}

const SUBSCRIBE_TIMEOUT_MS = 5_000;

/** Starts listening in a namespace; events from the moment it resolves are seen. Aborting `signal` ends the waits. */
export async function openRouteMonitor(netns: string, signal?: AbortSignal): Promise<RouteMonitor> {
  const child = spawn('nsenter', [`--net=/run/netns/${netns}`, '--', 'ip', 'monitor', 'route', 'nexthop'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let lastEventMs = performance.now();
  let wake: () => void = () => undefined;
  child.stdout.on('data', () => {
    lastEventMs = performance.now();
    wake();
  });
  const ended = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const until: RouteMonitor['until'] = async (wanted, timeoutMs) => {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const eventMs = lastEventMs;
      if (wanted(await kernelRoutes(netns))) return eventMs;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0)
        throw new LabError(
          'ERR_LAB_TIMEOUT',
          `the routes of ${netns} did not become as wished within ${String(timeoutMs)} ms`,
        );
      if (lastEventMs !== eventMs) continue; // one more while the table was read
      signal?.throwIfAborted();
      const timer = new AbortController();
      const event = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const pause = sleep(leftMs, undefined, {
        signal: AbortSignal.any([timer.signal, signal ?? timer.signal]),
      });
      await Promise.race([event, pause.catch(() => undefined)]); // an abort of the pause is looked at above
      timer.abort();
    }
  };
  try {
    await once(child, 'spawn');
    await subscribed(child.pid ?? 0);
  } catch (error) {
    await close();
    throw error;
  }
  return { until, close };
}

/** Waits until the process has a netlink socket that is member of a group (/proc/net/netlink: Pid, Groups). */
async function subscribed(pid: number): Promise<void> {
  const deadline = Date.now() + SUBSCRIBE_TIMEOUT_MS;
  const member = new RegExp(`^\\S+ +0 +${String(pid)} +(?!0+ )[0-9a-f]+ `, 'm');
  while (!member.test(await readFile(`/proc/${String(pid)}/net/netlink`, 'utf8'))) {
    if (Date.now() > deadline) throw new Error('ip monitor did not subscribe to route events');
    await sleep(2);
  }
}
