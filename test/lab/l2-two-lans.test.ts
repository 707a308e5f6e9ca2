import { afterAll, beforeAll, expect, test } from 'vitest';
import { setWire } from '../../src/lab/index.ts';
import { l2AdvertisementText, poolText } from '../lan/index.ts';
import { describeWithNetns, eventually } from '../support/index.ts';
import { lanOf, startLan, WITHIN, type TestLan } from './lan.ts';

const WEB = '192.0.2.200';
const INTRANET = '198.51.100.200';
const NODES = ['n1', 'n2', 'n3'];

describeWithNetns('j-two-lans: an interface for each advertisement', () => {
  let first: TestLan;
  let second: TestLan;

  beforeAll(async () => {
    first = await startLan('j-two-lans', { switchNode: 'switch1', askerNode: 'client' });
    second = await lanOf(first, {
      ...{ switchNode: 'switch2', askerNode: 'client', askerInterface: 'eth2', nodeInterface: 'eth2' },
    });
    first.ask(WEB);
    second.ask(INTRANET);
  });

  afterAll(() => second.stop());

  const announced = (lan: TestLan, ip: string): boolean =>
    lan.recorder.sightings.some(
      (each) => each.ip === ip && each.what !== 'question' && each.what !== 'probe',
    );

  test('each address is answered for on its LAN, by the MAC address of that interface', async () => {
    await first.expectOwner(WEB);
    await second.expectOwner(INTRANET);
    for (const ip of [WEB, INTRANET]) {
      await eventually(async () => {
        expect(NODES).toContain(
          await first.run('client', ['curl', '-s', '--max-time', '2', `http://${ip}/`]),
        );
      }, WITHIN);
    }
  });

  test('and never on the other', () => {
    expect([announced(first, WEB), announced(second, WEB)]).toEqual([true, false]);
    expect([announced(first, INTRANET), announced(second, INTRANET)]).toEqual([false, true]);
  });

  test('a link that is lost on one LAN moves the address of this LAN alone', async () => {
    const web = await first.expectOwner(WEB);
    const intranet = await second.expectOwner(INTRANET);
    await setWire(first.state, { node: web, interface: 'eth1' }, 'unplugged');
    await first.expectOwner(
      WEB,
      NODES.filter((node) => node !== web),
    );
    await second.expectToStay(INTRANET, intranet);
    await setWire(first.state, { node: web, interface: 'eth1' }, 'whole');
  });

  test('an advertisement that is given another interface takes its addresses there, and back', async () => {
    const advertise = (interfaceName: string): Promise<void> =>
      first.write(
        'pools.yaml',
        [
          poolText('public', ['192.0.2.200-192.0.2.249']),
          poolText('private', ['198.51.100.200-198.51.100.249']),
          l2AdvertisementText('public', { ipAddressPools: ['public'], interfaces: [interfaceName] }),
          l2AdvertisementText('private', { ipAddressPools: ['private'], interfaces: ['eth2'] }),
        ].join(''),
      );
    second.ask(WEB, INTRANET);
    await advertise('eth2');
    await first.expectNobody(WEB);
    await second.expectOwner(WEB);
    await advertise('eth1');
    await first.expectOwner(WEB);
    await second.expectNobody(WEB);
  });

  test('two advertisements with an interface each: one owner, who answers on both', async () => {
    await first.write(
      'pools.yaml',
      [
        poolText('public', ['192.0.2.200-192.0.2.249']),
        poolText('private', ['198.51.100.200-198.51.100.249']),
        ...['eth1', 'eth2'].map((name) =>
          l2AdvertisementText(name, { ipAddressPools: ['public'], interfaces: [name] }),
        ),
        l2AdvertisementText('private', { ipAddressPools: ['private'], interfaces: ['eth2'] }),
      ].join(''),
    );
    await second.expectOwner(WEB);
    const owner = await first.expectOwner(WEB);
    await first.expectToStay(WEB, owner);
    expect(second.owners(WEB)).toEqual([owner]);
  });
});
