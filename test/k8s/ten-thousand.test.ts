import { beforeAll, expect, test } from 'vitest';
import type { Frr } from '../../src/lab/index.ts';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd, describeWithNewestFrr, eventually, residentKiB } from '../support/index.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import {
  inParallel,
  nodeAndRouter,
  Objects,
  say,
  startControllerWith,
  startSpeaker,
  type Program,
} from './support.ts';

/** A large cluster whose API server is slow, and processes that may not grow. */

const programs = await apiServerPrograms();
const SERVICES = 10_000;
/** For benchmarks (RFC 2544): no range for documentation is as large. */
const POOL = '198.18.0.0/18';
/** Everything that the API server says comes so much later. */
const LATE_MS = 1_000;
/** What V8 may keep alive; a process that needs more ends. */
const HEAP = { NODE_OPTIONS: '--max-old-space-size=256' };
const WITHIN = { timeoutMs: 90_000, intervalMs: 100 };

describeWithNewestFrr(`with ${String(SERVICES)} Services and an API server that is late`, (install) => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;
  let objects: Objects;
  let proxy: FaultProxy;
  let node: Frr;
  let router: Frr;

  beforeAll(async () => {
    [api, [node, router]] = await Promise.all([startApiServer(), nodeAndRouter(install)]);
    atEnd(() => api.stop());
    objects = new Objects(api);
    await objects.makeNamespace();
    await api.request('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
    await objects.pool('large', POOL);
    await objects.metallb('BGPAdvertisement', 'bgpadvertisements', 'all', {});
    await objects.metallb('BGPPeer', 'bgppeers', 'tor', {
      ...{ myASN: 64_500, peerASN: 64_501, peerAddress: '203.0.113.1', connectTime: '1s' },
    });
    await inParallel(
      Array.from({ length: SERVICES }, (_, index) => index),
      (index) => present(objects, index),
    );
    proxy = await startFaultProxy(api);
    proxy.setDelay(LATE_MS);
  }, 300_000);

  async function routes(): Promise<number> {
    const summary = JSON.parse(await router.show('show bgp ipv4 unicast summary json')) as {
      peers?: Record<string, { pfxRcd?: number }>;
    };
    return summary.peers?.['203.0.113.2']?.pfxRcd ?? 0;
  }

  test('both start, keep what is there, and serve what is new', { timeout: 240_000 }, async () => {
    const from = performance.now();
    const seconds = (): string => `${((performance.now() - from) / 1_000).toFixed(1)} s`;
    const speaker = await startSpeaker(proxy.kubeconfigPath, { frr: node, node: 'n1', env: HEAP });
    const controller = startControllerWith(proxy.kubeconfigPath, HEAP);
    await eventually(async () => {
      expect(await routes()).toBe(SERVICES);
    }, WITHIN);
    say(`to the last of ${String(SERVICES)} routes: ${seconds()}`);
    await objects.serve('late');
    await eventually(async () => {
      expect(await routes()).toBe(SERVICES + 1);
    }, WITHIN);
    say(`to the route of one more: ${seconds()}`);
    say(`resident: controller ${await residentMiB(controller)}, speaker ${await residentMiB(speaker)}`);
    expect([controller.isRunning(), speaker.isRunning()]).toEqual([true, true]);
    // Whoever was there keeps its address, and the new one has one of its own.
    const addresses = await objects.addresses();
    expect(new Set(Object.values(addresses)).size).toBe(SERVICES + 1);
    expect([addresses[nameOf(0)], addresses[nameOf(SERVICES - 1)]]).toEqual([
      addressAt(0),
      addressAt(SERVICES - 1),
    ]);
  });
});

/** A Service as another controller left it, with three endpoints. */
async function present(objects: Objects, index: number): Promise<void> {
  const name = nameOf(index);
  await objects.service(name, {
    annotations: { 'metallb.io/ip-allocated-from-pool': 'large' },
    spec: { allocateLoadBalancerNodePorts: false },
  });
  const status = { loadBalancer: { ingress: [{ ip: addressAt(index) }] } };
  await objects.patchService(name, { status }, '/status');
  await objects.request('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    ...{ addressType: 'IPv4', ports: [{ port: 80 }] },
    endpoints: [1, 2, 3].map((host) => ({
      addresses: [`10.1.${String(host)}.${String(index % 250)}`],
      ...{ nodeName: `n${String(host)}`, conditions: { ready: true } },
    })),
  });
}

function nameOf(index: number): string {
  return `s${String(index).padStart(5, '0')}`;
}

/** The nth address of {@link POOL}, from its end, as no allocation in order would give them. */
function addressAt(index: number): string {
  const place = 16_000 - index;
  return `198.18.${String(place >> 8)}.${String(place & 255)}`;
}

async function residentMiB({ pid }: Program): Promise<string> {
  return `${String(Math.round((await residentKiB(pid)) / 1_024))} MiB`;
}
