import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import pino from 'pino';
import { expect, test } from 'vitest';
import { startFakeApiServer } from '../../test/support/fake-api-server.ts';
import { atEnd, tempDir } from '../../test/support/index.ts';
import { owned, ownership, speakerOf } from '../../test/support/layer2-store.ts';
import { clusterLayer2Store, connectTo, type ApiClient } from '../k8s/index.ts';
import { folderLayer2Store } from '../source/index.ts';
import { layer2Owners, layer2Table } from './layer2-owners.ts';

const BINARY = join(resolve(import.meta.dirname, '../..'), 'bin', 'metallb-frr');
const TIMEOUT_MS = 60_000;
const logger = pino({ level: 'silent' });
const serviceExists = (): boolean => true;

const speaker = (node: string, isReleased = false) => ({
  ...{ record: speakerOf(node), isReleased, heldMs: 8_000 },
  renewTime: '2026-01-02T03:04:05.000Z',
});
const NOW = Date.parse('2026-01-02T03:04:06.000Z');

test('who answers for what on layer 2, by address', () => {
  const owners = layer2Owners(
    {
      speakers: new Map([
        ['n1', speaker('n1')],
        ['n2', speaker('n2', true)],
      ]),
      ownerships: owned(
        ownership('n2', 'web', { ips: ['192.0.2.200'], interfaces: [], cause: 'OwnerLost' }),
        ownership('n1', 'dns', { ips: ['192.0.2.20', '2001:db8::20'], interfaces: ['eth0', 'eth1'] }),
        ownership('n1', 'ftp', { ips: ['192.0.2.3'], nextOwner: 'n2' }),
        ownership('n3', 'mail', { ips: ['192.0.2.4'] }),
      ),
      moves: new Map([
        ['default/web', 'n1'],
        ['default/ftp', 'n2'],
      ]),
    },
    NOW,
  );
  expect(layer2Table(owners)).toBe(
    [
      'ADDRESS       SERVICE       NODE                     INTERFACES  SINCE                     WHY',
      '192.0.2.3     default/ftp   n1 -> n2                 eth0        2026-01-02T03:04:05.000Z  FirstClaim',
      '192.0.2.4     default/mail  n3 (not heard of)        eth0        2026-01-02T03:04:05.000Z  FirstClaim',
      '192.0.2.20    default/dns   n1                       eth0, eth1  2026-01-02T03:04:05.000Z  FirstClaim',
      '192.0.2.200   default/web   n2 (not heard of) -> n1  -           2026-01-02T03:04:05.000Z  OwnerLost',
      '2001:db8::20  default/dns   n1                       eth0, eth1  2026-01-02T03:04:05.000Z  FirstClaim',
    ].join('\n'),
  );
});

async function status(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  return new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>((done) => {
    const child = execFile(
      ...([BINARY, ['status', ...args]] as const),
      { env: { ...process.env, PATH, METALLB_NAMESPACE: undefined, ...env }, timeout: TIMEOUT_MS },
      (_error, out, err) => {
        done({ code: child.exitCode, out, err });
      },
    );
  });
}

const WEB = {
  ...{ address: '192.0.2.200', service: 'default/web', node: 'n1', isNodeHeard: true },
  ...{ interfaces: ['eth0'], since: '2026-01-02T03:04:05.000Z', cause: 'FirstClaim' },
};

test(
  'the status of a folder has layer 2, and says which file cannot be read',
  { timeout: TIMEOUT_MS },
  async () => {
    const source = await tempDir();
    const end = new AbortController();
    const folder = join(source, '.status');
    const store = folderLayer2Store({ folder, node: 'n1', logger, serviceExists, signal: end.signal });
    store.publishSpeaker(speakerOf('n1'));
    store.publishOwnership(owned(ownership('n1', 'web', { ips: ['192.0.2.200'] })));
    await store.idle();
    end.abort();
    const { code, out, err } = await status(['--source', `dir:${source}`, '-o', 'json']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({ layer2: [WEB] });
    writeFileSync(join(folder, 'l2-owned-n2.yaml'), 'kind: Pod\n');
    const broken = await status(['--source', `dir:${source}`]);
    expect(broken.code).toBe(1);
    expect(broken.err).toMatch(/^error: .*l2-owned-n2\.yaml/);
    expect(broken.out).toMatch(/^192\.0\.2\.200 +default\/web +n1 +eth0 /m);
  },
);

test('the status of a cluster', { timeout: TIMEOUT_MS }, async () => {
  const api = await startFakeApiServer();
  const client = await connectTo(api.kubeconfigPath);
  const end = new AbortController();
  atEnd(async () => {
    end.abort();
    client.close();
    await api.stop();
  });
  const namespace = 'metallb-system';
  const store = clusterLayer2Store({
    client,
    namespace,
    node: 'n1',
    logger,
    serviceExists,
    signal: end.signal,
  });
  store.publishSpeaker(speakerOf('n1'));
  store.publishOwnership(owned(ownership('n1', 'web', { ips: ['192.0.2.200'] })));
  await store.idle();
  await post(client, '/api/v1/namespaces/default/services', {
    metadata: {
      name: 'web',
      namespace: 'default',
      annotations: { 'metallb.io/ip-allocated-from-pool': 'lan' },
    },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.200' }] } },
  });
  await post(client, '/api/v1/namespaces/default/services', {
    metadata: { name: 'none', namespace: 'default' },
    spec: { type: 'ClusterIP' },
  });
  const own = `/apis/metallb.io/v1beta1/namespaces/${namespace}`;
  await post(client, `${own}/servicebgpstatuses`, {
    metadata: { name: 'bgp-1', namespace },
    status: { node: 'n2', serviceName: 'web', serviceNamespace: 'default', peers: ['tor1'] },
  });
  await post(client, `${own}/configurationstates`, {
    metadata: { name: 'controller', namespace },
    status: { result: 'Invalid', errorSummary: 'configuration error: one\nconfiguration error: two' },
  });
  const env = { KUBECONFIG: api.kubeconfigPath };
  const { code, out, err } = await status(['-o', 'json'], env);
  expect({ code, err }).toEqual({ code: 1, err: '' });
  expect(JSON.parse(out)).toEqual({
    services: [
      {
        ...{ service: 'default/web', addresses: ['192.0.2.200'], pool: 'lan', announcedBy: ['n2'] },
        reasons: [],
      },
    ],
    sessions: [],
    layer2: [WEB],
    components: [{ name: 'controller', result: 'Invalid', errors: ['one', 'two'] }],
  });
  await api.stop();
  const away = await status([], env);
  expect(away).toMatchObject({ code: 1, out: '' });
  expect(away.err).toMatch(/^error: GET /);
});

function post(client: ApiClient, path: string, body: object): Promise<unknown> {
  return client.request({ method: 'POST', path, body });
}
