import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithFrr, eventually } from '../support/index.ts';
import { frrRoutes } from './router.ts';
import { startLab, type TestLab } from './support.ts';

const CONVERGE = { timeoutMs: 60_000, intervalMs: 100 };
const V4 = '198.51.100.1/32';
const V6 = '2001:db8:100::1/128';

/** The link-local address of a node's interface: what an IPv6 next hop is. */
async function linkLocal(lab: TestLab, node: string, name: string): Promise<string> {
  const text = await lab.run(node, ['ip', '-json', '-6', 'addr', 'show', 'dev', name, 'scope', 'link']);
  // Addresses of another scope are empty objects in it.
  const [link] = JSON.parse(text) as { addr_info: { local?: string }[] }[];
  const local = link?.addr_info.find((each) => each.local !== undefined)?.local;
  if (local === undefined) throw new Error(`${node} ${name} has no link-local address`);
  return local;
}

describeWithFrr('e-dual-stack: IPv6 alone, unnumbered, both families over IPv4', (install) => {
  let lab: TestLab;
  /** Link-local next hops as `show ip route` of a router must show them, sorted; `port`: the routers' own interfaces. */
  let hops: (nodeInterface: string, ports: readonly [string, string]) => Promise<string[]>;

  beforeAll(async () => {
    lab = await startLab('e-dual-stack', install);
    hops = async (nodeInterface, [first, second]) =>
      [
        `${await linkLocal(lab, 'n1', nodeInterface)} ${first}`,
        `${await linkLocal(lab, 'n2', nodeInterface)} ${second}`,
      ].sort();
  });

  afterAll(() => lab.stop());

  test('r1, an IPv6 session: the IPv6 address and nothing else', async () => {
    const want = await hops('eth1', ['br0', 'br0']);
    await eventually(async () => {
      const routes = await frrRoutes(lab, 'r1');
      expect([...routes.keys()]).toEqual([V6]);
      expect(routes.get(V6)?.links).toEqual(want);
    }, CONVERGE);
  });

  test('r2, unnumbered: both addresses, the IPv4 one with IPv6 next hops (RFC 8950)', async () => {
    const want = await hops('eth2', ['eth1', 'eth2']);
    await eventually(async () => {
      const routes = await frrRoutes(lab, 'r2');
      expect([...routes.keys()].sort()).toEqual([V4, V6]);
      expect(routes.get(V4)?.links).toEqual(want);
      expect(routes.get(V6)?.links).toEqual(want);
    }, CONVERGE);
    const addresses = want.map((link) => link.split(' ')[0] ?? '').sort();
    const kernel = await lab.routes('r2');
    expect([kernel.get(V4), kernel.get(V6)]).toEqual([addresses, addresses]);
  });

  test('r3, an IPv4 session: both addresses', async () => {
    const want = await hops('eth3', ['br0', 'br0']);
    await eventually(async () => {
      const routes = await frrRoutes(lab, 'r3');
      expect([...routes.keys()].sort()).toEqual([V4, V6]);
      expect(routes.get(V4)?.nextHops).toEqual(['192.0.2.11', '192.0.2.12']);
      expect(routes.get(V6)?.links).toEqual(want);
    }, CONVERGE);
  });

  test('the service answers over both families', async () => {
    for (const url of ['http://198.51.100.1/', 'http://[2001:db8:100::1]/']) {
      await eventually(async () => {
        expect(await lab.run('client', ['curl', '-s', '--globoff', '--max-time', '2', url])).toMatch(
          /^n[12]$/,
        );
      });
    }
  });

  test('a Service that becomes IPv4 alone keeps its IPv4 route and loses the other', async () => {
    await lab.edit('web.yaml', (text) =>
      text
        .replace('RequireDualStack', 'SingleStack')
        .replace('ipFamilies: [IPv4, IPv6]', 'ipFamilies: [IPv4]')
        .replace(/clusterIPs: .*/, 'clusterIPs: [10.96.0.10]'),
    );
    await eventually(async () => {
      expect([...(await frrRoutes(lab, 'r1')).keys()]).toEqual([]);
      expect([...(await frrRoutes(lab, 'r2')).keys()]).toEqual([V4]);
      expect([...(await frrRoutes(lab, 'r3')).keys()]).toEqual([V4]);
    });
  });
});
