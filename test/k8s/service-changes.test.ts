import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd, eventually } from '../support/index.ts';
import { isLeading, Objects, startController, wipe } from './support.ts';

/** Services that become another kind of Service, and namespaces that go with theirs: who has which address then. */

const programs = await apiServerPrograms();

describe('a Service that changes', () => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;
  let objects: Objects;

  beforeAll(async () => {
    api = await startApiServer();
    atEnd(() => api.stop());
    objects = new Objects(api);
    await objects.makeNamespace();
    await isLeading(startController(api.kubeconfigPath));
  }, 90_000);

  beforeEach(async () => {
    await wipe(api, { withLeases: false });
  });

  async function waits(name: string): Promise<void> {
    await eventually(async () => {
      expect(await objects.read(name)).toMatchObject({
        address: '',
        condition: { reason: 'PoolsExhausted' },
      });
    });
  }

  test.each(['ClusterIP', 'NodePort', 'ExternalName'])(
    'its type to %s and back: its address is the next one’s, and nothing is left in its status',
    async (type) => {
      await objects.pool('one', '192.0.2.0/32');
      await objects.service('web');
      await objects.becomes('web', '192.0.2.0');
      await objects.service('next');
      await waits('next');
      const external = {
        externalName: 'example.com',
        clusterIP: null,
        clusterIPs: null,
        ipFamilies: null,
        ipFamilyPolicy: null,
      };
      await objects.patchService('web', { spec: { type, ...(type === 'ExternalName' ? external : {}) } });
      await objects.becomes('next', '192.0.2.0');
      // The address is free before the annotation is gone: these are two writes.
      await eventually(async () => {
        expect(await objects.read('web')).toMatchObject({
          address: '',
          pool: undefined,
          condition: undefined,
        });
      });
      await objects.patchService('web', { spec: { type: 'LoadBalancer', externalName: null } });
      await waits('web');
      await objects.deleteService('next');
      await objects.becomes('web', '192.0.2.0');
      expect(await objects.read('web')).toMatchObject({ pool: 'one', condition: undefined });
    },
  );

  test('its class to another’s and back: its address is free in between, and what the other writes stays', async () => {
    await objects.pool('one', '192.0.2.0/32');
    await objects.service('web');
    await objects.becomes('web', '192.0.2.0');
    // The class of a LoadBalancer does not change: it has to be something else in between.
    await objects.patchService('web', { spec: { type: 'ClusterIP' } });
    await objects.patchService('web', {
      spec: { type: 'LoadBalancer', loadBalancerClass: 'example.com/other' },
    });
    await objects.service('next');
    await objects.becomes('next', '192.0.2.0');
    const theirs = { status: { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } } };
    await objects.patchService('web', theirs, '/status');
    await delay(1_500);
    expect(await objects.read('web')).toMatchObject({ address: '203.0.113.7', condition: undefined });
    await objects.patchService('web', { spec: { type: 'ClusterIP', loadBalancerClass: null } });
    await objects.patchService('web', { spec: { type: 'LoadBalancer' } });
    await waits('web');
    await objects.deleteService('next');
    await objects.becomes('web', '192.0.2.0');
  });

  test('its families: the address of the one that stays is kept, the other comes and goes', async () => {
    await objects.pool('dual', '192.0.2.0/29', '2001:db8::/125');
    await objects.service('web');
    await objects.becomes('web', '192.0.2.0');
    const { spec } = (await objects.raw('web')) as { spec: { clusterIPs: string[] } };
    await objects.patchService('web', { spec: { ipFamilyPolicy: 'PreferDualStack' } });
    await objects.becomes('web', '192.0.2.0,2001:db8::');
    await objects.patchService('web', { spec: { ipFamilyPolicy: 'RequireDualStack' } });
    await delay(500);
    expect(await objects.address('web')).toBe('192.0.2.0,2001:db8::');
    await objects.patchService('web', {
      spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'], clusterIPs: spec.clusterIPs },
    });
    await objects.becomes('web', '192.0.2.0');
    await objects.service('six', { spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] } });
    await objects.becomes('six', '2001:db8::');
    // To the other family altogether, which takes new cluster IPs.
    await objects.patchService('web', {
      spec: {
        type: 'ExternalName',
        externalName: 'example.com',
        clusterIP: null,
        clusterIPs: null,
        ipFamilies: null,
        ipFamilyPolicy: null,
      },
    });
    await objects.becomes('web', '');
    await objects.patchService('web', {
      spec: { type: 'LoadBalancer', externalName: null, ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] },
    });
    await objects.becomes('web', '2001:db8::1');
  });

  test('by going with its namespace: addresses are kept until then, and free afterwards', async () => {
    await objects.metallb('IPAddressPool', 'ipaddresspools', 'team', {
      addresses: ['198.51.100.0/31'],
      serviceAllocation: { namespaces: ['team'] },
    });
    await objects.pool('general', '192.0.2.0/32');
    const team = '/api/v1/namespaces/team';
    const make = async (): Promise<void> => {
      await api.request('POST', '/api/v1/namespaces', { metadata: { name: 'team' } });
      for (const name of ['a', 'b', 'c']) {
        await api.request('POST', `${team}/services`, {
          metadata: { name },
          spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
        });
        await eventually(async () => {
          expect(
            (await objects.views(`${team}/services`)).find((view) => view.name === name)?.address,
          ).not.toBe('');
        });
      }
    };
    const addresses = async (): Promise<readonly string[]> =>
      (await objects.views(`${team}/services`)).map(({ address }) => address);
    await make();
    expect(await addresses()).toEqual(['198.51.100.0', '198.51.100.1', '192.0.2.0']);
    await objects.service('waits');
    await waits('waits');

    await api.request('DELETE', team);
    await delay(1_000);
    // Terminating; nobody deletes what is in it yet.
    expect(await addresses()).toEqual(['198.51.100.0', '198.51.100.1', '192.0.2.0']);
    // What kube-controller-manager does, which does not run here.
    for (const name of ['a', 'b', 'c']) await api.request('DELETE', `${team}/services/${name}`);
    await api.request('PUT', `${team}/finalize`, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'team' },
      spec: { finalizers: [] },
    });
    await objects.becomes('waits', '192.0.2.0');
    expect(await objects.read('waits')).toMatchObject({ pool: 'general', condition: undefined });
    await objects.deleteService('waits');
    await make();
    expect(await addresses()).toEqual(['198.51.100.0', '198.51.100.1', '192.0.2.0']);
  });
});
