import { bitsOf, type IpAddress, type IpFamily } from '../core/ip.ts';
import { byText } from '../core/order.ts';
import { isExcluded, type LinkExclusion } from './link-exclusion.ts';
import { isStationMac, macNumber, parseMac } from './mac.ts';
import type { Link } from './types.ts';

/** Why an address is not announced on an interface. */
export type UnusedReason =
  /** The advertisement names it, and this node has none of that name. */
  | 'missing'
  | 'excluded'
  /** A member of a bond, a bridge or a VRF. */
  | 'member'
  | 'down'
  | 'no-arp'
  | 'no-broadcast'
  | 'no-mac'
  | 'no-link-local'
  /** The advertisement names none, and this one cannot hold the address. */
  | 'other-subnet';

export interface UnusedLink {
  readonly name: string;
  readonly reason: UnusedReason;
}

/** The interfaces of this node, sorted out once for all addresses. */
export interface LinkTable {
  readonly ipv4: FamilyLinks;
  readonly ipv6: FamilyLinks;
}

interface FamilyLinks {
  /** By name, sorted by it. */
  readonly usable: ReadonlyMap<string, Link>;
  readonly unused: ReadonlyMap<string, UnusedReason>;
}

export interface LinkRequest {
  readonly ip: IpAddress;
  /** Those that the advertisements name; `undefined`: any that can hold the address. */
  readonly interfaces: readonly string[] | undefined;
}

export function linkTable(links: readonly Link[], exclusion: LinkExclusion): LinkTable {
  const sorted = [...links].sort(byText(({ name }) => name));
  const excluded = new Set(sorted.filter(({ name }) => isExcluded(exclusion, name)));
  const familyLinks = (family: IpFamily): FamilyLinks => {
    const usable = new Map<string, Link>();
    const unused = new Map<string, UnusedReason>();
    for (const link of sorted) {
      const reason = excluded.has(link) ? 'excluded' : linkFault(link, family);
      if (reason === undefined) usable.set(link.name, link);
      else unused.set(link.name, reason);
    }
    return { usable, unused };
  };
  return { ipv4: familyLinks('ipv4'), ipv6: familyLinks('ipv6') };
}

/**
 * The interfaces on which an address is announced and answered for, sorted by name. Where the advertisements name
 * interfaces, these, as far as they can be used. Otherwise those of which a subnet holds the address, and those through
 * which the default route of its family leaves: elsewhere nobody would ask for it.
 */
export function linksFor(table: LinkTable, { ip, interfaces }: LinkRequest): readonly Link[] {
  const links = [...table[ip.family].usable.values()];
  if (interfaces) return links.filter(({ name }) => interfaces.includes(name));
  return links.filter((link) => canHold(link, ip));
}

/** The interfaces that {@link linksFor} leaves out although they were named or none was, sorted by name. */
export function unusedLinks(table: LinkTable, { ip, interfaces }: LinkRequest): readonly UnusedLink[] {
  const { usable, unused } = table[ip.family];
  if (interfaces) {
    return [...new Set(interfaces)]
      .filter((name) => !usable.has(name))
      .map((name): UnusedLink => ({ name, reason: unused.get(name) ?? 'missing' }))
      .sort(byText(({ name }) => name));
  }
  const others = [...usable.values()].filter((link) => !canHold(link, ip));
  return [
    ...[...unused].map(([name, reason]): UnusedLink => ({ name, reason })),
    ...others.map(({ name }): UnusedLink => ({ name, reason: 'other-subnet' })),
  ].sort(byText(({ name }) => name));
}

/** The address that Neighbor Advertisements are sent from: the first that is link-local. */
export function linkLocalOf(link: Link): IpAddress | undefined {
  return link.addresses.find(({ ip }) => isLinkLocal(ip))?.ip;
}

const REASONS: Readonly<Record<UnusedReason, string>> = {
  missing: 'no such interface',
  excluded: 'excluded by announcedInterfacesToExclude',
  member: 'a member of a bond, bridge or VRF, of which the master counts',
  down: 'not up, or without carrier',
  'no-arp': 'has the flag NOARP',
  'no-broadcast': 'cannot broadcast, so has no ARP',
  'no-mac': 'has no Ethernet address',
  'no-link-local': 'has no IPv6 link-local address',
  'other-subnet': 'no subnet of it holds the address, and the default route does not use it',
};

/** Names of a reason that are written out. */
const NAMES_SHOWN = 3;

/** One line for people: `eth7: no such interface; eth1, eth2: not up, or without carrier`. Empty for none. */
export function describeUnused(unused: readonly UnusedLink[]): string {
  const names = new Map<UnusedReason, string[]>();
  for (const { name, reason } of unused) names.set(reason, [...(names.get(reason) ?? []), name]);
  return [...names]
    .map(([reason, all]) => {
      const more = all.length - NAMES_SHOWN;
      const shown = all.slice(0, NAMES_SHOWN).join(', ') + (more > 0 ? ` and ${String(more)} more` : '');
      return `${shown}: ${REASONS[reason]}`;
    })
    .join('; ');
}

/** What would have to be mended first: that it is down says nothing about an interface that would not do anyway. */
function linkFault(link: Link, family: IpFamily): UnusedReason | undefined {
  if (link.hasMaster) return 'member';
  const mac = parseMac(link.mac);
  if (mac === undefined || !isStationMac(macNumber(mac))) return 'no-mac';
  if (!link.hasArp) return 'no-arp';
  if (family === 'ipv4' && !link.isBroadcast) return 'no-broadcast';
  if (!link.isUp) return 'down';
  if (family === 'ipv6' && linkLocalOf(link) === undefined) return 'no-link-local';
  return undefined;
}

function canHold(link: Link, ip: IpAddress): boolean {
  return (
    link.defaultRoutes.includes(ip.family) ||
    link.addresses.some(({ ip: own, length }) => {
      const hostBits = BigInt(bitsOf(own.family) - length);
      return own.family === ip.family && own.value >> hostBits === ip.value >> hostBits;
    })
  );
}

/** RFC 4291 section 2.5.6: fe80::/10. */
function isLinkLocal({ family, value }: IpAddress): boolean {
  return family === 'ipv6' && value >> 118n === 0x3fan;
}
