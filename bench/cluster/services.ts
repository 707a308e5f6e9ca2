import type { ApiClient } from '../../src/k8s/index.ts';

const SERVICES = '/api/v1/namespaces/default/services';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';

/** The endpoints of a Service, which may be there before it: one on each node. */
export async function makeEndpoints(client: ApiClient, name: string): Promise<void> {
  await client.request({
    method: 'POST',
    path: SLICES,
    body: {
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
      metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      ...{ addressType: 'IPv4', ports: [{ name: 'http', port: 8080, protocol: 'TCP' }] },
      endpoints: ['n1', 'n2', 'n3'].map((nodeName, index) => ({
        addresses: [`10.244.${String(index + 1)}.250`],
        nodeName,
        conditions: { ready: true },
      })),
    },
  });
}

/** A Service without a selector. @returns when the API server had answered */
export async function makeService(client: ApiClient, name: string): Promise<number> {
  await client.request({
    method: 'POST',
    path: SERVICES,
    body: {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
      spec: {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        ports: [{ name: 'http', port: 80, targetPort: 8080 }],
      },
    },
  });
  return performance.now();
}

export async function deleteService(client: ApiClient, name: string): Promise<void> {
  await client.request({ method: 'DELETE', path: `${SERVICES}/${name}` });
}

/** Nobody else does: they belong to no Service as the API server sees it. */
export async function deleteEndpoints(client: ApiClient, name: string): Promise<void> {
  await client.request({ method: 'DELETE', path: `${SLICES}/${name}-1` });
}

/** Does one thing for each name, `clients` of them at once. */
export async function inParallel(
  names: readonly string[],
  clients: number,
  action: (name: string) => Promise<unknown>,
): Promise<void> {
  const left = [...names];
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (let name = left.shift(); name !== undefined; name = left.shift()) await action(name);
    }),
  );
}
