import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { serviceL2StatusName, type Layer2View, type OwnershipRecord } from '../../src/l2/index.ts';
import { clusterLayer2Store, connectTo, requestClusterMove, type ApiClient } from '../../src/k8s/index.ts';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import {
  describeLayer2Store,
  owned,
  ownership,
  speakerOf,
  type Layer2Place,
} from '../support/layer2-store.ts';
import { atEnd, eventually } from '../support/index.ts';

/** The API server as the place in which speakers write down what the others have to know. */

const programs = await apiServerPrograms();
const RENEW_MS = 1_000;
const logger = pino({ level: process.env.LAYER2_LOG ?? 'silent' });

describe.skipIf(!programs.ok)('layer 2 in the API server', () => {
  let api: ApiServer;
  let client: ApiClient;
  let namespaces = 0;

  beforeAll(async () => {
    api = await startApiServer();
    atEnd(() => api.stop());
    client = await connectTo(api.kubeconfigPath);
    atEnd(() => {
      client.close();
      return Promise.resolve();
    });
  });

  async function newNamespace(): Promise<string> {
    namespaces += 1;
    const name = `speakers-${String(namespaces)}`;
    await api.request('POST', '/api/v1/namespaces', { metadata: { name } });
    return name;
  }

  describeLayer2Store('the contract', async (): Promise<Layer2Place> => {
    const namespace = await newNamespace();
    return {
      heldMs: RENEW_MS * 4,
      open: (node, signal) =>
        clusterLayer2Store({
          client,
          namespace,
          node,
          serviceExists: () => true,
          renewMs: RENEW_MS,
          logger,
          signal,
        }),
      requestMove: (service, node) =>
        requestClusterMove(client, { namespace, name: serviceL2StatusName(service), node }),
      leave: () => api.kill(),
      comeBack: () => api.restart(),
    };
  });

  describe('what stands there', () => {
    let namespace: string;
    let ends: AbortController[];

    beforeEach(async () => {
      namespace = await newNamespace();
      ends = [];
      return () => {
        for (const end of ends) end.abort();
      };
    });

    function start(node: string, serviceExists: (key: string) => boolean | undefined = () => true) {
      const end = new AbortController();
      ends.push(end);
      const views: Layer2View[] = [];
      const store = clusterLayer2Store({
        ...{ client, namespace, node, serviceExists, renewMs: RENEW_MS, logger },
        signal: end.signal,
      });
      store.start((view) => views.push(view));
      store.publishSpeaker(speakerOf(node));
      return {
        store,
        views,
        kill: () => {
          end.abort();
        },
      };
    }

    const statusesPath = (): string => `/apis/metallb.io/v1beta1/namespaces/${namespace}/servicel2statuses`;
    const list = async (path: string): Promise<readonly Item[]> =>
      ((await api.request('GET', path)) as { items: Item[] }).items;

    test("a speaker's Lease has the fields of client-go, and is open when it is given back", async () => {
      const { store } = start('n1');
      await store.idle();
      const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
      expect(await list(path)).toMatchObject([
        {
          metadata: {
            name: 'metallb-frr-speaker-n1',
            labels: { 'app.kubernetes.io/name': 'metallb-frr', 'app.kubernetes.io/component': 'speaker' },
            annotations: { 'metallb-frr.io/speaker': JSON.stringify(speakerOf('n1')) },
          },
          spec: { holderIdentity: 'n1', leaseDurationSeconds: 4, leaseTransitions: 0 },
        },
      ]);
      const [first] = await list(path);
      await eventually(async () => {
        const [now] = await list(path);
        expect(now!.spec.renewTime).not.toBe(first!.spec.renewTime);
        expect(now!.spec.acquireTime).toBe(first!.spec.acquireTime);
      });
      await store.release();
      const [released] = await list(path);
      expect(released).toMatchObject({ spec: { leaseDurationSeconds: 1 } });
      expect(released!.spec.holderIdentity ?? '').toBe('');
      await delay(RENEW_MS * 1.5);
      expect(await list(path)).toEqual([released]);
    });

    test('a ServiceL2Status is one object for a Service, whoever owns it', async () => {
      const [one, two] = [start('n1'), start('n2')];
      one.store.publishOwnership(owned(ownership('n1', 'web', { nextOwner: 'n2' })));
      await one.store.idle();
      const object = (node: string, since: string) => ({
        metadata: {
          name: serviceL2StatusName({ namespace: 'default', name: 'web' }),
          labels: {
            'metallb.io/node': node,
            'metallb.io/service-name': 'web',
            'metallb.io/service-namespace': 'default',
          },
        },
        status: {
          ...{ node, since, serviceName: 'web', serviceNamespace: 'default' },
          interfaces: [{ name: 'eth0' }],
          ips: ['198.51.100.1', '2001:db8::1'],
        },
      });
      expect(await list(statusesPath())).toMatchObject([object('n1', '2026-01-02T03:04:05.000Z')]);
      const [before] = await list(statusesPath());
      await eventually(() => {
        expect(two.views.at(-1)?.ownerships.get('default/web')?.nextOwner).toBe('n2');
      });
      const since = '2026-01-02T03:05:00.000Z';
      two.store.publishOwnership(owned(ownership('n2', 'web', { since, cause: 'HandOver' })));
      await two.store.idle();
      const after = await list(statusesPath());
      expect(after).toMatchObject([object('n2', since)]);
      expect(after[0]!.status).not.toHaveProperty('nextOwner');
      expect(after[0]!.metadata.uid).toBe(before!.metadata.uid);
    });

    test("MetalLB's leftovers of a Service go when somebody owns it, others stay", async () => {
      const make = async (serviceName: string): Promise<string> => {
        const labels = {
          'metallb.io/node': 'n9',
          'metallb.io/service-name': serviceName,
          'metallb.io/service-namespace': 'default',
        };
        const made = (await api.request('POST', statusesPath(), {
          ...{ apiVersion: 'metallb.io/v1beta1', kind: 'ServiceL2Status' },
          metadata: { generateName: 'l2-', labels },
        })) as { metadata: { name: string } };
        return made.metadata.name;
      };
      const leave = async (serviceName: string): Promise<void> => {
        await api.request(
          'PATCH',
          `${statusesPath()}/${await make(serviceName)}/status`,
          {
            status: { node: 'n9', serviceName, serviceNamespace: 'default', interfaces: [{ name: 'eth0' }] },
          },
          'application/merge-patch+json',
        );
      };
      await leave('web');
      await leave('web');
      await leave('mail');
      const { store, views } = start('n1');
      await eventually(() => {
        expect(views.at(-1)?.ownerships.size).toBe(0);
      });
      store.publishOwnership(owned(ownership('n1', 'web')));
      await eventually(async () => {
        const nodes = (await list(statusesPath())).map(({ status }) => status.node);
        expect(nodes.sort()).toEqual(['n1', 'n9']);
      });
      // Its labels tell whose it is: it is gone before a status could be written into it.
      await make('web');
      await eventually(async () => {
        expect(await list(statusesPath())).toHaveLength(2);
      });
    });

    test('an edit by hand is undone', async () => {
      const { store } = start('n1');
      store.publishOwnership(owned(ownership('n1', 'web')));
      await store.idle();
      const path = `${statusesPath()}/${serviceL2StatusName({ namespace: 'default', name: 'web' })}`;
      await api.request(
        'PATCH',
        `${path}/status`,
        { status: { node: 'n9' } },
        'application/merge-patch+json',
      );
      await eventually(async () => {
        expect(await api.request('GET', path)).toMatchObject({ status: { node: 'n1' } });
      });
      await api.request('DELETE', path);
      await eventually(async () => {
        expect(await api.request('GET', path)).toMatchObject({ status: { node: 'n1' } });
      });
    });

    test('what a node that is gone owned of a Service that is gone is removed', async () => {
      const gone = start('n9');
      gone.store.publishOwnership(owned(ownership('n9', 'gone'), ownership('n9', 'web')));
      await gone.store.idle();
      await gone.store.release();
      gone.kill();
      const exists = (key: string): boolean => key !== 'default/gone';
      start('n2', exists);
      const { views } = start('n1', exists);
      await eventually(
        () => {
          expect([...(views.at(-1)?.ownerships.keys() ?? [])]).toEqual(['default/web']);
        },
        { timeoutMs: 40_000 },
      );
    });

    test('a Lease that somebody removed kills nobody, and is written again', async () => {
      const { views } = start('n1');
      start('n2');
      const held = (): boolean | undefined => views.at(-1)?.speakers.get('n2')?.isHeld;
      await eventually(() => {
        expect(held()).toBe(true);
      });
      const count = views.length;
      const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/metallb-frr-speaker-n2`;
      await api.request('DELETE', path);
      await eventually(async () => {
        expect(await api.request('GET', path)).toMatchObject({ spec: { holderIdentity: 'n2' } });
      });
      await delay(RENEW_MS * 5);
      for (const view of views.slice(count)) expect(view.speakers.get('n2')?.isHeld).toBe(true);
    });

    test('a thousand records are written, and all seen by another', async () => {
      const [one, two] = [start('n1'), start('n2')];
      await one.store.idle();
      const records: OwnershipRecord[] = Array.from({ length: 1_000 }, (_, index) =>
        ownership('n1', `web-${String(index)}`),
      );
      const began = performance.now();
      one.store.publishOwnership(owned(...records));
      await one.store.idle();
      const tookMs = Math.round(performance.now() - began);
      await eventually(() => {
        expect(two.views.at(-1)?.ownerships.size).toBe(1_000);
      });
      logger.info({ tookMs }, 'a thousand records written');
      one.store.publishOwnership(new Map());
      await one.store.idle();
      expect(await list(statusesPath())).toEqual([]);
      // Three thousand writes of an API server that has little of the machine.
    }, 240_000);
  });
});

/** A Lease or a ServiceL2Status. */
interface Item {
  readonly metadata: { readonly uid: string };
  readonly spec: {
    readonly holderIdentity?: string;
    readonly renewTime: string;
    readonly acquireTime: string;
  };
  readonly status: { readonly node: string };
}
