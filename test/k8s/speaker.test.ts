import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import type { Frr } from '../../src/lab/index.ts';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd, describeWithFrr, eventually, freePort, startTestFrr } from '../support/index.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { isLeading, NAMESPACE, Objects, startController, startSpeaker, type Program } from './support.ts';

/** A speaker as a process, between a real API server and a real FRR. */

const programs = await apiServerPrograms();

describeWithFrr('the speaker in a cluster', (install) => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;
  let objects: Objects;
  let proxy: FaultProxy;
  let frr: Frr;
  let speaker: Program;
  let healthPort: number;

  beforeAll(async () => {
    [api, frr, healthPort] = await Promise.all([startApiServer(), startTestFrr({ install }), freePort()]);
    atEnd(() => api.stop());
    proxy = await startFaultProxy(api);
    objects = new Objects(api);
    await objects.makeNamespace();
    await api.request('POST', '/api/v1/nodes', { metadata: { name: 'n1', labels: { rack: 'a' } } });
    await objects.pool('first', '192.0.2.0/24');
    await objects.metallb('BGPAdvertisement', 'bgpadvertisements', 'all', {});
    await secret('tor', 'one');
    await objects.metallb('BGPPeer', 'bgppeers', 'tor', {
      ...{ myASN: 64_500, peerASN: 64_501, peerAddress: '203.0.113.1' },
      // As in MetalLB the namespace means nothing.
      passwordSecret: { name: 'tor', namespace: 'elsewhere' },
    });
    await start();
    await isLeading(startController(api.kubeconfigPath));
  });

  async function start(): Promise<void> {
    speaker = await startSpeaker(proxy.kubeconfigPath, {
      ...{ frr, node: 'n1' },
      args: ['--health-probe-port', String(healthPort)],
    });
  }

  /** Makes a Secret, or gives it another password. */
  async function secret(name: string, password: string): Promise<void> {
    await api.request(
      'PATCH',
      `/api/v1/namespaces/${NAMESPACE}/secrets/${name}?fieldManager=tests&force=true`,
      {
        ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'kubernetes.io/basic-auth' },
        data: { username: '', password: Buffer.from(password).toString('base64') },
      },
      'application/apply-patch+yaml',
    );
  }

  async function networks(): Promise<readonly string[]> {
    const config = await frr.show('show running-config');
    return [...config.matchAll(/^ {2}network (\S+)/gm)].map(([, prefix = '']) => prefix);
  }

  async function announces(...prefixes: readonly string[]): Promise<void> {
    await eventually(async () => {
      expect(await networks()).toEqual(prefixes);
    });
  }

  test('announces what has an address and an endpoint', async () => {
    await objects.serve('web');
    await announces('192.0.2.0/32');
    expect(await frr.show('show running-config')).toMatch(/neighbor 203\.0\.113\.1 password one/);
    expect(await (await fetch(`http://127.0.0.1:${String(healthPort)}/readyz`)).text()).toBe('ok\n');
  });

  /** The managers of an object's status. */
  function writtenBy(manager: string): unknown {
    return expect.arrayContaining([
      expect.objectContaining({ manager, operation: 'Apply', subresource: 'status' }),
    ]);
  }

  test('says so in the API: ServiceBGPStatus, ConfigurationState, an Event', async () => {
    const path = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}`;
    await eventually(async () => {
      expect(await objects.list(`${path}/servicebgpstatuses`)).toMatchObject([
        {
          metadata: {
            name: expect.stringMatching(/^bgp-/) as string,
            labels: {
              'metallb.io/node': 'n1',
              'metallb.io/service-name': 'web',
              'metallb.io/service-namespace': 'default',
            },
          },
          status: { node: 'n1', serviceName: 'web', serviceNamespace: 'default', peers: ['tor'] },
        },
      ]);
      expect(await objects.list(`${path}/configurationstates`)).toMatchObject([
        { metadata: { name: 'controller', managedFields: writtenBy('poolReconciler') } },
        {
          metadata: { name: 'speaker-n1', managedFields: writtenBy('configReconciler') },
          status: { result: 'Valid', errorSummary: '' },
        },
      ]);
      const events = await objects.list('/api/v1/namespaces/default/events');
      expect(events).toContainEqual(
        expect.objectContaining({
          reason: 'nodeAssigned',
          message: 'announcing from node "n1" with protocol "bgp"',
          source: { component: 'metallb-speaker', host: 'n1' },
        }),
      );
    });
  });

  test('of Secrets it asks for those that peers name, one by one, in its own namespace', () => {
    const asked = proxy.requests.filter(({ url }) => url.includes('/secrets'));
    const places = asked.map(({ url }) => {
      const { pathname, searchParams } = new URL(url, api.url);
      return `${pathname} ${searchParams.get('fieldSelector') ?? ''}`;
    });
    expect(new Set(places)).toEqual(new Set([`/api/v1/namespaces/${NAMESPACE}/secrets metadata.name=tor`]));
  });

  test('what others delete or edit of it comes back', async () => {
    const path = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}`;
    const [{ metadata }] = (await objects.list(`${path}/servicebgpstatuses`)) as [
      { metadata: { name: string } },
    ];
    const bgp = `${path}/servicebgpstatuses/${metadata.name}`;
    const state = `${path}/configurationstates/speaker-n1`;
    await api.request(
      'PATCH',
      `${bgp}/status`,
      { status: { peers: ['nobody'] } },
      'application/merge-patch+json',
    );
    await api.request('DELETE', state);
    await eventually(async () => {
      expect(await api.request('GET', bgp)).toMatchObject({ status: { peers: ['tor'] } });
      expect(await api.request('GET', state)).toMatchObject({ status: { result: 'Valid' } });
    });
    await api.request('DELETE', bgp);
    await eventually(async () => {
      expect(await api.request('GET', bgp)).toMatchObject({ status: { serviceName: 'web', peers: ['tor'] } });
    });
    // A Secret that is not there is no configuration to go by.
    await objects.metallb('BGPPeer', 'bgppeers', 'spine', {
      ...{ myASN: 64_500, peerASN: 64_502, peerAddress: '203.0.113.5' },
      passwordSecret: { name: 'missing' },
    });
    const isInvalid = {
      status: { result: 'Invalid', errorSummary: expect.stringContaining('missing') as string },
    };
    await eventually(async () => {
      expect(await api.request('GET', state)).toMatchObject(isInvalid);
    });
    await api.request('DELETE', state);
    await eventually(async () => {
      expect(await api.request('GET', state)).toMatchObject(isInvalid);
    });
    await api.request('DELETE', `/apis/metallb.io/v1beta2/namespaces/${NAMESPACE}/bgppeers/spine`);
  });

  test('one that starts again writes nothing that stands already', async () => {
    expect(await speaker.end('SIGTERM')).toBe(0);
    const from = proxy.requests.length;
    await start();
    // By its name the last of all that are written.
    await objects.serve('zulu');
    const writes = (): readonly string[] =>
      proxy.requests
        .slice(from)
        .filter(({ method, url }) => method !== 'GET' && url.includes('/servicebgpstatuses'))
        .map(({ method, url }) => `${method} ${url.replace(/^.*\/bgp-[^/?]*/, '').replace(/\?.*$/, '')}`);
    await eventually(() => {
      expect(writes()).toContain('PATCH /status');
    });
    expect(writes()).toEqual(['PATCH ', 'PATCH /status']);
    await objects.deleteService('zulu');
    await announces('192.0.2.0/32');
  });

  test('a Secret with another password reaches FRR', async () => {
    await secret('tor', 'two');
    await eventually(async () => {
      expect(await frr.show('show running-config')).toMatch(/neighbor 203\.0\.113\.1 password two/);
    });
    await announces('192.0.2.0/32');
  });

  test('a node that is excluded announces nothing, and everything again afterwards', async () => {
    const label = 'node.kubernetes.io/exclude-from-external-load-balancers';
    const patch = (value: string | null): Promise<unknown> =>
      api.request(
        'PATCH',
        '/api/v1/nodes/n1',
        { metadata: { labels: { [label]: value } } },
        'application/merge-patch+json',
      );
    await patch('');
    await announces();
    await patch(null);
    await announces('192.0.2.0/32');
  });

  test('nothing is withdrawn while the API server is away, and what was missed is caught up with', async () => {
    await api.kill();
    await delay(5_000);
    expect(await networks()).toEqual(['192.0.2.0/32']);
    await api.restart();
    await objects.serve('late');
    await announces('192.0.2.0/32', '192.0.2.1/32');
  });

  test('nothing is withdrawn when status cannot be written', async () => {
    // Without their kind, every write of a ServiceBGPStatus fails.
    const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/servicebgpstatuses.metallb.io';
    await api.request('DELETE', crd);
    await objects.serve('more');
    await announces('192.0.2.0/32', '192.0.2.1/32', '192.0.2.2/32');
    expect(speaker.isRunning()).toBe(true);
  });

  test('what is deleted goes', async () => {
    await objects.deleteService('late');
    await announces('192.0.2.0/32', '192.0.2.2/32');
  });

  test('an end leaves FRR as it is', async () => {
    expect(await speaker.end('SIGTERM')).toBe(0);
    expect(await networks()).toEqual(['192.0.2.0/32', '192.0.2.2/32']);
  });
});
