import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithFrr, eventually } from '../support/index.ts';
import { serviceText } from './manifests.ts';
import { frrPaths, frrRoutes } from './router.ts';
import { startLab, type TestLab } from './support.ts';

const N1 = '192.0.2.11';
const N2 = '192.0.2.12';
const CONVERGE = { timeoutMs: 60_000, intervalMs: 100 };

describeWithFrr('a-listen-range: the old ConfigMap, iBGP, listen range', (install) => {
  let lab: TestLab;

  beforeAll(async () => {
    lab = await startLab('a-listen-range', install);
  });

  afterAll(() => lab.stop());

  test('198.51.100.1/32 arrives through both nodes: avoid-buggy-ips leaves .0 out', async () => {
    await eventually(async () => {
      const routes = await frrRoutes(lab, 'router');
      expect(routes).toEqual(
        new Map([
          ['198.51.100.1/32', { protocol: 'bgp', nextHops: [N1, N2], links: [`${N1} br0`, `${N2} br0`] }],
        ]),
      );
    }, CONVERGE);
    expect((await lab.routes('router')).get('198.51.100.1/32')).toEqual([N1, N2]);
    expect(await frrPaths(lab, 'router', '198.51.100.1/32')).toMatchObject([
      { peer: N1, asPath: 'Local', communities: [], largeCommunities: [] },
      { peer: N2, asPath: 'Local', communities: [], largeCommunities: [] },
    ]);
  });

  test('requests of a client reach both nodes', async () => {
    const names = new Set<string>();
    await eventually(async () => {
      names.add((await lab.run('client', ['curl', '-s', '--max-time', '2', 'http://198.51.100.1/'])).trim());
      expect([...names].sort()).toEqual(['n1', 'n2']);
    });
  });

  test('Services come and go with their files, the others stay', async () => {
    await lab.write('shop.yaml', serviceText({ name: 'shop', nodes: ['n1'] }));
    await eventually(async () => {
      expect((await lab.routes('router')).get('198.51.100.2/32')).toEqual([N1, N2]);
    });
    expect((await lab.routes('router')).get('198.51.100.1/32')).toEqual([N1, N2]);
    await lab.remove('shop.yaml');
    await eventually(async () => {
      expect((await frrRoutes(lab, 'router')).has('198.51.100.2/32')).toBe(false);
    });
    expect((await lab.routes('router')).get('198.51.100.1/32')).toEqual([N1, N2]);
  });

  test('a broken file withdraws nothing', async () => {
    await lab.write('web.yaml', 'apiVersion: v1\nkind: Service\nmetadata: { name: [\n');
    // Something that must arrive after it shows that the broken file has been looked at.
    await lab.write('after.yaml', serviceText({ name: 'after', nodes: ['n2'] }));
    await eventually(async () => {
      expect((await lab.routes('router')).get('198.51.100.2/32')).toEqual([N1, N2]);
    });
    expect((await lab.routes('router')).get('198.51.100.1/32')).toEqual([N1, N2]);
  });
});
