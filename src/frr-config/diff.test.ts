import { describe, expect, test } from 'vitest';
import { diffFrrConfig, linesOf, parseFrrConfig, typedLines } from './index.ts';

function change(running: string, wanted: string): string[] {
  return linesOf(diffFrrConfig(parseFrrConfig(running), parseFrrConfig(wanted)));
}

const BGP = 'router bgp 64496\n';
const PEER = `${BGP} neighbor 192.0.2.1 remote-as 64497\n`;

describe('the difference', () => {
  test.each<[string, string, string, string[]]>([
    [
      'equal texts in another order',
      `${PEER} neighbor 192.0.2.1 timers 3 9\n`,
      `${BGP} neighbor 192.0.2.1 timers 3 9\n neighbor 192.0.2.1 remote-as 64497\n`,
      [],
    ],
    [
      'one prefix more',
      `${PEER} address-family ipv4 unicast\n  network 198.51.100.1/32 route-map a\n`,
      `${PEER} address-family ipv4 unicast\n  network 198.51.100.1/32 route-map a\n  network 198.51.100.2/32 route-map a\n`,
      ['router bgp 64496', ' address-family ipv4 unicast', '  network 198.51.100.2/32 route-map a', 'end'],
    ],
    [
      'one prefix less; its route-map is not repeated',
      `${BGP} address-family ipv4 unicast\n  network 198.51.100.1/32 route-map a\n`,
      BGP,
      ['router bgp 64496', ' address-family ipv4 unicast', '  no network 198.51.100.1/32', 'end'],
    ],
    [
      'a prefix moves to another class in one line',
      `${BGP} address-family ipv4 unicast\n  network 198.51.100.1/32 route-map a\n`,
      `${BGP} address-family ipv4 unicast\n  network 198.51.100.1/32 route-map b\n`,
      ['router bgp 64496', ' address-family ipv4 unicast', '  network 198.51.100.1/32 route-map b', 'end'],
    ],
    [
      'a password changes in one line',
      `${PEER} neighbor 192.0.2.1 password old\n`,
      `${PEER} neighbor 192.0.2.1 password new\n`,
      ['router bgp 64496', ' neighbor 192.0.2.1 password new', 'end'],
    ],
    [
      'a password is removed without being named',
      `${PEER} neighbor 192.0.2.1 password old\n`,
      PEER,
      ['router bgp 64496', ' no neighbor 192.0.2.1 password', 'end'],
    ],
    [
      'a new router: first what its neighbors take from it',
      '',
      'router bgp 64496\n neighbor 192.0.2.1 remote-as 64497\n no bgp default ipv4-unicast\n',
      ['router bgp 64496', ' no bgp default ipv4-unicast', ' neighbor 192.0.2.1 remote-as 64497', 'end'],
    ],
    [
      'a listen range: behind its group',
      '',
      'router bgp 64496\n bgp listen range 192.0.2.0/24 peer-group tor\n neighbor tor remote-as 64497\n neighbor tor peer-group\n',
      [
        'router bgp 64496',
        ' neighbor tor peer-group',
        ' neighbor tor remote-as 64497',
        ' bgp listen range 192.0.2.0/24 peer-group tor',
        'end',
      ],
    ],
    [
      'a new neighbor: remote-as first',
      BGP,
      `${BGP} neighbor 192.0.2.1 bfd\n neighbor 192.0.2.1 remote-as 64497\n`,
      ['router bgp 64496', ' neighbor 192.0.2.1 remote-as 64497', ' neighbor 192.0.2.1 bfd', 'end'],
    ],
    [
      'peer groups before their members',
      BGP,
      `${BGP} neighbor 192.0.2.1 peer-group tor\n neighbor 192.0.2.1 bfd\n neighbor tor remote-as 64497\n neighbor tor peer-group\n`,
      [
        'router bgp 64496',
        ' neighbor tor peer-group',
        ' neighbor tor remote-as 64497',
        ' neighbor 192.0.2.1 peer-group tor',
        ' neighbor 192.0.2.1 bfd',
        'end',
      ],
    ],
    [
      'a neighbor goes with all that is said of it',
      `${PEER} neighbor 192.0.2.1 bfd\n address-family ipv4 unicast\n  neighbor 192.0.2.1 activate\n`,
      BGP,
      ['router bgp 64496', ' no neighbor 192.0.2.1', 'end'],
    ],
    [
      'an unnumbered neighbor goes',
      `${BGP} neighbor eth1 interface remote-as external\n neighbor eth1 timers 3 9\n`,
      BGP,
      ['router bgp 64496', ' no neighbor eth1 interface remote-as external', 'end'],
    ],
    [
      'BFD goes with its profile',
      `${PEER} neighbor 192.0.2.1 bfd\n neighbor 192.0.2.1 bfd profile a\n`,
      PEER,
      ['router bgp 64496', ' no neighbor 192.0.2.1 bfd', 'end'],
    ],
    [
      'another BFD profile',
      `${PEER} neighbor 192.0.2.1 bfd\n neighbor 192.0.2.1 bfd profile a\n`,
      `${PEER} neighbor 192.0.2.1 bfd\n neighbor 192.0.2.1 bfd profile b\n`,
      ['router bgp 64496', ' neighbor 192.0.2.1 bfd profile b', 'end'],
    ],
    [
      'timers go, connect stays',
      `${PEER} neighbor 192.0.2.1 timers 3 9\n neighbor 192.0.2.1 timers connect 10\n`,
      `${PEER} neighbor 192.0.2.1 timers connect 10\n`,
      ['router bgp 64496', ' no neighbor 192.0.2.1 timers 3 9', 'end'],
    ],
    [
      'a port goes back to the default',
      `${PEER} neighbor 192.0.2.1 port 1790\n`,
      `${PEER} neighbor 192.0.2.1 port 179\n`,
      ['router bgp 64496', ' no neighbor 192.0.2.1 port 1790', 'end'],
    ],
    [
      'another ASN: the old router first',
      `${PEER} address-family ipv4 unicast\n  neighbor 192.0.2.1 activate\n`,
      'router bgp 64500\n neighbor 192.0.2.1 remote-as 64497\n',
      ['no router bgp 64496', 'router bgp 64500', ' neighbor 192.0.2.1 remote-as 64497', 'end'],
    ],
    [
      'the router of another VRF is no obstacle',
      PEER,
      `${PEER}router bgp 64500 vrf red\n neighbor 192.0.2.1 remote-as 64497\n`,
      ['router bgp 64500 vrf red', ' neighbor 192.0.2.1 remote-as 64497', 'end'],
    ],
    [
      'a router goes with all that is in it',
      `router bgp 64496 vrf red\n neighbor 192.0.2.1 remote-as 64497\n address-family ipv4 unicast\n  neighbor 192.0.2.1 activate\n`,
      '',
      ['no router bgp 64496 vrf red'],
    ],
    [
      'whoever refers goes first, whatever the order of print',
      `${PEER} address-family ipv4 unicast\n  neighbor 192.0.2.1 route-map a in\nexit\nroute-map a permit 10\n match ip address prefix-list b\nexit\nip prefix-list b seq 5 permit 192.0.2.0/24\nbfd\n profile c\n`,
      '',
      [
        'no router bgp 64496',
        'no route-map a permit 10',
        'bfd',
        ' no profile c',
        'end',
        'no ip prefix-list b seq 5 permit 192.0.2.0/24',
      ],
    ],
    [
      'empty entries and profiles come to be by being entered',
      '',
      'route-map a deny 20\nexit\nbfd\n profile b\n exit\nexit\nlog syslog debugging\n',
      ['log syslog debugging', 'route-map a deny 20', 'end', 'bfd', ' profile b', 'end'],
    ],
    [
      'contexts that are nothing by themselves are not entered',
      '',
      `interface eth1\nexit\nvrf red\nexit-vrf\n${BGP} address-family ipv4 unicast\n exit-address-family\n`,
      ['router bgp 64496', 'end'],
    ],
    [
      'an entry changes its action and keeps what is the same',
      'route-map a permit 10\n match tag 1\n set tag 2\n',
      'route-map a deny 10\n match tag 1\n',
      ['route-map a deny 10', ' no set tag 2', 'end'],
    ],
    [
      'a value of a profile goes back to its default',
      'bfd\n profile a\n  receive-interval 50\n  passive-mode\n',
      'bfd\n profile a\n',
      ['bfd', ' profile a', '  no passive-mode', '  receive-interval 300', 'end'],
    ],
    [
      'a statement that was negated',
      `${BGP} no bgp default ipv4-unicast\n`,
      BGP,
      ['router bgp 64496', ' bgp default ipv4-unicast', 'end'],
    ],
    [
      'of a value given twice the last one counts, as in FRR',
      'bgp route-map delay-timer 1\n',
      'bgp route-map delay-timer 1\nroute-map a permit 10\nexit\nbgp route-map delay-timer 7\n',
      ['bgp route-map delay-timer 7', 'route-map a permit 10', 'end'],
    ],
    [
      "forwarding is the host's, unless asked for",
      'frr version 10.3\nno ip forwarding\nno ipv6 forwarding\n',
      'ip nht resolve-via-default\nipv6 nht resolve-via-default\nip forwarding\n',
      ['ip forwarding'],
    ],
    [
      'forwarding that is on already',
      'frr version 10.3\n',
      'ip nht resolve-via-default\nipv6 nht resolve-via-default\nip forwarding\n',
      [],
    ],
  ])('%s', (_, running, wanted, expected) => {
    expect(change(running, wanted)).toEqual(expected);
  });

  test('says in what context each line is typed', () => {
    const lines = typedLines(
      diffFrrConfig(
        parseFrrConfig(BGP),
        parseFrrConfig(`${PEER} address-family ipv4\n  neighbor 192.0.2.1 activate\n`),
      ),
    );
    expect(lines.map(({ path, text }) => [...path, text.trim()].join(' > '))).toEqual([
      'router bgp 64496',
      'router bgp 64496 > neighbor 192.0.2.1 remote-as 64497',
      'router bgp 64496 > address-family ipv4 unicast',
      'router bgp 64496 > address-family ipv4 unicast > neighbor 192.0.2.1 activate',
      'router bgp 64496 > address-family ipv4 unicast > end',
    ]);
  });
});
