import { expect, test } from 'vitest';
import type { BgpDesiredState } from '../reconciler/index.ts';
import { bfdProfile, peer } from '../reconciler/test-objects.ts';
import { blameFor } from './blame.ts';

const STATE: BgpDesiredState = {
  routers: [
    { asn: 64496, vrf: '', neighbors: [peer('tor', '192.0.2.1'), peer('wire', 'eth1')], originated: [] },
    { asn: 64496, vrf: 'red', neighbors: [peer('red', '192.0.2.1', { vrf: 'red' })], originated: [] },
  ],
  bfdProfiles: [bfdProfile('fast'), bfdProfile('fast2')],
  extras: [
    'bogus   extras',
    'route-map 192.0.2.1-in permit 20',
    ' set community no-export',
    'router ospf',
    'router bgp 64496',
    ' neighbor 192.0.2.1 frobnicate',
    ' neighbor users password s3cr3t',
    ' address-family ipv4',
    '  neighbor 192.0.2.1 allowas-in',
  ].join('\n'),
};

const BGP = ['router bgp 64496'];
const FAMILY = [...BGP, 'address-family ipv4 unicast'];

test.each<[string[], string, string[]]>([
  [[], 'bogus extras', ['extras']],
  [['route-map 192.0.2.1-in permit 20'], 'set community 65535:65281', ['extras']],
  [[], 'router ospf', ['extras']],
  [BGP, 'neighbor 192.0.2.1 frobnicate', ['extras']],
  [BGP, 'neighbor users password [redacted]', ['extras']],
  [FAMILY, 'neighbor 192.0.2.1 allowas-in', ['extras']],
  [['router bgp 64496 vrf red'], 'neighbor 192.0.2.1 frobnicate', ['red']],
  [BGP, 'neighbor 192.0.2.1 timers 3 9', ['tor']],
  [BGP, 'no neighbor 192.0.2.1 timers 3 9', ['tor']],
  [BGP, 'neighbor eth1 interface remote-as external', ['wire']],
  [FAMILY, 'neighbor 192.0.2.1 activate', ['tor']],
  [['router bgp 64496 vrf red'], 'neighbor 192.0.2.1 password [redacted]', ['red']],
  [BGP, 'neighbor 192.0.2.99 timers 3 9', []],
  [BGP, 'bgp router-id 192.0.2.11', []],
  [['bfd', 'profile fast'], 'receive-interval 50', ['fast']],
  [['bfd'], 'profile fast2', ['fast2']],
  [[], 'route-map advertise-f0000001 permit 10', []],
  [[], '', []],
])('%j %s is blamed on %j', (path, line, expected) => {
  const { extras, peers, bfdProfiles } = blameFor({ path, line }, STATE);
  expect([
    ...(extras ? ['extras'] : []),
    ...peers.map(({ name }) => name),
    ...bfdProfiles.map(({ name }) => name),
  ]).toEqual(expected);
});

test('without extras nothing is theirs', () => {
  expect(blameFor({ path: [], line: 'bogus extras' }, { ...STATE, extras: '' }).extras).toBe(false);
});
