import { beforeAll, expect, test } from 'vitest';
import { describeWithNetns, eventually } from '../support/index.ts';
import { serviceText } from './manifests.ts';
import { frrRoutes } from './router.ts';
import { startLab, type TestLab } from './support.ts';

const CONVERGE = { timeoutMs: 60_000, intervalMs: 100 };
const WEB = '198.51.100.1/32';
const HOPS: Readonly<Record<string, string>> = { n1: '192.0.2.11', n2: '192.0.2.12', n3: '192.0.2.13' };

describeWithNetns('g-local-endpoints: the route follows the endpoints', () => {
  let lab: TestLab;

  beforeAll(async () => {
    lab = await startLab('g-local-endpoints');
  });

  async function expectNodes(nodes: readonly string[]): Promise<void> {
    await eventually(async () => {
      expect((await lab.routes('router')).get(WEB)).toEqual(nodes.map((node) => HOPS[node]));
    }, CONVERGE);
  }

  test('the one node with an endpoint announces', async () => {
    await expectNodes(['n1']);
    expect(await lab.run('client', ['curl', '-s', '--max-time', '2', 'http://198.51.100.1/'])).toBe('n1');
  });

  test.each([
    { nodes: ['n1', 'n3'] },
    { nodes: ['n3'] },
    { nodes: ['n2', 'n3'] },
    { nodes: ['n1', 'n2', 'n3'] },
    { nodes: ['n2'] },
  ])('endpoints on $nodes: these nodes announce', async ({ nodes }) => {
    await lab.write('web.yaml', serviceText({ name: 'web', nodes, policy: 'Local' }));
    await expectNodes(nodes);
    const answers = new Set<string>();
    for (let count = 0; count < 5; count += 1) {
      answers.add(await lab.run('client', ['curl', '-s', '--max-time', '2', 'http://198.51.100.1/']));
    }
    expect(nodes).toEqual(expect.arrayContaining([...answers]));
  });

  test('no endpoint: no route', async () => {
    await lab.write('web.yaml', serviceText({ name: 'web', nodes: [], policy: 'Local' }));
    await eventually(async () => {
      expect([...(await frrRoutes(lab, 'router')).keys()]).toEqual([]);
    });
  });

  test('policy Cluster: every node announces while there is an endpoint anywhere', async () => {
    await lab.write('web.yaml', serviceText({ name: 'web', nodes: ['n3'] }));
    await expectNodes(['n1', 'n2', 'n3']);
  });
});
