import type { ResourceRef } from '../core/problem.ts';
import type { LabelSelector, Labels } from '../core/selector.ts';

/**
 * The objects as their users write them: the API server's kinds and field names, typed. What a field means is
 * decided in `config/`; here a duration is still text and a community may still be an alias.
 */

export interface ObjectMeta {
  readonly name: string;
  /** Empty for cluster-scoped kinds. A namespaced manifest without one belongs to the source's default namespace. */
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  /** RFC 3339. */
  readonly creationTimestamp?: string;
  /** The legacy object this one was converted from: an AddressPool, or the ConfigMap `config`. */
  readonly convertedFrom?: ResourceRef;
}

interface ApiObjectOf<Kind extends string, Body> {
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  readonly spec: Body;
}

export type IPAddressPool = ApiObjectOf<'IPAddressPool', IPAddressPoolSpec>;
export interface IPAddressPoolSpec {
  readonly addresses: readonly string[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  readonly serviceAllocation?: {
    /** 0 and below: unset, tried last. */
    readonly priority: number;
    readonly namespaces: readonly string[];
    readonly namespaceSelectors: readonly LabelSelector[];
    readonly serviceSelectors: readonly LabelSelector[];
  };
}

export type BGPAdvertisement = ApiObjectOf<'BGPAdvertisement', BGPAdvertisementSpec>;
export interface BGPAdvertisementSpec {
  readonly aggregationLength: number;
  readonly aggregationLengthV6: number;
  /** 0: do not set LOCAL_PREF. */
  readonly localPref: number;
  readonly communities: readonly string[];
  readonly ipAddressPools: readonly string[];
  readonly ipAddressPoolSelectors: readonly LabelSelector[];
  readonly nodeSelectors: readonly LabelSelector[];
  readonly peers: readonly string[];
  readonly serviceSelectors: readonly LabelSelector[];
}

export type L2Advertisement = ApiObjectOf<'L2Advertisement', L2AdvertisementSpec>;
export interface L2AdvertisementSpec {
  readonly ipAddressPools: readonly string[];
  readonly ipAddressPoolSelectors: readonly LabelSelector[];
  readonly nodeSelectors: readonly LabelSelector[];
  readonly interfaces: readonly string[];
  readonly serviceSelectors: readonly LabelSelector[];
  readonly preferredNodeSelectors: readonly { readonly weight: number; readonly preference: LabelSelector }[];
  readonly balance: boolean;
  readonly failback: 'Never' | 'Immediate' | 'AfterStable';
  /** Go duration text, as given; only beside `AfterStable`. */
  readonly failbackDelay?: string;
  /** Go duration text, as given. */
  readonly announceInterval?: string;
}

/** v1beta2; v1beta1 and the legacy forms are converted to it while parsing. */
export type BGPPeer = ApiObjectOf<'BGPPeer', BGPPeerSpec>;
export interface BGPPeerSpec {
  readonly myASN: number;
  readonly peerASN?: number;
  readonly dynamicASN?: 'internal' | 'external';
  readonly localASN?: number;
  readonly peerAddress?: string;
  readonly interface?: string;
  readonly sourceAddress?: string;
  readonly peerPort: number;
  /** Go duration texts, as given. */
  readonly holdTime?: string;
  readonly keepaliveTime?: string;
  readonly connectTime?: string;
  readonly routerID?: string;
  readonly nodeSelectors: readonly LabelSelector[];
  /** Clear text; wrapped in `Secret` by `config/`. */
  readonly password?: string;
  readonly passwordSecret?: { readonly name: string; readonly namespace?: string };
  readonly bfdProfile?: string;
  readonly enableGracefulRestart: boolean;
  readonly ebgpMultiHop: boolean;
  readonly vrf?: string;
  readonly disableMP: boolean;
  readonly dualStackAddressFamily: boolean;
}

export type BFDProfile = ApiObjectOf<'BFDProfile', BFDProfileSpec>;
export interface BFDProfileSpec {
  /** Milliseconds. */
  readonly receiveInterval?: number;
  readonly transmitInterval?: number;
  readonly detectMultiplier?: number;
  /** Milliseconds. */
  readonly echoInterval?: number;
  readonly echoMode: boolean;
  readonly passiveMode: boolean;
  readonly minimumTtl?: number;
}

export type CommunityObject = ApiObjectOf<'Community', CommunitySpec>;
export interface CommunitySpec {
  readonly communities: readonly { readonly name: string; readonly value: string }[];
}

export type ServiceObject = ApiObjectOf<'Service', ServiceSpec> & {
  readonly status: { readonly ingress: readonly LoadBalancerIngress[] };
};
export interface ServiceSpec {
  readonly type: string;
  readonly clusterIPs: readonly string[];
  readonly ipFamilies: readonly string[];
  readonly ipFamilyPolicy: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack';
  readonly externalTrafficPolicy: 'Cluster' | 'Local';
  readonly loadBalancerClass?: string;
  readonly loadBalancerIP?: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly protocol: string; readonly port: number }[];
}
export interface LoadBalancerIngress {
  readonly ip?: string;
  readonly hostname?: string;
}

export type EndpointSliceObject = ApiObjectOf<'EndpointSlice', EndpointSliceSpec>;
/** The slice's own top-level fields (an EndpointSlice has no `spec`). The Service is named by the label `kubernetes.io/service-name`. */
export interface EndpointSliceSpec {
  readonly endpoints: readonly Endpoint[];
}
export interface Endpoint {
  /** It has one, whichever: there are three of these for each of ten thousand Services. */
  readonly hasAddress: boolean;
  readonly nodeName?: string;
  readonly ready?: boolean;
  readonly serving?: boolean;
}

export type NodeObject = ApiObjectOf<'Node', NodeSpec>;
export interface NodeSpec {
  /** From `status.conditions`: type NetworkUnavailable is `True`. */
  readonly networkUnavailable: boolean;
  /** `spec.unschedulable`: the node is cordoned. */
  readonly unschedulable: boolean;
}

export type NamespaceObject = ApiObjectOf<'Namespace', Record<never, never>>;

export type SecretObject = ApiObjectOf<'Secret', SecretSpec>;
export interface SecretSpec {
  readonly type: string;
  /** Decoded text of `data` (base64) and `stringData`, only what parses as UTF-8. */
  readonly data: Readonly<Record<string, string>>;
}

export type ConfigMapObject = ApiObjectOf<'ConfigMap', { readonly data: Readonly<Record<string, string>> }>;

export type ApiObject =
  | IPAddressPool
  | BGPAdvertisement
  | L2Advertisement
  | BGPPeer
  | BFDProfile
  | CommunityObject
  | ServiceObject
  | EndpointSliceObject
  | NodeObject
  | NamespaceObject
  | SecretObject
  | ConfigMapObject;

export type ApiKind = ApiObject['kind'];
export type ApiObjectOfKind<K extends ApiKind> = Extract<ApiObject, { readonly kind: K }>;
