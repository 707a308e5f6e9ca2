import { dump } from 'js-yaml';

/** Addresses for measuring, RFC 2544: 131,072 of them. */
export const BENCH_POOL = '198.18.0.0/15';

/** Where the peerings of a node are: router name to that router's address on the link to this node. */
export interface BenchNode {
  readonly name: string;
  readonly routers: Readonly<Record<string, string>>;
}

/** Nodes, one pool, a peer for each link, one advertisement; BFD at 50 ms x 3 to the routers named. */
export function baseManifests(nodes: readonly BenchNode[], bfdRouters: readonly string[]): string {
  const namespace = 'metallb-system';
  const documents: unknown[] = [
    ...nodes.map(({ name }) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    })),
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'bench', namespace },
      spec: { addresses: [BENCH_POOL] },
    },
    { apiVersion: 'metallb.io/v1beta1', kind: 'BGPAdvertisement', metadata: { name: 'bench', namespace } },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'BFDProfile',
      metadata: { name: 'fast', namespace },
      spec: { receiveInterval: 50, transmitInterval: 50, detectMultiplier: 3 },
    },
    ...nodes.flatMap((node) =>
      Object.entries(node.routers).map(([router, peerAddress]) => ({
        apiVersion: 'metallb.io/v1beta2',
        kind: 'BGPPeer',
        metadata: { name: `${node.name}-${router}`, namespace },
        spec: {
          myASN: 64512,
          peerASN: 64513,
          peerAddress,
          connectTime: '1s',
          ...(bfdRouters.includes(router) ? { bfdProfile: 'fast' } : {}),
          nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': node.name } }],
        },
      })),
    ),
  ];
  return documents.map((document) => `---\n${dump(document)}`).join('');
}

/** A Service and its EndpointSlice, as `kubectl get -o yaml` shows them without the noise. */
export function serviceManifests(name: string, address: string): string {
  return `---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: default
  labels:
    app: ${name}
  annotations:
    metallb.io/loadBalancerIPs: ${address}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Cluster
  clusterIPs: [10.96.0.1]
  ipFamilies: [IPv4]
  ipFamilyPolicy: SingleStack
  selector:
    app: ${name}
  ports:
    - name: http
      protocol: TCP
      port: 80
      targetPort: 8080
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: ${name}-1
  namespace: default
  labels:
    kubernetes.io/service-name: ${name}
addressType: IPv4
endpoints:
  - addresses: [203.0.113.10]
    nodeName: n1
    conditions: { ready: true, serving: true, terminating: false }
ports:
  - name: http
    port: 8080
    protocol: TCP
`;
}

/** The nth address of the pool. */
export function benchAddress(index: number): string {
  const value = 0xc612_0000 + index;
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}
