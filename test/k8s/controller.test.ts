import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd, eventually, freePort } from '../support/index.ts';
import { isLeading, NAMESPACE, Objects, startController, wipe, type Program } from './support.ts';

/** The controller as a process beside a real API server. */

const programs = await apiServerPrograms();

describe('the controller', () => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;
  let objects: Objects;
  let controllers: Program[] = [];

  beforeAll(async () => {
    api = await startApiServer();
    atEnd(() => api.stop());
    objects = new Objects(api);
    await objects.makeNamespace();
  }, 90_000);

  beforeEach(async () => {
    await Promise.all(controllers.map((each) => each.end('SIGKILL')));
    controllers = [];
    await wipe(api);
    await objects.pool('first', '192.0.2.0/29');
  });

  function start(...args: readonly string[]): Program {
    const controller = startController(api.kubeconfigPath, ...args);
    controllers.push(controller);
    return controller;
  }

  test('gives an address, and says in the Service why another one has none', async () => {
    await isLeading(start());
    await objects.service('web');
    await objects.becomes('web', '192.0.2.0');
    expect(await objects.read('web')).toMatchObject({ pool: 'first' });
    await objects.service('odd', { annotations: { 'metallb.io/loadBalancerIPs': '203.0.113.9' } });
    await eventually(async () => {
      expect((await objects.read('odd')).condition).toMatchObject({
        reason: 'AddressNotInPool',
        message: expect.stringContaining('203.0.113.9') as string,
      });
    });
    // What it waits for arrives: no restart, and the reason goes.
    await objects.pool('second', '203.0.113.0/28');
    await objects.becomes('odd', '203.0.113.9');
    expect(await objects.read('odd')).toMatchObject({ pool: 'second', condition: undefined });
    const events = await objects.list('/api/v1/namespaces/default/events');
    const told = events.map(({ reason, involvedObject }) => [
      reason,
      (involvedObject as { name: string }).name,
    ]);
    expect(told).toEqual(
      expect.arrayContaining([
        ['IPAllocated', 'web'],
        ['AllocationFailed', 'odd'],
      ]),
    );
  });

  test('reports its configuration and the pools', async () => {
    await isLeading(start());
    await objects.service('web');
    await objects.becomes('web', '192.0.2.0');
    const path = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}`;
    await eventually(async () => {
      const [state] = await objects.list(`${path}/configurationstates`);
      expect(state).toMatchObject({ metadata: { name: 'controller' }, status: { result: 'Valid' } });
      const [pool] = await objects.list(`${path}/ipaddresspools`);
      expect(pool).toMatchObject({ status: { assignedIPv4: 1, availableIPv4: 7 } });
    });
  });

  test('what others delete or edit of its reports comes back as it is', async () => {
    await isLeading(start());
    const path = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}`;
    const state = `${path}/configurationstates/controller`;
    const pool = `${path}/ipaddresspools/first`;
    const says = async (object: string, status: object): Promise<string> =>
      eventually(async () => {
        const found = await api.request('GET', object);
        expect(found).toMatchObject({ status });
        return (found.metadata as { uid: string }).uid;
      });
    const isMadeAgain = async (status: object): Promise<void> => {
      const uid = await says(state, status);
      await api.request('DELETE', state);
      expect(await says(state, status)).not.toBe(uid);
    };
    await isMadeAgain({ result: 'Valid' });
    await says(pool, { assignedIPv4: 0, availableIPv4: 8 });
    const edit = { status: { assignedIPv4: 7, assignedIPv6: 7, availableIPv4: 7, availableIPv6: 7 } };
    await api.request('PATCH', `${pool}/status`, edit, 'application/merge-patch+json');
    await says(pool, { assignedIPv4: 0, availableIPv4: 8 });
    await objects.pool('second', '198.51.100.9-198.51.100.1');
    await isMadeAgain({ result: 'Invalid', errorSummary: expect.stringContaining('second') as string });
    // Deleted while it is away, found when it is back.
    await Promise.all(controllers.map((each) => each.end('SIGTERM')));
    await api.request('DELETE', state);
    await isLeading(start());
    await says(state, { result: 'Invalid' });
  });

  test('adopts what stands in the statuses before it gives anything, and changes none of it', async () => {
    for (const name of ['a', 'b', 'c']) await objects.service(name);
    // As another controller left them, in an order that nobody would choose.
    const given = { a: '192.0.2.6', b: '192.0.2.0', c: '192.0.2.3' };
    for (const [name, ip] of Object.entries(given)) {
      await objects.patchService(name, { status: { loadBalancer: { ingress: [{ ip }] } } }, '/status');
    }
    await objects.service('late');
    await isLeading(start());
    await objects.becomes('late', '192.0.2.1');
    expect(await objects.addresses()).toEqual({ ...given, late: '192.0.2.1' });
  });

  test('leaves addresses alone while their pool cannot be read', async () => {
    await objects.service('web');
    await objects.patchService(
      'web',
      { status: { loadBalancer: { ingress: [{ ip: '192.0.2.5' }] } } },
      '/status',
    );
    // Well-formed for the API server, and nonsense.
    await objects.pool('first', '192.0.2.9-192.0.2.1');
    const controller = start();
    await isLeading(controller);
    await delay(1_000);
    expect(await objects.address('web')).toBe('192.0.2.5');
    await objects.pool('first', '192.0.2.0/29');
    await objects.service('next');
    await objects.becomes('next', '192.0.2.0');
    expect(await objects.address('web')).toBe('192.0.2.5');
  });

  test('puts back what somebody else does to an address', async () => {
    await isLeading(start());
    await objects.service('web');
    await objects.becomes('web', '192.0.2.0');
    const foreign = { status: { loadBalancer: { ingress: [{ ip: '198.51.100.7' }] } } };
    await objects.patchService('web', foreign, '/status');
    await objects.becomes('web', '192.0.2.0');
    await delay(300);
    const { resourceVersion } = await objects.read('web');
    await delay(1_500);
    expect(await objects.read('web')).toMatchObject({ resourceVersion });
  });

  test('is not woken by its own writes', async () => {
    const port = await freePort();
    await isLeading(start('--metrics-port', String(port)));
    const updates = async (): Promise<number> => {
      const text = await (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text();
      return Number(/^metallb_k8s_client_updates_total (\d+)/m.exec(text)?.[1]);
    };
    await delay(1_500); // The pool's numbers are written by now.
    const before = await updates();
    await objects.service('web');
    await objects.becomes('web', '192.0.2.0');
    await delay(1_500);
    expect((await updates()) - before).toBe(1);
  });

  test('gives back what a Service no longer wants, and lets those of another class alone', async () => {
    await isLeading(start('--lb-class', 'example.com/frr'));
    await objects.service('ours', { spec: { loadBalancerClass: 'example.com/frr' } });
    await objects.service('theirs');
    const foreign = { loadBalancer: { ingress: [{ ip: '192.0.2.0' }] } };
    await objects.patchService('theirs', { status: foreign }, '/status');
    await eventually(async () => {
      expect(await objects.address('ours')).toMatch(/^192\.0\.2\./);
    });
    await objects.patchService('ours', { spec: { type: 'ClusterIP', loadBalancerClass: null } });
    await eventually(async () => {
      expect(await objects.read('ours')).toMatchObject({ address: '', pool: undefined });
    });
    expect(await objects.address('theirs')).toBe('192.0.2.0');
  });

  test('two pools exchanged under the Services: each has an address of a pool that is there', async () => {
    await objects.pool('second', '198.51.100.0/29');
    await isLeading(start());
    for (const name of ['a', 'b', 'c']) {
      await objects.service(name, { annotations: { 'metallb.io/address-pool': 'first' } });
    }
    await objects.becomes('c', '192.0.2.2');
    await objects.removePool('first');
    await objects.pool('first', '203.0.113.0/29');
    for (const name of ['a', 'b', 'c']) {
      await eventually(async () => {
        expect(await objects.address(name)).toMatch(/^203\.0\.113\./);
      });
    }
    expect(new Set(Object.values(await objects.addresses())).size).toBe(3);
  });

  describe('when the API server', () => {
    test('is killed for a while: nothing changes, and what was missed is caught up with', async () => {
      await isLeading(start());
      await objects.service('web');
      await objects.becomes('web', '192.0.2.0');
      await api.kill();
      await delay(8_000);
      await api.restart();
      await objects.service('late');
      await objects.becomes('late', '192.0.2.1');
      expect(await objects.address('web')).toBe('192.0.2.0');
    });

    test('hangs for a while: the same', async () => {
      await isLeading(start());
      await objects.service('web');
      await objects.becomes('web', '192.0.2.0');
      await api.pause();
      await delay(6_000);
      api.resume();
      await objects.service('late');
      await objects.becomes('late', '192.0.2.1', 20_000);
      expect(await objects.address('web')).toBe('192.0.2.0');
    });
  });
});
