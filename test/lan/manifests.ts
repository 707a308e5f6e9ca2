/** Objects as a folder of manifests holds them: JSON documents, which are YAML too. */

export interface NodeText {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly unschedulable?: boolean;
  /** The condition NetworkUnavailable. */
  readonly networkUnavailable?: boolean;
}

export function nodesText(nodes: readonly NodeText[]): string {
  return documents(
    nodes.map(({ name, labels = {}, unschedulable = false, networkUnavailable = false }) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
      ...(unschedulable ? { spec: { unschedulable } } : {}),
      ...(networkUnavailable
        ? { status: { conditions: [{ type: 'NetworkUnavailable', status: 'True' }] } }
        : {}),
    })),
  );
}

/** @param spec as in MetalLB's L2Advertisement */
export function l2AdvertisementText(name: string, spec: Readonly<Record<string, unknown>>): string {
  return documents([
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'L2Advertisement',
      metadata: { namespace: 'metallb-system', name },
      spec,
    },
  ]);
}

export function poolText(
  name: string,
  addresses: readonly string[],
  labels: Readonly<Record<string, string>> = {},
): string {
  return documents([
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { namespace: 'metallb-system', name, labels },
      spec: { addresses },
    },
  ]);
}

export interface ServiceText {
  readonly name: string;
  /** One of each family at most. */
  readonly ips: readonly string[];
  /** Nodes with a ready endpoint. */
  readonly endpoints: readonly string[];
  readonly policy?: 'Cluster' | 'Local';
  readonly labels?: Readonly<Record<string, string>>;
  /** Services with the same key may share an address; their ports must differ. */
  readonly sharingKey?: string;
  readonly port?: number;
}

/** A LoadBalancer Service with the addresses it asks for, and its EndpointSlice. */
export function lanServiceText(options: ServiceText): string {
  const { name, ips, endpoints, policy = 'Cluster', labels = {}, sharingKey, port = 80 } = options;
  const families = ips.map((ip) => (ip.includes(':') ? 'IPv6' : 'IPv4'));
  return documents([
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        ...{ namespace: 'default', name, labels },
        annotations: {
          'metallb.io/loadBalancerIPs': ips.join(','),
          ...(sharingKey === undefined ? {} : { 'metallb.io/allow-shared-ip': sharingKey }),
        },
      },
      spec: {
        ...{ type: 'LoadBalancer', externalTrafficPolicy: policy, selector: { app: name } },
        ...{ ipFamilies: families, ipFamilyPolicy: families.length > 1 ? 'RequireDualStack' : 'SingleStack' },
        ports: [{ protocol: 'TCP', port }],
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { namespace: 'default', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ protocol: 'TCP', port: 80 }],
      endpoints: endpoints.map((nodeName, index) => ({
        addresses: [`10.244.0.${index + 10}`],
        nodeName,
        conditions: { ready: true },
      })),
    },
  ]);
}

function documents(objects: readonly object[]): string {
  return objects.map((object) => `---\n${JSON.stringify(object)}\n`).join('');
}
