import { expect, test } from 'vitest';
import { assign } from './assignment.ts';
import { createLedger, release, replacePools } from './ledger.ts';
import { addressRequest, fullText, ips, labelSelector, pool, type RequestOptions } from './test-objects.ts';
import type { ReasonCode } from './types.ts';

const POOLS = [
  pool('t', '192.0.2.4/31 2001:db8:1::4/127'),
  pool('t2', '198.51.100.0/24 2001:db8:2::/120', { avoidBuggyIPs: true }),
  pool('t3', '203.0.113.0/31 2001:db8:3::/127', { allocation: { namespaces: ['test-ns1'] } }),
  pool('t4', '203.0.113.2/31 2001:db8:4::/127', {
    allocation: { serviceSelectors: [labelSelector({ team: 'metallb' })] },
  }),
  pool('t5', '203.0.113.4/31 2001:db8:5::/127', {
    allocation: {
      priority: 20,
      namespaces: ['test-ns1'],
      serviceSelectors: [labelSelector({ team: 'metallb' })],
    },
  }),
  pool('t6', '203.0.113.6/31 2001:db8:6::/127', {
    allocation: { namespaces: ['test-ns2'], serviceSelectors: [labelSelector({ foo: 'bar' })] },
  }),
];

interface Step {
  readonly name: string;
  readonly service: string;
  /** Undefined: the Service frees what it holds. */
  readonly take?: string;
  readonly options?: RequestOptions;
  readonly refused?: ReasonCode;
}

const sharing: RequestOptions = { sharingKey: 'share', backendKey: 'backend', ports: 'tcp/80' };

/** @param t2 texts for an address in the first and the second pool by its last number */
function commonSteps(
  t: (n: number) => string,
  t2: (n: number) => string,
  pinned: (n: number) => string,
): Step[] {
  return [
    { name: 's1 takes .4', service: 's1', take: t(4) },
    { name: 's1 takes .4 again', service: 's1', take: t(4) },
    { name: 's2 takes .4, held by s1', service: 's2', take: t(4), refused: 'addressInUse' },
    { name: 's2 takes .5', service: 's2', take: t(5) },
    { name: 's1 takes .5, held by s2, and keeps .4', service: 's1', take: t(5), refused: 'addressInUse' },
    { name: 's1 frees', service: 's1' },
    { name: 's2 moves to .4', service: 's2', take: t(4) },
    { name: 's1 takes .5, which s2 left', service: 's1', take: t(5) },
    {
      name: 's4 takes .3 with key sharing',
      service: 's4',
      take: t2(3),
      options: { ...sharing, sharingKey: 'sharing' },
    },
    { name: 's4 changes its key in place', service: 's4', take: t2(3), options: sharing },
    {
      name: 's3 joins with the same port',
      service: 's3',
      take: t2(3),
      options: sharing,
      refused: 'portConflict',
    },
    {
      name: 's3 joins with another key',
      service: 's3',
      take: t2(3),
      options: { ...sharing, ports: 'tcp/443', sharingKey: 'othershare' },
      refused: 'sharingKeyDiffers',
    },
    {
      name: 's3 joins without a key',
      service: 's3',
      take: t2(3),
      options: { ...sharing, ports: 'tcp/443', sharingKey: '' },
      refused: 'addressInUse',
    },
    {
      name: 's3 joins with another backend',
      service: 's3',
      take: t2(3),
      options: { ...sharing, ports: 'tcp/443', backendKey: 'otherbackend' },
      refused: 'backendDiffers',
    },
    { name: 's3 joins with tcp/443', service: 's3', take: t2(3), options: { ...sharing, ports: 'tcp/443' } },
    {
      name: 's3 changes to udp/53 in place',
      service: 's3',
      take: t2(3),
      options: { ...sharing, ports: 'udp/53' },
    },
    {
      name: 's3 stays while shared',
      service: 's3',
      take: t2(3),
      options: { ...sharing, ports: 'udp/53' },
    },
    {
      name: 's3 changes its key while shared',
      service: 's3',
      take: t2(3),
      options: { ...sharing, ports: 'udp/53', sharingKey: 'othershare' },
      refused: 'sharingKeyDiffers',
    },
    {
      name: 's3 changes its backend while shared',
      service: 's3',
      take: t2(3),
      options: { ...sharing, ports: 'udp/53', backendKey: 'otherbackend' },
      refused: 'backendDiffers',
    },
    { name: 's3 moves away', service: 's3', take: t2(5), options: sharing },
    { name: 's3 frees', service: 's3' },
    { name: 's4 moves to the address that s3 left', service: 's4', take: t2(5), options: sharing },
    {
      name: 'two addresses of one family',
      service: 's5',
      take: `${t2(7)},${t2(8)}`,
      refused: 'addressesNotOnePerFamily',
    },
    {
      name: 'address of t3 from test-ns1',
      service: 's5',
      take: pinned(3),
      options: { namespace: 'test-ns1' },
    },
    {
      name: 'address of t3 from another namespace',
      service: 's6',
      take: pinned(3),
      options: { namespace: 'test-ns2' },
      refused: 'poolIncompatible',
    },
    {
      name: 'address of t4 with a matching label',
      service: 's6',
      take: pinned(4),
      options: { labels: { team: 'metallb' } },
    },
    {
      name: 'address of t4 with another label',
      service: 's7',
      take: pinned(4),
      options: { labels: { team: 'red' } },
      refused: 'poolIncompatible',
    },
    {
      name: 'address of t5 with namespace and label',
      service: 's8',
      take: pinned(5),
      options: { namespace: 'test-ns1', labels: { team: 'metallb' } },
    },
    {
      name: 'address of t6, namespace right and label wrong',
      service: 's9',
      take: pinned(6),
      options: { namespace: 'test-ns2', labels: { foo: 'baz' } },
      refused: 'poolIncompatible',
    },
    {
      name: 'address of t6, label right and namespace wrong',
      service: 's9',
      take: pinned(6),
      options: { namespace: 'test-ns1', labels: { foo: 'bar' } },
      refused: 'poolIncompatible',
    },
  ];
}

const SEQUENCES: readonly { readonly name: string; readonly steps: readonly Step[] }[] = [
  {
    name: 'IPv4',
    steps: [
      ...commonSteps(
        (n) => `192.0.2.${n}`,
        (n) => `198.51.100.${n}`,
        (n) => `203.0.113.${(n - 3) * 2}`,
      ),
      { name: 'buggy .0', service: 's3', take: '198.51.100.0', refused: 'addressAvoided' },
      { name: 'buggy .255', service: 's3', take: '198.51.100.255', refused: 'addressAvoided' },
      { name: '.254 is not buggy', service: 's3', take: '198.51.100.254' },
      { name: 'address of no pool', service: 's3', take: '192.0.2.9', refused: 'addressNotInPool' },
    ],
  },
  {
    name: 'IPv6',
    steps: [
      ...commonSteps(
        (n) => `2001:db8:1::${n}`,
        (n) => `2001:db8:2::${n}`,
        (n) => `2001:db8:${n}::`,
      ),
      { name: 'IPv6 ending in :0 is never buggy', service: 's3', take: '2001:db8:2::' },
      { name: 'IPv6 ending in :ff is never buggy', service: 's3', take: '2001:db8:2::ff' },
    ],
  },
  {
    name: 'dual-stack',
    steps: [
      { name: 'two addresses of one pool', service: 's1', take: '192.0.2.4,2001:db8:1::4' },
      { name: 'again in the other order', service: 's1', take: '2001:db8:1::4,192.0.2.4' },
      {
        name: 'two addresses of two pools',
        service: 's2',
        take: '192.0.2.5,2001:db8:2::5',
        refused: 'addressesInDifferentPools',
      },
      { name: 'one of two in use', service: 's2', take: '192.0.2.5,2001:db8:1::4', refused: 'addressInUse' },
      { name: 'the other of the refused two is still free', service: 's3', take: '192.0.2.5' },
      {
        name: 'three addresses',
        service: 's4',
        take: '198.51.100.1,2001:db8:2::1,2001:db8:2::2',
        refused: 'addressesNotOnePerFamily',
      },
    ],
  },
];

test.each(SEQUENCES)('explicit addresses, in sequence: $name', ({ steps }) => {
  const before = fullText(POOLS);
  const ledger = createLedger();
  replacePools(ledger, POOLS);
  for (const { name, service, take, options, refused } of steps) {
    const request = addressRequest(service, options);
    const held = ledger.allocations.get(request.key);
    if (take === undefined) {
      release(ledger, request.key);
      expect(ledger.allocations.has(request.key), name).toBe(false);
      continue;
    }
    const result = assign(ledger, request, ips(take));
    expect(result.ok ? undefined : result.reason.code, name).toBe(refused);
    const now = ledger.allocations.get(request.key);
    if (refused) expect(now, `${name}: keeps what it had`).toBe(held);
    else expect(now?.ips.map((item) => item.text).join(','), name).toBe(take);
    expect(fullText(POOLS), `${name}: pools unmodified`).toBe(before);
  }
});

test('a refusal says who has the address and what would be right', () => {
  const ledger = createLedger();
  replacePools(ledger, POOLS);
  assign(ledger, addressRequest('web', { sharingKey: 'blue' }), ips('192.0.2.4'));
  const rows: readonly {
    readonly take: string;
    readonly options: RequestOptions;
    readonly message: string;
  }[] = [
    {
      take: '192.0.2.4',
      options: {},
      message:
        '192.0.2.4 is held by default/web with sharing key "blue", and default/api has none; to share it give both Services the same metallb.io/allow-shared-ip, or use another address',
    },
    {
      take: '192.0.2.4',
      options: { sharingKey: 'blue' },
      message:
        'tcp/80 on 192.0.2.4 is taken by default/web; Services that share an address have distinct ports',
    },
    {
      take: '192.0.2.9',
      options: {},
      message:
        '192.0.2.9 is in no pool; request an address of t (192.0.2.4/31), t2 (198.51.100.0/24), t3 (203.0.113.0/31), t4 (203.0.113.2/31), t5 (203.0.113.4/31), t6 (203.0.113.6/31)',
    },
    {
      take: '203.0.113.0',
      options: {},
      message: 'pool t3 serves only the namespaces test-ns1, not default',
    },
    {
      take: '192.0.2.5,2001:db8:2::5',
      options: {},
      message:
        'the addresses lie in different pools (192.0.2.5 in t, 2001:db8:2::5 in t2); both must come from one pool',
    },
  ];
  for (const { take, options, message } of rows) {
    const result = assign(ledger, addressRequest('api', options), ips(take));
    expect(result.ok ? 'assigned' : result.reason.message).toBe(message);
  }
});
