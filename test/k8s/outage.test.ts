import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import type { Frr } from '../../src/lab/index.ts';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd, describeWithNewestFrr, eventually } from '../support/index.ts';
import { startFaultProxy, type FaultProxy, type OwnAnswer } from './fault-proxy.ts';
import {
  isLeading,
  nodeAndRouter,
  Objects,
  say,
  startController,
  startSpeaker,
  type Program,
} from './support.ts';

/**
 * A controller and a speaker with a BGP session to a router, before an API server that is slow, busy, forgetful or away.
 * The router is asked whether anything moved.
 */

const programs = await apiServerPrograms();
/** Of everything in here; a bound, not an expectation. */
const PATIENCE = { timeoutMs: 40_000 };
/** Within this time of the API server's return, what was missed has its route. */
const CATCH_UP_MS = 2_000;

describeWithNewestFrr('while the API server', (install) => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;
  let objects: Objects;
  let proxy: FaultProxy;
  let router: Frr;
  let controller: Program;
  let speaker: Program;

  beforeAll(async () => {
    let node: Frr;
    [api, [node, router]] = await Promise.all([startApiServer(), nodeAndRouter(install)]);
    atEnd(() => api.stop());
    proxy = await startFaultProxy(api);
    objects = new Objects(api);
    await objects.makeNamespace();
    await api.request('POST', '/api/v1/nodes', { metadata: { name: 'n1', labels: { rack: 'a' } } });
    await objects.pool('first', '198.51.100.0/24');
    await objects.metallb('BGPAdvertisement', 'bgpadvertisements', 'all', {
      nodeSelectors: [{ matchLabels: { rack: 'a' } }],
    });
    await objects.metallb('BGPPeer', 'bgppeers', 'tor', {
      ...{ myASN: 64_500, peerASN: 64_501, peerAddress: '203.0.113.1', connectTime: '1s' },
    });
    speaker = await startSpeaker(proxy.kubeconfigPath, { frr: node, node: 'n1' });
    controller = startController(proxy.kubeconfigPath);
    await isLeading(controller);
    await objects.serve('web');
    await hasRoutes('198.51.100.0/32');
    // Of a route that it has just heard bgpd has yet to decide about: until then its version is 0.
    await eventually(async () => {
      expect((await standing()).version).toBeGreaterThan(0);
    }, PATIENCE);
  });

  /** What the router has. */
  async function routes(): Promise<readonly string[]> {
    const table = JSON.parse(await router.show('show bgp ipv4 unicast json')) as { routes?: object };
    return Object.keys(table.routes ?? {}).sort();
  }

  async function hasRoutes(...prefixes: readonly string[]): Promise<void> {
    await eventually(async () => {
      expect(await routes()).toEqual(prefixes);
    }, PATIENCE);
  }

  /** What must not move: the route of `web` (FRR counts its changes), the session, and the address. */
  async function standing(): Promise<Readonly<Record<string, unknown>>> {
    const route = JSON.parse(await router.show('show bgp ipv4 unicast 198.51.100.0/32 json')) as Session;
    const peer = JSON.parse(await router.show('show bgp neighbors 203.0.113.2 json')) as Record<
      string,
      Session
    >;
    const { connectionsEstablished, connectionsDropped } = peer['203.0.113.2'] ?? {};
    return {
      version: route.version,
      paths: route.paths?.length,
      ...{ connectionsEstablished, connectionsDropped },
      web: await objects.address('web'),
    };
  }

  /** How long `what` takes from now to its route. */
  async function routeMs(prefix: string): Promise<number> {
    const from = performance.now();
    await eventually(
      async () => {
        expect(await routes()).toContain(prefix);
      },
      { ...PATIENCE, intervalMs: 50 },
    );
    return performance.now() - from;
  }

  /** What was missed is on the router soon after the API server is as it should be again. */
  async function isCaughtUp(since: string, prefix: string): Promise<void> {
    const took = await routeMs(prefix);
    say(`${since}, to the missed route: ${ms(took)}`);
    expect(took).toBeLessThanOrEqual(CATCH_UP_MS);
  }

  function said(program: Program, msg: string): number {
    return program.lines().filter((line) => line.msg === msg).length;
  }

  /** Times that a watch was told that it is too old. */
  function gone(program: Program): number {
    return program.lines().filter(({ err }) => (err as { status?: number } | undefined)?.status === 410)
      .length;
  }

  test('answers 2 s late: nothing moves, new Services are served, and the leader stays', async () => {
    const before = await standing();
    const lost = said(controller, 'the Lease was lost, standing by');
    proxy.setDelay(2_000);
    await delay(10_000);
    await objects.serve('slow');
    await hasRoutes('198.51.100.0/32', '198.51.100.1/32');
    await objects.deleteService('slow');
    await hasRoutes('198.51.100.0/32');
    proxy.setDelay(0);
    expect(said(controller, 'the Lease was lost, standing by')).toBe(lost);
    await objects.serve('quick');
    await isCaughtUp('API server quick again', '198.51.100.1/32');
    await objects.deleteService('quick');
    await hasRoutes('198.51.100.0/32');
    expect(await standing()).toEqual(before);
  }, 120_000);

  test('answers 429: nothing moves, and it is not asked more often than it wishes', async () => {
    const before = await standing();
    const asked = proxy.requests.length;
    proxy.setRule(() => ({ status: 429, headers: { 'retry-after': '1' } }));
    proxy.cut(); // Every watch has to be begun anew.
    proxy.mend();
    await objects.serve('busy');
    await delay(10_000);
    // In each second one for each of some 25 watches, the Leases, and what is to be written.
    expect(proxy.requests.length - asked).toBeLessThan(10 * 40);
    expect(await routes()).toEqual(['198.51.100.0/32']);
    proxy.setRule(undefined);
    await isCaughtUp('API server no longer busy', '198.51.100.1/32');
    await objects.deleteService('busy');
    await hasRoutes('198.51.100.0/32');
    expect(await standing()).toEqual(before);
  }, 120_000);

  test('forgets what was watched (410 Gone): what was missed is found, and nothing else moves', async () => {
    await objects.serve('leaves');
    await hasRoutes('198.51.100.0/32', '198.51.100.1/32');
    const before = await standing();
    const goneBefore = gone(speaker);
    proxy.cut();
    await objects.deleteService('leaves');
    for (const name of ['comes', 'comes-too']) await objects.serve(name);
    // Its watch cache begins with what is there now: it cannot go on from where our watches were.
    await api.restart();
    proxy.mend();
    await isCaughtUp('API server back after 410', '198.51.100.2/32');
    await hasRoutes('198.51.100.0/32', '198.51.100.1/32', '198.51.100.2/32');
    // The controller may have lost its Lease meanwhile, and begun with a list.
    expect(gone(speaker)).toBeGreaterThan(goneBefore);
    const names = await objects.addresses();
    expect(names).toMatchObject({ web: '198.51.100.0', comes: '198.51.100.1' });
    for (const name of ['comes', 'comes-too']) await objects.deleteService(name);
    await hasRoutes('198.51.100.0/32');
    expect(await standing()).toEqual(before);
  }, 120_000);

  test('says of every watch that it is too old: the same', async () => {
    const before = await standing();
    const goneBefore = [gone(controller), gone(speaker)];
    proxy.cut();
    await objects.serve('unseen');
    // Of none from what is listed from here on: no server has just given a version that it no longer knows.
    const { metadata } = (await api.request('GET', '/api/v1/services?limit=1')) as {
      readonly metadata: { readonly resourceVersion: string };
    };
    proxy.setRule(({ url }) => {
      const query = new URL(url, 'http://api.example').searchParams;
      const from = query.get('resourceVersion');
      if (query.get('watch') !== 'true' || from === null || url.includes('/leases')) return undefined;
      return BigInt(from) < BigInt(metadata.resourceVersion) ? { status: 410 } : undefined;
    });
    proxy.mend();
    await isCaughtUp('every watch begun anew', '198.51.100.1/32');
    await eventually(() => {
      expect(gone(controller)).toBeGreaterThan(goneBefore[0] ?? 0);
      expect(gone(speaker)).toBeGreaterThan(goneBefore[1] ?? 0);
    }, PATIENCE);
    proxy.setRule(undefined);
    await objects.deleteService('unseen');
    await hasRoutes('198.51.100.0/32');
    expect(await standing()).toEqual(before);
  }, 120_000);

  test.each([
    { how: 'answers 500 to', prefix: 'failing', answer: () => Promise.resolve({ status: 500 }) },
    { how: 'never answers', prefix: 'hanging', answer: (end: Promise<OwnAnswer>) => end },
  ])(
    '$how every write that carries no address: routes come and go as ever',
    async ({ prefix, answer }) => {
      const before = await standing();
      const end = Promise.withResolvers<OwnAnswer>();
      const failed = new Set<string>();
      proxy.setRule(({ method, url }) => {
        const [path = ''] = url.split('?');
        const kind = /\/namespaces\/[^/]+\/([^/]+)/.exec(path)?.[1] ?? '';
        if (method === 'GET' || kind === 'leases' || /\/services\/[^/]+\/status$/.test(path))
          return undefined;
        failed.add(kind);
        return answer(end.promise);
      });
      // More than a client has connections.
      const names = Array.from({ length: 24 }, (_, index) => `${prefix}-${String(index).padStart(2, '0')}`);
      for (const name of names) await objects.serve(name);
      await routeMs('198.51.100.24/32');
      const kinds = ['events', 'ipaddresspools', 'servicebgpstatuses'];
      await eventually(() => {
        expect([...failed]).toEqual(expect.arrayContaining(kinds));
      }, PATIENCE);
      await objects.serve(`${prefix}-late`);
      const came = await routeMs('198.51.100.25/32');
      for (const name of [...names, `${prefix}-late`]) await objects.deleteService(name);
      const deleted = performance.now();
      await hasRoutes('198.51.100.0/32');
      const gone = performance.now() - deleted;
      say(`no status can be written: a route comes after ${ms(came)}, 25 are gone after ${ms(gone)}`);
      // What waits for a write waits at least until the first one is given up, after 10 s.
      expect(Math.max(came, gone)).toBeLessThan(5_000);
      proxy.setRule(undefined);
      end.resolve({ status: 500 });
      expect(await standing()).toEqual(before);
    },
    120_000,
  );

  test('is away for a minute: nothing moves, and what was missed is caught up with', async () => {
    const before = await standing();
    // Hidden from us, so that there is something to catch up with.
    proxy.cut();
    await objects.serve('missed');
    await api.kill();
    const until = performance.now() + 60_000;
    while (performance.now() < until) {
      await delay(2_000);
      expect(await routes()).toEqual(['198.51.100.0/32']);
    }
    proxy.mend(); // Refused, then, by nobody but the API server.
    await api.restart();
    await isCaughtUp('API server back after a minute', '198.51.100.1/32');
    await objects.deleteService('missed');
    await hasRoutes('198.51.100.0/32');
    expect(await standing()).toEqual(before);
    expect([controller.isRunning(), speaker.isRunning()]).toEqual([true, true]);
  }, 180_000);

  test('tells of labels of the node that flap: the routes are right in the end, and the session stays', async () => {
    const before = (await standing()) as Session;
    const applied = said(speaker, 'configuration applied');
    for (let turn = 0; turn < 100; turn += 1) await label(turn % 2 === 0 ? 'b' : 'a', turn);
    await delay(1_000);
    await hasRoutes('198.51.100.0/32');
    // Each change is one of the configuration; those that come while FRR is busy are one.
    const times = said(speaker, 'configuration applied') - applied;
    say(`100 changes of a label that decides: applied ${String(times)} times`);
    expect(times).toBeGreaterThan(0);
    expect(times).toBeLessThanOrEqual(100);
    await label('b', 0);
    await hasRoutes();
    await label('a', 0);
    await hasRoutes('198.51.100.0/32');
    // bgpd looks at route-maps a second after they changed, and begins the peer's table version anew before it does.
    await delay(2_000);
    const after = (await standing()) as Session;
    expect(after).toMatchObject({
      connectionsEstablished: before.connectionsEstablished,
      connectionsDropped: before.connectionsDropped,
      paths: 1,
    });
    const quiet = said(speaker, 'configuration applied');
    // Labels that nothing asks for.
    for (let turn = 0; turn < 20; turn += 1) await label('a', turn);
    await delay(1_000);
    expect(said(speaker, 'configuration applied')).toBe(quiet);
    expect(await standing()).toEqual(after);
  }, 120_000);

  async function label(rack: string, turn: number): Promise<void> {
    const labels = { rack, turn: String(turn) };
    await api.request('PATCH', '/api/v1/nodes/n1', { metadata: { labels } }, 'application/merge-patch+json');
  }
});

interface Session {
  readonly version?: number;
  readonly paths?: readonly unknown[];
  readonly connectionsEstablished?: number;
  readonly connectionsDropped?: number;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
