import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { addVeth, type Frr, type FrrInstall } from '../../src/lab/index.ts';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd, describeWithNewestFrr, eventually, startTestFrr, testNetns } from '../support/index.ts';
import { NAMESPACE, Objects, startSpeaker } from './support.ts';

/** Secrets in an API server, and the sessions that they are the passwords of. */

const programs = await apiServerPrograms();
const UP = { timeoutMs: 40_000, intervalMs: 100 };

interface Router {
  readonly name: string;
  readonly address: string;
  /** The node's, on the link to it. */
  readonly node: string;
  readonly asn: number;
}

const TOR1 = { name: 'tor1', address: '203.0.113.1', node: '203.0.113.2', asn: 64_501 };
const TOR2 = { name: 'tor2', address: '203.0.113.5', node: '203.0.113.6', asn: 64_502 };

describeWithNewestFrr('of two sessions with passwords', (install) => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;
  let tor1: Frr;
  let tor2: Frr;

  beforeAll(async () => {
    let node: Frr;
    [api, [node, tor1, tor2]] = await Promise.all([startApiServer(), startLab(install)]);
    atEnd(() => api.stop());
    const objects = new Objects(api);
    await objects.makeNamespace();
    await api.request('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
    for (const { name, address, asn } of [TOR1, TOR2]) {
      await secret(name, `first-of-${name}`);
      await objects.metallb('BGPPeer', 'bgppeers', name, {
        ...{ myASN: 64_500, peerASN: asn, peerAddress: address, connectTime: '1s' },
        passwordSecret: { name },
      });
    }
    await startSpeaker(api.kubeconfigPath, { frr: node, node: 'n1' });
    await eventually(async () => {
      expect(await session(tor1, TOR1)).toEqual({ state: 'Established', established: 1, dropped: 0 });
      expect(await session(tor2, TOR2)).toEqual({ state: 'Established', established: 1, dropped: 0 });
    }, UP);
  });

  /** Makes a Secret, or gives it another password. */
  async function secret(name: string, password: string): Promise<void> {
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets/${name}?fieldManager=tests&force=true`;
    const object = {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'kubernetes.io/basic-auth' },
      data: { username: '', password: Buffer.from(password).toString('base64') },
    };
    await api.request('PATCH', path, object, 'application/apply-patch+yaml');
  }

  test('the one whose Secret is another begins anew, once, and the other stays', async () => {
    const password = 'second-of-tor2';
    await secret('tor2', password);
    // Until the router has it too, there is no session.
    await eventually(async () => {
      expect(await session(tor2, TOR2)).toMatchObject({ established: 1, dropped: 1 });
    }, UP);
    const lines = [`router bgp ${String(TOR2.asn)}`, `neighbor ${TOR2.node} password ${password}`];
    await tor2.show(['configure terminal', ...lines].join('\n'));
    const again = { state: 'Established', established: 2, dropped: 1 };
    await eventually(async () => {
      expect(await session(tor2, TOR2)).toEqual(again);
    }, UP);
    // The running configuration is read back a second after it was changed.
    await delay(3_000);
    expect(await session(tor2, TOR2)).toEqual(again);
    expect(await session(tor1, TOR1)).toEqual({ state: 'Established', established: 1, dropped: 0 });
  });

  test('and neither does when a Secret is written with the password that it has', async () => {
    const before = [await session(tor1, TOR1), await session(tor2, TOR2)];
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets/tor1`;
    const patch = { metadata: { labels: { turned: 'yes' } } };
    await api.request('PATCH', path, patch, 'application/merge-patch+json');
    await delay(3_000);
    expect([await session(tor1, TOR1), await session(tor2, TOR2)]).toEqual(before);
  });
});

/** The node, with nothing in it, and both routers. */
async function startLab(install: FrrInstall): Promise<readonly [Frr, Frr, Frr]> {
  const netns = await testNetns();
  const start = async ({ name, address, node, asn }: Router, index: number): Promise<Frr> => {
    const own = await testNetns();
    await addVeth({
      a: { netns, interface: `eth${String(index)}`, addresses: [`${node}/30`] },
      b: { netns: own, interface: 'eth0', addresses: [`${address}/30`] },
    });
    const configText = [
      `router bgp ${String(asn)}`,
      ' no bgp ebgp-requires-policy',
      ` neighbor ${node} remote-as 64500`,
      ` neighbor ${node} password first-of-${name}`,
      ` neighbor ${node} passive`,
      'exit\n',
    ].join('\n');
    return startTestFrr({ install, netns: own, bgpPort: 179, configText });
  };
  const first = await start(TOR1, 1);
  const second = await start(TOR2, 2);
  return [await startTestFrr({ install, netns }), first, second];
}

interface Session {
  readonly state: string;
  readonly established: number;
  readonly dropped: number;
}

/** As the router counts it. */
async function session(router: Frr, { node }: Router): Promise<Session> {
  const answer = JSON.parse(await router.show(`show bgp neighbors ${node} json`)) as Record<
    string,
    { bgpState: string; connectionsEstablished: number; connectionsDropped: number }
  >;
  const { bgpState = '', connectionsEstablished = 0, connectionsDropped = 0 } = answer[node] ?? {};
  return { state: bgpState, established: connectionsEstablished, dropped: connectionsDropped };
}
