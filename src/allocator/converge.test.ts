import { describe, expect, test } from 'vitest';
import type { ServiceObject } from '../api/index.ts';
import { allocateOne, createAllocatorState, releaseOne, setPools, type AllocatorState } from './allocator.ts';
import { withDecision } from './decision.ts';
import { allocateAll } from './pass.ts';
import {
  CLUSTER_DUAL,
  CLUSTER_V6,
  fullText,
  labelSelector,
  pool,
  service,
  warnings,
  type ServiceOptions,
} from './test-objects.ts';
import type { EventReason, ReasonCode } from './types.ts';

const team = labelSelector({ team: 'metallb' });

// Pools never have common addresses, so the dual one (p5) has addresses of its own.
const POOLS = [
  pool('p1', '192.0.2.0/31'),
  pool('p2', '192.0.2.6/32', { autoAssign: false }),
  pool('p3', '2001:db8:3::/127'),
  pool('p4', '2001:db8:4::1/128', { autoAssign: false }),
  pool('p5', '192.0.2.8/31 2001:db8:5::/127'),
  pool('p6', '198.51.100.0/31', { allocation: { priority: 10, namespaces: ['ns1'] } }),
  pool('p7', '198.51.100.2/31', { allocation: { priority: 11, namespaces: ['ns1'] } }),
  pool('p8', '198.51.100.4/31', { allocation: { priority: 9, serviceSelectors: [team] } }),
  pool('p9', '198.51.100.6/31', { allocation: { namespaces: ['ns2'] } }),
  pool('p10', '198.51.100.8/31', { allocation: { priority: 8, serviceSelectors: [team] } }),
  pool('p11', '198.51.100.10/31', {
    allocation: { priority: 8, namespaces: ['ns1'], serviceSelectors: [team] },
  }),
  pool('p12', '198.51.100.12/31', {
    allocation: { priority: 5, namespaces: ['ns1'], serviceSelectors: [team] },
  }),
];

interface Case {
  readonly name: string;
  readonly options: ServiceOptions;
  /** Addresses to be written, separated by commas, empty to empty the status; undefined: no change. */
  readonly want?: string;
  readonly events?: readonly EventReason[];
  readonly reason: ReasonCode;
}

const pooled = (name: string): Record<string, string> => ({ 'metallb.io/address-pool': name });
const requested = (addresses: string): Record<string, string> => ({
  'metallb.io/loadBalancerIPs': addresses,
});
const v6: ServiceOptions = { clusterIPs: CLUSTER_V6 };
const require2: ServiceOptions = { clusterIPs: CLUSTER_DUAL, policy: 'RequireDualStack' };
const prefer2: ServiceOptions = { clusterIPs: CLUSTER_DUAL, policy: 'PreferDualStack' };
const ALLOCATED: Pick<Case, 'events' | 'reason'> = { events: ['IPAllocated'], reason: 'assigned' };
const FAILED: Pick<Case, 'events'> = { events: ['AllocationFailed'] };

const CASES: readonly Case[] = [
  { name: 'ClusterIP', options: { spec: { type: 'ClusterIP' } }, reason: 'notLoadBalancer' },
  { name: 'LoadBalancer without cluster IP', options: { clusterIPs: '' }, reason: 'noClusterIP' },
  { name: 'plain v4', options: {}, want: '192.0.2.0', ...ALLOCATED },
  { name: 'plain v6', options: v6, want: '2001:db8:3::', ...ALLOCATED },
  {
    name: 'loadBalancerIP',
    options: { spec: { loadBalancerIP: '192.0.2.1' } },
    want: '192.0.2.1',
    ...ALLOCATED,
  },
  { name: 'annotation', options: { annotations: requested('192.0.2.1') }, want: '192.0.2.1', ...ALLOCATED },
  {
    name: 'deprecated annotation',
    options: { annotations: { 'metallb.universe.tf/loadBalancerIPs': '192.0.2.1' } },
    want: '192.0.2.1',
    events: ['IPAllocated', 'deprecatedAnnotation'],
    reason: 'assigned',
  },
  {
    name: 'a current annotation that is empty hides the deprecated one',
    options: { annotations: { ...requested(''), 'metallb.universe.tf/loadBalancerIPs': '192.0.2.1' } },
    want: '192.0.2.0',
    events: ['IPAllocated', 'deprecatedAnnotation'],
    reason: 'assigned',
  },
  {
    name: 'both forms',
    options: { annotations: requested('192.0.2.1'), spec: { loadBalancerIP: '192.0.2.1' } },
    ...FAILED,
    reason: 'requestTwice',
  },
  {
    name: 'garbage in loadBalancerIP',
    options: { spec: { loadBalancerIP: 'an address, please' } },
    ...FAILED,
    reason: 'requestInvalid',
  },
  {
    name: 'garbage in the annotation',
    options: { annotations: requested('an address, please') },
    ...FAILED,
    reason: 'requestInvalid',
  },
  {
    name: '.1 of p1 with pool p2',
    options: { annotations: { ...requested('192.0.2.1'), ...pooled('p2') } },
    ...FAILED,
    reason: 'requestPoolMismatch',
  },
  {
    name: '.1,.2',
    options: { annotations: requested('192.0.2.1,192.0.2.2') },
    ...FAILED,
    reason: 'requestInvalid',
  },
  { name: 'unknown pool', options: { annotations: pooled('p99') }, ...FAILED, reason: 'poolUnknown' },
  {
    name: 'loadBalancerIP in no pool, holding .1',
    options: { ingress: '192.0.2.1', spec: { loadBalancerIP: '192.0.2.4' } },
    want: '',
    ...FAILED,
    reason: 'addressNotInPool',
  },
  {
    name: 'unreadable request while holding .1: the address stays',
    options: { ingress: '192.0.2.1', annotations: requested('192.0.2.x') },
    events: ['LoadBalancerFailed'],
    reason: 'requestInvalid',
  },
  {
    name: 'unreadable request while holding an address of no pool',
    options: { ingress: '203.0.113.5', annotations: requested('192.0.2.x') },
    want: '',
    events: ['ClearAssignment', 'LoadBalancerFailed'],
    reason: 'requestInvalid',
  },
  { name: 'pool p1', options: { annotations: pooled('p1') }, want: '192.0.2.0', ...ALLOCATED },
  {
    name: 'holding .0 with pool p2',
    options: { ingress: '192.0.2.0', annotations: pooled('p2') },
    want: '192.0.2.6',
    ...ALLOCATED,
  },
  {
    name: 'holding an address of no pool',
    options: { ingress: '203.0.113.5' },
    want: '192.0.2.0',
    events: ['ClearAssignment', 'IPAllocated'],
    reason: 'assigned',
  },
  {
    name: 'ingress host name and an address of no pool',
    options: { ingress: 'host:example.test,203.0.113.10' },
    want: '192.0.2.0',
    events: ['ClearAssignment', 'IPAllocated'],
    reason: 'assigned',
  },
  {
    name: 'ingress host name alone',
    options: { ingress: 'host:example.test' },
    want: '192.0.2.0',
    ...ALLOCATED,
  },
  {
    name: 'NodePort holding .0',
    options: { ingress: '192.0.2.0', spec: { type: 'NodePort' } },
    want: '',
    reason: 'notLoadBalancer',
  },
  {
    name: 'manual pool by loadBalancerIP, Cluster',
    options: { spec: { loadBalancerIP: '192.0.2.6' } },
    want: '192.0.2.6',
    ...ALLOCATED,
  },
  {
    name: 'manual pool by loadBalancerIP, Local',
    options: { spec: { loadBalancerIP: '192.0.2.6', externalTrafficPolicy: 'Local' } },
    want: '192.0.2.6',
    ...ALLOCATED,
  },
  {
    name: 'v4 by loadBalancerIP on a v6 Service',
    options: { ...v6, spec: { loadBalancerIP: '192.0.2.1' } },
    ...FAILED,
    reason: 'requestFamilyMismatch',
  },
  {
    name: 'v4 by annotation on a v6 Service',
    options: { ...v6, annotations: requested('192.0.2.1') },
    ...FAILED,
    reason: 'requestFamilyMismatch',
  },
  {
    name: 'v6 by loadBalancerIP on a v4 Service',
    options: { spec: { loadBalancerIP: '2001:db8:3::' } },
    ...FAILED,
    reason: 'requestFamilyMismatch',
  },
  {
    name: 'v6 by annotation on a v4 Service',
    options: { annotations: requested('2001:db8:3::') },
    ...FAILED,
    reason: 'requestFamilyMismatch',
  },
  { name: 'v4 Service holding v6', options: { ingress: '2001:db8:3::' }, want: '192.0.2.0', ...ALLOCATED },
  {
    name: 'v6 Service holding v4',
    options: { ...v6, ingress: '192.0.2.0' },
    want: '2001:db8:3::',
    ...ALLOCATED,
  },
  { name: 'dual Require', options: require2, want: '192.0.2.8,2001:db8:5::', ...ALLOCATED },
  {
    name: 'dual Require pool p5',
    options: { ...require2, annotations: pooled('p5') },
    want: '192.0.2.8,2001:db8:5::',
    ...ALLOCATED,
  },
  {
    name: 'dual Require pool p1, which has only v4',
    options: { ...require2, annotations: pooled('p1') },
    ...FAILED,
    reason: 'poolsExhausted',
  },
  { name: 'dual Prefer', options: prefer2, want: '192.0.2.8,2001:db8:5::', ...ALLOCATED },
  {
    name: 'dual Prefer pool p5',
    options: { ...prefer2, annotations: pooled('p5') },
    want: '192.0.2.8,2001:db8:5::',
    ...ALLOCATED,
  },
  {
    name: 'dual Prefer pool p1',
    options: { ...prefer2, annotations: pooled('p1') },
    want: '192.0.2.0',
    events: ['IPAllocated'],
    reason: 'secondFamilyMissing',
  },
  {
    name: 'v6 single, Prefer, pool p3',
    options: { ...v6, policy: 'PreferDualStack', annotations: pooled('p3') },
    want: '2001:db8:3::',
    ...ALLOCATED,
  },
  {
    name: 'v4 single, Prefer, pool p5',
    options: { policy: 'PreferDualStack', annotations: pooled('p5') },
    want: '192.0.2.8',
    ...ALLOCATED,
  },
  {
    name: 'v4 single, Prefer, holding one of a dual pool: no second one is added',
    options: {
      policy: 'PreferDualStack',
      ingress: '192.0.2.8',
      annotations: { 'metallb.io/ip-allocated-from-pool': 'p5' },
    },
    reason: 'assigned',
  },
  {
    name: 'v4 single, Prefer, namespace ns1',
    options: { policy: 'PreferDualStack', namespace: 'ns1' },
    want: '198.51.100.0',
    ...ALLOCATED,
  },
  {
    name: 'dual Prefer, holding one of a dual pool',
    options: { ...prefer2, ingress: '192.0.2.9' },
    want: '192.0.2.9,2001:db8:5::',
    ...ALLOCATED,
  },
  {
    name: 'dual Prefer, holding v6 of a dual pool: it stays first',
    options: { ...prefer2, ingress: '2001:db8:5::1' },
    want: '2001:db8:5::1,192.0.2.8',
    ...ALLOCATED,
  },
  {
    name: 'dual Prefer, holding one of a single-family pool',
    options: { ...prefer2, ingress: '192.0.2.1', annotations: { 'metallb.io/ip-allocated-from-pool': 'p1' } },
    events: ['AdditionalAssignFailed'],
    reason: 'secondFamilyMissing',
  },
  {
    name: 'dual Prefer, holding the one address requested',
    options: {
      ...prefer2,
      ingress: '192.0.2.9',
      annotations: { ...requested('192.0.2.9'), 'metallb.io/ip-allocated-from-pool': 'p5' },
    },
    reason: 'assigned',
  },
  {
    name: 'Require with one cluster IP',
    options: { policy: 'RequireDualStack' },
    events: ['not enough clusterips'],
    reason: 'notEnoughClusterIPs',
  },
  {
    name: 'Require with one cluster IP, holding .0',
    options: { policy: 'RequireDualStack', ingress: '192.0.2.0' },
    want: '',
    events: ['not enough clusterips'],
    reason: 'notEnoughClusterIPs',
  },
  {
    name: 'dual cluster IPs, one by loadBalancerIP',
    options: { ...require2, spec: { loadBalancerIP: '192.0.2.8' } },
    ...FAILED,
    reason: 'requestFamilyMismatch',
  },
  {
    name: 'dual cluster IPs, one by annotation',
    options: { ...prefer2, annotations: requested('192.0.2.8') },
    ...FAILED,
    reason: 'requestFamilyMismatch',
  },
  {
    name: 'dual cluster IPs without a policy',
    options: { clusterIPs: CLUSTER_DUAL },
    ...FAILED,
    reason: 'dualStackPolicyMissing',
  },
  {
    name: 'dual cluster IPs without a policy, two requested',
    options: { clusterIPs: CLUSTER_DUAL, annotations: requested('192.0.2.8,2001:db8:5::1') },
    want: '192.0.2.8,2001:db8:5::1',
    ...ALLOCATED,
  },
  {
    name: 'dual Require, two requested',
    options: { ...require2, annotations: requested('192.0.2.8,2001:db8:5::') },
    want: '192.0.2.8,2001:db8:5::',
    ...ALLOCATED,
  },
  {
    name: 'dual Require, two requested with blanks, v6 first: request order',
    options: { ...require2, annotations: requested(' 2001:db8:5:: , 192.0.2.8 ') },
    want: '2001:db8:5::,192.0.2.8',
    ...ALLOCATED,
  },
  {
    name: 'dual Require, two requested and held in request order: nothing to do',
    options: {
      ...require2,
      ingress: '2001:db8:5::,192.0.2.8',
      annotations: {
        ...requested('2001:db8:5::,192.0.2.8'),
        'metallb.io/ip-allocated-from-pool': 'p5',
      },
    },
    reason: 'assigned',
  },
  {
    name: 'dual Require, requested from two pools',
    options: { ...require2, annotations: requested('192.0.2.0,2001:db8:5::') },
    ...FAILED,
    reason: 'addressesInDifferentPools',
  },
  {
    name: 'two requested, v4-only cluster IP',
    options: { annotations: requested('192.0.2.8,2001:db8:5::') },
    ...FAILED,
    reason: 'requestFamilyMismatch',
  },
  {
    name: 'dual Require (v6 first), ingress host name and v6',
    options: {
      ...require2,
      ingress: 'host:example.test,2001:db8:5::',
      spec: { ipFamilies: ['IPv6', 'IPv4'] },
    },
    want: '192.0.2.8,2001:db8:5::',
    ...ALLOCATED,
  },
  { name: 'namespace ns1', options: { namespace: 'ns1' }, want: '198.51.100.0', ...ALLOCATED },
  { name: 'namespace ns2', options: { namespace: 'ns2' }, want: '198.51.100.6', ...ALLOCATED },
  { name: 'label', options: { labels: { team: 'metallb' } }, want: '198.51.100.8', ...ALLOCATED },
  {
    name: 'namespace ns1 and label',
    options: { namespace: 'ns1', labels: { team: 'metallb' } },
    want: '198.51.100.12',
    ...ALLOCATED,
  },
  {
    name: 'pinning no longer matches what is held',
    options: { ingress: '198.51.100.12' },
    want: '192.0.2.0',
    events: ['ClearAssignment', 'IPAllocated'],
    reason: 'assigned',
  },
  {
    name: 'pinned pool named from another namespace',
    options: { annotations: pooled('p6') },
    ...FAILED,
    reason: 'poolIncompatible',
  },
  {
    name: 'three ingress addresses of one family',
    options: { ingress: '192.0.2.0,192.0.2.1,192.0.2.8' },
    want: '192.0.2.0',
    events: ['nolbIPsIPFamily', 'IPAllocated'],
    reason: 'assigned',
  },
  {
    name: 'unparsable ingress',
    options: { ingress: '192.0.2.300' },
    want: '192.0.2.0',
    events: ['nolbIPsIPFamily', 'IPAllocated'],
    reason: 'assigned',
  },
  {
    name: 'cluster IPs of one family',
    options: { clusterIPs: '10.96.0.1,10.96.0.2', ingress: '192.0.2.1' },
    events: ['noclusterIPsIPFamily'],
    reason: 'clusterFamilyUnknown',
  },
  {
    name: 'cluster IPs of one family, holding nothing',
    options: {
      clusterIPs: '10.96.0.1,10.96.0.2',
      annotations: { 'metallb.io/ip-allocated-from-pool': 'p1' },
    },
    want: '',
    events: ['noclusterIPsIPFamily'],
    reason: 'clusterFamilyUnknown',
  },
  {
    name: 'status written in another form of the same address',
    options: {
      ...v6,
      ingress: '2001:0db8:3:0::0',
      annotations: { 'metallb.io/ip-allocated-from-pool': 'p3' },
    },
    reason: 'assigned',
  },
  {
    name: 'only the pool annotation is missing',
    options: { ingress: '192.0.2.1' },
    want: '192.0.2.1',
    reason: 'assigned',
  },
];

function ready(...pools: Parameters<typeof setPools>[1]): AllocatorState {
  const state = createAllocatorState();
  allocateAll(state, pools, []);
  return state;
}

function check(state: AllocatorState, { options, want, events, reason }: Case): void {
  const object = service('test', options);
  const decision = allocateOne(state, object);
  expect(decision.reason.code).toBe(reason);
  expect(decision.events.map((event) => event.reason)).toEqual(events ?? []);
  expect(decision.changed ? decision.ingress.join(',') : undefined).toBe(want);
  const written = withDecision(object, decision);
  expect(written.status.ingress.every(({ ip }, index) => ip === decision.ingress[index])).toBe(true);
  const again = allocateOne(state, written);
  expect(again.changed, 'a second look changes nothing').toBe(false);
  expect(again.ingress).toEqual(decision.ingress);
}

describe('one Service, by itself', () => {
  test.each(CASES)('$name', (row) => {
    check(ready(...POOLS), row);
  });

  test('deleted, and never known', () => {
    expect(releaseOne(ready(...POOLS), 'default/test')).toEqual({ released: false, reprocess: false });
  });
});

const seed = Number(process.env.ALLOCATOR_SEED ?? Math.floor(Math.random() * 2 ** 31));

test(`all cases 100 times in random order against one allocator (ALLOCATOR_SEED=${seed})`, () => {
  const before = fullText(POOLS);
  const state = ready(...POOLS);
  const random = generator(seed);
  for (let round = 0; round < 100; round += 1) {
    const order = [...CASES].sort((a, b) => a.name.localeCompare(b.name));
    for (let index = order.length - 1; index > 0; index -= 1) {
      const other = Math.floor(random() * (index + 1));
      [order[index], order[other]] = [order[other]!, order[index]!];
    }
    for (const row of order) {
      try {
        check(state, row);
      } catch (error) {
        throw new Error(`round ${round}, case "${row.name}"`, { cause: error });
      }
      // The namespace is part of the key: the Services of other namespaces must not stay.
      if (random() < 0.5 || row.options.namespace !== undefined) {
        releaseOne(state, `${row.options.namespace ?? 'default'}/test`);
      }
    }
    expect(fullText(POOLS)).toBe(before);
  }
});

/** Mulberry32. */
function generator(start: number): () => number {
  let a = start;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('pools come and go', () => {
  const run = (state: AllocatorState, object: ServiceObject) => {
    const decision = allocateOne(state, object);
    return { decision, object: withDecision(object, decision) };
  };

  test('before any configuration', () => {
    const state = createAllocatorState();
    const decision = allocateOne(state, service('s', { ingress: '192.0.2.1' }));
    expect(decision).toMatchObject({
      outcome: 'notReady',
      changed: false,
      events: [],
      ingress: ['192.0.2.1'],
    });
  });

  test('after pools are set and before the first full pass', () => {
    const state = createAllocatorState();
    setPools(state, POOLS);
    expect(allocateOne(state, service('s'))).toMatchObject({
      outcome: 'notReady',
      changed: false,
      events: [],
    });
  });

  test('after empty pools are set', () => {
    const decision = allocateOne(ready(), service('s'));
    expect(decision).toMatchObject({
      outcome: 'refused',
      reason: { code: 'noPools' },
      changed: false,
      events: [],
    });
  });

  test('pools, then a Service: the first address', () => {
    const { decision } = run(ready(pool('default', '192.0.2.0/24')), service('s'));
    expect(decision).toMatchObject({ outcome: 'assigned', ingress: ['192.0.2.0'], pool: 'default' });
  });

  test('pools, then a dual Service: v4 then v6', () => {
    const { decision } = run(ready(pool('default', '2001:db8::/64 192.0.2.0/24')), service('s', require2));
    expect(decision.ingress).toEqual(['192.0.2.0', '2001:db8::']);
  });

  test('pools emptied under an allocation', () => {
    const state = ready(pool('default', '192.0.2.0/24'));
    const { object } = run(state, service('s'));
    expect(setPools(state, [])).toEqual({ changed: true, freed: ['default/s'] });
    expect(run(state, object).decision).toMatchObject({
      outcome: 'refused',
      changed: true,
      ingress: [],
      events: [],
    });
  });

  test('a /32 pool: the second Service gets the address when the first is gone', () => {
    const state = ready(pool('default', '192.0.2.0/32'));
    run(state, service('first'));
    const second = run(state, service('second')).decision;
    expect(second).toMatchObject({ outcome: 'refused', changed: false });
    expect(warnings(second)).toEqual(['AllocationFailed']);
    expect(releaseOne(state, 'default/first')).toEqual({ released: true, reprocess: true });
    expect(run(state, service('second')).decision.ingress).toEqual(['192.0.2.0']);
  });

  test('a second pool is added: the address stays; the first is removed: it moves', () => {
    const [first, second] = [pool('first', '192.0.2.0/24'), pool('second', '198.51.100.0/24')];
    const state = ready(first);
    const { object } = run(state, service('s'));
    setPools(state, [first, second]);
    expect(run(state, object).decision).toMatchObject({ changed: false, ingress: ['192.0.2.0'] });
    setPools(state, [second]);
    const moved = run(state, object);
    expect(moved.decision).toMatchObject({ changed: true, ingress: ['198.51.100.0'], pool: 'second' });
    expect(moved.decision.events.map((event) => event.reason)).toEqual(['ClearAssignment', 'IPAllocated']);
  });

  test('a pool is renamed: the address stays, the annotation follows; the old name in a request loses it', () => {
    const state = ready(pool('old', '192.0.2.0/24'));
    const plain = run(state, service('plain')).object;
    const named = run(state, service('named', { annotations: pooled('old') })).object;
    setPools(state, [pool('new', '192.0.2.0/24')]);
    expect(run(state, plain).decision).toMatchObject({
      changed: true,
      ingress: ['192.0.2.0'],
      pool: 'new',
      events: [],
    });
    const lost = run(state, named).decision;
    expect(lost).toMatchObject({ changed: true, ingress: [], reason: { code: 'poolUnknown' } });
    expect(lost.events.map((event) => event.reason)).toEqual(['AllocationFailed']);
  });

  test('autoAssign false keeps what is held; avoidBuggyIPs frees .0', () => {
    const state = ready(pool('p', '192.0.2.0/24'));
    const { object } = run(state, service('s'));
    setPools(state, [pool('p', '192.0.2.0/24', { autoAssign: false })]);
    expect(run(state, object).decision).toMatchObject({ changed: false, ingress: ['192.0.2.0'] });
    setPools(state, [pool('p', '192.0.2.0/24', { avoidBuggyIPs: true })]);
    expect(run(state, object).decision).toMatchObject({ changed: true, ingress: ['192.0.2.1'] });
  });
});

test('addresses in the status of a Service with unreadable cluster IPs are not given to others', () => {
  const state = ready(pool('p', '192.0.2.0/31'));
  allocateOne(state, service('odd', { clusterIPs: 'None', ingress: '192.0.2.0' }));
  expect(allocateOne(state, service('s')).ingress).toEqual(['192.0.2.1']);
  const late = allocateOne(state, service('late', { clusterIPs: 'None', ingress: '192.0.2.1' }));
  expect(late, 'unless others have them').toMatchObject({ outcome: 'refused', changed: true, ingress: [] });
  expect(late.events.map((event) => event.reason)).toEqual(['noclusterIPsIPFamily', 'ClearAssignment']);
});

test('a status that cannot be read holds nothing, even where the cluster IPs cannot be read either', () => {
  const state = ready(pool('p', '192.0.2.0/32'));
  allocateOne(state, service('odd'));
  const odd = allocateOne(state, service('odd', { clusterIPs: 'None', ingress: 'nonsense' }));
  expect(odd).toMatchObject({ outcome: 'refused', changed: false, ingress: ['nonsense'], reprocess: true });
  expect(warnings(odd)).toEqual(['nolbIPsIPFamily', 'noclusterIPsIPFamily']);
  expect(allocateOne(state, service('s')).ingress).toEqual(['192.0.2.0']);
});

describe('without an API server that gives cluster IPs', () => {
  const state = (): AllocatorState => {
    const created = createAllocatorState({ missingClusterIPs: 'fromSpec' });
    allocateAll(created, POOLS, []);
    return created;
  };
  test.each<{ name: string; options: ServiceOptions; want: string }>([
    { name: 'nothing said: IPv4', options: {}, want: '192.0.2.0' },
    { name: 'ipFamilies', options: { spec: { ipFamilies: ['IPv6'] } }, want: '2001:db8:3::' },
    {
      name: 'requested address',
      options: { annotations: requested('2001:db8:3::1') },
      want: '2001:db8:3::1',
    },
    { name: 'RequireDualStack', options: { policy: 'RequireDualStack' }, want: '192.0.2.8,2001:db8:5::' },
    { name: 'PreferDualStack', options: { policy: 'PreferDualStack' }, want: '192.0.2.8,2001:db8:5::' },
    { name: 'cluster IPs count when they are there', options: v6, want: '2001:db8:3::' },
  ])('$name', ({ options, want }) => {
    const decision = allocateOne(state(), service('s', { clusterIPs: '', ...options }));
    expect(decision.ingress.join(',')).toBe(want);
  });
});
