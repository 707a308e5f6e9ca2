import { describe, expect, test } from 'vitest';
import { ClusterStore } from './cluster-store.ts';
import type { RawObject } from './raw-object.ts';
import { RESOURCES } from './resources.ts';

function store(options: Partial<ConstructorParameters<typeof ClusterStore>[0]> = {}): ClusterStore {
  return new ClusterStore({ namespace: 'metallb-system', ...options });
}

function service(name: string, more: { metadata?: object; spec?: object; status?: object } = {}): RawObject {
  return {
    metadata: { name, namespace: 'default', resourceVersion: '1', ...more.metadata },
    spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1', ports: [{ port: 80 }], ...more.spec },
    status: { loadBalancer: {}, ...more.status },
  };
}

function names(of: ClusterStore): readonly string[] {
  return of.state().snapshot.objects.Service.map(({ metadata }) => metadata.name);
}

describe('ClusterStore', () => {
  test('keeps objects by name, in order, each list the same while nothing in it changes', () => {
    const kept = store();
    expect(kept.put(RESOURCES.Service, service('b'))).toBe(true);
    expect(kept.put(RESOURCES.Service, service('a'))).toBe(true);
    expect(names(kept)).toEqual(['a', 'b']);
    const before = kept.state().snapshot;
    kept.put(RESOURCES.Node, { metadata: { name: 'n1' } });
    const after = kept.state().snapshot;
    expect(after.objects.Service).toBe(before.objects.Service);
    expect(after.objects.Node.map(({ metadata }) => metadata.name)).toEqual(['n1']);
    expect(kept.remove(RESOURCES.Service, 'default/b')).toBe(true);
    expect(kept.remove(RESOURCES.Service, 'default/b')).toBe(false);
    expect(names(kept)).toEqual(['a']);
  });

  test.each([
    { name: 'the version alone', metadata: { resourceVersion: '2', managedFields: [{ manager: 'x' }] } },
    {
      name: 'an annotation of somebody else',
      metadata: { annotations: { 'example.com/x': 'y'.repeat(1_000) } },
    },
  ])('a change of $name is none', ({ metadata }) => {
    const kept = store();
    kept.put(RESOURCES.Service, service('a'));
    const before = kept.state();
    expect(kept.put(RESOURCES.Service, service('a', { metadata }))).toBe(false);
    expect(kept.state()).toEqual(before);
    expect(kept.state().snapshot).toBe(before.snapshot);
  });

  test("a node's heartbeat is no change", () => {
    const node = (time: string): RawObject => ({
      metadata: { name: 'n1', labels: { rack: 'a' } },
      status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: time }] },
    });
    const kept = store();
    kept.put(RESOURCES.Node, node('2026-01-01T00:00:00Z'));
    expect(kept.put(RESOURCES.Node, node('2026-01-01T00:00:10Z'))).toBe(false);
  });

  test('an annotation that is ours is a change', () => {
    const kept = store();
    kept.put(RESOURCES.Service, service('a'));
    const metadata = { annotations: { 'metallb.io/address-pool': 'first' } };
    expect(kept.put(RESOURCES.Service, service('a', { metadata }))).toBe(true);
  });

  test('an echo is no change', () => {
    const kept = store({ isEcho: () => true });
    kept.put(RESOURCES.Service, service('a'));
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
    expect(kept.put(RESOURCES.Service, service('a', { status }))).toBe(false);
    expect(kept.state().snapshot.objects.Service[0]?.status.ingress).toEqual([]);
  });

  test('after a list, what it does not have is gone, inside its query', () => {
    const kept = store();
    const { Secret } = RESOURCES;
    for (const name of ['one', 'two']) {
      kept.put(Secret, { metadata: { name, namespace: 'metallb-system' } });
    }
    kept.put(RESOURCES.Service, service('a'));
    expect(kept.retain({ type: Secret, namespace: 'metallb-system', name: 'one' }, new Set())).toEqual([
      'metallb-system/one',
    ]);
    expect(kept.state().snapshot.objects.Secret.map(({ metadata }) => metadata.name)).toEqual(['two']);
    expect(kept.retain({ type: RESOURCES.Service }, new Set(['default/a']))).toEqual([]);
    expect(names(kept)).toEqual(['a']);
  });

  test.each([
    { name: 'a port of 0', spec: { peerPort: 0 }, want: { peerPort: 179 } },
    { name: 'a port', spec: { peerPort: 1179 }, want: { peerPort: 1179 } },
    {
      name: 'no keepalive time beside a hold time',
      spec: { holdTime: '90s', keepaliveTime: '0s' },
      want: { holdTime: '90s', keepaliveTime: undefined },
    },
    {
      name: 'no timers at all',
      spec: { holdTime: '0s', keepaliveTime: '0s' },
      want: { holdTime: '0s', keepaliveTime: '0s' },
    },
  ])('a BGPPeer written as v1beta1: $name', ({ spec, want }) => {
    const kept = store();
    kept.put(RESOURCES.BGPPeer, {
      metadata: { name: 'tor', namespace: 'metallb-system' },
      spec: { myASN: 64_500, peerASN: 64_501, peerAddress: '192.0.2.1', ...spec },
    });
    const [peer] = kept.state().snapshot.objects.BGPPeer;
    expect(kept.state().problems).toEqual([]);
    expect({ ...want, ...peer?.spec }).toMatchObject(want);
  });

  test('an object that cannot be read is named, and does not stand in the way of others', () => {
    const kept = store();
    const pool = (addresses: unknown): RawObject => ({
      metadata: { name: 'first', namespace: 'metallb-system' },
      spec: { addresses },
    });
    kept.put(RESOURCES.IPAddressPool, pool(17));
    kept.put(RESOURCES.Service, service('a'));
    const { problems, snapshot } = kept.state();
    expect(problems).toMatchObject([
      { resource: { kind: 'IPAddressPool', namespace: 'metallb-system', name: 'first' }, severity: 'error' },
    ]);
    expect(problems[0]).not.toHaveProperty('position');
    expect(snapshot.rejected).toMatchObject([{ kind: 'IPAddressPool', name: 'first' }]);
    expect(names(kept)).toEqual(['a']);
    kept.put(RESOURCES.IPAddressPool, pool(['192.0.2.0/24']));
    expect(kept.state().problems).toEqual([]);
    expect(kept.state().snapshot.rejected).toEqual([]);
  });
});
