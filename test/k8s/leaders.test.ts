import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd, eventually } from '../support/index.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import {
  isLeading,
  LEASES,
  Objects,
  say,
  startController,
  startControllerWithClock,
  wipe,
  type Program,
} from './support.ts';

/** Two controllers beside one API server: one works, the other takes over, and no address is given twice. */

const programs = await apiServerPrograms();
const LEASE_RUNS_OUT = { timeoutMs: 30_000 };
const FIVE_MINUTES = 300_000;

describe('of two controllers', () => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;
  let objects: Objects;
  /** Of one controller each. */
  let proxies: readonly [FaultProxy, FaultProxy];
  let controllers: Program[] = [];

  beforeAll(async () => {
    api = await startApiServer();
    atEnd(() => api.stop());
    objects = new Objects(api);
    await objects.makeNamespace();
    proxies = await Promise.all([startFaultProxy(api), startFaultProxy(api)]);
  }, 90_000);

  beforeEach(async () => {
    await Promise.all(controllers.map((each) => each.end('SIGKILL')));
    controllers = [];
    for (const proxy of proxies) {
      proxy.setRule(undefined);
      proxy.setDelay(0);
      proxy.mend();
    }
    await wipe(api);
    await objects.pool('first', '192.0.2.0/28');
  });

  function start(kubeconfig = api.kubeconfigPath, clockShiftMs = 0): Program {
    const controller =
      clockShiftMs === 0 ? startController(kubeconfig) : startControllerWithClock(kubeconfig, clockShiftMs);
    controllers.push(controller);
    return controller;
  }

  async function standsBy(program: Program): Promise<void> {
    await eventually(() => {
      expect(lastWord(program)).toBe('standing by');
    }, LEASE_RUNS_OUT);
  }

  async function leads(program: Program): Promise<void> {
    await eventually(() => {
      expect(lastWord(program)).toBe('leading');
    }, LEASE_RUNS_OUT);
  }

  /** How long it takes from now until a new Service has an address. */
  async function firstAddressMs(name: string): Promise<number> {
    const from = performance.now();
    await objects.service(name);
    await eventually(
      async () => {
        expect(await objects.address(name)).not.toBe('');
      },
      { ...LEASE_RUNS_OUT, intervalMs: 5 },
    );
    return performance.now() - from;
  }

  test.each([
    { signal: 'SIGTERM', exit: 0, barMs: 1_000 },
    { signal: 'SIGKILL', exit: 'SIGKILL', barMs: 8_000 },
  ] as const)(
    'the next one gives addresses within $barMs ms of $signal to the leader',
    async ({ signal, exit, barMs }) => {
      let leader = start();
      await isLeading(leader);
      const took: number[] = [];
      const given: Record<string, string> = {};
      for (const trial of ['a', 'b', 'c']) {
        const next = start();
        await standsBy(next);
        const ended = leader.end(signal);
        took.push(await firstAddressMs(trial));
        expect(await ended).toBe(exit);
        given[trial] = `192.0.2.${String(took.length - 1)}`;
        expect(await objects.addresses()).toEqual(given);
        leader = next;
      }
      const text = took.map((ms) => ms.toFixed(0)).join(', ');
      say(`from ${signal} of the leader to the address of a new Service: ${text} ms`);
      expect(Math.max(...took), text).toBeLessThanOrEqual(barMs);
    },
    LEASE_RUNS_OUT.timeoutMs * 3,
  );

  test('clocks that are five minutes off make no second leader, and do not keep the second from taking over', async () => {
    const [toFirst, toSecond] = proxies;
    const first = start(toFirst.kubeconfigPath, FIVE_MINUTES);
    await isLeading(first);
    const second = start(toSecond.kubeconfigPath, -FIVE_MINUTES);
    await standsBy(second);
    expect(await leaseClockMs(objects)).toBeGreaterThan(FIVE_MINUTES / 2);
    // Longer than the Lease lasts: by the clock of the second it runs for five minutes more, by its eyes it is renewed.
    await delay(8_000);
    expect(lastWord(second)).toBe('standing by');
    await objects.service('a');
    await objects.becomes('a', '192.0.2.0');

    toFirst.cut();
    await leads(second);
    await objects.service('b');
    await objects.becomes('b', '192.0.2.1');
    expect(await leaseClockMs(objects)).toBeLessThan(-FIVE_MINUTES / 2);
    toFirst.mend();
    await standsBy(first);
    // By the clock of the first, the Lease ran out before it was taken.
    await delay(8_000);
    expect(lastWord(first)).toBe('standing by');

    toSecond.cut();
    await leads(first);
    await objects.service('c');
    await objects.becomes('c', '192.0.2.2');
    toSecond.mend();
    await standsBy(second);
    expect(await objects.addresses()).toEqual({ a: '192.0.2.0', b: '192.0.2.1', c: '192.0.2.2' });
    expect(overlaps(first, second)).toEqual([]);
  }, 120_000);

  test('the time that the answer took which made it the leader is not the leader’s', async () => {
    const [toFirst, toSecond] = proxies;
    // The second sees all, and cannot be the first.
    toSecond.setRule(({ method, url }) =>
      method !== 'GET' && url.includes('/leases') ? { status: 503 } : undefined,
    );
    const second = start(toSecond.kubeconfigPath);
    toFirst.setDelay(4_000);
    const first = start(toFirst.kubeconfigPath);
    await standsBy(second);
    toSecond.setRule(undefined);
    await leads(first);
    toFirst.cut();
    await leads(second);
    await eventually(() => {
      expect(lastWord(first)).not.toBe('leading');
    }, LEASE_RUNS_OUT);
    expect(overlaps(first, second)).toEqual([]);
  });

  test.each(['never', 'when another one leads', 'when another one has given addresses'])(
    'a leader is killed after it decided, its writes arrive %s: no address is given twice',
    async (when) => {
      const [toFirst] = proxies;
      const release = Promise.withResolvers<undefined>();
      const held: string[] = [];
      toFirst.setRule(({ method, url, body }) => {
        if (method !== 'PATCH' || !url.includes('/services/')) return undefined;
        held.push(body);
        return release.promise.then(() => (when === 'never' ? { status: 503 } : undefined));
      });
      const first = start(toFirst.kubeconfigPath);
      await isLeading(first);
      const second = start();
      await standsBy(second);
      for (const name of ['d', 'c', 'b']) await objects.service(name);
      await eventually(() => {
        expect(held.map((body) => /192\.0\.2\.\d+/.exec(body)?.[0])).toEqual([
          '192.0.2.0',
          '192.0.2.1',
          '192.0.2.2',
        ]);
      });
      await first.end('SIGKILL');
      // It comes before the others in order: if it is the next one that decides, it has the first address.
      await objects.service('a');
      await leads(second);
      if (when === 'when another one leads') release.resolve(undefined);
      await eventually(async () => {
        const given = await objects.addresses();
        expect(Object.keys(given)).toEqual(['a', 'b', 'c', 'd']);
        expect(new Set(Object.values(given)).size).toBe(4);
      }, LEASE_RUNS_OUT);
      const settled = await objects.addresses();
      release.resolve(undefined);
      const until = performance.now() + 2_000;
      while (performance.now() < until) {
        expect(await objects.addresses()).toEqual(settled);
        await delay(20);
      }
    },
  );

  test('a leader that stood still for longer than its Lease gives nothing twice when it goes on', async () => {
    const first = start();
    await isLeading(first);
    const second = start();
    await standsBy(second);
    process.kill(first.pid, 'SIGSTOP');
    for (const name of ['c', 'b']) await objects.service(name);
    await leads(second);
    await eventually(async () => {
      expect(Object.keys(await objects.addresses())).toEqual(['b', 'c']);
    });
    const given = await objects.addresses();
    process.kill(first.pid, 'SIGCONT');
    await objects.service('a');
    await standsBy(first);
    await objects.becomes('a', '192.0.2.2');
    expect(await objects.addresses()).toEqual({ ...given, a: '192.0.2.2' });
  });
});

/** What a controller said last about the Lease. */
function lastWord(program: Program): string | undefined {
  const words = ['standing by', 'leading', 'the Lease was lost, standing by', 'the Lease is given back'];
  return program
    .lines()
    .map(({ msg }) => msg)
    .findLast((msg) => words.includes(msg));
}

/** Times in which both led. */
function overlaps(a: Program, b: Program): readonly object[] {
  return terms(a).flatMap((one) =>
    terms(b)
      .filter((other) => one.from < other.to && other.from < one.to)
      .map((other) => ({ one, other })),
  );
}

interface Term {
  readonly from: number;
  readonly to: number;
}

function terms(program: Program): readonly Term[] {
  const found: Term[] = [];
  let from: number | undefined;
  for (const { msg, cameAt } of program.lines()) {
    if (msg === 'leading') from = cameAt;
    if (from === undefined || (!msg.startsWith('the Lease was lost') && msg !== 'the Lease is given back'))
      continue;
    found.push({ from, to: cameAt });
    from = undefined;
  }
  return from === undefined ? found : [...found, { from, to: Infinity }];
}

/** How far the clock that the Lease was renewed by is ahead of ours. */
async function leaseClockMs(objects: Objects): Promise<number> {
  const [lease] = await objects.list(LEASES);
  const { renewTime } = lease?.spec as { renewTime: string };
  return Date.parse(renewTime) - Date.now();
}
