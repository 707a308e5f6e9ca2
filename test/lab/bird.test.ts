import { beforeAll, expect, test } from 'vitest';
import { describeWithNetns, eventually } from '../support/index.ts';
import { serviceText } from './manifests.ts';
import { startLab, type TestLab } from './support.ts';

const CONVERGE = { timeoutMs: 60_000, intervalMs: 100 };
const NODES = ['192.0.2.1', '192.0.2.3'];

/** Next hops of the paths BIRD holds for a prefix, sorted; BIRD says "Network not found" when there is none. */
async function birdNextHops(lab: TestLab, prefix: string): Promise<string[]> {
  const text = await lab.run('router', ['sh', '-c', `birdc show route for ${prefix} all || true`]);
  return [...text.matchAll(/^\s+BGP\.next_hop: (\S+)/gm)].map((match) => match[1] ?? '').sort();
}

describeWithNetns('c-bird: BIRD 2 as the router, TCP MD5', () => {
  let lab: TestLab;

  beforeAll(async () => {
    lab = await startLab('c-bird');
  });

  test("the address is in BIRD's table and in the kernel through both nodes", async () => {
    await eventually(async () => {
      expect(await birdNextHops(lab, '198.51.100.1/32')).toEqual(NODES);
      expect((await lab.routes('router')).get('198.51.100.1/32')).toEqual(NODES);
    }, CONVERGE);
    const text = await lab.run('router', ['birdc', 'show', 'route', 'for', '198.51.100.1/32', 'all']);
    expect(text.match(/BGP\.as_path: 64500$/gm)).toHaveLength(2);
    expect(text.match(/BGP\.origin: IGP$/gm)).toHaveLength(2);
  });

  test('each session uses the password of the Secret', async () => {
    const text = await lab.run('router', ['birdc', 'show', 'protocols', 'all']);
    expect(text.match(/BGP state: +Established/g)).toHaveLength(2);
    await lab.edit('peers.yaml', (yaml) => yaml.replace('password: lab-password', 'password: another'));
    await eventually(async () => {
      expect((await lab.routes('router')).has('198.51.100.1/32')).toBe(false);
    });
    await lab.edit('peers.yaml', (yaml) => yaml.replace('password: another', 'password: lab-password'));
    await eventually(async () => {
      expect((await lab.routes('router')).get('198.51.100.1/32')).toEqual(NODES);
    }, CONVERGE);
  });

  test('a Service that goes takes its route with it', async () => {
    await lab.write('shop.yaml', serviceText({ name: 'shop', nodes: ['n1'] }));
    await eventually(async () => {
      expect(await birdNextHops(lab, '198.51.100.2/32')).toEqual(NODES);
    });
    await lab.remove('shop.yaml');
    await eventually(async () => {
      expect(await birdNextHops(lab, '198.51.100.2/32')).toEqual([]);
    });
    expect((await lab.routes('router')).get('198.51.100.1/32')).toEqual(NODES);
  });
});
