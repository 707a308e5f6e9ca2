import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithFrr, eventually } from '../support/index.ts';
import { frrPaths, frrRoutes } from './router.ts';
import { startLab, type TestLab } from './support.ts';

const CONVERGE = { timeoutMs: 60_000, intervalMs: 100 };
const HOST = '198.51.100.10/32';

describeWithFrr('b-attributes: communities, local preference, aggregation, two routers', (install) => {
  let lab: TestLab;

  beforeAll(async () => {
    lab = await startLab('b-attributes', install);
  });

  afterAll(() => lab.stop());

  test('r1 holds the address and the aggregate, r2 the address and the internal pool of one node', async () => {
    await eventually(async () => {
      const [r1, r2] = await Promise.all([lab.routes('r1'), lab.routes('r2')]);
      expect([...r1].filter(([prefix]) => !isLink(prefix))).toEqual([
        ['198.51.100.0/24', ['192.0.2.11', '192.0.2.12']],
        [HOST, ['192.0.2.11', '192.0.2.12']],
      ]);
      expect([...r2].filter(([prefix]) => !isLink(prefix))).toEqual([
        [HOST, ['192.0.2.139', '192.0.2.140']],
        ['203.0.113.0/32', ['192.0.2.139']],
      ]);
    }, CONVERGE);
    expect([...(await frrRoutes(lab, 'r1')).keys()].sort()).toEqual(['198.51.100.0/24', HOST]);
  });

  test('eBGP: communities arrive, LOCAL_PREF is not sent (RFC 4271 section 5.1.5)', async () => {
    const paths = await frrPaths(lab, 'r1', HOST);
    const want = { asPath: '64500', communities: ['64500:100'], largeCommunities: ['64500:1:2'] };
    expect(paths).toMatchObject([want, want]);
    expect(paths.map((path) => path.localPref)).toEqual([undefined, undefined]);
  });

  test('eBGP: the aggregate carries its own community alone', async () => {
    const want = { asPath: '64500', communities: ['noExport'], largeCommunities: [] };
    expect(await frrPaths(lab, 'r1', '198.51.100.0/24')).toMatchObject([want, want]);
  });

  test('iBGP: LOCAL_PREF arrives with the communities', async () => {
    const want = {
      asPath: 'Local',
      localPref: 150,
      communities: ['64500:100'],
      largeCommunities: ['64500:1:2'],
    };
    expect(await frrPaths(lab, 'r2', HOST)).toMatchObject([want, want]);
    expect(await frrPaths(lab, 'r2', '203.0.113.0/32')).toMatchObject([{ localPref: 100, communities: [] }]);
  });

  test('an advertisement that changes changes the route in place', async () => {
    await lab.edit('advertisements.yaml', (text) =>
      text.replace('localPref: 150', 'localPref: 250').replace('- 64500:100', '- 64500:200'),
    );
    await eventually(async () => {
      const want = { localPref: 250, communities: ['64500:200'], largeCommunities: ['64500:1:2'] };
      expect(await frrPaths(lab, 'r2', HOST)).toMatchObject([want, want]);
    });
    // The paths change one after the other, and only equal ones are used together.
    await eventually(async () => {
      expect((await lab.routes('r2')).get(HOST)).toEqual(['192.0.2.139', '192.0.2.140']);
    });
  });

  test('an advertisement that is removed takes its prefix with it, and no other', async () => {
    await lab.edit('advertisements.yaml', (text) => text.replace('peers: [r1]', 'peers: [nobody]'));
    await eventually(async () => {
      expect([...(await frrRoutes(lab, 'r1')).keys()]).toEqual([HOST]);
    });
    expect([...(await frrRoutes(lab, 'r2')).keys()].sort()).toEqual([HOST, '203.0.113.0/32']);
  });
});

/** The kernel's own routes of the links. */
function isLink(prefix: string): boolean {
  return prefix.startsWith('192.0.2.') || prefix === 'fe80::/64';
}
