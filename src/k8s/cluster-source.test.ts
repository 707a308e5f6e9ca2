import pino from 'pino';
import { expect, test } from 'vitest';
import { startFakeApiServer } from '../../test/support/fake-api-server.ts';
import { atEnd, eventually } from '../../test/support/index.ts';
import { clusterSource } from './cluster-source.ts';
import { connectTo } from './connect.ts';
import { RESOURCES } from './resources.ts';

const SERVICES = '/api/v1/namespaces/default/services';

test.each(['put', 'remove'] as const)('what is thrown over a Service (%s) ends the source', async (when) => {
  const api = await startFakeApiServer();
  const client = await connectTo(api.kubeconfigPath);
  const ended = new AbortController();
  atEnd(async () => {
    ended.abort();
    client.close();
    await api.stop();
  });
  const broken = new Error('a fault of ours');
  const seen: string[] = [];
  const told = (what: typeof when): void => {
    seen.push(what);
    if (what === when) throw broken;
  };
  const source = clusterSource({
    client,
    namespace: 'metallb-system',
    queries: [{ type: RESOURCES.Service, namespace: 'default' }],
    withSecrets: false,
    onService: {
      put: () => {
        told('put');
      },
      remove: () => {
        told('remove');
      },
    },
    logger: pino({ level: 'silent' }),
  });
  const hasEnded = expect(source(() => undefined, ended.signal)).rejects.toBe(broken);
  await eventually(() => {
    expect(api.watchCount()).toBe(1);
  });
  const metadata = { namespace: 'default', name: 'web' };
  await client.request({ method: 'POST', path: SERVICES, body: { metadata } });
  await eventually(() => {
    expect(seen).toEqual(['put']);
  });
  if (when === 'remove') await client.request({ method: 'DELETE', path: `${SERVICES}/web`, body: {} });
  await hasEnded;
});
