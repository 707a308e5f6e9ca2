import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../../test/support/index.ts';
import type { ServiceObject } from '../api/index.ts';
import type { Pool } from '../config/index.ts';
import { parsePrefix, type Prefix } from '../core/ip.ts';
import type { ResourceRef } from '../core/problem.ts';
import { snapshotOf } from '../pipeline/index.ts';
import { StatusStore, type ServiceStatus, type SourceState } from '../source/index.ts';
import { statusesIn } from './folder-backend.ts';
import { createAssigner, type Assigner } from './assigner.ts';

const folder = await tempDir();
let count = 0;

function newStore(...statuses: readonly ServiceStatus[]): StatusStore {
  const store = new StatusStore(join(folder, String((count += 1))));
  for (const status of statuses) store.set(status);
  return store;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (!parsed) throw new Error(text);
  return parsed;
}

function pool(name: string, ...addresses: readonly string[]): Pool {
  return {
    name,
    addresses: addresses.map((text) => [prefix(text)]),
    autoAssign: true,
    avoidBuggyIPs: false,
    labels: {},
  };
}

function service(
  name: string,
  more: { readonly type?: string; readonly request?: string; readonly ip?: string } = {},
): ServiceObject {
  const { type = 'LoadBalancer', request, ip } = more;
  return {
    kind: 'Service',
    metadata: {
      name,
      namespace: 'default',
      labels: {},
      annotations: request === undefined ? {} : { 'metallb.io/loadBalancerIPs': request },
    },
    spec: {
      type,
      clusterIPs: [],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      externalTrafficPolicy: 'Cluster',
      selector: {},
      ports: [{ protocol: 'TCP', port: 80 }],
    },
    status: { ingress: ip === undefined ? [] : [{ ip }] },
  };
}

function state(
  services: readonly ServiceObject[],
  more: { readonly unread?: readonly string[]; readonly rejected?: readonly ResourceRef[] } = {},
): SourceState {
  const { unread = [], rejected = [] } = more;
  return { snapshot: snapshotOf(services, { namespace: 'metallb-system', rejected }), problems: [], unread };
}

function status(name: string, ip: string, poolName = 'first'): ServiceStatus {
  return { namespace: 'default', name, ingress: [ip], pool: poolName };
}

/** `name address pool` of all statuses in the store, or its reason. */
function said(store: StatusStore): string[] {
  return store
    .all()
    .map(
      ({ name, ingress, pool: from, condition }) =>
        `${name} ${ingress.join() || '-'} ${from ?? condition?.reason ?? '-'}`,
    );
}

function assigner(store: StatusStore): Assigner {
  return createAssigner({ store: statusesIn(store), loadBalancerClass: '', missingClusterIPs: 'fromSpec' });
}

const first = pool('first', '192.0.2.0/30');

describe('assigner', () => {
  test('gives addresses, and says why not', () => {
    const store = newStore();
    const { pools } = assigner(store).assign(
      state([service('a'), service('b', { request: '198.51.100.1' }), service('c', { type: 'ClusterIP' })]),
      [first],
    );
    expect(said(store)).toEqual(['a 192.0.2.0 first', 'b - AddressNotInPool']);
    expect(pools).toMatchObject([{ pool: 'first', assigned: { total: 1n } }]);
  });

  test('a second look at the same changes nothing', () => {
    const store = newStore();
    const { assign } = assigner(store);
    const services = [service('a'), service('b')];
    assign(state(services), [first]);
    const before = said(store);
    expect(assign(state(services), [first]).decisions.every(({ changed }) => !changed)).toBe(true);
    expect(said(store)).toEqual(before);
  });

  test('frees what a deleted Service had, for one that waits', () => {
    const store = newStore();
    const { assign } = assigner(store);
    const pools = [pool('first', '192.0.2.1/32')];
    const [a, b] = [service('a'), service('b')];
    assign(state([a, b]), pools);
    expect(said(store)).toEqual(['a 192.0.2.1 first', 'b - PoolsExhausted']);
    assign(state([b]), pools);
    expect(said(store)).toEqual(['b 192.0.2.1 first']);
  });

  test('clears the status of a Service that is no load balancer any more', () => {
    const store = newStore();
    const { assign } = assigner(store);
    const pools = [first];
    assign(state([service('a')]), pools);
    assign(state([service('a', { type: 'ClusterIP' })]), pools);
    expect(said(store)).toEqual([]);
  });

  test('moves a Service whose pool goes', () => {
    const store = newStore();
    const { assign } = assigner(store);
    const services = [service('a')];
    assign(state(services), [first]);
    const { pools } = assign(state(services), [pool('second', '203.0.113.0/24')]);
    expect(said(store)).toEqual(['a 203.0.113.0 second']);
    expect(pools.map((each) => each.pool)).toEqual(['second']);
    assign(state(services), []);
    expect(said(store)).toEqual(['a - NoPools']);
  });

  test('keeps the addresses of the run before', () => {
    const store = newStore(status('b', '192.0.2.0'), status('gone', '192.0.2.2'));
    assigner(store).assign(state([service('a'), service('b')]), [first]);
    expect(said(store)).toEqual(['a 192.0.2.1 first', 'b 192.0.2.0 first']);
  });

  test('takes over the address that a manifest brings, once', () => {
    const store = newStore();
    const { assign } = assigner(store);
    const brought = service('a', { ip: '192.0.2.3' });
    assign(state([brought]), [first]);
    expect(said(store)).toEqual(['a 192.0.2.3 first']);
    // It loses the address, and the manifest still names it.
    assign(state([{ ...brought, spec: { ...brought.spec, type: 'ClusterIP' } }]), [first]);
    expect(said(store)).toEqual([]);
    assign(state([{ ...brought, metadata: { ...brought.metadata, labels: { x: 'y' } } }]), [first]);
    expect(said(store)).toEqual(['a 192.0.2.0 first']);
  });
});

describe('while something could not be read since start', () => {
  const unread = ['pools.yaml'];

  test('addresses whose pool is not seen stay, and others get theirs', () => {
    const store = newStore(status('a', '198.51.100.1', 'lost'));
    const { assign } = assigner(store);
    const services = [service('a'), service('b')];
    const now = assign(state(services, { unread }), [first]);
    expect(now.unknown).toEqual(unread);
    expect(said(store)).toEqual(['a 198.51.100.1 lost', 'b 192.0.2.1 first']);
    // Its pool can be read: all is as it was.
    expect(assign(state(services), [first, pool('lost', '198.51.100.0/24')]).unknown).toEqual([]);
    expect(said(store)).toEqual(['a 198.51.100.1 lost', 'b 192.0.2.1 first']);
  });

  test('addresses are not taken even when there is no pool at all', () => {
    const store = newStore(status('a', '192.0.2.1'));
    assigner(store).assign(state([service('a')], { unread }), []);
    expect(said(store)).toEqual(['a 192.0.2.1 first']);
  });

  test('nobody is given the address of a Service that is not seen', () => {
    const store = newStore(status('hidden', '192.0.2.0'));
    const { assign } = assigner(store);
    const pools = [pool('first', '192.0.2.0/31')];
    assign(state([service('a'), service('b', { request: '192.0.2.0' })], { unread }), pools);
    expect(said(store)).toEqual(['a 192.0.2.1 first', 'b - AddressInUse', 'hidden 192.0.2.0 first']);
    // It turns out to be gone.
    assign(state([service('a'), service('b', { request: '192.0.2.0' })]), pools);
    expect(said(store)).toEqual(['a 192.0.2.1 first', 'b 192.0.2.0 first']);
  });

  test('nor when the pool is for others than the Service that is not seen', () => {
    const store = newStore(status('hidden', '192.0.2.0'));
    const pinned: Pool = { ...first, allocation: { namespaces: new Set(['other']), serviceSelectors: [] } };
    const other = service('a');
    assigner(store).assign(
      state([{ ...other, metadata: { ...other.metadata, namespace: 'other' } }], { unread }),
      [pinned],
    );
    expect(said(store)).not.toContain('a 192.0.2.0 first');
  });

  test.each([
    {
      name: 'a pool that cannot be understood',
      rejected: [{ kind: 'IPAddressPool', namespace: 'metallb-system', name: 'lost' }],
    },
    {
      name: 'a legacy configuration',
      rejected: [{ kind: 'ConfigMap', namespace: 'metallb-system', name: 'config' }],
    },
  ])('$name counts as unread', ({ rejected }) => {
    const store = newStore(status('a', '198.51.100.1', 'lost'));
    assigner(store).assign(state([service('a')], { rejected }), [first]);
    expect(said(store)).toEqual(['a 198.51.100.1 lost']);
  });

  test('so does a Service that has an address', () => {
    const store = newStore(status('a', '192.0.2.0'));
    const rejected = [{ kind: 'Service', namespace: 'default', name: 'a' }];
    assigner(store).assign(state([service('b')], { rejected }), [first]);
    expect(said(store)).toEqual(['a 192.0.2.0 first', 'b 192.0.2.1 first']);
  });

  test('does not matter when nobody has an address yet', () => {
    const store = newStore();
    expect(assigner(store).assign(state([service('a')], { unread }), [first]).unknown).toEqual([]);
    expect(said(store)).toEqual(['a 192.0.2.0 first']);
  });

  test('does not matter any more once all was read', () => {
    const store = newStore(status('a', '192.0.2.0'));
    const { assign } = assigner(store);
    assign(state([service('a')]), [first]);
    assign(state([], { unread: ['new.yaml'] }), [first]);
    expect(said(store)).toEqual([]);
  });
});
