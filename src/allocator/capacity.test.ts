import { expect, test } from 'vitest';
import { capacityOf, MAX_COUNT } from './capacity.ts';
import { pool } from './test-objects.ts';

interface Row {
  readonly name: string;
  readonly addresses: string;
  readonly avoidBuggyIPs?: boolean;
  /** total, IPv4, IPv6 */
  readonly want: readonly [bigint, bigint, bigint];
}

const ROWS: readonly Row[] = [
  { name: 'a /24', addresses: '192.0.2.0/24', want: [256n, 256n, 0n] },
  { name: 'a /24 and a /25', addresses: '192.0.2.0/24 198.51.100.128/25', want: [384n, 384n, 0n] },
  {
    name: 'the same, avoiding',
    addresses: '192.0.2.0/24 198.51.100.128/25',
    avoidBuggyIPs: true,
    want: [381n, 381n, 0n],
  },
  {
    name: 'the same and an IPv6 /64',
    addresses: '192.0.2.0/24 198.51.100.128/25 2001:db8::/64',
    avoidBuggyIPs: true,
    want: [MAX_COUNT, 381n, MAX_COUNT],
  },
  {
    name: 'a /31 and a /127, avoiding',
    addresses: '192.0.2.0/31 2001:db8::/127',
    avoidBuggyIPs: true,
    want: [3n, 1n, 2n],
  },
  { name: 'a /16, avoiding', addresses: '198.18.0.0/16', avoidBuggyIPs: true, want: [65024n, 65024n, 0n] },
  { name: 'a /32 that is avoided', addresses: '192.0.2.0/32', avoidBuggyIPs: true, want: [0n, 0n, 0n] },
  { name: 'a range', addresses: '192.0.2.10-192.0.2.20', want: [11n, 11n, 0n] },
  {
    name: 'a range over the end of a /24, avoiding',
    addresses: '192.0.2.250-192.0.3.5',
    avoidBuggyIPs: true,
    want: [10n, 10n, 0n],
  },
  { name: '61 host bits', addresses: '2001:db8::/67', want: [2n ** 61n, 0n, 2n ** 61n] },
  {
    name: '62 host bits count as the largest number',
    addresses: '2001:db8::/66',
    want: [MAX_COUNT, 0n, MAX_COUNT],
  },
  {
    name: 'a further range after it does not overflow',
    addresses: '2001:db8::/64 2001:db8:1::/64 2001:db8:2::/120 192.0.2.0/24',
    want: [MAX_COUNT, 256n, MAX_COUNT],
  },
];

test.each(ROWS)('capacity: $name', ({ addresses, avoidBuggyIPs = false, want: [total, ipv4, ipv6] }) => {
  expect(capacityOf(pool('p', addresses, { avoidBuggyIPs }))).toEqual({ total, ipv4, ipv6 });
});

test('the largest count is the largest int64', () => {
  expect(MAX_COUNT).toBe(9223372036854775807n);
});
