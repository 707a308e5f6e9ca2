import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { startFakeApiServer, type FakeApiServer } from '../../test/support/fake-api-server.ts';
import { atEnd, eventually } from '../../test/support/index.ts';
import { describeLayer2Store, owned, ownership, speakerOf } from '../../test/support/layer2-store.ts';
import { serviceL2StatusName, type Layer2Store, type Layer2View } from '../l2/index.ts';
import type { ApiClient } from './api-client.ts';
import { connectTo } from './connect.ts';
import { clusterLayer2Store, requestClusterMove } from './layer2-store.ts';

const RENEW_MS = 1_000;
const NAMESPACE = 'metallb-system';
const logger = pino({ level: 'silent' });

async function newServer(): Promise<{ api: FakeApiServer; client: ApiClient }> {
  const api = await startFakeApiServer();
  const client = await connectTo(api.kubeconfigPath);
  atEnd(async () => {
    client.close();
    await api.stop();
  });
  return { api, client };
}

function open(client: ApiClient, node: string, signal: AbortSignal): Layer2Store {
  return clusterLayer2Store({
    ...{ client, namespace: NAMESPACE, node, serviceExists: () => true, renewMs: RENEW_MS, logger, signal },
  });
}

describeLayer2Store('an API server as the place of layer 2', async () => {
  const { api, client } = await newServer();
  return {
    heldMs: RENEW_MS * 4,
    open: (node, signal) => open(client, node, signal),
    requestMove: (service, node) =>
      requestClusterMove(client, { namespace: NAMESPACE, name: serviceL2StatusName(service), node }),
    leave: () => api.stop(),
    comeBack: () => api.start(),
  };
});

describe('an API server', () => {
  let api: FakeApiServer;
  let client: ApiClient;
  let ends: AbortController[];

  beforeEach(async () => {
    ({ api, client } = await newServer());
    ends = [];
    return () => {
      for (const end of ends) end.abort();
    };
  });

  function start(node: string): { store: Layer2Store; views: Layer2View[] } {
    const end = new AbortController();
    ends.push(end);
    const store = open(client, node, end.signal);
    const views: Layer2View[] = [];
    store.start((view) => views.push(view));
    store.publishSpeaker(speakerOf(node));
    return { store, views };
  }

  test('whose watches are dead without a word is found out, said, and watched anew', async () => {
    const [one, two] = [start('n1'), start('n2')];
    await eventually(() => {
      expect(two.views.at(-1)).toMatchObject({ isFresh: true });
      expect(two.views.at(-1)?.speakers.size).toBe(2);
      expect(api.watchCount()).toBe(4);
    });
    const count = two.views.length;
    api.muteWatches();
    one.store.publishOwnership(owned(ownership('n1', 'web')));
    await eventually(
      () => {
        expect(two.views.at(-1)?.ownerships.size).toBe(1);
        expect(two.views.at(-1)?.isFresh).toBe(true);
      },
      { timeoutMs: 15_000 },
    );
    expect(two.views.slice(count).map(({ isFresh }) => isFresh)).toContain(false);
    for (const view of two.views.slice(count)) expect(view.speakers.get('n1')?.isHeld).toBe(true);
  }, 20_000);

  test('is asked twice for a new record, once for a change, and never for what stands there', async () => {
    const { store } = start('n1');
    await store.idle();
    const writes = (): number => (api.requests.get('POST') ?? 0) + (api.requests.get('PATCH') ?? 0);
    const leaseWrites = (): number => {
      const lease = [...api.objects].find(([path]) => path.includes('/leases/'))?.[1];
      return lease ? Number(lease.metadata.resourceVersion) : 0;
    };
    let [before, lease] = [writes(), leaseWrites()];
    store.publishOwnership(owned(ownership('n1', 'web')));
    await store.idle();
    if (leaseWrites() === lease) expect(writes() - before).toBe(2);
    [before, lease] = [writes(), leaseWrites()];
    store.publishOwnership(owned(ownership('n1', 'web', { nextOwner: 'n2' })));
    await store.idle();
    if (leaseWrites() === lease) expect(writes() - before).toBe(1);
    [before, lease] = [writes(), leaseWrites()];
    store.publishOwnership(owned(ownership('n1', 'web', { nextOwner: 'n2' })));
    await store.idle();
    if (leaseWrites() === lease) expect(writes()).toBe(before);
  });
});
