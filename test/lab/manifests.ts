export interface ServiceText {
  readonly name: string;
  /** Nodes with a ready endpoint. */
  readonly nodes: readonly string[];
  readonly policy?: 'Cluster' | 'Local';
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A LoadBalancer Service and its EndpointSlice, as one manifest. */
export function serviceText(options: ServiceText): string {
  const { name, nodes, policy = 'Cluster', annotations = {}, labels = {} } = options;
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name, annotations, labels },
    spec: {
      type: 'LoadBalancer',
      externalTrafficPolicy: policy,
      selector: { app: name },
      ports: [{ protocol: 'TCP', port: 80 }],
    },
  };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'default', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ protocol: 'TCP', port: 80 }],
    endpoints: nodes.map((nodeName, index) => ({
      addresses: [`10.244.0.${String(index + 10)}`],
      nodeName,
      conditions: { ready: true },
    })),
  };
  return `${JSON.stringify(service)}\n---\n${JSON.stringify(slice)}\n`;
}
