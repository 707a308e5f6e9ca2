/** Why a frame is left alone. Each is counted; none says more of a frame than its first fault. */
export const DROP_REASONS = [
  // The frame
  'truncated', // shorter than its headers say
  'vlan-tagged', // IEEE 802.1Q or 802.1ad: belongs to another interface
  'broadcast-source', // a group is nobody's source (IEEE 802.3 section 3.2.3)
  'multicast-source',
  'zero-source',
  'other-ethertype', // neither ARP nor IPv6

  // ARP (RFC 826, 5227; RFC 1122 section 3.2.1.3; RFC 1812 section 3.3.2)
  'arp-not-ethernet-ipv4', // hardware or protocol type, or an address length
  'arp-operation', // neither request nor reply
  'arp-sender-not-station', // its hardware address is a group or zero: nothing to answer to, nothing to believe
  'arp-sender-ip', // no host has this address: broadcast, multicast, loopback

  // Neighbor Discovery (RFC 4861 sections 7.1.1 and 7.1.2)
  'ip-version',
  'ip-source-multicast', // RFC 4291 section 2.7
  'not-icmpv6', // also with extension headers, which Neighbor Discovery should not have (RFC 6980 section 5)
  'not-neighbor-discovery', // another ICMPv6 message
  'hop-limit', // not 255: came through a router
  'checksum',
  'icmp-code',
  'icmp-length', // below 24 bytes
  'target-multicast',
  'option-length', // zero, beyond the message, or wrong for an Ethernet address (RFC 2464 section 6)
  'option-not-station', // a link-layer address that is a group or zero
  'dad-destination', // source ::, and not sent to a solicited-node group
  'dad-with-link-layer-address',
  'solicited-to-group', // an advertisement with the Solicited flag to a multicast group

  // What is not for us
  'own-frame', // sent by this node
  'own-hardware-address', // names an interface of this node, and came from elsewhere: a relay, or a forger
  'other-destination', // to a station that is not this interface
  'not-a-request', // says something about an address that is not of interest here
  'not-ours', // asks for an address that is not answered for
  'other-interface', // asks for an address that is answered for on other interfaces only
  'no-link-local', // a solicitation for an address of ours, and no link-local address to answer from
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

export interface Drop {
  readonly kind: 'drop';
  readonly reason: DropReason;
}

/** One value for each reason: a flood of frames that are dropped costs no memory. */
const DROPS = new Map(DROP_REASONS.map((reason): [DropReason, Drop] => [reason, { kind: 'drop', reason }]));

export function drop(reason: DropReason): Drop {
  return DROPS.get(reason) ?? { kind: 'drop', reason };
}
