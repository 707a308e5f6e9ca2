import type { IpAddress, IpFamily } from '../core/ip.ts';

/** One interface of this node, as the kernel tells of it. */
export interface Link {
  readonly name: string;
  /** The kernel's number for it. */
  readonly index: number;
  /** Lower case, with colons. */
  readonly mac: string;
  /** Administratively up, and with a carrier. */
  readonly isUp: boolean;
  /** IFF_BROADCAST: without it there is no ARP. */
  readonly isBroadcast: boolean;
  /** IFF_NOARP is not set: with it neither ARP nor Neighbor Discovery is spoken. */
  readonly hasArp: boolean;
  /** A member of a bond, a bridge or a VRF: the address belongs to that one. */
  readonly hasMaster: boolean;
  /** Its own addresses with the lengths of their subnets, link-local ones included. */
  readonly addresses: readonly LinkAddress[];
  /** The families for which a default route leaves through it. */
  readonly defaultRoutes: readonly IpFamily[];
  /** Where these routes lead, as far as they name an address. */
  readonly gateways: readonly IpAddress[];
}

export interface LinkAddress {
  readonly ip: IpAddress;
  readonly length: number;
}

/** What a speaker tells the others of its node. */
export interface SpeakerRecord {
  readonly node: string;
  /** The interfaces that it may answer on, sorted by name. */
  readonly links: readonly SpeakerLink[];
}

export interface SpeakerLink {
  readonly name: string;
  readonly mac: string;
  /** `192.0.2.11/24`: address and length of the subnet. */
  readonly addresses: readonly string[];
}

/** Why an address came to a node. */
export const MOVE_CAUSES = [
  /** Nobody had it. */
  'FirstClaim',
  /** The node before was no longer heard of over BFD. */
  'OwnerLost',
  /** The node before no longer answered for the address. */
  'SpeakerLost',
  /** The node before had left the cluster's speakers, or could not have the address any more. */
  'OwnerGone',
  /** The node before handed it over: it drains, stops, or is no candidate any more. */
  'HandOver',
  /** A person asked for it. */
  'Requested',
  /** The advertisements prefer this node to the one before. */
  'Preferred',
  /** The advertisement says that it goes back. */
  'Failback',
] as const;

export type MoveCause = (typeof MOVE_CAUSES)[number];

export interface Move {
  /** RFC 3339. */
  readonly at: string;
  readonly node: string;
  readonly cause: MoveCause;
}

/** Who answers for the addresses of a Service, as the owner wrote it down. */
export interface OwnershipRecord {
  readonly service: { readonly namespace: string; readonly name: string };
  readonly node: string;
  readonly ips: readonly string[];
  /** Sorted; those that the owner answers on. None: it answers nowhere any more. */
  readonly interfaces: readonly string[];
  /** RFC 3339: since when it is this node. */
  readonly since: string;
  readonly cause: MoveCause;
  /** The node that should take over: until it has announced itself the owner goes on answering. */
  readonly nextOwner?: string;
  /** The newest first, at most {@link MAX_HISTORY}. */
  readonly history: readonly Move[];
}

export const MAX_HISTORY = 20;

/** A speaker as the others know it. */
export interface SpeakerSeen {
  readonly record: SpeakerRecord;
  /** Renewed in time, by our own clock. */
  readonly isHeld: boolean;
}

/** All that speakers wrote down for each other. */
export interface Layer2View {
  /** Whether this is what is written now; else what was when it could last be read. */
  readonly isFresh: boolean;
  /** By node name. */
  readonly speakers: ReadonlyMap<string, SpeakerSeen>;
  /** By `namespace/name` of the Service. */
  readonly ownerships: ReadonlyMap<string, OwnershipRecord>;
  /** Requests to move a Service's addresses, by `namespace/name`: the node that should have them. */
  readonly moves: ReadonlyMap<string, string>;
}

/** Where speakers write down what the others have to know. */
export interface Layer2Store {
  /** Calls `onChange` when everything has been read once, and then after each change. */
  readonly start: (onChange: (view: Layer2View) => void) => void;
  /** Says what this speaker is, and goes on saying that it lives. */
  readonly publishSpeaker: (record: SpeakerRecord) => void;
  /** All that this node owns, by `namespace/name`; what is no longer in it and still names this node is taken back. */
  readonly publishOwnership: (own: ReadonlyMap<string, OwnershipRecord>) => void;
  /** Takes this speaker from the list of those that live. */
  readonly release: () => Promise<void>;
  /** Settles when everything said so far is written. */
  readonly idle: () => Promise<void>;
}
