import type { Community } from '../core/community.ts';
import type { IpAddress, Prefix } from '../core/ip.ts';
import type { ResourceRef } from '../core/problem.ts';
import type { Secret } from '../core/secret.ts';
import type { LabelSelector } from '../core/selector.ts';

/** The validated configuration: defaults filled in, references resolved, every list sorted by name. */
export interface Config {
  readonly pools: readonly Pool[];
  readonly peers: readonly Peer[];
  readonly bfdProfiles: readonly BfdProfile[];
  readonly bgpAdvertisements: readonly BgpAdvertisement[];
  readonly l2Advertisements: readonly L2Advertisement[];
  /** ConfigMap `bgpextras`, key `extras`: text for the end of frr.conf, as the user wrote it; empty when absent. */
  readonly frrExtras: string;
}

export interface Pool {
  readonly name: string;
  /** One entry for each item of `spec.addresses`, in the user's order; a range gives several prefixes, ascending. */
  readonly addresses: readonly (readonly Prefix[])[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  /** Present: a pinned pool. */
  readonly allocation?: PoolAllocation;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where something was written. Always set by `buildConfig`. */
export interface Origin {
  /** The object to name in a Problem: the legacy one when it was converted. */
  readonly resource: ResourceRef;
  /** RFC 3339: when two objects cannot both be used and neither is in use yet, the older one is. */
  readonly createdAt?: string;
}

export interface PoolAllocation {
  /** 1 is tried first; undefined is tried last. */
  readonly priority?: number;
  /** Names listed and names of the Namespaces selected, resolved; empty: any namespace. */
  readonly namespaces: ReadonlySet<string>;
  readonly serviceSelectors: readonly LabelSelector[];
}

export interface Peer {
  readonly name: string;
  readonly origin?: Origin;
  readonly myAsn: number;
  /** A number, or `internal`/`external` for a dynamic ASN. */
  readonly remoteAs: number | 'internal' | 'external';
  readonly localAsn?: number;
  readonly endpoint: PeerEndpoint;
  readonly sourceAddress?: IpAddress;
  /** 0: not rendered. */
  readonly port: number;
  /** Whole seconds; both or neither. */
  readonly timers?: { readonly keepaliveSeconds: number; readonly holdSeconds: number };
  readonly connectSeconds?: number;
  readonly routerId?: IpAddress;
  readonly nodeSelectors: readonly LabelSelector[];
  readonly password?: Secret;
  readonly bfdProfile?: string;
  readonly gracefulRestart: boolean;
  readonly ebgpMultiHop: boolean;
  /** Empty: the default VRF. */
  readonly vrf: string;
  readonly dualStackAddressFamily: boolean;
}

export type PeerEndpoint =
  | { readonly kind: 'address'; readonly address: IpAddress }
  | { readonly kind: 'interface'; readonly interface: string };

export interface BfdProfile {
  readonly name: string;
  readonly receiveIntervalMs?: number;
  readonly transmitIntervalMs?: number;
  readonly detectMultiplier?: number;
  readonly echoIntervalMs?: number;
  readonly echoMode: boolean;
  readonly passiveMode: boolean;
  readonly minimumTtl?: number;
}

export interface BgpAdvertisement {
  readonly name: string;
  readonly origin?: Origin;
  readonly aggregationLengthV4: number;
  readonly aggregationLengthV6: number;
  /** Absent: LOCAL_PREF is not set. */
  readonly localPref?: number;
  /** Aliases resolved, duplicates merged, ascending. */
  readonly communities: readonly Community[];
  /** Names of the pools selected, by name or by label. */
  readonly pools: ReadonlySet<string>;
  readonly nodeSelectors: readonly LabelSelector[];
  /** BGPPeer names; empty: all peers. */
  readonly peers: readonly string[];
  readonly serviceSelectors: readonly LabelSelector[];
}

export interface L2Advertisement {
  readonly name: string;
  readonly pools: ReadonlySet<string>;
  readonly nodeSelectors: readonly LabelSelector[];
  /** Empty: every interface. */
  readonly interfaces: readonly string[];
  readonly serviceSelectors: readonly LabelSelector[];
  readonly preferredNodes: readonly { readonly weight: number; readonly selector: LabelSelector }[];
  /** Whether an address that nobody has goes to one of the nodes with the fewest addresses of its pool. */
  readonly balance: boolean;
  readonly failback: Failback;
  /** Milliseconds from one repeated announcement of an address to the next; 0: it is not repeated. */
  readonly announceIntervalMs: number;
}

/** When an address goes back from the node that has it to the node that is the first choice. */
export type Failback =
  | { readonly kind: 'never' }
  | { readonly kind: 'immediate' }
  /** When the first choice could have had it for this long. */
  | { readonly kind: 'afterStable'; readonly delayMs: number };
