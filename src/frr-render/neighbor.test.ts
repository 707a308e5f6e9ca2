import { describe, expect, test } from 'vitest';
import type { Peer } from '../config/index.ts';
import { Secret } from '../core/secret.ts';
import { ip } from '../core/test-ip.ts';
import { peer } from '../reconciler/test-objects.ts';
import { neighborFamilyStatements, neighborFingerprint, neighborStatements } from './neighbor.ts';

/** The statements behind `neighbor NAME`. */
function said(item: Peer): string[] {
  return neighborStatements(item).map((line) => line.replace(/^neighbor \S+ /, ''));
}

const V4 = '192.0.2.1';
const V6 = '2001:db8::1';

describe('statements of a neighbor', () => {
  test.each<[string, Peer, string[]]>([
    ['external', peer('a', V4), ['remote-as 64497', 'port 179']],
    ['internal', peer('a', V4, { remoteAs: 64496 }), ['remote-as 64496', 'port 179']],
    ['of a dynamic ASN', peer('a', V4, { remoteAs: 'internal' }), ['remote-as internal', 'port 179']],
    [
      'of a dynamic external ASN',
      peer('a', V4, { remoteAs: 'external' }),
      ['remote-as external', 'port 179'],
    ],
    ['without a port', peer('a', V4, { port: 0 }), ['remote-as 64497']],
    ['with a port', peer('a', V4, { port: 1790 }), ['remote-as 64497', 'port 1790']],
    ['multihop', peer('a', V4, { ebgpMultiHop: true }), ['remote-as 64497', 'ebgp-multihop', 'port 179']],
    [
      'multihop of an internal peer is nothing',
      peer('a', V4, { ebgpMultiHop: true, remoteAs: 'internal' }),
      ['remote-as internal', 'port 179'],
    ],
    [
      'multihop of an unnumbered peer is nothing',
      peer('a', 'eth1', { ebgpMultiHop: true }),
      ['interface remote-as 64497', 'port 179'],
    ],
    [
      'local ASN',
      peer('a', V4, { localAsn: 64500 }),
      ['remote-as 64497', 'local-as 64500 no-prepend replace-as', 'port 179'],
    ],
    [
      'timers',
      peer('a', V4, { timers: { keepaliveSeconds: 3, holdSeconds: 9 } }),
      ['remote-as 64497', 'port 179', 'timers 3 9'],
    ],
    [
      'timers of zero',
      peer('a', V4, { timers: { keepaliveSeconds: 0, holdSeconds: 0 } }),
      ['remote-as 64497', 'port 179', 'timers 0 0'],
    ],
    [
      'connect time',
      peer('a', V4, { connectSeconds: 10 }),
      ['remote-as 64497', 'port 179', 'timers connect 10'],
    ],
    [
      'password',
      peer('a', V4, { password: new Secret('s3cr3t') }),
      ['remote-as 64497', 'port 179', 'password s3cr3t'],
    ],
    [
      'source address',
      peer('a', V4, { sourceAddress: ip('192.0.2.11') }),
      ['remote-as 64497', 'port 179', 'update-source 192.0.2.11'],
    ],
    [
      'graceful restart',
      peer('a', V4, { gracefulRestart: true }),
      ['remote-as 64497', 'port 179', 'graceful-restart'],
    ],
    [
      'BFD',
      peer('a', V4, { bfdProfile: 'fast' }),
      ['remote-as 64497', 'port 179', 'bfd', 'bfd profile fast'],
    ],
    ['unnumbered', peer('a', 'eth1', { remoteAs: 'external' }), ['interface remote-as external', 'port 179']],
    ['IPv6, external, one hop', peer('a', V6), ['remote-as 64497', 'port 179', 'disable-connected-check']],
    [
      'IPv6, dynamic external',
      peer('a', V6, { remoteAs: 'external' }),
      ['remote-as external', 'port 179', 'disable-connected-check'],
    ],
    ['IPv6, internal', peer('a', V6, { remoteAs: 64496 }), ['remote-as 64496', 'port 179']],
    ['IPv6, dynamic internal', peer('a', V6, { remoteAs: 'internal' }), ['remote-as internal', 'port 179']],
    [
      'IPv6, multihop',
      peer('a', V6, { ebgpMultiHop: true }),
      ['remote-as 64497', 'ebgp-multihop', 'port 179'],
    ],
    [
      'IPv6 that carries both families',
      peer('a', V6, { dualStackAddressFamily: true }),
      ['remote-as 64497', 'port 179'],
    ],
  ])('%s', (_, item, expected) => {
    expect(said(item)).toEqual(expected);
  });

  test('everything, in order', () => {
    const item = peer('a', V4, {
      localAsn: 64500,
      ebgpMultiHop: true,
      port: 1790,
      timers: { keepaliveSeconds: 3, holdSeconds: 9 },
      connectSeconds: 10,
      password: new Secret('s3cr3t'),
      sourceAddress: ip('192.0.2.11'),
      gracefulRestart: true,
      bfdProfile: 'fast',
    });
    expect(neighborStatements(item)).toEqual([
      'neighbor 192.0.2.1 remote-as 64497',
      'neighbor 192.0.2.1 ebgp-multihop',
      'neighbor 192.0.2.1 local-as 64500 no-prepend replace-as',
      'neighbor 192.0.2.1 port 1790',
      'neighbor 192.0.2.1 timers 3 9',
      'neighbor 192.0.2.1 timers connect 10',
      'neighbor 192.0.2.1 password s3cr3t',
      'neighbor 192.0.2.1 update-source 192.0.2.11',
      'neighbor 192.0.2.1 graceful-restart',
      'neighbor 192.0.2.1 bfd',
      'neighbor 192.0.2.1 bfd profile fast',
    ]);
  });
});

test.each<[string, Peer, string]>([
  ['an address', peer('a', V4), '192.0.2.1'],
  ['an address in a VRF', peer('a', V4, { vrf: 'red' }), '192.0.2.1-red'],
  ['an interface', peer('a', 'eth1'), 'eth1'],
  ['an interface in a VRF', peer('a', 'eth1', { vrf: 'red' }), 'eth1-red'],
])('the filters of %s', (_, item, id) => {
  const [activate, inbound, outbound] = neighborFamilyStatements(item);
  expect(activate).toMatch(/^neighbor (?:192\.0\.2\.1|eth1) activate$/);
  expect(inbound).toMatch(new RegExp(`route-map ${id}-in in$`));
  expect(outbound).toMatch(new RegExp(`route-map ${id}-out out$`));
});

describe('a fingerprint', () => {
  const base = peer('a', V4, { password: new Secret('first') });

  test.each<[string, Peer, boolean]>([
    ['of an equal peer', { ...base, password: new Secret('first') }, true],
    ['of another name', { ...base, name: 'b' }, true],
    ['of another password', { ...base, password: new Secret('second') }, false],
    ['of another VRF', { ...base, vrf: 'red' }, false],
    ['of another ASN of ours', { ...base, myAsn: 64500 }, false],
    ['of more families', { ...base, dualStackAddressFamily: true }, false],
  ])('%s', (_, other, same) => {
    expect(neighborFingerprint(other) === neighborFingerprint(base)).toBe(same);
  });

  test('does not show the password', () => {
    expect(neighborFingerprint(base)).toMatch(/^[0-9a-f]{64}$/);
  });
});
