import { execa } from 'execa';
import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { IpFamily } from '../core/ip.ts';
import type { Link } from '../l2/index.ts';
import { linksEqual, linksOf } from './ip-json.ts';

/** Not waited for longer: `ip` asks the kernel and nobody else. */
const READ_TIMEOUT_MS = 5_000;
/** The safety net under the monitor. */
const SAFETY_READ_MS = 60_000;
/** By then `ip monitor` has opened its socket. */
const LISTENS_AFTER_MS = 250;
const BACKOFF = { firstMs: 100, mostMs: 5_000 };

export interface LinksOptions {
  /** Called with the first reading, and then after each change. */
  readonly onLinks: (links: readonly Link[]) => void;
  /** Said once for each kind of failure, until it works again. */
  readonly onFailure: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/**
 * Knows this network namespace's interfaces: told of changes by the kernel over `ip monitor`, and read anew after each.
 * Settles when `signal` is aborted and nothing runs any more.
 */
export async function watchLinks({ onLinks, onFailure, signal }: LinksOptions): Promise<void> {
  let known: readonly Link[] | undefined;
  let failures = 0;
  let reading: Promise<void> = Promise.resolve();
  let isAsked = false;

  const readOnce = async (): Promise<void> => {
    isAsked = false;
    try {
      const links = await readLinks(signal);
      failures = 0;
      if (signal.aborted || (known && linksEqual(known, links))) return;
      known = links;
      onLinks(links);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (failures === 1) onFailure(error);
      await pause(backoffMs(failures, BACKOFF, Math.random()), signal);
      read();
    }
  };
  // One at a time, and once more for all that happened meanwhile.
  const read = (): void => {
    if (isAsked || signal.aborted) return;
    isAsked = true;
    reading = reading.then(readOnce);
  };

  const safety = setInterval(read, SAFETY_READ_MS);
  let starts = 0;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await monitor(read, signal);
    } catch (error) {
      // Its end is told by `signal` when it was wanted; else it is begun again.
      if (starts === 0) reportUnlessAborted(error);
    }
    // One that has stood for a while ended for a new reason.
    starts = performance.now() - startedAt > BACKOFF.mostMs ? 1 : starts + 1;
    await pause(backoffMs(starts, BACKOFF, Math.random()), signal);
  }
  clearInterval(safety);
  await reading;

  function reportUnlessAborted(error: unknown): void {
    if (!signal.aborted) onFailure(error);
  }
}

/** Calls `onChange` when it listens, and for each change, until the process ends. */
async function monitor(onChange: () => void, signal: AbortSignal): Promise<void> {
  const lines = execa('ip', ['monitor', 'link', 'address', 'route'], {
    ...{ stdin: 'ignore', buffer: false, cancelSignal: signal },
  });
  onChange();
  // What happens before it listens is not told: a few milliseconds after its start.
  const listens = setTimeout(onChange, LISTENS_AFTER_MS);
  try {
    for await (const line of lines) if (line !== '') onChange();
  } finally {
    clearTimeout(listens);
  }
}

async function readLinks(signal: AbortSignal): Promise<readonly Link[]> {
  const options = { timeout: READ_TIMEOUT_MS, cancelSignal: signal, stdin: 'ignore' } as const;
  const ask = async (args: readonly string[]): Promise<unknown> => {
    const { stdout } = await execa('ip', ['-json', ...args], options);
    return stdout.trim() === '' ? [] : JSON.parse(stdout);
  };
  const defaultRoute = async (family: IpFamily): Promise<unknown> =>
    ask([family === 'ipv4' ? '-4' : '-6', 'route', 'show', 'default']);
  const [addresses, ipv4, ipv6] = await Promise.all([
    ask(['address', 'show']),
    defaultRoute('ipv4'),
    defaultRoute('ipv6'),
  ]);
  return linksOf({ addresses, defaultRoutes: { ipv4, ipv6 } });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
