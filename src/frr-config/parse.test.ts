import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { diffFrrConfig, linesOf, parseFrrConfig } from './index.ts';

/** What `show running-config` of a release gives after it loaded wanted.conf. */
function recorded(name: string): string {
  return readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8');
}

const WANTED = recorded('wanted.conf');

describe.each(['8.4.4', '10.3'])('what FRR %s prints', (version) => {
  const running = recorded(`running-${version}.conf`);

  test('is what was loaded, both ways', () => {
    const [a, b] = [parseFrrConfig(running), parseFrrConfig(WANTED)];
    expect(linesOf(diffFrrConfig(a, b))).toEqual([]);
    expect(linesOf(diffFrrConfig(b, a))).toEqual([]);
  });

  test('names its version', () => {
    expect(parseFrrConfig(running).version).toBe(version);
  });

  test.each([
    [' neighbor 192.0.2.1 timers 3 9\n', ' neighbor 192.0.2.1 timers 3 9'],
    [
      '  network 198.51.100.1/32 route-map advertise-f0000001\n',
      '  network 198.51.100.1/32 route-map advertise-f0000001',
    ],
    ['  transmit-interval 50\n', '  transmit-interval 50'],
    [' set local-preference 150\n', ' set local-preference 150'],
  ])('without %j is missing just that', (line, typed) => {
    const change = linesOf(diffFrrConfig(parseFrrConfig(running.replace(line, '')), parseFrrConfig(WANTED)));
    expect(
      change.filter((text) => !/^ *(?:end|router |address-family |bfd$|profile |route-map )/.test(text)),
    ).toEqual([typed]);
  });
});

/** `context > statement` for everything in a text. */
function statements(text: string): string[] {
  return [...parseFrrConfig(text).contexts.values()].flatMap(({ path, statements: inside }) =>
    inside.size === 0
      ? path.length === 0
        ? []
        : [path.join(' > ')]
      : [...inside.values()].map((line) => [...path, line].join(' > ')),
  );
}

describe('contexts', () => {
  test.each<[string, string, string[]]>([
    ['nothing', '', []],
    ['comments and blank lines', '! hello\n\n# hello\n  ! hello\n', []],
    ['an empty entry', 'route-map a deny 20\nexit\n', ['route-map a deny 20']],
    [
      'blanks folded',
      'ip   prefix-list  a seq 5 permit\t192.0.2.0/24',
      ['ip prefix-list a seq 5 permit 192.0.2.0/24'],
    ],
    [
      'carriage returns',
      'log syslog informational\r\nrouter bgp 64496\r\n bgp cluster-id 192.0.2.1\r\n',
      ['log syslog informational', 'router bgp 64496 > bgp cluster-id 192.0.2.1'],
    ],
    [
      'without any indentation',
      'router bgp 64496\nneighbor 192.0.2.1 remote-as 64497\naddress-family ipv4 unicast\nneighbor 192.0.2.1 activate\nexit-address-family\nneighbor 192.0.2.1 bfd\n',
      [
        'router bgp 64496 > neighbor 192.0.2.1 remote-as 64497',
        'router bgp 64496 > neighbor 192.0.2.1 bfd',
        'router bgp 64496 > address-family ipv4 unicast > neighbor 192.0.2.1 activate',
      ],
    ],
    [
      'the short name of an address family',
      'router bgp 64496\n address-family ipv6\n  maximum-paths 4\n',
      ['router bgp 64496', 'router bgp 64496 > address-family ipv6 unicast > maximum-paths 4'],
    ],
    [
      'another context ends the open one',
      'router bgp 64496\n bgp cluster-id 192.0.2.1\nroute-map a permit 10\n set tag 1\n',
      ['router bgp 64496 > bgp cluster-id 192.0.2.1', 'route-map a permit 10 > set tag 1'],
    ],
    [
      'a command of the root ends the open one',
      'route-map a permit 10\n set tag 1\nip prefix-list b seq 5 permit 192.0.2.0/24\n',
      ['ip prefix-list b seq 5 permit 192.0.2.0/24', 'route-map a permit 10 > set tag 1'],
    ],
    ['end', 'router bgp 64496\nend\nlog syslog debugging\n', ['log syslog debugging', 'router bgp 64496']],
    [
      'a context entered twice',
      'router bgp 64496\n bgp cluster-id 192.0.2.1\nexit\nrouter bgp 64496\n maximum-paths 2\n',
      ['router bgp 64496 > bgp cluster-id 192.0.2.1', 'router bgp 64496 > maximum-paths 2'],
    ],
    [
      'an entry entered with another action keeps its statements',
      'route-map a permit 10\n set tag 1\nexit\nroute-map a deny 10\n match tag 2\n',
      ['route-map a deny 10 > set tag 1', 'route-map a deny 10 > match tag 2'],
    ],
    [
      'a command with the name of a context',
      'route-map a optimization\nlog syslog debugging\n',
      ['route-map a optimization', 'log syslog debugging'],
    ],
    [
      'VNIs',
      'router bgp 64496\n address-family l2vpn evpn\n  vni 100\n   rd 192.0.2.1:1\n  exit-vni\n  advertise-all-vni\n exit-address-family\n',
      [
        'router bgp 64496',
        'router bgp 64496 > address-family l2vpn evpn > advertise-all-vni',
        'router bgp 64496 > address-family l2vpn evpn > vni 100 > rd 192.0.2.1:1',
      ],
    ],
    [
      'a later value of one statement',
      'log stdout debugging\nlog stdout informational\n',
      ['log stdout informational'],
    ],
    [
      'two commands that look alike',
      'route-map a permit 10\n match ip address users\n match ip address prefix-list b\n',
      [
        'route-map a permit 10 > match ip address users',
        'route-map a permit 10 > match ip address prefix-list b',
      ],
    ],
    ['unknown commands', 'frobnicate the network\n', ['frobnicate the network']],
  ])('%s', (_, text, expected) => {
    expect(statements(text)).toEqual(expected);
  });
});

describe('canonical forms', () => {
  test.each([
    [
      'route-map a permit 10\n set community no-export 64496:1 blackhole additive',
      'route-map a permit 10\n set community 64496:1 65535:666 65535:65281 additive',
    ],
    [
      'route-map a permit 10\n set community internet local-AS',
      'route-map a permit 10\n set community 0:0 65535:65283',
    ],
    [
      'route-map a permit 10\n set community 64496:1 64496:1',
      'route-map a permit 10\n set community 64496:1',
    ],
    [
      'route-map a permit 10\n set large-community 64496:2:1 64496:1:9',
      'route-map a permit 10\n set large-community 64496:1:9 64496:2:1',
    ],
    [
      'router bgp 64496\n neighbor 192.0.2.1 ebgp-multihop 255',
      'router bgp 64496\n neighbor 192.0.2.1 ebgp-multihop',
    ],
    ['router bgp 64496\n neighbor 192.0.2.1 port 179', 'router bgp 64496'],
    [
      'bfd\n profile a\n  detect-multiplier 3\n  receive-interval 300\n  transmit-interval 300\n  minimum-ttl 254\n  echo receive-interval 50',
      'bfd\n profile a',
    ],
    [
      'frr version 10.3\nfrr defaults traditional\nhostname a',
      'ip nht resolve-via-default\nipv6 nht resolve-via-default\nip forwarding\nipv6 forwarding',
    ],
    ['log stdout\nlog syslog', 'log stdout debugging\nlog syslog debugging'],
    ['debug bfd peer\nservice integrated-vtysh-config\ndomainname example.org', ''],
  ])('%j is %j', (a, b) => {
    expect(statements(a).sort()).toEqual(statements(b).sort());
  });

  test.each([
    [
      'router bgp 64496\n neighbor 192.0.2.1 ebgp-multihop 2',
      'router bgp 64496\n neighbor 192.0.2.1 ebgp-multihop',
    ],
    ['route-map a permit 10\n set community none', 'route-map a permit 10'],
    [
      'route-map a permit 10\n set community 64496:1',
      'route-map a permit 10\n set community 64496:1 additive',
    ],
    ['bfd\n profile a\n  receive-interval 299', 'bfd\n profile a'],
    ['frr version 8.4.4', 'ip nht resolve-via-default\nip forwarding\nipv6 forwarding'],
    ['frr version 10.3\nno ip nht resolve-via-default', 'frr version 10.3'],
  ])('%j is not %j', (a, b) => {
    expect(statements(a).sort()).not.toEqual(statements(b).sort());
  });
});
