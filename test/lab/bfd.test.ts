import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRouteMonitor, requireNode, setWire } from '../../src/lab/index.ts';
import { describeWithFrr, eventually } from '../support/index.ts';
import { serviceText } from './manifests.ts';
import { frrBfdPeers, frrPaths, frrRouteVersion, frrSessions } from './router.ts';
import { startLab, type TestLab } from './support.ts';

const N1 = '192.0.2.11';
const N2 = '192.0.2.12';
const WEB = '198.51.100.1/32';
/** Services beside `web`, with their addresses. */
const OTHERS = [
  ['blog', '198.51.100.21'],
  ['shop', '198.51.100.22'],
  ['mail', '198.51.100.23'],
] as const;
const CONVERGE = { timeoutMs: 60_000, intervalMs: 100 };

describeWithFrr('f-bfd: a cut link, and what must not move', (install) => {
  let lab: TestLab;

  beforeAll(async () => {
    lab = await startLab('f-bfd', install);
    await eventually(async () => {
      expect((await lab.routes('router')).get(WEB)).toEqual([N1, N2]);
      expect(await frrBfdPeers(lab, 'router')).toMatchObject([
        { peer: N1, status: 'up' },
        { peer: N2, status: 'up' },
      ]);
    }, CONVERGE);
  });

  afterAll(() => lab.stop());

  test('sessions and other routes stay put while Services, advertisements and BFD profiles change', async () => {
    const sessions = await frrSessions(lab, 'router');
    const paths = await frrPaths(lab, 'router', WEB);
    const version = await frrRouteVersion(lab, 'router', WEB);
    expect(version).toBeGreaterThan(0);
    expect(sessions).toMatchObject([{ state: 'Established' }, { state: 'Established' }]);
    expect(paths).toHaveLength(2);

    for (const [name, address] of OTHERS) {
      const annotations = { 'metallb.io/loadBalancerIPs': address };
      await lab.write(
        `${name}.yaml`,
        serviceText({ name, nodes: ['n1'], labels: { tier: name }, annotations }),
      );
    }
    await eventually(async () => {
      const routes = await lab.routes('router');
      for (const [, address] of OTHERS) expect(routes.get(`${address}/32`)).toEqual([N1, N2]);
    });

    await lab.write('extra.yaml', advertisement('shop', '64500:7'));
    await eventually(async () => {
      const paths = await frrPaths(lab, 'router', '198.51.100.22/32');
      expect(paths).toMatchObject([{ communities: ['64500:7'] }, { communities: ['64500:7'] }]);
    });

    await lab.edit('peer.yaml', (text) => text.replace('transmitInterval: 50', 'transmitInterval: 70'));
    await eventually(async () => {
      expect(await frrBfdPeers(lab, 'router')).toMatchObject([
        { peer: N1, status: 'up', 'remote-transmit-interval': 70 },
        { peer: N2, status: 'up', 'remote-transmit-interval': 70 },
      ]);
    });
    await lab.edit('peer.yaml', (text) => text.replace('transmitInterval: 70', 'transmitInterval: 50'));
    await lab.remove('extra.yaml');
    for (const [name] of OTHERS) await lab.remove(`${name}.yaml`);
    await eventually(async () => {
      const routes = await lab.routes('router');
      for (const [, address] of OTHERS) expect(routes.has(`${address}/32`)).toBe(false);
      expect(await frrBfdPeers(lab, 'router')).toMatchObject([
        { 'remote-transmit-interval': 50 },
        { 'remote-transmit-interval': 50 },
      ]);
    });

    expect(await frrSessions(lab, 'router')).toEqual(sessions);
    expect(await frrPaths(lab, 'router', WEB)).toEqual(paths);
    expect(await frrRouteVersion(lab, 'router', WEB)).toBe(version);
  });

  test('a cut link: BFD takes the next hop away and leaves the other; mended, it comes back', async () => {
    const [n1, n2] = await frrSessions(lab, 'router');
    const monitor = await openRouteMonitor(requireNode(lab.state, 'router').netns);
    try {
      await setWire(lab.state, { node: 'n1', interface: 'eth1' }, 'cut');
      // The hold time is 90 s: within this bound only BFD can be the reason.
      await monitor.until((routes) => routes.get(WEB)?.join() === N2, 20_000);
      expect((await lab.run('router', ['cat', '/sys/class/net/eth1/carrier'])).trim()).toBe('1');
      expect(await lab.run('client', ['curl', '-s', '--max-time', '2', 'http://198.51.100.1/'])).toBe('n2');
      expect(await frrPaths(lab, 'router', WEB)).toMatchObject([{ peer: N2 }]);

      await setWire(lab.state, { node: 'n1', interface: 'eth1' }, 'whole');
      await monitor.until((routes) => routes.get(WEB)?.join() === [N1, N2].join(), 60_000);
    } finally {
      await monitor.close();
    }
    const [n1After, n2After] = await frrSessions(lab, 'router');
    expect(n1After).toMatchObject({ peer: N1, state: 'Established' });
    expect(n1After?.dropped).toBeGreaterThan(n1?.dropped ?? Infinity);
    expect(n2After).toEqual(n2);
  });
});

/** One more advertisement of the pool, for Services of one tier. */
function advertisement(tier: string, community: string): string {
  return JSON.stringify({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'BGPAdvertisement',
    metadata: { namespace: 'metallb-system', name: `extra-${tier}` },
    spec: {
      ipAddressPools: ['default'],
      communities: [community],
      serviceSelectors: [{ matchLabels: { tier } }],
    },
  });
}
