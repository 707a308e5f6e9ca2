import { parseIp, parsePrefix, prefixContains, type IpAddress } from '../core/ip.ts';
import type { Layer2View, Link, SpeakerRecord } from './types.ts';

/** How another speaker is reached over one link of this node. */
export interface Neighbor {
  readonly node: string;
  readonly mac: string;
  /** In a subnet that the link has an address in. */
  readonly address: IpAddress;
  /** This node's address in that subnet. */
  readonly localAddress: IpAddress;
}

/** Which speaker a hardware address belongs to. */
export function macOwners(speakers: Layer2View['speakers']): ReadonlyMap<string, string> {
  return new Map(
    [...speakers.values()].flatMap(({ record }) =>
      record.links.map(({ mac }): [string, string] => [mac, record.node]),
    ),
  );
}

/** The other speaker on the LAN of a link; `undefined` when they have no subnet in common. IPv4 goes before IPv6. */
export function neighborOn(link: Link, record: SpeakerRecord): Neighbor | undefined {
  const own = [...link.addresses].sort((a, b) => rankOf(a.ip) - rankOf(b.ip));
  for (const { ip: localAddress, length } of own) {
    if (isLinkLocal(localAddress)) continue;
    const subnet = parsePrefix(`${localAddress.text}/${String(length)}`);
    if (!subnet) continue;
    for (const { mac, addresses } of record.links) {
      for (const text of addresses) {
        const address = parseIp(text.split('/')[0] ?? '');
        if (!address || isLinkLocal(address) || address.text === localAddress.text) continue;
        if (prefixContains(subnet, address)) return { node: record.node, mac, address, localAddress };
      }
    }
  }
  return undefined;
}

function rankOf({ family }: IpAddress): number {
  return family === 'ipv4' ? 0 : 1;
}

/** fe80::/10 (RFC 4291 section 2.5.6) and 169.254.0.0/16 (RFC 3927): two LANs have them alike. */
function isLinkLocal({ family, value }: IpAddress): boolean {
  return family === 'ipv6' ? value >> 118n === 0x3fan : value >> 16n === 0xa9fen;
}
