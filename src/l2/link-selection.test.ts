import { describe, expect, test } from 'vitest';
import type { IpAddress, IpFamily } from '../core/ip.ts';
import { ip } from '../core/test-ip.ts';
import { NOTHING_EXCLUDED } from './link-exclusion.ts';
import { describeUnused, linkLocalOf, linksFor, linkTable, unusedLinks } from './link-selection.ts';
import type { Link, LinkAddress } from './types.ts';

function address(text: string): LinkAddress {
  const [own = '', length = ''] = text.split('/');
  return { ip: ip(own), length: Number(length) };
}

interface LinkOptions extends Partial<Omit<Link, 'addresses'>> {
  readonly addresses?: readonly string[];
}

function link(name: string, { addresses = ['192.0.2.11/24'], ...more }: LinkOptions = {}): Link {
  return {
    name,
    index: 2,
    mac: '00:00:5e:00:53:01',
    isUp: true,
    isBroadcast: true,
    hasArp: true,
    hasMaster: false,
    gateways: [],
    defaultRoutes: [],
    ...more,
    addresses: [...addresses, 'fe80::1/64'].map(address),
  };
}

const VIP = ip('192.0.2.100');
const VIP6 = ip('2001:db8::100');
const ADDRESSES = ['192.0.2.11/24', '2001:db8::11/64'];
const bare = (name: string, more: LinkOptions = {}): Link => ({ ...link(name, more), addresses: [] });

describe('one interface', () => {
  const on = (one: Link, vip: IpAddress, exclusion = NOTHING_EXCLUDED): string => {
    const table = linkTable([one], exclusion);
    const used = linksFor(table, { ip: vip, interfaces: undefined });
    const named = linksFor(table, { ip: vip, interfaces: [one.name] });
    const [unused] = unusedLinks(table, { ip: vip, interfaces: undefined });
    // Naming an interface mends nothing but that it is not where the address belongs.
    expect(named).toEqual(unused === undefined || unused.reason === 'other-subnet' ? [one] : []);
    expect(used.length + (unused ? 1 : 0)).toBe(1);
    return unused?.reason ?? 'used';
  };

  const both: readonly IpFamily[] = ['ipv4', 'ipv6'];
  test.each<readonly [string, Link, string, string]>([
    ['with a subnet for both', link('eth0', { addresses: ADDRESSES }), 'used', 'used'],
    ['with a subnet for one', link('eth0'), 'used', 'other-subnet'],
    [
      'with others',
      link('eth0', { addresses: ['198.51.100.1/24', '2001:db8:1::1/64'] }),
      'other-subnet',
      'other-subnet',
    ],
    ['with default routes', link('eth0', { addresses: [], defaultRoutes: both }), 'used', 'used'],
    [
      'with the default route of IPv4',
      link('eth0', { addresses: [], defaultRoutes: ['ipv4'] }),
      'used',
      'other-subnet',
    ],
    [
      'with the default route of IPv6',
      link('eth0', { addresses: [], defaultRoutes: ['ipv6'] }),
      'other-subnet',
      'used',
    ],
    [
      'with addresses of their own',
      link('eth0', { addresses: ['192.0.2.11/32', '2001:db8::11/128'] }),
      'other-subnet',
      'other-subnet',
    ],
    ['with a wide subnet', link('eth0', { addresses: ['192.0.0.1/16', '2001:db8::/32'] }), 'used', 'used'],
    [
      'that ends below',
      link('eth0', { addresses: ['192.0.2.11/26', '2001:db8::11/121'] }),
      'other-subnet',
      'other-subnet',
    ],
    // Of the same number as 192.0.2.11/24.
    [
      'with one of the other family',
      link('eth0', { addresses: ['::c000:20b/120'] }),
      'other-subnet',
      'other-subnet',
    ],
    ['that is down', link('eth0', { addresses: ADDRESSES, isUp: false }), 'down', 'down'],
    ['in a bond', link('eth0', { addresses: ADDRESSES, hasMaster: true }), 'member', 'member'],
    ['with NOARP', link('eth0', { addresses: ADDRESSES, hasArp: false }), 'no-arp', 'no-arp'],
    ['without broadcast', link('eth0', { addresses: ADDRESSES, isBroadcast: false }), 'no-broadcast', 'used'],
    ['without addresses', bare('eth0', { defaultRoutes: both }), 'used', 'no-link-local'],
    [
      'of zeros, as lo has it',
      link('lo', { addresses: ADDRESSES, mac: '00:00:00:00:00:00' }),
      'no-mac',
      'no-mac',
    ],
    [
      'of 20 bytes, as InfiniBand has it',
      link('ib0', {
        addresses: ADDRESSES,
        mac: '00:00:00:48:fe:80:00:00:00:00:00:00:00:00:00:00:00:00:00:01',
      }),
      'no-mac',
      'no-mac',
    ],
    ['a tunnel', link('tun0', { addresses: ADDRESSES, mac: '' }), 'no-mac', 'no-mac'],
  ])('%s', (_name, one, want4, want6) => {
    expect([on(one, VIP), on(one, VIP6)]).toEqual([want4, want6]);
  });

  test('that is excluded, whatever else it is', () => {
    const exclusion = { patterns: [/^veth/] };
    expect(on(link('veth1'), VIP, exclusion)).toBe('excluded');
    expect(on(link('veth1', { isUp: false, hasMaster: true }), VIP, exclusion)).toBe('excluded');
    expect(on(link('eth1'), VIP, exclusion)).toBe('used');
  });

  test('has the first link-local address as the one it speaks from', () => {
    expect(linkLocalOf(link('eth0', { addresses: ['2001:db8::1/64', 'febf::7/64'] }))?.text).toBe('febf::7');
    expect(linkLocalOf(bare('eth0'))).toBeUndefined();
  });
});

describe('of several', () => {
  const links = [
    link('eth2', { addresses: ['198.51.100.11/24'] }),
    link('eth1', { isUp: false }),
    link('eth0', { defaultRoutes: ['ipv4'] }),
    link('veth0'),
    link('bond0', { addresses: [...ADDRESSES, '203.0.113.9/24'] }),
    link('eth3', { hasMaster: true, addresses: [] }),
  ];
  const table = linkTable(links, { patterns: [/^veth/] });
  const names = (vip: IpAddress, interfaces?: readonly string[]): string[] =>
    linksFor(table, { ip: vip, interfaces }).map(({ name }) => name);

  test.each<readonly [string, string, readonly string[] | undefined, readonly string[], string]>([
    [
      'where nothing is named, those that can hold the address',
      '192.0.2.100',
      undefined,
      ['bond0', 'eth0'],
      'eth1: not up, or without carrier; eth2: no subnet of it holds the address, and the default route does not use it; ' +
        'eth3: a member of a bond, bridge or VRF, of which the master counts; veth0: excluded by announcedInterfacesToExclude',
    ],
    [
      'those named, also where the address does not belong',
      '192.0.2.100',
      ['eth2', 'bond0'],
      ['bond0', 'eth2'],
      '',
    ],
    [
      'those named that there are',
      '192.0.2.100',
      ['eth7', 'veth0', 'eth0', 'eth1', 'eth7'],
      ['eth0'],
      'eth1: not up, or without carrier; eth7: no such interface; veth0: excluded by announcedInterfacesToExclude',
    ],
    ['none of those named', '192.0.2.100', ['eth9', 'eth8'], [], 'eth8, eth9: no such interface'],
  ])('%s', (_name, vip, interfaces, want, unused) => {
    expect(names(ip(vip), interfaces)).toEqual(want);
    expect(describeUnused(unusedLinks(table, { ip: ip(vip), interfaces }))).toBe(unused);
  });

  test('many of one reason are counted', () => {
    const interfaces = ['a', 'b', 'c', 'd', 'e'];
    expect(describeUnused(unusedLinks(table, { ip: VIP, interfaces }))).toBe(
      'a, b, c and 2 more: no such interface',
    );
  });
});
