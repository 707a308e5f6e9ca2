import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd, eventually, residentKiB } from '../support/index.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { inParallel, isLeading, Objects, say, startController, wipe, type Program } from './support.ts';

/** Much at once: Services by the thousand, pools that change under them, objects as large as they may be. */

const programs = await apiServerPrograms();
/** For benchmarks (RFC 2544): no range for documentation is as large. */
const LARGE = '198.18.0.0/19';
/** There are not enough of them for that many Services. */
const NO_NODE_PORTS = { allocateLoadBalancerNodePorts: false };
const STATUS_WRITE = /^\/api\/v1\/namespaces\/[^/]+\/services\/([^/]+)\/status/;

describe('with much at once, the controller', () => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;
  let objects: Objects;
  let proxy: FaultProxy;
  let controller: Program | undefined;

  beforeAll(async () => {
    api = await startApiServer();
    atEnd(() => api.stop());
    objects = new Objects(api);
    await objects.makeNamespace();
    proxy = await startFaultProxy(api);
  }, 90_000);

  beforeEach(async () => {
    await controller?.end('SIGKILL');
    proxy.setRule(undefined);
    await wipe(api);
  });

  async function start(): Promise<Program> {
    controller = startController(proxy.kubeconfigPath);
    await isLeading(controller);
    return controller;
  }

  /** Services whose status was written since the proxy had seen so many requests, one entry for each write. */
  function writtenSince(seen: number): readonly string[] {
    return proxy.requests
      .slice(seen)
      .filter(({ method }) => method === 'PATCH')
      .flatMap(({ url }) => STATUS_WRITE.exec(url)?.[1] ?? []);
  }

  test('moves nobody when two pools exchange their ranges under 200 Services, but those that ask for the other one', async () => {
    const [low, high] = ['192.0.2.0/24', '198.51.100.0/24'];
    await objects.pool('first', low);
    await objects.pool('second', high);
    const free = Array.from({ length: 100 }, (_, index) => nameOf(index));
    const bound = Array.from({ length: 100 }, (_, index) => `bound-${String(index).padStart(3, '0')}`);
    await start();
    await inParallel(free, (name) => objects.service(name));
    await inParallel(bound, (name) =>
      objects.service(name, { annotations: { 'metallb.io/address-pool': poolOf(name) } }),
    );
    await eventually(async () => {
      expect(Object.keys(await objects.addresses())).toHaveLength(200);
    });
    const before = await objects.addresses();

    // Between the two, both say the same range: that is refused, and what was in force stays.
    await objects.pool('first', high);
    await delay(1_500);
    expect(await objects.addresses()).toEqual(before);
    await objects.pool('second', low);
    const wanted = (name: string): string => (poolOf(name) === 'first' ? '198.51.100.' : '192.0.2.');
    await eventually(async () => {
      const views = await objects.views();
      for (const { name, address, pool } of views.filter(({ name }) => free.includes(name))) {
        expect([name, address, pool]).toEqual([name, before[name], 'second']);
      }
      for (const { name, address, pool } of views.filter(({ name }) => bound.includes(name))) {
        expect([name, address.startsWith(wanted(name)), pool]).toEqual([name, true, poolOf(name)]);
      }
    });
    const after = await objects.addresses();
    expect(new Set(Object.values(after)).size).toBe(200);
    // Nobody was without an address on the way.
    await delay(1_000);
    expect(await objects.addresses()).toEqual(after);
  }, 120_000);

  test('gives a Service its address that is as large as the API server takes it, and does not grow by its changes', async () => {
    await objects.pool('first', '192.0.2.0/29');
    const { pid } = await start();
    // 256 KiB is all that annotations may have together; labels have no such limit.
    await objects.service('huge', {
      annotations: { 'example.com/large': 'x'.repeat(250 * 1_024) },
      labels: Object.fromEntries(
        Array.from({ length: 4_000 }, (_, index) => [
          `example.com/${'k'.repeat(55)}${String(index)}`,
          'v'.repeat(60),
        ]),
      ),
    });
    await objects.becomes('huge', '192.0.2.0');
    say(
      `size of the Service: ${String(Math.round(JSON.stringify(await objects.raw('huge')).length / 1_024))} KiB`,
    );
    const touch = async (times: number): Promise<void> => {
      for (let turn = 0; turn < times; turn += 1) {
        await objects.patchService('huge', {
          metadata: { annotations: { 'example.com/turn': String(turn) } },
        });
      }
      await objects.service(`after-${String(times)}`);
      await eventually(async () => {
        expect(await objects.address(`after-${String(times)}`)).not.toBe('');
      });
    };
    await touch(20);
    const before = await residentKiB(pid);
    await touch(100);
    const grown = Math.round(((await residentKiB(pid)) - before) / 1_024);
    say(
      `resident memory of the controller: ${String(Math.round(before / 1_024))} MiB, ${String(grown)} MiB more after 100 changes`,
    );
    // 100 versions kept would be more than 120 MiB.
    expect(grown).toBeLessThan(80);
    expect(await objects.address('huge')).toBe('192.0.2.0');
  }, 120_000);

  // The last one: it leaves much behind.
  test('keeps the address of every one of 5,000 Services, writes none that is right, and serves those that have none', async () => {
    await objects.pool('large', LARGE);
    const given = Object.fromEntries(
      // As another controller left them, and in an order of its own.
      Array.from({ length: 5_000 }, (_, index) => [nameOf(index), addressAt(8_000 - index)]),
    );
    await inParallel(Object.entries(given), async ([name, ip]) => {
      await objects.service(name, {
        annotations: { 'metallb.io/ip-allocated-from-pool': 'large' },
        spec: NO_NODE_PORTS,
      });
      await objects.patchService(name, { status: { loadBalancer: { ingress: [{ ip }] } } }, '/status');
    });
    const late = Array.from({ length: 20 }, (_, index) => `late-${String(index).padStart(2, '0')}`);
    await inParallel(late, (name) => objects.service(name, { spec: NO_NODE_PORTS }));
    // The list comes in pages, and the server forgets where it was in the middle of them.
    let forgets = 1;
    proxy.setRule(({ url }) => {
      if (!url.startsWith('/api/v1/services?') || !url.includes('continue=') || forgets === 0)
        return undefined;
      forgets -= 1;
      return { status: 410 };
    });
    const [from, seen] = [performance.now(), proxy.requests.length];
    const { pid } = await start();
    await eventually(
      async () => {
        expect(await objects.address('late-19')).not.toBe('');
      },
      { timeoutMs: 60_000 },
    );
    say(`5,020 Services at the start, to the address of the last that had none: ${since(from)}`);
    say(`resident memory of the controller: ${String(Math.round((await residentKiB(pid)) / 1_024))} MiB`);
    expect(forgets).toBe(0);
    await delay(2_000);
    const now = await objects.addresses();
    expect(now).toMatchObject(given);
    expect(new Set(Object.values(now)).size).toBe(5_020);
    expect(writtenSince(seen).toSorted()).toEqual(late);
  }, 400_000);
});

function nameOf(index: number): string {
  return `s${String(index).padStart(4, '0')}`;
}

function poolOf(name: string): string {
  return Number(name.slice(-1)) % 2 === 0 ? 'first' : 'second';
}

/** The nth address of {@link LARGE}. */
function addressAt(index: number): string {
  return `198.18.${String(index >> 8)}.${String(index & 255)}`;
}

function since(from: number): string {
  return `${((performance.now() - from) / 1_000).toFixed(1)} s`;
}
