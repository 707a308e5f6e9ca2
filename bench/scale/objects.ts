import { parseManifest, type ApiObject, type ClusterSnapshot } from '../../src/api/index.ts';
import type { RawObject } from '../../src/k8s/index.ts';
import { snapshotOf } from '../../src/pipeline/index.ts';

/** Large clusters as raw objects, such as an API server gives, and as the snapshot that they make. */

export const NAMESPACE = 'metallb-system';
const METALLB = 'metallb.io/v1beta1';
/** Benchmarking, RFC 2544, does not hold enough of them. */
const POOL_V4 = '10.0.0.0/8';
const POOL_V6 = '2001:db8:1::/48';

export interface ClusterSize {
  readonly services: number;
  /** Of each Service; 0: no EndpointSlices. */
  readonly endpoints: number;
  readonly nodes: number;
  readonly peers: number;
  /** Services want an address of each family, and none has one yet; otherwise each has one of IPv4. */
  readonly isWaiting?: boolean;
}

/** @returns the objects of such a cluster in no particular order */
export function clusterOf(size: ClusterSize): readonly object[] {
  const nodes = Array.from({ length: size.nodes }, (_, index) => nodeOf(index));
  const services = Array.from({ length: size.services }, (_, index) => serviceOf(index, size));
  const slices = size.endpoints === 0 ? [] : services.map((_, index) => sliceOf(index, size));
  return [...nodes, ...configuration(size.peers), ...services, ...slices];
}

/** One pool of both families, announced to every peer and on layer 2. */
export function configuration(peers: number): readonly object[] {
  const pool = { addresses: [POOL_V4, POOL_V6] };
  return [
    metallb('IPAddressPool', 'scale', pool),
    metallb('BGPAdvertisement', 'scale', {}),
    metallb('L2Advertisement', 'scale', {}),
    ...Array.from({ length: peers }, (_, index) => ({
      ...metallb('BGPPeer', `tor-${index}`, {
        ...{ myASN: 64_500, peerASN: 64_501, peerAddress: `192.0.2.${index + 1}` },
      }),
      apiVersion: 'metallb.io/v1beta2',
    })),
  ];
}

export function nodeName(index: number): string {
  return `node-${String(index).padStart(4, '0')}`;
}

export function nodeOf(index: number): RawObject {
  const name = nodeName(index);
  return {
    ...{ apiVersion: 'v1', kind: 'Node' },
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

/** The same Node as the API server sends it, with what changes all the time and is of no use to us. */
export function heartbeatOf(index: number, beat: number): RawObject {
  const name = nodeName(index);
  const { metadata, ...rest } = nodeOf(index);
  const at = new Date(Date.UTC(2026, 0, 1) + beat * 10_000).toISOString();
  return {
    ...rest,
    metadata: { ...metadata, uid: name, resourceVersion: String(1_000 + beat) },
    status: {
      conditions: ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) => ({
        ...{ type, status: type === 'Ready' ? 'True' : 'False', reason: `Kubelet${type}` },
        ...{ message: `kubelet tells of ${type}`, lastHeartbeatTime: at },
      })),
      images: Array.from({ length: 50 }, (_, image) => ({
        names: [`registry.example.com/app-${image}:${beat}`],
        sizeBytes: 1_000_000 + image,
      })),
    },
  };
}

export function serviceName(index: number): string {
  return `svc-${String(index).padStart(5, '0')}`;
}

export function serviceOf(index: number, { isWaiting = false }: Pick<ClusterSize, 'isWaiting'> = {}): object {
  const name = serviceName(index);
  return {
    ...{ apiVersion: 'v1', kind: 'Service' },
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: {
      ...{ type: 'LoadBalancer', externalTrafficPolicy: 'Cluster', selector: { app: name } },
      clusterIPs: [`10.96.0.${1 + (index % 250)}`, ...(isWaiting ? ['2001:db8:2::1'] : [])],
      ipFamilies: isWaiting ? ['IPv4', 'IPv6'] : ['IPv4'],
      ipFamilyPolicy: isWaiting ? 'RequireDualStack' : 'SingleStack',
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
    },
    status: { loadBalancer: isWaiting ? {} : { ingress: [{ ip: addressOf(index) }] } },
  };
}

/** The nth address of the IPv4 pool. */
export function addressOf(index: number): string {
  return `10.${(index >>> 16) & 255}.${(index >>> 8) & 255}.${index & 255}`;
}

/** @param version another one has another endpoint */
export function sliceOf(
  index: number,
  { endpoints, nodes }: Pick<ClusterSize, 'endpoints' | 'nodes'>,
  version = 0,
): object {
  const name = serviceName(index);
  return {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
    metadata: {
      ...{ name: `${name}-x`, namespace: 'default' },
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: 'IPv4',
    endpoints: Array.from({ length: endpoints }, (_, place) => ({
      addresses: [`203.0.113.${1 + ((index + place + version) % 250)}`],
      nodeName: nodeName((index + place + version) % nodes),
      conditions: { ready: true, serving: true, terminating: false },
    })),
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  };
}

function metallb(kind: string, name: string, spec: object): object {
  return { apiVersion: METALLB, kind, metadata: { name, namespace: NAMESPACE }, spec };
}

export function parsed(raw: readonly object[]): readonly ApiObject[] {
  return raw.flatMap((each) => {
    const { objects, problems } = parseManifest(each, { defaultNamespace: NAMESPACE });
    if (problems.length > 0)
      throw new Error(`an object of the bench is wrong: ${problems[0]?.message ?? ''}`);
    return objects;
  });
}

export function snapshotOfSize(size: ClusterSize): ClusterSnapshot {
  return snapshotOf(parsed(clusterOf(size)), { namespace: NAMESPACE });
}
