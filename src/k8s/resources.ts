import type { RawObject } from './raw-object.ts';

/** A kind as the API server serves it. */
export interface ResourceType {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
}

/** Which objects of a kind: all, those of one namespace, or one by name. */
export interface ResourceQuery {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name?: string;
  readonly labelSelector?: string;
  /** What is kept of each object, where less is read of it than others read of its kind. */
  readonly part?: (raw: RawObject) => RawObject;
}

const METALLB = 'metallb.io/v1beta1';

function type(apiVersion: string, kind: string, plural: string, isNamespaced = true): ResourceType {
  return { apiVersion, kind, plural, isNamespaced };
}

export const RESOURCES = {
  IPAddressPool: type(METALLB, 'IPAddressPool', 'ipaddresspools'),
  BGPAdvertisement: type(METALLB, 'BGPAdvertisement', 'bgpadvertisements'),
  L2Advertisement: type(METALLB, 'L2Advertisement', 'l2advertisements'),
  BGPPeer: type('metallb.io/v1beta2', 'BGPPeer', 'bgppeers'),
  BFDProfile: type(METALLB, 'BFDProfile', 'bfdprofiles'),
  Community: type(METALLB, 'Community', 'communities'),
  ServiceBGPStatus: type(METALLB, 'ServiceBGPStatus', 'servicebgpstatuses'),
  ServiceL2Status: type(METALLB, 'ServiceL2Status', 'servicel2statuses'),
  ConfigurationState: type(METALLB, 'ConfigurationState', 'configurationstates'),
  Service: type('v1', 'Service', 'services'),
  EndpointSlice: type('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  Node: type('v1', 'Node', 'nodes', false),
  Namespace: type('v1', 'Namespace', 'namespaces', false),
  Secret: type('v1', 'Secret', 'secrets'),
  ConfigMap: type('v1', 'ConfigMap', 'configmaps'),
  Pod: type('v1', 'Pod', 'pods'),
  Event: type('v1', 'Event', 'events'),
  Lease: type('coordination.k8s.io/v1', 'Lease', 'leases'),
} as const satisfies Readonly<Record<string, ResourceType>>;

/** The path of a collection: `/apis/metallb.io/v1beta2/namespaces/metallb-system/bgppeers`. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.apiVersion.includes('/') ? `/apis/${type.apiVersion}` : `/api/${type.apiVersion}`;
  const scope =
    type.isNamespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${type.plural}`;
}

/** The path of one object. */
export function objectPath(
  type: ResourceType,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string {
  return `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`;
}

/** Query parameters that pick the objects of a query out of its collection. */
export function selectorsOf({ name, labelSelector }: ResourceQuery): Readonly<Record<string, string>> {
  return {
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}
