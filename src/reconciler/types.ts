import type { BfdProfile, Peer } from '../config/index.ts';
import type { Community } from '../core/community.ts';
import type { IpAddress, Prefix } from '../core/ip.ts';

/** What one node should do. Equal states render to equal bytes. */
export interface NodeDesiredState {
  readonly bgp: BgpDesiredState;
  /** One verdict for each LoadBalancer Service of our class, sorted by namespace and name. */
  readonly services: readonly ServiceVerdict[];
}

export interface BgpDesiredState {
  /** One for each (ASN, VRF) pair that a peer of this node uses, sorted by VRF. */
  readonly routers: readonly BgpRouter[];
  /** All profiles, used or not, sorted by name. */
  readonly bfdProfiles: readonly BfdProfile[];
  /** Sessions of their own, of no BGP peer: with other speakers, sorted by peer and interface. */
  readonly bfdPeers?: readonly BfdPeer[];
  /** Verbatim text for the end of the file. */
  readonly extras: string;
}

/** A one-hop BFD session (RFC 5881) with another node of the cluster. */
export interface BfdPeer {
  readonly peer: IpAddress;
  readonly localAddress: IpAddress;
  readonly interface: string;
}

export interface BgpRouter {
  readonly asn: number;
  /** Empty: the default VRF. */
  readonly vrf: string;
  readonly routerId?: IpAddress;
  /** Peers with a session on this node, sorted by name. */
  readonly neighbors: readonly Peer[];
  /** Prefixes to originate, sorted. */
  readonly originated: readonly OriginatedPrefix[];
}

/** A prefix and how it is sent. Prefixes with the same treatment share one {@link Treatment} object. */
export interface OriginatedPrefix {
  readonly prefix: Prefix;
  readonly treatment: Treatment;
}

/** Which neighbors get a prefix, and with what attributes. Content-addressed: equal treatments have equal keys. */
export interface Treatment {
  readonly key: string;
  /** Sorted by peer name. */
  readonly peers: readonly PeerTreatment[];
}

export interface PeerTreatment {
  /** BGPPeer name. */
  readonly peer: string;
  readonly localPref?: number;
  readonly communities: readonly Community[];
}

/** Whether this node announces a Service over BGP, and if not, why (spec names are MetalLB's). */
export interface ServiceVerdict {
  readonly namespace: string;
  readonly name: string;
  readonly ips: readonly IpAddress[];
  readonly bgp:
    | { readonly kind: 'announce'; readonly pool: string; readonly peers: readonly string[] }
    | { readonly kind: 'withdraw'; readonly reason: BgpWithdrawReason };
}

export type BgpWithdrawReason =
  | 'noIPAllocated'
  | 'invalidIP'
  | 'ipNotAllowed'
  | 'notOwner'
  | 'noMatchingAdvertisement'
  | 'conflictingAdvertisements'
  | 'nodeNetworkUnavailable'
  | 'nodeLabeledExcludeBalancers'
  | 'noLocalEndpoints'
  | 'noEndpoints';
