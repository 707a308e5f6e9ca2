import type { IpAddress, IpFamily } from '../core/ip.ts';

/** What one Service holds. */
export interface Allocation {
  /** `namespace/name` of the Service. */
  readonly key: string;
  readonly pool: string;
  /** One address, or one of each family; the order is that of the status. */
  readonly ips: readonly IpAddress[];
  /** `tcp/80` and the like, sorted. */
  readonly ports: readonly string[];
  /** Empty: the addresses are not shared. */
  readonly sharingKey: string;
  /** The canonical selector with externalTrafficPolicy Local, empty with Cluster. */
  readonly backendKey: string;
}

/** What should stand in the status of one Service, and why. */
export interface ServiceDecision {
  /** `namespace/name`. */
  readonly key: string;
  readonly outcome: DecisionOutcome;
  /** Addresses for `status.loadBalancer.ingress`, in order. When `changed` is false these are the ones already there. */
  readonly ingress: readonly string[];
  /** Value of the annotation `metallb.io/ip-allocated-from-pool`; absent: the annotation must not be there. */
  readonly pool?: string;
  readonly reason: AllocationReason;
  /** In the order in which they happened. */
  readonly events: readonly AllocationEvent[];
  /** The status addresses or the pool annotation of the object differ from this decision and must be written. */
  readonly changed: boolean;
  /**
   * Something that another Service may be waiting for was released: look at the waiting ones (`allocateWaiting`). Never
   * set in the result of a pass, which has done so.
   */
  readonly reprocess: boolean;
}

export type DecisionOutcome =
  /** The Service holds addresses as it wants them, or as many as it can get under PreferDualStack. */
  | 'assigned'
  /** It wants no address from this controller any more, and holds none. */
  | 'none'
  /** It did not get what it asks for. `ingress` is empty, or holds what it keeps meanwhile. */
  | 'refused'
  /** Another load-balancer class: not looked at. */
  | 'ignored'
  /** No pool configuration, or no full pass yet: not looked at. */
  | 'notReady';

export interface AllocationReason {
  readonly code: ReasonCode;
  /** What happened, down to the inner cause, and what would be right. */
  readonly message: string;
  /** Every pool considered and why it gave nothing; empty when no pool was searched. */
  readonly pools: readonly PoolRefusal[];
}

export type ReasonCode =
  | 'assigned'
  /** PreferDualStack, and only one family could be had; the Service waits for the other. */
  | 'secondFamilyMissing'
  | 'notLoadBalancer'
  | 'otherLoadBalancerClass'
  | 'notReady'
  | 'noPools'
  | 'noClusterIP'
  | 'notEnoughClusterIPs'
  | 'clusterFamilyUnknown'
  /** Dual cluster IPs need ipFamilyPolicy PreferDualStack or RequireDualStack. */
  | 'dualStackPolicyMissing'
  /** The annotation and `spec.loadBalancerIP` are both set. */
  | 'requestTwice'
  | 'requestInvalid'
  | 'requestFamilyMismatch'
  | 'requestPoolMismatch'
  | 'addressNotInPool'
  | 'addressAvoided'
  | 'addressesInDifferentPools'
  | 'addressesNotOnePerFamily'
  | 'addressInUse'
  | 'sharingKeyDiffers'
  | 'backendDiffers'
  | 'portConflict'
  | 'poolUnknown'
  | 'poolIncompatible'
  | 'poolsExhausted'
  | 'noPoolForService'
  | 'wrongFamilyHeld';

export interface PoolRefusal {
  readonly pool: string;
  readonly code: PoolRefusalCode;
  readonly message: string;
}

export type PoolRefusalCode =
  | 'exhausted'
  /** The pool has no address of a family that is needed. */
  | 'familyMissing'
  /** Pinned to other namespaces or Services. */
  | 'incompatible'
  /** `autoAssign: false` and not asked for by name. */
  | 'manual'
  /** A pinned pool that names neither this namespace nor a Service selector is only used on request. */
  | 'onRequestOnly';

/** An Event on the Service, as a Kubernetes client would record it. */
export interface AllocationEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
}

export type EventReason =
  | 'IPAllocated'
  | 'ClearAssignment'
  | 'AdditionalAssignFailed'
  | 'AllocationFailed'
  | 'LoadBalancerFailed'
  | 'not enough clusterips'
  | 'nolbIPsIPFamily'
  | 'noclusterIPsIPFamily'
  | 'deprecatedAnnotation';

/** Numbers of one pool. Capacities saturate at 2^63-1, the largest int64 of the IPAddressPool status. */
export interface PoolCounters {
  readonly pool: string;
  /** Addresses that may be handed out. */
  readonly capacity: AddressCount;
  /** Distinct addresses with at least one Service. */
  readonly assigned: AddressCount;
  /** Capacity minus assigned. */
  readonly available: AddressCount;
}

export interface AddressCount {
  readonly total: bigint;
  readonly ipv4: bigint;
  readonly ipv6: bigint;
}

/** What one call did to a set of Services. */
export interface PassResult {
  /** One for each Service looked at whose decision is news, in key order. */
  readonly decisions: readonly ServiceDecision[];
  /** Keys whose allocation was dropped because the object is gone; nothing is to be written for them. */
  readonly deleted: readonly string[];
  readonly pools: PoolChanges;
  /** False when the bound on rounds was reached first: call `allocateWaiting` again. */
  readonly settled: boolean;
}

/** What to write to pool statuses and metrics after a call. */
export interface PoolChanges {
  /** Pools whose numbers are not those last reported, by name. */
  readonly counters: readonly PoolCounters[];
  /** Names of pools that are gone, whose metric series must go too. */
  readonly removed: readonly string[];
}

export interface PoolsResult {
  /** False: equal to the pools in force, nothing was done. True: a full pass is due. */
  readonly changed: boolean;
  /** Keys whose addresses lie in no single pool any more. */
  readonly freed: readonly string[];
}

export interface AllocatorOptions {
  /** `--lb-class`: only Services of this class; absent or empty: only Services without a class. */
  readonly loadBalancerClass?: string;
  /**
   * What a Service without cluster IPs means. `wait` (default): the API server has not given them yet. `fromSpec`: there
   * is no API server that would, as with a folder of manifests; `ipFamilies` and `ipFamilyPolicy` tell the families.
   */
  readonly missingClusterIPs?: 'wait' | 'fromSpec';
}

/** The family of a Service's cluster IPs. */
export type ServiceFamily = IpFamily | 'dual';
