import { describe, expect, test } from 'vitest';
import type { Pool } from '../config/index.ts';
import { assign } from './assignment.ts';
import { allocateFromAnyPool, allocateFromPool, findAddress, type FamilyWish } from './choose.ts';
import { createLedger, release, replacePools, type Ledger } from './ledger.ts';
import {
  addressRequest,
  fullText,
  ips,
  labelSelector,
  pool,
  wish,
  type RequestOptions,
} from './test-objects.ts';
import type { ReasonCode } from './types.ts';

const SHARE_80: RequestOptions = { sharingKey: 'share', ports: 'tcp/80' };
const SHARE_443: RequestOptions = { sharingKey: 'share', ports: 'tcp/443' };

const FAMILIES: readonly { readonly name: string; readonly wanted: FamilyWish }[] = [
  { name: 'IPv4', wanted: wish('ipv4') },
  { name: 'IPv6', wanted: wish('ipv6') },
  { name: 'RequireDualStack', wanted: wish('dual') },
];

const SOURCES: readonly {
  readonly name: string;
  readonly take: (ledger: Ledger, service: string, wanted: FamilyWish, options?: RequestOptions) => string;
}[] = [
  {
    name: 'named pool',
    take: (ledger, service, wanted, options) =>
      outcome(allocateFromPool(ledger, addressRequest(service, options), wanted, 'test')),
  },
  {
    name: 'any pool',
    take: (ledger, service, wanted, options) =>
      outcome(allocateFromAnyPool(ledger, addressRequest(service, options), wanted)),
  },
];

function outcome(result: ReturnType<typeof allocateFromAnyPool>): string {
  return result.ok ? result.allocation.ips.map((item) => item.text).join(',') : result.reason.code;
}

function ledgerOf(...pools: readonly Pool[]): Ledger {
  const ledger = createLedger();
  replacePools(ledger, pools);
  return ledger;
}

describe.each(SOURCES)('$name', ({ take }) => {
  test.each(FAMILIES)('four addresses for each family: $name', ({ wanted }) => {
    const addresses = (n: number): string =>
      ({ ipv4: `192.0.2.${n}`, ipv6: `2001:db8::${n}`, dual: `192.0.2.${n},2001:db8::${n}` })[wanted.family];
    const ledger = ledgerOf(pool('test', '192.0.2.4/31 192.0.2.6-192.0.2.7 2001:db8::4/126'));
    for (const n of [1, 2, 3, 4]) expect(take(ledger, `s${n}`, wanted), `s${n}`).toBe(addresses(3 + n));
    for (const n of [5, 6]) expect(take(ledger, `s${n}`, wanted), `s${n} exhausted`).toBe('poolsExhausted');
    release(ledger, 'default/s1');
    expect(take(ledger, 's5', wanted), 's5 after s1 freed').toBe(addresses(4));
    expect(take(ledger, 's6', wanted), 's6 still exhausted').toBe('poolsExhausted');
    expect(take(ledger, 's5', wanted, SHARE_80), 's5 re-allocates with a key').toBe(addresses(4));
    expect(take(ledger, 's6', wanted, SHARE_80), 's6 with the same port').toBe('poolsExhausted');
    expect(take(ledger, 's6', wanted, SHARE_443), 's6 shares').toBe(addresses(4));
    release(ledger, 'default/s6');
    expect(take(ledger, 's6', wanted), 's6 without a key while s5 shares').toBe('poolsExhausted');
    release(ledger, 'default/s5');
    expect(take(ledger, 's6', wanted), 's6 after s5 freed').toBe(addresses(4));
  });

  test('the holder of an IPv4 address asks for IPv6', () => {
    const ledger = ledgerOf(pool('test', '192.0.2.4/30 2001:db8::4/126'));
    take(ledger, 's1', wish('ipv4'));
    expect(take(ledger, 's1', wish('ipv6'))).toBe('wrongFamilyHeld');
    expect(take(ledger, 's1', wish('ipv4'))).toBe('192.0.2.4');
  });
});

test.each<{ name: string; pools: string; wanted: FamilyWish; want: string }>([
  {
    name: 'dual pool',
    pools: '192.0.2.4/31 2001:db8::4/127',
    wanted: wish('dual', 'PreferDualStack'),
    want: '192.0.2.4,2001:db8::4',
  },
  {
    name: 'IPv4-only pool',
    pools: '192.0.2.4/31',
    wanted: wish('dual', 'PreferDualStack'),
    want: '192.0.2.4',
  },
  {
    name: 'IPv6-only pool',
    pools: '2001:db8::4/127',
    wanted: wish('dual', 'PreferDualStack'),
    want: '2001:db8::4',
  },
  {
    name: 'dual pool, one family wanted',
    pools: '192.0.2.4/31 2001:db8::4/127',
    wanted: wish('ipv6', 'PreferDualStack'),
    want: '2001:db8::4',
  },
  {
    name: 'dual without a policy',
    pools: '192.0.2.4/31 2001:db8::4/127',
    wanted: wish('dual', 'SingleStack'),
    want: 'dualStackPolicyMissing',
  },
  {
    name: 'RequireDualStack, IPv4-only pool',
    pools: '192.0.2.4/31',
    wanted: wish('dual'),
    want: 'poolsExhausted',
  },
])('PreferDualStack from a named pool: $name', ({ pools, wanted, want }) => {
  const ledger = ledgerOf(pool('test', pools));
  expect(outcome(allocateFromPool(ledger, addressRequest('s1'), wanted, 'test'))).toBe(want);
});

test('unknown pool', () => {
  const ledger = ledgerOf(pool('test', '192.0.2.4/31'), pool('other', '192.0.2.8/31'));
  const result = allocateFromPool(ledger, addressRequest('s1'), wish('ipv4'), 'missing');
  expect(result).toMatchObject({
    ok: false,
    reason: { code: 'poolUnknown', message: 'there is no pool "missing"; the pools are other, test' },
  });
});

test.each(FAMILIES)('any pool leaves out autoAssign false: $name', ({ wanted }) => {
  const ledger = ledgerOf(
    pool('test1', '192.0.2.4/31 2001:db8::4/127', { autoAssign: false }),
    pool('test2', '192.0.2.10/31 2001:db8::10/127'),
  );
  for (const service of ['s1', 's2']) {
    expect(outcome(allocateFromAnyPool(ledger, addressRequest(service), wanted))).not.toBe('poolsExhausted');
    expect(ledger.allocations.get(`default/${service}`)?.pool).toBe('test2');
  }
  const third = allocateFromAnyPool(ledger, addressRequest('s3'), wanted);
  expect(third).toMatchObject({
    ok: false,
    reason: {
      code: 'poolsExhausted',
      pools: [
        { pool: 'test2', code: 'exhausted' },
        { pool: 'test1', code: 'manual' },
      ],
    },
  });
});

test('buggy addresses: four /31 at the ends of a /24, half of them avoiding', () => {
  const ledger = ledgerOf(
    pool('p1', '192.0.2.0/31', { avoidBuggyIPs: true }),
    pool('p2', '192.0.2.254/31', { avoidBuggyIPs: true }),
    pool('p3', '198.51.100.0/31'),
    pool('p4', '198.51.100.254/31'),
  );
  const got = [1, 2, 3, 4, 5, 6, 7].map((n) =>
    outcome(allocateFromAnyPool(ledger, addressRequest(`s${n}`), wish('ipv4'))),
  );
  expect(got).toEqual([
    '192.0.2.1',
    '192.0.2.254',
    '198.51.100.0',
    '198.51.100.1',
    '198.51.100.254',
    '198.51.100.255',
    'poolsExhausted',
  ]);
});

describe('order of pools', () => {
  const red = labelSelector({ team: 'red' });
  const POOLS = [
    pool('a-general', '192.0.2.0/32 2001:db8::/128'),
    pool('b-low', '192.0.2.1/32', { allocation: { namespaces: ['ns1'] } }),
    pool('c-second', '192.0.2.2/32', { allocation: { priority: 2, namespaces: ['ns1'] } }),
    pool('d-first', '192.0.2.3/32', { allocation: { priority: 1, serviceSelectors: [red] } }),
    pool('e-negative', '192.0.2.4/32', { allocation: { priority: -1, namespaces: ['ns1'] } }),
    pool('f-manual', '192.0.2.5/32', { autoAssign: false, allocation: { priority: 1, namespaces: ['ns1'] } }),
    pool('g-unselective', '192.0.2.6/32', { allocation: { priority: 1 } }),
    pool('h-last', '192.0.2.7/32'),
  ];

  test('pinned by priority, then those without, by name; then general ones', () => {
    const before = fullText(POOLS);
    const ledger = ledgerOf(...POOLS);
    const got: (string | undefined)[] = [];
    for (let n = 0; n < 6; n += 1) {
      const request = addressRequest(`s${n}`, { namespace: 'ns1', labels: { team: 'red' } });
      allocateFromAnyPool(ledger, request, wish('ipv4'));
      got.push(ledger.allocations.get(request.key)?.pool);
    }
    expect(got).toEqual(['d-first', 'c-second', 'b-low', 'e-negative', 'a-general', 'h-last']);
    expect(fullText(POOLS)).toBe(before);
  });

  test('a pinned pool of one family wins over a general dual one', () => {
    const ledger = ledgerOf(...POOLS);
    const request = addressRequest('s1', { namespace: 'ns1' });
    expect(outcome(allocateFromAnyPool(ledger, request, wish('dual', 'PreferDualStack')))).toBe('192.0.2.2');
  });

  test('the reasons name each pool that was tried or passed over', () => {
    const ledger = ledgerOf(...POOLS);
    for (const n of [0, 7]) assign(ledger, addressRequest(`taken${n}`), ips(`192.0.2.${n}`));
    const result = allocateFromAnyPool(ledger, addressRequest('s1'), wish('ipv4'));
    expect(result.ok ? [] : result.reason.pools.map(({ pool: name, code }) => `${name} ${code}`)).toEqual([
      'a-general exhausted',
      'h-last exhausted',
      'b-low incompatible',
      'c-second incompatible',
      'd-first incompatible',
      'e-negative incompatible',
      'f-manual incompatible',
      'g-unselective onRequestOnly',
    ]);
    expect(result.ok ? '' : result.reason.message).toContain(
      'pool a-general has no free IPv4 address (1 of 1 in use)',
    );
  });

  test('no pool serves the Service by itself', () => {
    const ledger = ledgerOf(pool('manual', '192.0.2.0/24', { autoAssign: false }));
    const result = allocateFromAnyPool(ledger, addressRequest('s1'), wish('ipv4'));
    expect(result).toMatchObject({
      ok: false,
      reason: {
        code: 'noPoolForService',
        message:
          'no pool serves this Service by itself: pool manual has autoAssign false; annotate the Service with metallb.io/address-pool: manual to use it',
      },
    });
  });
});

test.each<{ name: string; primary: FamilyWish['primary']; pools: readonly Pool[]; want: string }>([
  {
    name: 'a later pool with both',
    primary: 'ipv6',
    pools: [
      pool('p1', '192.0.2.0/31'),
      pool('p2', '2001:db8::/127'),
      pool('p3', '192.0.2.4/31 2001:db8::4/127'),
    ],
    want: '192.0.2.4,2001:db8::4',
  },
  {
    name: 'only IPv6 first in ipFamilies',
    primary: 'ipv6',
    pools: [pool('p1', '192.0.2.0/31'), pool('p2', '2001:db8::/127')],
    want: '2001:db8::',
  },
  {
    name: 'only IPv4 first in ipFamilies',
    primary: 'ipv4',
    pools: [pool('p1', '2001:db8::/127'), pool('p2', '192.0.2.0/31')],
    want: '192.0.2.0',
  },
  { name: 'secondary only', primary: 'ipv4', pools: [pool('p1', '2001:db8::/127')], want: '2001:db8::' },
])('PreferDualStack over several pools: $name', ({ primary, pools, want }) => {
  const wanted = wish('dual', 'PreferDualStack', primary);
  expect(outcome(allocateFromAnyPool(ledgerOf(...pools), addressRequest('s1'), wanted))).toBe(want);
});

describe('order of addresses', () => {
  test('items in the order of the specification; freed ones are reused, lowest first', () => {
    const ledger = ledgerOf(pool('test', '198.51.100.0/31 192.0.2.6-192.0.2.9'));
    const take = (n: number): string =>
      outcome(allocateFromAnyPool(ledger, addressRequest(`s${n}`), wish('ipv4')));
    expect([1, 2, 3, 4].map(take)).toEqual(['198.51.100.0', '198.51.100.1', '192.0.2.6', '192.0.2.7']);
    for (const n of [3, 2]) release(ledger, `default/s${n}`);
    expect([5, 6, 7, 8, 9].map(take)).toEqual([
      '198.51.100.1',
      '192.0.2.6',
      '192.0.2.8',
      '192.0.2.9',
      'poolsExhausted',
    ]);
  });

  test('a sharing Service gets the first address that is free or may be shared', () => {
    const ledger = ledgerOf(pool('test', '192.0.2.0/29'));
    const find = (options: RequestOptions): string | undefined =>
      findAddress(ledger.table.entries.get('test')!, addressRequest('s', options), 'ipv4')?.text;
    assign(ledger, addressRequest('a'), ips('192.0.2.0'));
    assign(ledger, addressRequest('b', SHARE_80), ips('192.0.2.1'));
    assign(ledger, addressRequest('c', SHARE_80), ips('192.0.2.4'));
    expect(find(SHARE_443), 'joins').toBe('192.0.2.1');
    expect(find(SHARE_80), 'the port is taken there').toBe('192.0.2.2');
    release(ledger, 'default/a');
    expect(find(SHARE_443), 'a free address comes first').toBe('192.0.2.0');
    assign(ledger, addressRequest('a'), ips('192.0.2.0'));
    assign(ledger, addressRequest('d'), ips('192.0.2.2'));
    assign(ledger, addressRequest('e'), ips('192.0.2.3'));
    expect(find(SHARE_80), 'passes the shared ones').toBe('192.0.2.5');
    release(ledger, 'default/b');
    expect(find(SHARE_80)).toBe('192.0.2.1');
    assign(ledger, addressRequest('b', { ...SHARE_443, backendKey: 'other' }), ips('192.0.2.1'));
    expect(find(SHARE_80), 'another backend').toBe('192.0.2.5');
    expect(find(SHARE_443), 'the second group member').toBe('192.0.2.4');
  });

  test('what is remembered of conflicts is forgotten when ports or addresses come free', () => {
    const ledger = ledgerOf(pool('test', '192.0.2.0/30'));
    const find = (): string | undefined =>
      findAddress(ledger.table.entries.get('test')!, addressRequest('s', SHARE_80), 'ipv4')?.text;
    for (const n of [0, 1, 2]) assign(ledger, addressRequest(`h${n}`, SHARE_80), ips(`192.0.2.${n}`));
    assign(ledger, addressRequest('h3'), ips('192.0.2.3'));
    expect(find()).toBeUndefined();
    assign(ledger, addressRequest('h1', SHARE_443), ips('192.0.2.1'));
    expect(find(), 'a port was given up').toBe('192.0.2.1');
    assign(ledger, addressRequest('h1', SHARE_80), ips('192.0.2.1'));
    expect(find()).toBeUndefined();
    assign(ledger, addressRequest('h0', { ...SHARE_443, sharingKey: 'x' }), ips('192.0.2.0'));
    expect(find()).toBeUndefined();
    assign(ledger, addressRequest('h0', SHARE_443), ips('192.0.2.0'));
    expect(find(), 'an address entered the group').toBe('192.0.2.0');
  });
});

test('huge IPv6 pools: explicit addresses far away do not disturb the order', () => {
  const ledger = ledgerOf(pool('test', '2001:db8::/32'));
  assign(ledger, addressRequest('far'), ips('2001:db8:ffff::1'));
  assign(ledger, addressRequest('s0'), ips('2001:db8::1'));
  const got = [1, 2, 3].map((n) =>
    outcome(allocateFromAnyPool(ledger, addressRequest(`s${n}`), wish('ipv6'))),
  );
  expect(got).toEqual(['2001:db8::', '2001:db8::2', '2001:db8::3']);
  release(ledger, 'default/far');
  release(ledger, 'default/s1');
  expect(outcome(allocateFromAnyPool(ledger, addressRequest('s4'), wish('ipv6')))).toBe('2001:db8::');
});

test('refusal codes are about the first thing wrong', () => {
  const rows: readonly {
    readonly name: string;
    readonly pools: string;
    readonly want: ReasonCode;
    readonly code: string;
  }[] = [
    { name: 'no such family', pools: '2001:db8::/127', want: 'poolsExhausted', code: 'familyMissing' },
    { name: 'none left', pools: '192.0.2.0/32', want: 'poolsExhausted', code: 'exhausted' },
  ];
  for (const { name, pools, want, code } of rows) {
    const ledger = ledgerOf(pool('test', pools));
    assign(ledger, addressRequest('holder'), ips(pools.split('/')[0]!));
    const result = allocateFromAnyPool(ledger, addressRequest('s1'), wish('ipv4'));
    expect(result, name).toMatchObject({
      ok: false,
      reason: { code: want, pools: [{ pool: 'test', code }] },
    });
  }
});
