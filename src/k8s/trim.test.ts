import { expect, test } from 'vitest';
import { speakerQueries } from './cluster-source.ts';
import { ClusterStore } from './cluster-store.ts';
import type { RawObject } from './raw-object.ts';
import { RESOURCES } from './resources.ts';

const WEB: RawObject = {
  metadata: {
    ...{ name: 'web', namespace: 'default', uid: 'f2b1', labels: { app: 'web' } },
    annotations: { 'metallb.io/allow-shared-ip': 'key' },
  },
  spec: {
    ...{ type: 'LoadBalancer', externalTrafficPolicy: 'Local', loadBalancerClass: 'example.com/lb' },
    ...{ clusterIPs: ['10.96.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
    ...{ selector: { app: 'web' }, ports: [{ protocol: 'TCP', port: 80 }], loadBalancerIP: '192.0.2.1' },
  },
  status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
};

/** What a speaker keeps. */
function kept(raw: RawObject): RawObject {
  const { part } = speakerQueries('metallb-system').find(({ type }) => type === RESOURCES.Service) ?? {};
  if (!part) throw new Error('a speaker keeps all of a Service');
  return part(raw);
}

test('of a Service a speaker keeps what decides about announcing it', () => {
  const store = new ClusterStore({ namespace: 'metallb-system' });
  store.put(RESOURCES.Service, kept(WEB));
  const [service] = store.state().snapshot.objects.Service;
  expect(service).toEqual({
    kind: 'Service',
    metadata: {
      ...{ name: 'web', namespace: 'default', labels: { app: 'web' } },
      annotations: { 'metallb.io/allow-shared-ip': 'key' },
    },
    spec: {
      ...{ type: 'LoadBalancer', externalTrafficPolicy: 'Local', loadBalancerClass: 'example.com/lb' },
      ...{ clusterIPs: [], ipFamilies: [], ipFamilyPolicy: 'SingleStack', selector: {}, ports: [] },
    },
    status: { ingress: [{ ip: '192.0.2.1' }] },
  });
});

test('a change of the ports alone is none for a speaker, one of the policy is', () => {
  const store = new ClusterStore({ namespace: 'metallb-system' });
  store.put(RESOURCES.Service, kept(WEB));
  const withSpec = (more: object): RawObject => ({ ...WEB, spec: { ...(WEB.spec as object), ...more } });
  expect(store.put(RESOURCES.Service, kept(withSpec({ ports: [{ port: 81 }] })))).toBe(false);
  expect(store.put(RESOURCES.Service, kept(withSpec({ externalTrafficPolicy: 'Cluster' })))).toBe(true);
});
