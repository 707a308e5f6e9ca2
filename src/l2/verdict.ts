import type { IpAddress } from '../core/ip.ts';
import type { AnnouncedEntry, AnnouncedTable } from './announced-table.ts';
import { arpAnswer, type ArpPacket } from './arp.ts';
import { drop, type Drop } from './drop.ts';
import type { Decoded } from './frame.ts';
import { NO_IPV4, NO_IPV6 } from './ip-key.ts';
import { BROADCAST_MAC, isGroupMac, macOfNumber, type MacAddress, type MacNumber } from './mac.ts';
import { neighborAnswer, type NeighborAdvertisement, type NeighborSolicitation } from './ndp.ts';

export interface Answer {
  readonly kind: 'answer';
  readonly ip: IpAddress;
  /** To send as it is; may be shared, so never to be written to. */
  readonly frame: Uint8Array;
  /**
   * What else the question says: a probe means to take the address, which the answer defends; and who asks may be one that
   * this node watches, such as a gateway.
   */
  readonly heard: HeardClaim | undefined;
}

/**
 * How another station showed that it has, or wants, an address:
 * - `reply`: it answered a request, or sent a solicited advertisement;
 * - `announcement`: it told everybody: an ARP announcement in either form, an unsolicited advertisement;
 * - `probe`: it asks whether the address is free (RFC 5227 section 2.1.1, RFC 4862 section 5.4.2);
 * - `use`: it asked for something else, with the address as its own.
 */
export type ClaimKind = 'reply' | 'announcement' | 'probe' | 'use';

/** Another station has, or wants, an address that this node owns or watches. */
export interface HeardClaim {
  readonly kind: 'heard';
  readonly ip: IpAddress;
  /** Where the address would be, as it says; caches of the LAN take this one. */
  readonly mac: MacAddress;
  /** The source of the frame: differs from `mac` when something relays, or forges. */
  readonly source: MacAddress;
  readonly what: ClaimKind;
}

export type Verdict = Answer | HeardClaim | Drop;

/**
 * What one interface does with a frame. Counting is the caller's.
 *
 * Answered is who asks for an address that is announced `here`, also by unicast, as Neighbor Unreachability Detection
 * does, and also who only asks whether it is free. Not answered is a request whose sender claims such an address for
 * itself: that is heard, and what to do about it is decided where ownership is. Who has an address that is only watched is
 * answered, and heard too.
 */
export function verdictFor(decoded: Decoded, table: AnnouncedTable): Verdict {
  switch (decoded.kind) {
    case 'arp':
      return arpVerdict(decoded, table);
    case 'ns':
      return solicitationVerdict(decoded, table);
    case 'na':
      return advertisementVerdict(decoded, table);
    case 'drop':
      return decoded;
  }
}

function arpVerdict(arp: ArpPacket, table: AnnouncedTable): Verdict {
  const { senderMac, senderIp, source } = arp;
  if (isOfNode(source, table)) return drop('own-frame');
  if (isOfNode(senderMac, table)) return drop('own-hardware-address');
  const claimed = senderIp === NO_IPV4 ? undefined : table.entries.get(senderIp);
  if (claimed) {
    const isAnnouncement = senderIp === arp.targetIp;
    const what = isAnnouncement ? 'announcement' : arp.operation === 'reply' ? 'reply' : 'use';
    const heard = heardOrElsewhere(claimed, { mac: senderMac, source, what });
    return what === 'use' && claimed.use === 'watched' ? alsoHeard(requestVerdict(arp, table), heard) : heard;
  }
  return requestVerdict(arp, table);
}

function requestVerdict(arp: ArpPacket, table: AnnouncedTable): Verdict {
  const { senderMac, senderIp, source, destination } = arp;
  if (arp.operation === 'reply') return drop('not-a-request');
  const asked = table.entries.get(arp.targetIp);
  if (!asked) return drop('not-ours');
  const isProbe = senderIp === NO_IPV4;
  // Who asks one station alone wants to know whether that one has it, not whether it is free (RFC 5227 section 2.1.1).
  if (asked.use === 'watched' && isProbe && destination === BROADCAST_MAC) {
    return heardOf(asked, { mac: senderMac, source, what: 'probe' });
  }
  if (destination !== BROADCAST_MAC && destination !== table.mac) return drop('other-destination');
  if (asked.announcement === undefined) return unanswered(asked);
  return {
    kind: 'answer',
    ip: asked.ip,
    frame: arpAnswer(asked.announcement, arp),
    heard: isProbe ? heardOf(asked, { mac: senderMac, source, what: 'probe' }) : undefined,
  };
}

/** The question is answered if it can be, and who asked is heard in any case. */
function alsoHeard(verdict: Verdict, heard: HeardClaim | Drop): Verdict {
  return verdict.kind === 'answer' && heard.kind === 'heard' ? { ...verdict, heard } : heard;
}

function solicitationVerdict(ns: NeighborSolicitation, table: AnnouncedTable): Verdict {
  const { source, sourceIp } = ns;
  const mac = ns.sourceMac ?? source;
  if (isOfNode(source, table)) return drop('own-frame');
  if (isOfNode(mac, table)) return drop('own-hardware-address');
  const claimed = sourceIp === NO_IPV6 ? undefined : table.entries.get(sourceIp);
  if (claimed) {
    const heard = heardOrElsewhere(claimed, { mac, source, what: 'use' });
    return claimed.use === 'watched' ? alsoHeard(questionVerdict(ns, table), heard) : heard;
  }
  return questionVerdict(ns, table);
}

function questionVerdict(ns: NeighborSolicitation, table: AnnouncedTable): Verdict {
  const { source, sourceIp, destination } = ns;
  const mac = ns.sourceMac ?? source;
  const isProbe = sourceIp === NO_IPV6;
  const asked = table.entries.get(ns.target);
  if (!asked) return drop('not-ours');
  if (asked.use === 'watched' && isProbe) return heardOf(asked, { mac, source, what: 'probe' });
  if (destination !== table.mac && !isGroupMac(destination)) return drop('other-destination');
  if (asked.announcement === undefined) return unanswered(asked);
  if (isProbe) {
    // RFC 4861 section 7.2.4: to all nodes, with the Solicited flag clear, which is the announcement itself.
    const heard = heardOf(asked, { mac, source, what: 'probe' });
    return { kind: 'answer', ip: asked.ip, frame: asked.announcement, heard };
  }
  const frame = neighborAnswer(asked.announcement, { mac, ip: sourceIp });
  return { kind: 'answer', ip: asked.ip, frame, heard: undefined };
}

function advertisementVerdict(na: NeighborAdvertisement, table: AnnouncedTable): Verdict {
  const { source } = na;
  const mac = na.targetMac ?? source;
  if (isOfNode(source, table)) return drop('own-frame');
  if (isOfNode(mac, table)) return drop('own-hardware-address');
  const claimed = table.entries.get(na.target);
  if (!claimed) return drop('not-a-request');
  return heardOrElsewhere(claimed, { mac, source, what: na.isSolicited ? 'reply' : 'announcement' });
}

function isOfNode(mac: MacNumber, table: AnnouncedTable): boolean {
  return mac === table.mac || (table.nodeMacs.size > 1 && table.nodeMacs.has(mac));
}

function unanswered(entry: AnnouncedEntry): Drop {
  if (entry.use === 'here') return drop('no-link-local');
  return drop(entry.use === 'elsewhere' ? 'other-interface' : 'not-ours');
}

interface Claimant {
  readonly mac: MacNumber;
  readonly source: MacNumber;
  readonly what: ClaimKind;
}

/** What another LAN has at an address says nothing about this node's, which is not announced there. */
function heardOrElsewhere(entry: AnnouncedEntry, claimant: Claimant): HeardClaim | Drop {
  return entry.use === 'elsewhere' ? drop('other-interface') : heardOf(entry, claimant);
}

function heardOf(entry: AnnouncedEntry, { mac, source, what }: Claimant): HeardClaim {
  return { kind: 'heard', ip: entry.ip, mac: macOfNumber(mac), source: macOfNumber(source), what };
}
