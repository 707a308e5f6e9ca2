import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServiceObject } from '../api/index.ts';
import type { Pool } from '../config/index.ts';
import { ipFromValue, lastOf, parseIp, type IpAddress, type IpFamily } from '../core/ip.ts';
import { objectKey } from '../core/problem.ts';
import { firstFree, addressAt } from './address-space.ts';
import {
  allocateOne,
  allocationOf,
  createAllocatorState,
  poolCounters,
  releaseOne,
  waitingServices,
  type AllocatorState,
} from './allocator.ts';
import { findAddress } from './choose.ts';
import { withDecision } from './decision.ts';
import { allocateAll, allocateWaiting, applyChanges } from './pass.ts';
import { avoids, pinMismatch } from './pool-table.ts';
import { addressRequestOf } from './request.ts';
import {
  CLUSTER_DUAL,
  CLUSTER_V4,
  CLUSTER_V6,
  fullText,
  labelSelector,
  pool,
  service,
  type ServiceOptions,
} from './test-objects.ts';
import type { Allocation } from './types.ts';

/** Small pools, so that they run full, with a few addresses in common between the sets. */
const POOL_SETS: readonly (readonly Pool[])[] = [
  [
    pool('a', '192.0.2.0/31 2001:db8::/127'),
    pool('b', '192.0.2.4/31', { allocation: { namespaces: ['ns1'] } }),
    pool('c', '2001:db8::8/127', { autoAssign: false }),
  ],
  [pool('a', '192.0.2.2-192.0.2.4 2001:db8::/126')],
  [
    pool('z', '192.0.2.0/31 2001:db8::/127', { avoidBuggyIPs: true }),
    pool('d', '192.0.2.6/31 192.0.2.5/32', {
      allocation: { priority: 1, serviceSelectors: [labelSelector({ team: 'red' })] },
    }),
  ],
  [],
];

const ADDRESSES = ['192.0.2.0', '192.0.2.1', '192.0.2.4', '2001:db8::', '2001:db8::1', '203.0.113.1'];

const sharingKey = fc.constantFrom(undefined, 'k1', 'k1', 'k2');
const poolName = fc.constantFrom(undefined, undefined, undefined, undefined, undefined, 'a', 'b', 'c');
const request = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.constantFrom(...ADDRESSES) },
  { weight: 1, arbitrary: fc.constantFrom('192.0.2.1,2001:db8::1', '2001:db8::,192.0.2.0', 'nonsense') },
);

const annotations = fc.tuple(sharingKey, poolName, request).map(([key, name, addresses]) => ({
  ...(key === undefined ? {} : { 'metallb.io/allow-shared-ip': key }),
  ...(name === undefined ? {} : { 'metallb.io/address-pool': name }),
  ...(addresses === undefined ? {} : { 'metallb.io/loadBalancerIPs': addresses }),
}));

const options: fc.Arbitrary<ServiceOptions> = fc.record({
  annotations,
  labels: fc.constantFrom({}, { team: 'red' }),
  clusterIPs: fc.constantFrom(
    CLUSTER_V4,
    CLUSTER_V4,
    CLUSTER_V4,
    CLUSTER_V6,
    CLUSTER_V6,
    CLUSTER_DUAL,
    CLUSTER_DUAL,
    CLUSTER_DUAL,
    '',
    'None',
  ),
  policy: fc.constantFrom('SingleStack', 'PreferDualStack', 'PreferDualStack', 'RequireDualStack'),
  ports: fc.constantFrom('tcp/80', 'tcp/443', 'tcp/80,tcp/443', 'udp/53'),
  spec: fc.constantFrom({}, {}, {}, {}, {}, { externalTrafficPolicy: 'Local' }, { type: 'ClusterIP' }),
});

const names = fc.constantFrom('s1', 's2', 's3', 's4', 's5', 's6');
const namespaces = fc.constantFrom('ns1', 'ns2');

type Step =
  | {
      readonly kind: 'put';
      readonly namespace: string;
      readonly name: string;
      readonly options: ServiceOptions;
    }
  /** The object as stored, with its status replaced by hand. */
  | { readonly kind: 'edit'; readonly namespace: string; readonly name: string; readonly ingress: string }
  | { readonly kind: 'delete'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'pools'; readonly set: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('put'), namespace: namespaces, name: names, options }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('edit'),
      namespace: namespaces,
      name: names,
      ingress: fc.constantFrom('', ...ADDRESSES, '192.0.2.0,2001:db8::', 'nonsense'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('delete'), namespace: namespaces, name: names }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pools'), set: fc.nat(POOL_SETS.length - 1) }) },
);

interface World {
  readonly state: AllocatorState;
  readonly objects: Map<string, ServiceObject>;
  pools: readonly Pool[];
}

function newWorld(pools: readonly Pool[]): World {
  const state = createAllocatorState();
  allocateAll(state, pools, []);
  return { state, objects: new Map(), pools };
}

/** Carries out a step as a controller would: the decisions are written to the objects. */
function perform(world: World, action: Step, mode: 'batch' | 'single'): void {
  if (action.kind === 'pools') {
    world.pools = POOL_SETS[action.set]!;
    write(world, allocateAll(world.state, world.pools, [...world.objects.values()]).decisions);
    return;
  }
  const key = `${action.namespace}/${action.name}`;
  const old = world.objects.get(key);
  if (action.kind === 'delete') {
    world.objects.delete(key);
    if (mode === 'batch') {
      write(world, applyChanges(world.state, { services: [], deleted: [key] }).decisions);
    } else if (releaseOne(world.state, key).reprocess) {
      write(world, allocateWaiting(world.state).decisions);
    }
    return;
  }
  if (action.kind === 'edit' && !old) return;
  const made =
    action.kind === 'edit'
      ? { ...old!, status: service(action.name, { ingress: action.ingress }).status }
      : service(action.name, { ...action.options, namespace: action.namespace });
  const object: ServiceObject =
    action.kind === 'put' && old
      ? {
          ...made,
          metadata: {
            ...made.metadata,
            annotations: { ...allocatedPool(old), ...made.metadata.annotations },
          },
          status: old.status,
        }
      : made;
  world.objects.set(key, object);
  if (mode === 'batch') {
    write(world, applyChanges(world.state, { services: [object], deleted: [] }).decisions);
    return;
  }
  const decision = allocateOne(world.state, object);
  write(world, [decision]);
  if (decision.reprocess) write(world, allocateWaiting(world.state).decisions);
}

function allocatedPool(object: ServiceObject): Record<string, string> {
  const name = 'metallb.io/ip-allocated-from-pool';
  const value = object.metadata.annotations[name];
  return value === undefined ? {} : { [name]: value };
}

function write(world: World, decisions: ReturnType<typeof allocateAll>['decisions']): void {
  for (const decision of decisions) {
    const object = world.objects.get(decision.key);
    if (!object) throw new Error(`a decision about ${decision.key}, which does not exist`);
    world.objects.set(decision.key, withDecision(object, decision));
  }
}

function allocations(state: AllocatorState): Allocation[] {
  return [...state.ledger.allocations.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Never one address for two Services without their consent. */
function expectSharingRules(state: AllocatorState): void {
  const held = allocations(state);
  for (const [index, a] of held.entries()) {
    for (const b of held.slice(index + 1)) {
      const common = a.ips.filter((ip) => b.ips.some((other) => other.text === ip.text));
      if (common.length === 0) continue;
      const who = `${a.key} and ${b.key} on ${common[0]!.text}`;
      expect(a.sharingKey, who).not.toBe('');
      expect(b.sharingKey, who).toBe(a.sharingKey);
      expect(b.backendKey, who).toBe(a.backendKey);
      expect(
        a.ports.filter((port) => b.ports.includes(port)),
        who,
      ).toEqual([]);
    }
  }
}

/** Every allocation lies in its pool, may be there, and is what the status says. */
function expectAllocationsRight({ state, objects, pools }: World): void {
  for (const { key, ips, pool: name } of allocations(state)) {
    const owner = pools.find((item) => item.name === name)!;
    const object = objects.get(key)!;
    expect(ips.every((ip) => contains(owner, ip) && !avoids(owner, ip))).toBe(true);
    expect(pinMismatch(owner, { namespace: object.metadata.namespace, labels: object.metadata.labels })).toBe(
      undefined,
    );
    expect(object.status.ingress.map(({ ip }) => parseIp(ip ?? '')?.text)).toEqual(ips.map((ip) => ip.text));
  }
  for (const [key, object] of objects) {
    if (allocationOf(state, key) !== undefined) continue;
    // Only a status that cannot be read stays where the cluster IPs cannot be read either.
    const unreadable = object.spec.clusterIPs.includes('None') && object.status.ingress[0]?.ip === 'nonsense';
    if (!unreadable) expect(object.status.ingress, key).toEqual([]);
  }
}

/** The indexes give what a look at everything gives. */
function expectIndexesRight({ state, objects, pools }: World): void {
  const held = allocations(state);
  const counters = new Map(poolCounters(state).map((item) => [item.pool, item]));
  expect([...counters.keys()]).toEqual(pools.map((item) => item.name).sort());
  for (const item of pools) {
    const entry = state.ledger.table.entries.get(item.name)!;
    const now = counters.get(item.name)!;
    for (const family of ['ipv4', 'ipv6'] as const) {
      const all = addressesOf(item, family);
      const used = new Set(held.flatMap(({ ips }) => ips.map((ip) => ip.text)));
      const inUse = all.filter((ip) => used.has(ip.text));
      expect(now.assigned[family]).toBe(BigInt(inUse.length));
      expect(now.available[family]).toBe(BigInt(all.length - inUse.length));
      expect(entry.spaces[family].used.size).toBe(inUse.length);
      const position = firstFree(entry.spaces[family]);
      const free =
        position === undefined
          ? undefined
          : ipFromValue(family, addressAt(entry.spaces[family], BigInt(position)));
      expect(free?.text).toBe(all.find((ip) => !used.has(ip.text))?.text);
      for (const object of objects.values()) {
        const request = addressRequestOf(object);
        // A Service that holds nothing itself: what would it get?
        if (held.some(({ key }) => key === request.key)) continue;
        const want = all.find((ip) =>
          held
            .filter((other) => other.ips.some(({ text }) => text === ip.text))
            .every(
              (other) =>
                other.sharingKey !== '' &&
                other.sharingKey === request.sharingKey &&
                other.backendKey === request.backendKey &&
                !other.ports.some((port) => request.ports.includes(port)),
            ),
        );
        for (const time of ['first', 'second']) {
          expect(findAddress(entry, request, family)?.text, `${time} look`).toBe(want?.text);
        }
      }
    }
    expect(now.assigned.total).toBe(now.assigned.ipv4 + now.assigned.ipv6);
  }
}

/** Looking at everything again, in the same allocator or in a new one, finds nothing to do. */
function expectFixpoint({ state, objects, pools }: World): void {
  const before = allocations(state);
  const waiting = waitingServices(state);
  for (const candidate of [createAllocatorState(), state]) {
    const result = allocateAll(candidate, pools, [...objects.values()]);
    expect(result.settled).toBe(true);
    expect(result.decisions.filter((decision) => decision.changed)).toEqual([]);
    expect(allocations(candidate)).toEqual(before);
    expect(waitingServices(candidate)).toEqual(waiting);
    expect(result.decisions.map((decision) => decision.key)).toEqual([...objects.keys()].sort());
  }
}

function addressesOf(item: Pool, family: IpFamily): IpAddress[] {
  const found: IpAddress[] = [];
  for (const prefix of item.addresses.flat()) {
    if (prefix.family !== family) continue;
    for (let value = prefix.first; value <= lastOf(prefix); value += 1n) {
      const ip = ipFromValue(family, value);
      if (!avoids(item, ip)) found.push(ip);
    }
  }
  return found;
}

function contains(item: Pool, ip: IpAddress): boolean {
  return item.addresses
    .flat()
    .some((prefix) => prefix.family === ip.family && prefix.first <= ip.value && ip.value <= lastOf(prefix));
}

describe.each(['batch', 'single'] as const)('any history of changes, %s', (mode) => {
  test('keeps addresses apart, the indexes exact, and ends where a full pass would', () => {
    const before = fullText(POOL_SETS);
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), (steps) => {
        const world = newWorld(POOL_SETS[0]!);
        for (const action of steps) {
          perform(world, action, mode);
          expectSharingRules(world.state);
          expectAllocationsRight(world);
          expectIndexesRight(world);
        }
        expectFixpoint(world);
      }),
      { numRuns: 200 },
    );
    expect(fullText(POOL_SETS)).toBe(before);
  });
});

test('Services that ask for distinct addresses get them whatever the order', () => {
  const wanted = fc.uniqueArray(fc.nat(15), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      wanted.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
      ),
      ([list, order]) => {
        const pools = [pool('a', '192.0.2.0/28')];
        const object = (n: number): ServiceObject =>
          service(`s${n}`, { spec: { loadBalancerIP: `192.0.2.${n}` } });
        const [one, all] = [createAllocatorState(), createAllocatorState()];
        allocateAll(one, pools, []);
        for (const n of order) allocateOne(one, object(n));
        allocateAll(all, pools, list.map(object));
        expect(allocations(one)).toEqual(allocations(all));
        expect(list.map((n) => allocationOf(all, objectKey(object(n).metadata))?.ips[0]?.text)).toEqual(
          list.map((n) => `192.0.2.${n}`),
        );
      },
    ),
  );
});
