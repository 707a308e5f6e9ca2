import { access, readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { beforeAll, describe, expect, test } from 'vitest';
import { ipIn, runIn } from '../../src/lab/index.ts';
import { atEnd, describeWithNetns, eventually, testNetns } from '../support/index.ts';
import { apiClient, type ApiClient, type Json } from './api-client.ts';
import { startApiServer, type ApiServer } from './api-server.ts';
import { apiServerPrograms } from './programs.ts';

const programs = await apiServerPrograms();

/** A client with the credentials of a kubeconfig. */
async function clientOf(server: ApiServer, kubeconfig: string): Promise<ApiClient> {
  const { users } = load(await readFile(kubeconfig, 'utf8')) as { users: { user: { token: string } }[] };
  const client = apiClient({ server: server.url, caData: server.caData, token: users[0]!.user.token });
  atEnd(() => {
    client.close();
    return Promise.resolve();
  });
  return client;
}

const WIDGETS: Json = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.org' },
  spec: {
    group: 'example.org',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true },
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } },
      },
    ],
  },
};

describe('an API server by itself', () => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let server: ApiServer;

  beforeAll(async () => {
    server = await startApiServer({ users: [{ name: 'reader', groups: ['readers'] }], crds: [WIDGETS] });
    atEnd(() => server.stop());
  });

  test('keeps objects, also those of the given CustomResourceDefinitions', async () => {
    const path = '/apis/example.org/v1/namespaces/default/widgets';
    const widget = { apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'w' } };
    await server.request('POST', path, widget);
    expect((await server.request('GET', path)).items).toHaveLength(1);
  });

  test('a user may do what a role lets the groups do, and nothing else', async () => {
    const reader = await clientOf(server, await server.kubeConfigFor('reader'));
    await expect(reader.request('GET', '/api/v1/services')).rejects.toThrow(/403: .*"reader" cannot list/);
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    await server.request('POST', `${rbac}/clusterroles`, {
      metadata: { name: 'read-services' },
      rules: [{ apiGroups: [''], resources: ['services'], verbs: ['list'] }],
    });
    const apiGroup = 'rbac.authorization.k8s.io';
    await server.request('POST', `${rbac}/clusterrolebindings`, {
      metadata: { name: 'readers' },
      roleRef: { apiGroup, kind: 'ClusterRole', name: 'read-services' },
      subjects: [{ kind: 'Group', apiGroup, name: 'readers' }],
    });
    await eventually(() => reader.request('GET', '/api/v1/services'));
    await expect(reader.request('DELETE', '/api/v1/namespaces/default')).rejects.toThrow(/403/);
  });

  test('a token of a ServiceAccount is that account', async () => {
    const token = await server.tokenFor('metallb-system', 'speaker');
    const speaker = await clientOf(server, await server.kubeConfigWithToken(token));
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    expect((await speaker.request('POST', path, review)).status).toMatchObject({
      userInfo: { username: 'system:serviceaccount:metallb-system:speaker' },
    });
  });

  test('refuses a token that nobody was given', async () => {
    const stranger = await clientOf(server, await server.kubeConfigWithToken('guess'));
    await expect(stranger.request('GET', '/api/v1/services')).rejects.toThrow(/401/);
  });

  test('keeps its objects and its port over a power loss', async () => {
    await server.request('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'kept' } });
    await server.kill();
    await expect(server.request('GET', '/readyz')).rejects.toThrow(/ECONNREFUSED/);
    await server.restart();
    await server.request('GET', '/api/v1/namespaces/default/configmaps/kept');
  });

  test('says nothing while it is paused, and goes on when it is resumed', async () => {
    await server.pause();
    const answer = server.request('GET', '/readyz').then(() => 'answered');
    const first = await Promise.race([
      answer,
      new Promise((resolve) => setTimeout(resolve, 300, 'nothing yet')),
    ]);
    expect(first).toBe('nothing yet');
    server.resume();
    expect(await answer).toBe('answered');
  });
});

describeWithNetns('an API server in a network namespace', () => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  const address = '203.0.113.1';
  let netns: string;
  let server: ApiServer;
  beforeAll(async () => {
    netns = await testNetns();
    await ipIn(netns, ['address', 'add', `${address}/32`, 'dev', 'lo']);
    server = await startApiServer({ crds: [], place: { netns, address } });
    atEnd(() => server.stop());
  }, 60_000);

  test('is reached from outside by the administrator, also after a power loss', async () => {
    await server.restart();
    await expect(server.request('GET', '/api/v1/namespaces/default')).resolves.toMatchObject({
      metadata: { name: 'default' },
    });
  });

  test('is reached inside at its address', async () => {
    const kubeconfig = await readFile(await server.kubeConfigFor('admin'), 'utf8');
    const { clusters } = load(kubeconfig) as { clusters: { cluster: { server: string } }[] };
    const url = clusters[0]!.cluster.server;
    expect(new URL(url).hostname).toBe(address);
    const answer = await runIn(netns, ['curl', '--silent', '--insecure', '--max-time', '5', `${url}/livez`]);
    expect(answer.stdout).toBe('ok');
  });
});

describe('the end of an API server', () => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }

  test('leaves no folder and nobody listening', async () => {
    const server = await startApiServer({ crds: [] });
    await server.stop();
    await server.stop();
    await expect(access(server.folder)).rejects.toThrow(/ENOENT/);
    await expect(server.request('GET', '/readyz')).rejects.toThrow();
  });

  test('an aborted start leaves nothing and gives the reason', async () => {
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort(new Error('enough'));
    }, 200);
    await expect(startApiServer({ signal: controller.signal })).rejects.toThrow('enough');
  });
});
