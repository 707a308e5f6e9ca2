import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { prefixOf } from '../core/ip.ts';
import { ip } from '../core/test-ip.ts';
import type { BgpDesiredState } from '../reconciler/index.ts';
import { bfdProfile, peer } from '../reconciler/test-objects.ts';
import { bfdProfileStatements } from './bfd.ts';
import { compileFrrConf, type FrrConfOptions } from './frr-conf.ts';

const render = compileFrrConf(readFileSync(new URL('../../templates/frr.conf.hbs', import.meta.url), 'utf8'));
const OPTIONS: FrrConfOptions = { hostname: 'n1', logLevel: 'informational' };
const EMPTY: BgpDesiredState = { routers: [], bfdProfiles: [], extras: '' };

const TREATMENT = { key: 'tor', peers: [{ peer: 'tor', communities: [] }] };
const FULL: BgpDesiredState = {
  routers: [
    {
      asn: 64496,
      vrf: '',
      routerId: ip('192.0.2.11'),
      neighbors: [peer('tor', '192.0.2.1')],
      originated: [{ prefix: prefixOf(ip('198.51.100.1'), 32), treatment: TREATMENT }],
    },
    { asn: 64497, vrf: 'red', neighbors: [peer('red', 'eth1', { vrf: 'red' })], originated: [] },
  ],
  bfdProfiles: [bfdProfile('fast', { receiveIntervalMs: 50 })],
  extras: 'ip prefix-list users seq 5 permit 192.0.2.0/24\n',
};

describe('frr.conf', () => {
  test('of nothing has what holds for every node', () => {
    expect(render(EMPTY, OPTIONS)).toBe(
      [
        "! Written by metallb-frr from the cluster's objects; edits made here are overwritten.",
        'frr defaults traditional',
        'hostname n1',
        'log stdout informational',
        'log timestamp precision 3',
        'ip nht resolve-via-default',
        'ipv6 nht resolve-via-default',
        'bgp route-map delay-timer 1',
        'service integrated-vtysh-config',
        '!\n',
      ].join('\n'),
    );
  });

  test('names a thing before it is referred to, and ends with the extras', () => {
    const text = render(FULL, OPTIONS);
    const at = (part: string): number => {
      expect(text).toContain(part);
      return text.indexOf(part);
    };
    const order = [
      at('route-map advertise-'),
      at('route-map 192.0.2.1-in deny 20'),
      at('route-map eth1-red-out deny 65535'),
      at(' profile fast'),
      at('router bgp 64496\n'),
      at('  network 198.51.100.1/32 route-map advertise-'),
      at('router bgp 64497 vrf red\n'),
      at('ip prefix-list users seq 5 permit 192.0.2.0/24\n'),
    ];
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(text.endsWith('permit 192.0.2.0/24\n')).toBe(true);
  });

  test('of equal states is equal', () => {
    expect(render(structuredClone(FULL), OPTIONS)).toBe(render(FULL, OPTIONS));
  });

  test('has a family only where a neighbor carries it', () => {
    const [first] = FULL.routers;
    if (!first) throw new Error('no router');
    const text = render({ ...EMPTY, routers: [first] }, OPTIONS);
    expect(text).toContain('address-family ipv4 unicast');
    expect(text).not.toContain('address-family ipv6 unicast');
  });

  test.each([
    ['n1', 'n1'],
    ['node-1.example.org', 'node-1.example.org'],
    ['a\nrouter bgp 1', 'a-router-bgp-1'],
    ['-_-x', 'x'],
    ['\u00fc', 'node'],
    ['', 'node'],
    ['x'.repeat(80), 'x'.repeat(63)],
  ])('takes the host name %j as %s', (hostname, shown) => {
    expect(render(EMPTY, { ...OPTIONS, hostname })).toContain(`\nhostname ${shown}\n`);
  });

  test('does not escape anything', () => {
    expect(render({ ...EMPTY, extras: `! <&>"'\`= {{hostname}}` }, OPTIONS)).toContain(
      `\n! <&>"'\`= {{hostname}}\n`,
    );
  });

  test.each([
    ['# hello', '# hello\n'],
    ['# hello\n\n\n', '# hello\n'],
    ['a\r\nb\rc', 'a\nb\nc\n'],
  ])('takes extras %j as %j', (extras, end) => {
    expect(render({ ...EMPTY, extras }, OPTIONS).endsWith(`as written there.\n${end}`)).toBe(true);
  });

  test.each(['emergencies', 'alerts', 'errors', 'warnings', 'informational', 'debugging'] as const)(
    'logs at %s',
    (logLevel) => {
      const text = render(EMPTY, { hostname: 'n1', logLevel });
      expect(text).toContain(`log stdout ${logLevel}\n`);
      expect(text.match(/^debug /gm)?.length ?? 0).toBe(logLevel === 'debugging' ? 14 : 0);
    },
  );
});

test.each<[Parameters<typeof bfdProfile>[1], string[]]>([
  [{}, []],
  [
    { receiveIntervalMs: 10, transmitIntervalMs: 60_000, detectMultiplier: 255 },
    ['detect-multiplier 255', 'receive-interval 10', 'transmit-interval 60000'],
  ],
  [{ echoIntervalMs: 50 }, ['echo receive-interval 50', 'echo transmit-interval 50']],
  [{ echoMode: true, passiveMode: true, minimumTtl: 254 }, ['minimum-ttl 254', 'echo-mode', 'passive-mode']],
])('a BFD profile of %j', (fields, statements) => {
  expect(bfdProfileStatements(bfdProfile('p', fields))).toEqual(statements);
});

test('BFD sessions between speakers stand under bfd, behind the profiles', () => {
  const session = (peer: string, localAddress: string, link: string) => ({
    ...{ peer: ip(peer), localAddress: ip(localAddress), interface: link },
  });
  const text = render(
    {
      ...EMPTY,
      bfdProfiles: [bfdProfile('fast', { receiveIntervalMs: 100 })],
      bfdPeers: [
        session('192.0.2.12', '192.0.2.11', 'eth0'),
        session('2001:db8::12', '2001:db8::11', 'eth1'),
      ],
    },
    OPTIONS,
  );
  const from = text.indexOf('\nbfd\n') + 1;
  expect(text.slice(from, text.indexOf('\nexit\n', from)).split('\n')).toEqual([
    'bfd',
    ' profile fast',
    '  receive-interval 100',
    ' exit',
    ' !',
    ' peer 192.0.2.12 local-address 192.0.2.11 interface eth0',
    '  receive-interval 50',
    '  transmit-interval 50',
    ' exit',
    ' !',
    ' peer 2001:db8::12 local-address 2001:db8::11 interface eth1',
    '  receive-interval 50',
    '  transmit-interval 50',
    ' exit',
    ' !',
  ]);
});
