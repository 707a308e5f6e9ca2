import { Agent, request } from 'node:https';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd, freePort } from '../support/index.ts';
import { isLeading, NAMESPACE, Objects, startController } from './support.ts';

/** The metrics over HTTPS: the API server decides who may read them. */

const programs = await apiServerPrograms();

describe('metrics over HTTPS', () => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;
  let port: number;

  beforeAll(async () => {
    api = await startApiServer();
    atEnd(() => api.stop());
    await new Objects(api).makeNamespace();
    port = await freePort();
    await isLeading(startController(api.kubeconfigPath, '--port', String(port)));
  });

  async function scrape(token?: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    // Made by the controller at its start: there is nobody to vouch for it.
    const agent = new Agent({ rejectUnauthorized: false });
    request({ host: '127.0.0.1', port, path: '/metrics', headers, agent }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve(`${String(response.statusCode)} ${text}`);
      });
    })
      .on('error', reject)
      .end();
    return promise;
  }

  test('are for nobody without a token, or with one that nobody gave', async () => {
    expect(await scrape()).toMatch(/^401 /);
    expect(await scrape('guess')).toMatch(/^401 /);
  });

  test('are for those whom a role lets read them', async () => {
    const stranger = await api.tokenFor('monitoring', 'stranger');
    expect(await scrape(stranger)).toMatch(/^403 /);
    const token = await api.tokenFor('monitoring', 'prometheus');
    const group = 'rbac.authorization.k8s.io';
    await api.request('POST', `/apis/${group}/v1/clusterroles`, {
      metadata: { name: 'scraper' },
      rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
    });
    await api.request('POST', `/apis/${group}/v1/clusterrolebindings`, {
      metadata: { name: 'scraper' },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'scraper' },
      subjects: [{ kind: 'ServiceAccount', name: 'prometheus', namespace: 'monitoring' }],
    });
    expect(await scrape(token)).toMatch(/^200 [^]*metallb_k8s_client_config_loaded_bool 1/);
  });

  test(`the Lease stands in ${NAMESPACE}`, async () => {
    const leases = await new Objects(api).list(`/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`);
    expect(leases).toMatchObject([{ spec: { leaseDurationSeconds: 6, leaseTransitions: 0 } }]);
  });
});
