import type { IpAddress } from '../core/ip.ts';
import { arpAnnouncements } from './arp.ts';
import { ipKey, type IpKey } from './ip-key.ts';
import { macNumber, type MacAddress, type MacNumber } from './mac.ts';
import { encodeNa } from './ndp.ts';

/**
 * What this node has to do with an address on one interface:
 * - `here`: it owns the address and answers for it on this interface;
 * - `elsewhere`: it owns the address and answers on other interfaces only;
 * - `watched`: it does not answer, and wants to hear who does. Also an address of its own that is in doubt.
 */
export type AddressUse = 'here' | 'elsewhere' | 'watched';

export interface TableAddress {
  readonly ip: IpAddress;
  readonly use: AddressUse;
}

export interface AnnouncedEntry extends TableAddress {
  /** The announcement, in its reply form; the answer to one asker is made from it. Only when it can be answered. */
  readonly announcement: Uint8Array | undefined;
}

/** What is answered and listened for on one interface. Looked up for each frame; replaced when something changes. */
export interface AnnouncedTable {
  readonly mac: MacNumber;
  /** Those of every interface of this node: two of them on one LAN hear each other. */
  readonly nodeMacs: ReadonlySet<MacNumber>;
  /** The text of what answers for IPv6 are sent from; empty without one. */
  readonly linkLocal: string;
  readonly entries: ReadonlyMap<IpKey, AnnouncedEntry>;
}

/**
 * @param input.nodeMacs of the other interfaces of this node
 * @param input.linkLocal of the interface; without it no solicitation is answered
 * @param input.addresses each at most once
 * @param input.previous the table before, of which everything that still holds is kept
 */
export function announcedTable(input: {
  readonly mac: MacAddress;
  readonly nodeMacs?: readonly MacAddress[];
  readonly linkLocal?: IpAddress | undefined;
  readonly addresses: readonly TableAddress[];
  readonly previous?: AnnouncedTable | undefined;
}): AnnouncedTable {
  const { mac, linkLocal, previous } = input;
  const number = macNumber(mac);
  const isSameLink = previous?.mac === number && previous.linkLocal === (linkLocal?.text ?? '');
  const kept = isSameLink ? previous.entries : undefined;
  const entries = new Map<IpKey, AnnouncedEntry>();
  for (const { ip, use } of input.addresses) {
    const key = ipKey(ip);
    const before = kept?.get(key);
    entries.set(key, before?.use === use ? before : entryOf(ip, use, { mac, linkLocal }));
  }
  const nodeMacs = new Set([number, ...(input.nodeMacs ?? []).map(macNumber)]);
  return { mac: number, nodeMacs, linkLocal: linkLocal?.text ?? '', entries };
}

function entryOf(
  ip: IpAddress,
  use: AddressUse,
  link: { readonly mac: MacAddress; readonly linkLocal: IpAddress | undefined },
): AnnouncedEntry {
  return { ip, use, announcement: use === 'here' ? announcementOf(ip, link) : undefined };
}

function announcementOf(
  ip: IpAddress,
  { mac, linkLocal }: { readonly mac: MacAddress; readonly linkLocal: IpAddress | undefined },
): Uint8Array | undefined {
  if (ip.family === 'ipv4') return arpAnnouncements(ip, mac)[1];
  return linkLocal && encodeNa({ mac, sourceIp: linkLocal, target: ip });
}
