import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { linksEqual, linksOf, type IpAnswers } from './ip-json.ts';

/** As `ip -json` of iproute2 6.1 answered in a network namespace of veth pairs, one of them in a bridge. */
function recording(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../test/ip-json/6.1/${name}.json`, import.meta.url), 'utf8'));
}

const ANSWERS: IpAnswers = {
  addresses: recording('address'),
  defaultRoutes: { ipv4: recording('route-ipv4'), ipv6: recording('route-ipv6') },
};

describe('the interfaces of a recording', () => {
  const links = linksOf(ANSWERS);
  const link = (name: string) => links.find((each) => each.name === name);
  const addresses = (name: string) =>
    link(name)?.addresses.map(({ ip, length }) => `${ip.text}/${String(length)}`);

  test('are those of Ethernet, by name', () => {
    expect(links.map(({ name }) => name)).toEqual(['br0', 'eth0', 'eth1', 'eth2', 'port0', 'port2']);
  });

  test.each([
    ['eth0', { mac: '00:00:5e:00:53:01', isUp: true, isBroadcast: true, hasArp: true, hasMaster: false }],
    ['br0', { mac: '00:00:5e:00:53:0a', isUp: true, hasMaster: false }],
    ['port0', { isUp: true, hasMaster: true }],
    ['port2', { isUp: false }],
    ['eth2', { isUp: false, hasArp: false }],
  ])('%s is what the kernel says of it', (name, want) => {
    expect(link(name)).toMatchObject(want);
  });

  test('have the addresses that may be used: none that is checked for duplicates, or is one', () => {
    expect(addresses('eth0')).toEqual(['192.0.2.11/24', '2001:db8::11/64', 'fe80::200:5eff:fe00:5301/64']);
    expect(addresses('eth1')).toEqual(['198.51.100.11/32', 'fe80::200:5eff:fe00:5302/64']);
  });

  test('have the default routes that leave through them, by one hop or by several', () => {
    expect(links.filter(({ defaultRoutes }) => defaultRoutes.length > 0)).toHaveLength(2);
    expect(link('eth0')?.defaultRoutes).toEqual(['ipv4', 'ipv6']);
    expect(link('eth1')?.defaultRoutes).toEqual(['ipv4']);
  });

  test('have the gateways of these routes, and none where the route names none', () => {
    expect(link('eth0')?.gateways.map(({ text }) => text)).toEqual(['192.0.2.1', '192.0.2.2', 'fe80::1']);
    expect(link('eth1')?.gateways.map(({ text }) => text)).toEqual(['198.51.100.12']);
  });
});

test.each<readonly [string, unknown]>([
  ['nothing', undefined],
  ['no list', { ifname: 'eth0' }],
  ['something else in the list', [7, null, 'eth0']],
  ['an interface without a number', [{ ifname: 'eth0', link_type: 'ether' }]],
  ['an interface without a name', [{ ifindex: 2, link_type: 'ether' }]],
  ['an interface of another kind', [{ ifindex: 2, ifname: 'tun0', link_type: 'ipip' }]],
])('of %s there are no interfaces', (_, addresses) => {
  expect(linksOf({ ...ANSWERS, addresses })).toEqual([]);
});

test('what is not told of an interface is taken as not so', () => {
  const addresses = [
    { ifindex: 2, ifname: 'eth0', link_type: 'ether', addr_info: [{ local: 'x', prefixlen: 24 }] },
  ];
  expect(linksOf({ addresses, defaultRoutes: { ipv4: {}, ipv6: undefined } })).toEqual([
    {
      ...{ name: 'eth0', index: 2, mac: '', isUp: false, isBroadcast: false, hasArp: true },
      ...{ hasMaster: false, addresses: [], defaultRoutes: [], gateways: [] },
    },
  ]);
});

test.each([['tentative'], ['dadfailed']])('an address that is %s is left out', (flag) => {
  const addr_info = [{ local: '192.0.2.11', prefixlen: 24, [flag]: true }];
  const addresses = [{ ifindex: 2, ifname: 'eth0', link_type: 'ether', addr_info }];
  expect(linksOf({ addresses, defaultRoutes: { ipv4: [], ipv6: [] } })[0]?.addresses).toEqual([]);
});

describe('two readings', () => {
  test('of the same are equal', () => {
    expect(linksEqual(linksOf(ANSWERS), linksOf(structuredClone(ANSWERS)))).toBe(true);
  });

  const eth0 = linksOf(ANSWERS).filter(({ name }) => name === 'eth0');
  const [one] = eth0;
  if (!one) throw new Error('the recording has no eth0');
  test.each([
    ['state', { isUp: false }],
    ['hardware address', { mac: '00:00:5e:00:53:99' }],
    ['addresses', { addresses: one.addresses.slice(1) }],
    ['subnet', { addresses: one.addresses.map(({ ip }) => ({ ip, length: 25 })) }],
    ['gateways', { gateways: [] }],
    ['default routes', { defaultRoutes: ['ipv6' as const] }],
  ])('with another %s are not', (_, change) => {
    expect(linksEqual(eth0, [{ ...one, ...change }])).toBe(false);
  });
});
