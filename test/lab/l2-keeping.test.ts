import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setWire } from '../../src/lab/index.ts';
import { allWell, l2AdvertisementText, lanServiceText, nowMs, poolText, takeover } from '../lan/index.ts';
import { describeWithNetns, eventually } from '../support/index.ts';
import { firstChoice, startLan, WITHIN, type TestLan } from './lan.ts';

const NODES = ['n1', 'n2', 'n3'];
const IP = '192.0.2.210';
const MANY = Array.from({ length: 9 }, (_, index) => `192.0.2.${String(230 + index)}`);

describeWithNetns('h-one-lan: who keeps an address, and for how long', () => {
  let lan: TestLan;

  beforeAll(async () => {
    lan = await startLan('h-one-lan');
    await lan.remove('web.yaml');
    await lan.remove('shop.yaml');
    await lan.write('one.yaml', lanServiceText({ name: 'one', ips: [IP], endpoints: NODES }));
    lan.ask(IP);
    await lan.expectOwner(IP);
    await allWell(lan.state, NODES);
  });

  afterAll(() => lan.stop());

  const advertise = (spec: Readonly<Record<string, unknown>>): Promise<void> =>
    lan.write(
      'pool.yaml',
      `${poolText('lan', ['192.0.2.200-192.0.2.249'])}${l2AdvertisementText('a', spec)}`,
    );

  test('failback AfterStable: the first choice has it back once it was well for so long, and not before', async () => {
    await advertise({ failback: 'AfterStable', failbackDelay: '3s' });
    const first = firstChoice(IP);
    await lan.expectOwner(IP, [first]);
    await allWell(lan.state, NODES);
    await setWire(lan.state, { node: first, interface: 'eth1' }, 'unplugged');
    const others = NODES.filter((node) => node !== first);
    await lan.expectOwner(IP, others);
    // Whoever answers first need not be the one that keeps it.
    await delay(1_000);
    const second = await lan.expectOwner(IP, others);
    const healedMs = nowMs();
    await setWire(lan.state, { node: first, interface: 'eth1' }, 'whole');
    await lan.expectOwner(IP, [first]);
    const back = takeover(lan.recorder.sightings, { ip: IP, mac: lan.macOf(second), fromMs: healedMs });
    process.stdout.write(`back ${((back?.atMs ?? Infinity) - healedMs).toFixed(0)} ms after the repair\n`);
    expect(back?.mac).toBe(lan.macOf(first));
    expect((back?.atMs ?? 0) - healedMs).toBeGreaterThanOrEqual(3_000);
    await lan.expectToStay(IP, first);
  });

  test('balance: nine addresses that come at once are spread over three nodes', async () => {
    await lan.remove('one.yaml');
    await lan.expectNobody(IP);
    await advertise({ balance: true });
    lan.ask(...MANY);
    const services = MANY.map((ip, index) =>
      lanServiceText({ name: `many${String(index)}`, ips: [ip], endpoints: NODES }),
    );
    await lan.write('many.yaml', services.join(''));
    const counts = await eventually(async () => {
      const owners = await Promise.all(MANY.map((ip) => lan.expectOwner(ip)));
      return NODES.map((node) => owners.filter((owner) => owner === node).length);
    }, WITHIN);
    // Three each, unless a node was too slow for one of its own: the next one in order has that then.
    expect(Math.min(...counts), counts.join(' ')).toBeGreaterThanOrEqual(2);
    expect(Math.max(...counts), counts.join(' ')).toBeLessThanOrEqual(4);
    await delay(2_000);
    for (const ip of MANY) expect(lan.owners(ip)).toHaveLength(1);
  });
});
