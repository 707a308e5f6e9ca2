import { describe, expect, test } from 'vitest';
import type { ServiceObject } from '../api/index.ts';
import type { Pool } from '../config/index.ts';
import {
  allocateOne,
  allocationOf,
  createAllocatorState,
  isReady,
  releaseOne,
  waitingServices,
  type AllocatorState,
} from './allocator.ts';
import { withDecision } from './decision.ts';
import { allocateAll, allocateWaiting, applyChanges } from './pass.ts';
import { CLUSTER_DUAL, CLUSTER_V6, pool, service, type ServiceOptions } from './test-objects.ts';
import type { PassResult } from './types.ts';

/** `key=addresses` for each decision that is to be written. */
function written(result: PassResult): string[] {
  return result.decisions
    .filter((item) => item.changed)
    .map((item) => `${item.key}=${item.ingress.join(',')}`);
}

function started(pools: readonly Pool[], ...services: readonly ServiceObject[]): AllocatorState {
  const state = createAllocatorState();
  allocateAll(state, pools, services);
  return state;
}

const prefer: ServiceOptions = { clusterIPs: CLUSTER_DUAL, policy: 'PreferDualStack' };
const sharing = (ports: string, annotations: Record<string, string> = {}): ServiceOptions => ({
  ports,
  annotations: { 'metallb.io/allow-shared-ip': 'key', ...annotations },
});

describe('full pass', () => {
  test('what is held is taken over before anything new is handed out', () => {
    const result = allocateAll(
      createAllocatorState(),
      [pool('p', '192.0.2.0/30')],
      [
        service('a'),
        service('b', { ingress: '192.0.2.0' }),
        service('c', { ingress: '192.0.2.2' }),
        service('d'),
      ],
    );
    expect(result.decisions.map((item) => `${item.key}=${item.ingress.join(',')}`)).toEqual([
      'default/a=192.0.2.1',
      'default/b=192.0.2.0',
      'default/c=192.0.2.2',
      'default/d=192.0.2.3',
    ]);
    expect(result.settled).toBe(true);
  });

  test('a Service that must move does not take what a later one holds', () => {
    const result = allocateAll(
      createAllocatorState(),
      [pool('p', '192.0.2.0/30'), pool('q', '198.51.100.0/30')],
      [
        service('a', { ingress: '198.51.100.0', annotations: { 'metallb.io/address-pool': 'p' } }),
        service('b', { ingress: '192.0.2.0', annotations: { 'metallb.io/ip-allocated-from-pool': 'p' } }),
      ],
    );
    expect(written(result)).toEqual(['default/a=192.0.2.1']);
  });

  test('of two that claim one address the one with more status entries keeps it, then the first by key', () => {
    const dual: ServiceOptions = { clusterIPs: CLUSTER_DUAL, policy: 'RequireDualStack' };
    const result = allocateAll(
      createAllocatorState(),
      [pool('p', '192.0.2.0/30 2001:db8::/126')],
      [
        service('a', { ingress: '192.0.2.0' }),
        service('b', { ...dual, ingress: '192.0.2.0,2001:db8::' }),
        service('c', { ingress: '192.0.2.3' }),
        service('d', { ingress: '192.0.2.3' }),
      ],
    );
    expect(result.decisions.map((item) => item.ingress.join(','))).toEqual([
      '192.0.2.1',
      '192.0.2.0,2001:db8::',
      '192.0.2.3',
      '192.0.2.2',
    ]);
    expect(result.decisions.map((item) => item.events.map((event) => event.reason).join(' '))).toEqual([
      'ClearAssignment IPAllocated',
      '',
      '',
      'ClearAssignment IPAllocated',
    ]);
  });

  test('an address freed late in the pass serves one looked at before, with only the events that hold', () => {
    const result = allocateAll(
      createAllocatorState(),
      [pool('p', '192.0.2.0/32'), pool('q', '198.51.100.0/32', { autoAssign: false })],
      [
        service('a', { ingress: '203.0.113.9,203.0.113.8' }),
        service('b', { ingress: '192.0.2.0', annotations: { 'metallb.io/address-pool': 'q' } }),
      ],
    );
    expect(written(result)).toEqual(['default/a=192.0.2.0', 'default/b=198.51.100.0']);
    expect(result.decisions[0]?.events.map((event) => event.reason)).toEqual([
      'nolbIPsIPFamily',
      'IPAllocated',
    ]);
  });

  test('a Service whose cluster IPs cannot be read keeps its address from others', () => {
    const unreadable = service('b', { clusterIPs: 'None', ingress: '192.0.2.0' });
    const result = allocateAll(
      createAllocatorState(),
      [pool('p', '192.0.2.0/31')],
      [service('a'), unreadable],
    );
    expect(written(result)).toEqual(['default/a=192.0.2.1']);
    expect(result.decisions[1]).toMatchObject({ outcome: 'refused', ingress: ['192.0.2.0'] });
  });

  test('an address of the wrong family in a status keeps nobody from it', () => {
    const wrong = service('b', { clusterIPs: CLUSTER_V6, ingress: '192.0.2.0' });
    const result = allocateAll(
      createAllocatorState(),
      [pool('p', '192.0.2.0/31 2001:db8::/127')],
      [service('a', { ingress: '198.51.100.1' }), wrong],
    );
    expect(written(result)).toEqual(['default/a=192.0.2.0', 'default/b=2001:db8::']);
  });

  test('Services that are not listed are released', () => {
    const pools = [pool('p', '192.0.2.0/32')];
    const state = started(pools, service('a'), service('b'));
    const result = allocateAll(state, pools, [service('b')]);
    expect(result.deleted).toEqual(['default/a']);
    expect(written(result)).toEqual(['default/b=192.0.2.0']);
    expect(waitingServices(state)).toEqual([]);
  });

  test('zero pools: statuses are emptied, without events', () => {
    const result = allocateAll(
      createAllocatorState(),
      [],
      [service('a', { ingress: '192.0.2.0' }), service('b')],
    );
    expect(result.decisions).toMatchObject([
      { key: 'default/a', changed: true, ingress: [], outcome: 'refused', events: [] },
      { key: 'default/b', changed: false, outcome: 'refused', events: [] },
    ]);
  });

  test('a new pool serves those who wait', () => {
    const first = pool('p', '192.0.2.0/32');
    const state = started([first], service('a'), service('b'));
    const result = allocateAll(
      state,
      [first, pool('q', '198.51.100.0/32')],
      [
        service('a', { ingress: '192.0.2.0', annotations: { 'metallb.io/ip-allocated-from-pool': 'p' } }),
        service('b'),
      ],
    );
    expect(written(result)).toEqual(['default/b=198.51.100.0']);
  });

  test('makes the state ready', () => {
    const state = createAllocatorState();
    expect(isReady(state)).toBe(false);
    const early = applyChanges(state, { services: [service('a', { ingress: '192.0.2.0' })], deleted: [] });
    expect(early.decisions).toMatchObject([{ outcome: 'notReady', changed: false, events: [] }]);
    allocateAll(state, [pool('p', '192.0.2.0/24')], []);
    expect(isReady(state)).toBe(true);
    expect(allocationOf(state, 'default/a')).toBeUndefined();
  });
});

describe('a release is seen by those who wait for it', () => {
  const rows: readonly {
    readonly name: string;
    readonly pools: readonly Pool[];
    readonly holder: ServiceObject;
    readonly others?: readonly ServiceObject[];
    readonly waiting: readonly ServiceObject[];
    /** Undefined: the holder is deleted. */
    readonly change?: ServiceObject;
    readonly want: readonly string[];
  }[] = [
    {
      name: 'any pool: the first by key',
      pools: [pool('p', '192.0.2.0/32')],
      holder: service('h'),
      waiting: [service('w2'), service('w1'), service('w3')],
      want: ['default/w1=192.0.2.0'],
    },
    {
      name: 'named pool',
      pools: [pool('p', '192.0.2.0/32'), pool('q', '192.0.2.1/32')],
      holder: service('h'),
      others: [service('i')],
      waiting: [
        service('w1', { annotations: { 'metallb.io/address-pool': 'q' } }),
        service('w2', { annotations: { 'metallb.io/address-pool': 'p' } }),
      ],
      want: ['default/w2=192.0.2.0'],
    },
    {
      name: 'requested address',
      pools: [pool('p', '192.0.2.0/31')],
      holder: service('h'),
      waiting: [service('w1', { spec: { loadBalancerIP: '192.0.2.0' } })],
      want: ['default/w1=192.0.2.0'],
    },
    {
      name: 'requested address, which the holder starts to share',
      pools: [pool('p', '192.0.2.0/31')],
      holder: service('h', { ports: 'tcp/1' }),
      waiting: [service('w1', sharing('tcp/2', { 'metallb.io/loadBalancerIPs': '192.0.2.0' }))],
      change: service('h', { ...sharing('tcp/1'), ingress: '192.0.2.0' }),
      want: ['default/h=192.0.2.0', 'default/w1=192.0.2.0'],
    },
    {
      name: 'a port of a shared address',
      pools: [pool('p', '192.0.2.0/32')],
      holder: service('h', sharing('tcp/80')),
      others: [service('i', sharing('tcp/443'))],
      waiting: [service('w1', sharing('tcp/80')), service('w2')],
      want: ['default/w1=192.0.2.0'],
    },
    {
      name: 'the holder moves to another address',
      pools: [pool('p', '192.0.2.0/32'), pool('q', '192.0.2.1/32', { autoAssign: false })],
      holder: service('h'),
      waiting: [service('w1')],
      change: service('h', { ingress: '192.0.2.0', spec: { loadBalancerIP: '192.0.2.1' } }),
      want: ['default/h=192.0.2.1', 'default/w1=192.0.2.0'],
    },
    {
      name: 'the second family under PreferDualStack',
      pools: [pool('p', '192.0.2.0/31 2001:db8::/128')],
      holder: service('h', { clusterIPs: CLUSTER_V6 }),
      others: [service('i', prefer)],
      waiting: [],
      want: ['default/i=192.0.2.0,2001:db8::'],
    },
    {
      name: 'RequireDualStack waits for both',
      pools: [pool('p', '192.0.2.0/32 2001:db8::/128')],
      holder: service('h', { clusterIPs: CLUSTER_V6 }),
      waiting: [service('w1', { clusterIPs: CLUSTER_DUAL, policy: 'RequireDualStack' })],
      want: ['default/w1=192.0.2.0,2001:db8::'],
    },
    {
      name: 'one served brings an address for others to share',
      pools: [pool('p', '192.0.2.0/32')],
      holder: service('h'),
      waiting: [
        service('w1', sharing('tcp/1')),
        service('w2', sharing('tcp/1')),
        service('w3', sharing('tcp/3')),
      ],
      want: ['default/w1=192.0.2.0', 'default/w3=192.0.2.0'],
    },
    {
      name: 'PreferDualStack takes either family',
      pools: [pool('p', '192.0.2.0/32'), pool('q', '2001:db8::/128')],
      holder: service('h'),
      others: [service('i', { clusterIPs: CLUSTER_V6 })],
      waiting: [service('w1', prefer)],
      want: ['default/w1=192.0.2.0'],
    },
    {
      name: 'RequireDualStack with one address to share and one free',
      pools: [pool('p', '192.0.2.0/32 2001:db8::/127')],
      holder: service('h', { clusterIPs: CLUSTER_V6 }),
      others: [
        service('i', { ...sharing('tcp/1') }),
        service('j', { ...sharing('tcp/2'), clusterIPs: CLUSTER_V6 }),
      ],
      waiting: [service('w1', { ...sharing('tcp/2'), clusterIPs: CLUSTER_DUAL, policy: 'RequireDualStack' })],
      want: ['default/w1=192.0.2.0,2001:db8::'],
    },
    {
      name: 'the wrong family comes free',
      pools: [pool('p', '192.0.2.0/32 2001:db8::/128')],
      holder: service('h', { clusterIPs: CLUSTER_V6 }),
      others: [service('i')],
      waiting: [service('w1')],
      want: [],
    },
  ];

  test.each(rows)('$name', ({ pools, holder, others = [], waiting, change, want }) => {
    const state = started(pools, holder, ...others);
    const pass = applyChanges(state, { services: waiting, deleted: [] });
    expect(written(pass), 'they wait').toEqual([]);
    const changes = change
      ? { services: [change], deleted: [] }
      : { services: [], deleted: [`default/${holder.metadata.name}`] };
    expect(written(applyChanges(state, changes))).toEqual(want);
  });

  test('one at a time: reprocess asks for allocateWaiting', () => {
    const state = started([pool('p', '192.0.2.0/32')], service('h'), service('w1'), service('w2'));
    expect(waitingServices(state)).toEqual(['default/w1', 'default/w2']);
    expect(releaseOne(state, 'default/h').reprocess).toBe(true);
    expect(written(allocateWaiting(state))).toEqual(['default/w1=192.0.2.0']);
    expect(waitingServices(state)).toEqual(['default/w2']);
    expect(allocateWaiting(state).decisions).toEqual([]);
  });

  test('those who waited come before those who are new', () => {
    const state = started([pool('p', '192.0.2.0/32')], service('h'), service('w'));
    const result = applyChanges(state, { services: [service('a')], deleted: ['default/h'] });
    expect(written(result)).toEqual(['default/w=192.0.2.0']);
  });

  test('several releases at once: everybody is looked at, in key order', () => {
    const named = (name: string, from: string) =>
      service(name, { annotations: { 'metallb.io/address-pool': from } });
    for (const [first, second] of [
      ['p', 'q'],
      ['q', 'p'],
    ] as const) {
      const state = started(
        [pool('p', '192.0.2.0/32'), pool('q', '192.0.2.1/32')],
        service('h'),
        service('i'),
      );
      const services = [named('w1', first), named('w2', second), named('w3', first)];
      applyChanges(state, { services, deleted: [] });
      const result = applyChanges(state, { services: [], deleted: ['default/h', 'default/i'] });
      expect(result.decisions.map((item) => item.key)).toEqual(['default/w1', 'default/w2']);
    }
  });

  test('a Service that comes with an address keeps it from one that is new', () => {
    const state = started([pool('p', '192.0.2.0/31')]);
    const services = [service('a'), service('b', { ingress: '192.0.2.0,host:example.test' })];
    expect(written(applyChanges(state, { services: services.toReversed(), deleted: [] }))).toEqual([
      'default/a=192.0.2.1',
      'default/b=192.0.2.0',
    ]);
    const more = started([pool('p', '192.0.2.0/31'), pool('q', '198.51.100.0/31')], service('z'));
    const changes = [
      service('a', { ingress: '198.51.100.0', annotations: { 'metallb.io/address-pool': 'p' } }),
      service('b', { ingress: '192.0.2.1', annotations: { 'metallb.io/ip-allocated-from-pool': 'p' } }),
    ];
    const result = applyChanges(more, { services: changes, deleted: ['default/z'] });
    expect(written(result)).toEqual(['default/a=192.0.2.0']);
  });

  test('still waiting for the same reason is no news', () => {
    const state = started(
      [pool('p', '192.0.2.0/32 2001:db8::/127')],
      service('h', { clusterIPs: CLUSTER_DUAL, policy: 'RequireDualStack' }),
    );
    applyChanges(state, { services: [service('w', sharing('tcp/1'))], deleted: [] });
    const result = applyChanges(state, {
      services: [service('x', { ...sharing('tcp/2'), clusterIPs: CLUSTER_V6 })],
      deleted: [],
    });
    expect(result.decisions.map((item) => `${item.key} ${item.outcome}`)).toEqual(['default/x assigned']);
  });

  test('a waiting Service that changed is judged by its new object', () => {
    const state = started([pool('p', '192.0.2.0/32')], service('h'), service('w'));
    const result = applyChanges(state, {
      services: [service('w', { spec: { type: 'ClusterIP' } })],
      deleted: ['default/h'],
    });
    expect(written(result)).toEqual([]);
    expect(allocationOf(state, 'default/w')).toBeUndefined();
  });

  test('a waiting Service that is deleted is forgotten', () => {
    const state = started([pool('p', '192.0.2.0/32')], service('h'), service('w'));
    applyChanges(state, { services: [], deleted: ['default/w'] });
    expect(waitingServices(state)).toEqual([]);
    expect(applyChanges(state, { services: [], deleted: ['default/h'] }).decisions).toEqual([]);
  });

  test('deleted and made anew in one step: the status of the new object counts', () => {
    const state = started([pool('p', '192.0.2.0/30')], service('a'), service('b'));
    const result = applyChanges(state, { services: [service('b')], deleted: ['default/a', 'default/b'] });
    expect(result.deleted).toEqual(['default/a', 'default/b']);
    expect(written(result)).toEqual(['default/b=192.0.2.0']);
  });

  test('a deletion before the first full pass frees', () => {
    const state = createAllocatorState();
    allocateAll(state, [pool('p', '192.0.2.0/32')], [service('a')]);
    state.ready = false;
    expect(applyChanges(state, { services: [], deleted: ['default/a'] }).deleted).toEqual(['default/a']);
    expect(allocationOf(state, 'default/a')).toBeUndefined();
  });
});

describe('what is written', () => {
  test('withDecision sets addresses and annotation, and leaves the rest', () => {
    const state = started([pool('p', '192.0.2.0/32')]);
    const object = service('s', { annotations: { 'example.com/other': 'x' } });
    const held = withDecision(object, allocateOne(state, object));
    expect(held.status.ingress).toEqual([{ ip: '192.0.2.0' }]);
    expect(held.metadata.annotations).toEqual({
      'example.com/other': 'x',
      'metallb.io/ip-allocated-from-pool': 'p',
    });
    expect(allocateOne(state, held)).toMatchObject({ changed: false, pool: 'p', events: [] });
    const other = { ...held, spec: { ...held.spec, type: 'ClusterIP' } };
    const released = withDecision(other, allocateOne(state, other));
    expect(released.status.ingress).toEqual([]);
    expect(released.metadata.annotations).toEqual({ 'example.com/other': 'x' });
  });

  test('one deprecatedAnnotation for each, only when something is written', () => {
    const state = started([pool('p', '192.0.2.0/31')]);
    const object = service('s', {
      annotations: {
        'metallb.universe.tf/address-pool': 'p',
        'metallb.universe.tf/allow-shared-ip': 'k',
        'metallb.universe.tf/ip-allocated-from-pool': 'elsewhere',
      },
    });
    const decision = allocateOne(state, object);
    expect(decision.events.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      'IPAllocated: assigned 192.0.2.0 from pool p',
      'deprecatedAnnotation: annotation metallb.universe.tf/address-pool is deprecated; use metallb.io/address-pool',
      'deprecatedAnnotation: annotation metallb.universe.tf/allow-shared-ip is deprecated; use metallb.io/allow-shared-ip',
      'deprecatedAnnotation: annotation metallb.universe.tf/ip-allocated-from-pool is deprecated; use metallb.io/ip-allocated-from-pool',
    ]);
    expect(allocationOf(state, 'default/s')?.sharingKey).toBe('k');
    expect(allocateOne(state, withDecision(object, decision)).events).toEqual([]);
  });
});
