import { afterAll, beforeAll, expect, test } from 'vitest';
import { ipIn, requireNode, setWire } from '../../src/lab/index.ts';
import { describeWithNetns, eventually } from '../support/index.ts';
import { startLan, WITHIN, type TestLan } from './lan.ts';

const WEB = '192.0.2.200';
const SHOP6 = '2001:db8::c9';
const NODES = ['n1', 'n2', 'n3'];

describeWithNetns('i-behind-router: the router follows the address', () => {
  let lan: TestLan;

  beforeAll(async () => {
    lan = await startLan('i-behind-router', { askerNode: 'router' });
    lan.ask(WEB, SHOP6);
    await lan.expectOwner(WEB);
    await lan.expectOwner(SHOP6);
    // From here on the router learns from announcements and its own questions alone, as any router.
    lan.ask();
  });

  afterAll(() => lan.stop());

  const get = async (ip: string): Promise<string> =>
    lan.run('client', ['curl', ...['-s', '--max-time', '2'], `http://${ip.includes(':') ? `[${ip}]` : ip}/`]);
  const neighbour = async (ip: string): Promise<string> => {
    const text = await ipIn(requireNode(lan.state, 'router').netns, [
      'neigh',
      'show',
      'to',
      ip,
      'dev',
      'eth1',
    ]);
    return /lladdr (\S+)/.exec(text)?.[1] ?? '';
  };

  test.each([WEB, SHOP6])('%s: a client elsewhere reaches the owner, and the next one', async (ip) => {
    let owner = '';
    await eventually(async () => {
      owner = await get(ip);
      expect(NODES).toContain(owner);
    }, WITHIN);
    expect(await neighbour(ip)).toBe(lan.macOf(owner));
    await setWire(lan.state, { node: owner, interface: 'eth1' }, 'cut');
    await eventually(async () => {
      const next = await get(ip);
      expect(NODES.filter((node) => node !== owner)).toContain(next);
      expect(await neighbour(ip)).toBe(lan.macOf(next));
    }, WITHIN);
    await setWire(lan.state, { node: owner, interface: 'eth1' }, 'whole');
  });

  test.each([WEB, SHOP6])('%s: the owner confirms the entry when the router asks it alone', async (ip) => {
    const { netns } = requireNode(lan.state, 'router');
    await eventually(async () => {
      expect(NODES).toContain(await get(ip));
    }, WITHIN);
    const owner = await neighbour(ip);
    // As when it was not used for a while: the next packet has the kernel ask by unicast (RFC 4861 section 7.3.3).
    await ipIn(netns, ['neigh', 'change', ip, 'dev', 'eth1', 'nud', 'delay']);
    await eventually(async () => {
      await get(ip);
      const text = await ipIn(netns, ['neigh', 'show', 'to', ip, 'dev', 'eth1']);
      expect(text).toContain('REACHABLE');
      expect(text).toContain(owner);
    }, WITHIN);
  });

  test("the nodes' kernels say nothing for the addresses", () => {
    const macs = new Set(NODES.map((node) => lan.macOf(node)));
    const others = lan.recorder.sightings.filter(
      ({ ip, what, mac }) =>
        (ip === WEB || ip === SHOP6) && what !== 'question' && what !== 'probe' && !macs.has(mac),
    );
    expect(others).toEqual([]);
  });
});
