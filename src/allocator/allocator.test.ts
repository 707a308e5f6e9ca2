import { describe, expect, test } from 'vitest';
import {
  allocateOne,
  allocationOf,
  createAllocatorState,
  poolCounters,
  releaseOne,
  setPools,
  takePoolChanges,
  type AllocatorState,
} from './allocator.ts';
import { allocateAll, applyChanges } from './pass.ts';
import { isOurs } from './service-class.ts';
import { CLUSTER_DUAL, CLUSTER_V6, fullText, pool, service } from './test-objects.ts';
import type { Pool } from '../config/index.ts';

describe('pools are replaced under s1 (192.0.2.0) and s2 (2001:db8::)', () => {
  const rows: readonly {
    readonly name: string;
    readonly pools: readonly Pool[];
    readonly s1: string | undefined;
    readonly s2: string | undefined;
  }[] = [
    { name: 'same', pools: [pool('test', '192.0.2.0/30 2001:db8::/126')], s1: 'test', s2: 'test' },
    { name: 'larger', pools: [pool('test', '192.0.2.0/24 2001:db8::/120')], s1: 'test', s2: 'test' },
    { name: 'same size again', pools: [pool('test', '192.0.2.0/30 2001:db8::/126')], s1: 'test', s2: 'test' },
    { name: 's1 left out', pools: [pool('test', '192.0.2.2/31 2001:db8::/126')], s1: undefined, s2: 'test' },
    { name: 's2 left out', pools: [pool('test', '192.0.2.0/30 2001:db8::2/127')], s1: 'test', s2: undefined },
    { name: 'renamed', pools: [pool('test2', '192.0.2.0/30 2001:db8::/126')], s1: 'test2', s2: 'test2' },
    {
      name: 'split',
      pools: [pool('test', '192.0.2.0/31 2001:db8::2/127'), pool('test2', '192.0.2.2/31 2001:db8::/127')],
      s1: 'test',
      s2: 'test2',
    },
    {
      name: 'avoidBuggyIPs',
      pools: [
        pool('test', '192.0.2.0/31 2001:db8::2/127', { avoidBuggyIPs: true }),
        pool('test2', '192.0.2.2/31 2001:db8::/127', { avoidBuggyIPs: true }),
      ],
      s1: undefined,
      s2: 'test2',
    },
    { name: 'emptied', pools: [], s1: undefined, s2: undefined },
  ];

  function started(): AllocatorState {
    const state = createAllocatorState();
    allocateAll(
      state,
      [pool('test', '192.0.2.0/30 2001:db8::/126')],
      [service('s1'), service('s2', { clusterIPs: CLUSTER_V6 })],
    );
    expect(allocationOf(state, 'default/s1')?.ips.map((ip) => ip.text)).toEqual(['192.0.2.0']);
    expect(allocationOf(state, 'default/s2')?.ips.map((ip) => ip.text)).toEqual(['2001:db8::']);
    return state;
  }

  test.each(rows)('$name', ({ pools, s1, s2 }) => {
    const state = started();
    const before = fullText(pools);
    setPools(state, pools);
    expect(allocationOf(state, 'default/s1')?.pool).toBe(s1);
    expect(allocationOf(state, 'default/s2')?.pool).toBe(s2);
    expect(fullText(pools)).toBe(before);
  });

  test('all changes one after the other: what is in place follows the last one', () => {
    const state = started();
    for (const { pools, s1, s2 } of rows) {
      allocateAll(state, pools, [
        service('s1', { ingress: '192.0.2.0' }),
        service('s2', { clusterIPs: CLUSTER_V6, ingress: '2001:db8::' }),
      ]);
      const held = (key: string, address: string): string | undefined =>
        allocationOf(state, key)?.ips[0]?.text === address ? allocationOf(state, key)?.pool : undefined;
      expect(held('default/s1', '192.0.2.0')).toBe(s1);
      expect(held('default/s2', '2001:db8::')).toBe(s2);
    }
  });

  test('a dual Service needs one pool for both of its addresses', () => {
    const state = createAllocatorState();
    const dual = service('dual', { clusterIPs: CLUSTER_DUAL, policy: 'RequireDualStack' });
    allocateAll(state, [pool('test', '192.0.2.0/31 2001:db8::/127')], [dual]);
    const split = [pool('a', '192.0.2.0/31'), pool('b', '2001:db8::/127')];
    expect(setPools(state, split)).toEqual({ changed: true, freed: ['default/dual'] });
  });

  test('pools equal in content are no change', () => {
    const state = started();
    expect(setPools(state, [pool('test', '192.0.2.0/30 2001:db8::/126')])).toEqual({
      changed: false,
      freed: [],
    });
  });

  test.each([
    ['order of items', pool('test', '2001:db8::/126 192.0.2.0/30')],
    ['autoAssign', pool('test', '192.0.2.0/30 2001:db8::/126', { autoAssign: false })],
    ['namespaces', pool('test', '192.0.2.0/30 2001:db8::/126', { allocation: { namespaces: ['a'] } })],
    ['name', pool('other', '192.0.2.0/30 2001:db8::/126')],
  ])('a change of %s is a change', (_name, changed) => {
    expect(setPools(started(), [changed]).changed).toBe(true);
  });
});

describe('counters', () => {
  const share = (name: string, ports: string) =>
    service(name, {
      ports,
      annotations: { 'metallb.io/allow-shared-ip': 'k', 'metallb.io/loadBalancerIPs': '192.0.2.4' },
    });

  test('each step reports the pool once', () => {
    const state = createAllocatorState();
    const started = allocateAll(state, [pool('test', '192.0.2.4/30 2001:db8::4/126')], []);
    expect(started.pools.counters).toEqual([
      {
        pool: 'test',
        capacity: { total: 8n, ipv4: 4n, ipv6: 4n },
        assigned: { total: 0n, ipv4: 0n, ipv6: 0n },
        available: { total: 8n, ipv4: 4n, ipv6: 4n },
      },
    ]);
    const take = (object: ReturnType<typeof service>): void => {
      expect(allocateOne(state, object).outcome).toBe('assigned');
    };
    const free = (name: string): void => {
      expect(releaseOne(state, `default/${name}`).released).toBe(true);
    };
    const steps: readonly {
      readonly name: string;
      readonly run: () => void;
      readonly inUse: bigint;
      readonly reported: boolean;
    }[] = [
      {
        name: 's1',
        run: () => {
          take(service('s1'));
        },
        inUse: 1n,
        reported: true,
      },
      {
        name: 's2',
        run: () => {
          take(service('s2'));
        },
        inUse: 2n,
        reported: true,
      },
      {
        name: 's1 frees',
        run: () => {
          free('s1');
        },
        inUse: 1n,
        reported: true,
      },
      {
        name: 's2 frees',
        run: () => {
          free('s2');
        },
        inUse: 0n,
        reported: true,
      },
      {
        name: 's1 with a key',
        run: () => {
          take(share('s1', 'tcp/1'));
        },
        inUse: 1n,
        reported: true,
      },
      {
        name: 's2 joins',
        run: () => {
          take(share('s2', 'tcp/2'));
        },
        inUse: 1n,
        reported: false,
      },
      {
        name: 's3 joins',
        run: () => {
          take(share('s3', 'tcp/3'));
        },
        inUse: 1n,
        reported: false,
      },
      {
        name: 's1 leaves',
        run: () => {
          free('s1');
        },
        inUse: 1n,
        reported: false,
      },
      {
        name: 's2 leaves',
        run: () => {
          free('s2');
        },
        inUse: 1n,
        reported: false,
      },
      {
        name: 's3 leaves',
        run: () => {
          free('s3');
        },
        inUse: 0n,
        reported: true,
      },
    ];
    for (const { name, run, inUse, reported } of steps) {
      run();
      const [counters] = poolCounters(state);
      expect(counters?.assigned, name).toEqual({ total: inUse, ipv4: inUse, ipv6: 0n });
      expect(counters?.available, name).toEqual({ total: 8n - inUse, ipv4: 4n - inUse, ipv6: 4n });
      expect(takePoolChanges(state), name).toEqual({ counters: reported ? [counters] : [], removed: [] });
    }
  });

  test('freed and taken again at once is no change', () => {
    const state = createAllocatorState();
    allocateAll(state, [pool('test', '192.0.2.4/32')], [service('s1'), service('s2')]);
    const { decisions, pools } = applyChanges(state, { services: [], deleted: ['default/s1'] });
    expect(decisions).toMatchObject([{ key: 'default/s2', ingress: ['192.0.2.4'] }]);
    expect(pools.counters).toEqual([]);
  });

  test('pools emptied while s1 holds an address: the series goes', () => {
    const state = createAllocatorState();
    allocateAll(state, [pool('test', '192.0.2.4/30')], [service('s1')]);
    setPools(state, []);
    expect(takePoolChanges(state)).toEqual({ counters: [], removed: ['test'] });
    expect(takePoolChanges(state)).toEqual({ counters: [], removed: [] });
    expect(poolCounters(state)).toEqual([]);
  });

  test('a huge pool is exact in what is assigned', () => {
    const state = createAllocatorState();
    const { pools } = allocateAll(
      state,
      [pool('test', '2001:db8::/64')],
      [service('s1', { clusterIPs: CLUSTER_V6 })],
    );
    expect(pools.counters).toMatchObject([
      { assigned: { ipv6: 1n }, available: { ipv6: 9223372036854775806n, total: 9223372036854775806n } },
    ]);
  });
});

describe('load-balancer class', () => {
  test.each<[string, string | undefined, string | undefined, boolean]>([
    ['no class, no flag', undefined, undefined, true],
    ['no class, empty flag', undefined, '', true],
    ['no class, flag', undefined, 'example.com/lb', false],
    ['class, no flag', 'example.com/lb', undefined, false],
    ['class and flag differ', 'example.com/other', 'example.com/lb', false],
    ['class and flag equal', 'example.com/lb', 'example.com/lb', true],
  ])('%s', (_name, loadBalancerClass, flag, want) => {
    const object = service('s', { spec: loadBalancerClass === undefined ? {} : { loadBalancerClass } });
    expect(isOurs(object, flag)).toBe(want);
    const state = createAllocatorState(flag === undefined ? {} : { loadBalancerClass: flag });
    allocateAll(state, [pool('p', '192.0.2.0/24')], []);
    expect(allocateOne(state, object)).toMatchObject(
      want
        ? { outcome: 'assigned', ingress: ['192.0.2.0'], changed: true }
        : { outcome: 'ignored', ingress: [], changed: false, events: [] },
    );
  });

  test.each([
    ['its type and class changed', { spec: { type: 'ClusterIP' } }, true],
    [
      'its class changed, our address still there',
      { spec: { loadBalancerClass: 'example.com/other' } },
      true,
    ],
    [
      'its class changed and the new owner wrote the status',
      { spec: { loadBalancerClass: 'example.com/other' }, ingress: '203.0.113.1' },
      false,
    ],
  ])('a Service that was ours is released: %s', (_name, options, changed) => {
    const state = createAllocatorState({ loadBalancerClass: 'example.com/lb' });
    const pools = [pool('p', '192.0.2.0/32')];
    const ours = service('s', { spec: { loadBalancerClass: 'example.com/lb' } });
    allocateAll(state, pools, [ours]);
    const decision = allocateOne(state, service('s', { ingress: '192.0.2.0', ...options }));
    expect(decision).toMatchObject({ outcome: 'none', changed, reprocess: true });
    expect(decision.ingress).toEqual(changed ? [] : ['203.0.113.1']);
    expect(allocationOf(state, 'default/s')).toBeUndefined();
  });
});

describe('reprocess', () => {
  const pools = [pool('p', '192.0.2.0/30')];
  const shared = (key: string, ports: string) =>
    service('s', {
      ports,
      ingress: '192.0.2.0',
      annotations: { 'metallb.io/allow-shared-ip': key },
    });
  test.each([
    [
      'nothing changed',
      service('s', { ingress: '192.0.2.0' }),
      service('s', { ingress: '192.0.2.0' }),
      false,
    ],
    ['first allocation without a key', undefined, service('s'), false],
    ['first allocation with a key', undefined, shared('k', 'tcp/80'), true],
    [
      'first allocation with policy Local',
      undefined,
      service('s', { spec: { externalTrafficPolicy: 'Local' } }),
      true,
    ],
    ['the key changed', shared('k', 'tcp/80'), shared('other', 'tcp/80'), true],
    ['a port was given up', shared('k', 'tcp/80'), shared('k', 'tcp/81'), true],
    [
      'moved to another address',
      service('s', { ingress: '192.0.2.0' }),
      service('s', { ingress: '192.0.2.0', spec: { loadBalancerIP: '192.0.2.3' } }),
      true,
    ],
    [
      'released',
      service('s', { ingress: '192.0.2.0' }),
      service('s', { ingress: '192.0.2.0', spec: { type: 'ClusterIP' } }),
      true,
    ],
    ['the status was emptied and the same address given again', service('s'), service('s'), false],
  ])('%s', (_name, before, after, want) => {
    const state = createAllocatorState();
    allocateAll(state, pools, before ? [before] : []);
    expect(allocateOne(state, after).reprocess).toBe(want);
  });
});
