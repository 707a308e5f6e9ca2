import { expect, test } from 'vitest';
import { parseKernelRoutes } from './kernel-routes.ts';

test.each([
  { name: 'nothing', routes: '', bits: 32 as const, want: [] },
  {
    name: 'one next hop',
    routes: [{ dst: '198.51.100.1', nhid: 14, gateway: '192.0.2.12', dev: 'br0', protocol: 'bgp' }],
    bits: 32 as const,
    want: [['198.51.100.1/32', ['192.0.2.12']]],
  },
  {
    name: 'several next hops, sorted',
    routes: [
      {
        dst: '198.51.100.0/24',
        nexthops: [
          { gateway: '192.0.2.12', dev: 'br0', weight: 1, flags: [] },
          { gateway: '192.0.2.11', dev: 'br0', weight: 1, flags: [] },
        ],
      },
    ],
    bits: 32 as const,
    want: [['198.51.100.0/24', ['192.0.2.11', '192.0.2.12']]],
  },
  {
    name: 'an IPv6 next hop of an IPv4 route (RFC 8950)',
    routes: [{ dst: '198.51.100.1', via: { family: 'inet6', host: 'fe80::1' }, dev: 'eth1' }],
    bits: 32 as const,
    want: [['198.51.100.1/32', ['fe80::1']]],
  },
  {
    name: 'a link, the default route',
    routes: [
      { dst: '2001:db8::/64', dev: 'eth1' },
      { dst: 'default', gateway: '2001:db8::1', dev: 'eth1' },
      { dst: '2001:db8:100::1', dev: 'lo' },
    ],
    bits: 128 as const,
    want: [
      ['2001:db8::/64', ['eth1']],
      ['::/0', ['2001:db8::1']],
      ['2001:db8:100::1/128', ['lo']],
    ],
  },
])('reads $name', ({ routes, bits, want }) => {
  expect(parseKernelRoutes(routes === '' ? '' : JSON.stringify(routes), bits)).toEqual(want);
});
