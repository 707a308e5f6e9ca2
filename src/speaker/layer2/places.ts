import { parsePrefix, prefixContains, type IpAddress } from '../../core/ip.ts';
import type { Layer2Group, Layer2Service, Link } from '../../l2/index.ts';

/** Which interfaces serve which addresses. */
export interface Places {
  /** The interfaces that may be used at all. */
  readonly links: readonly Link[];
  /** Names of those that serve an address, sorted. */
  readonly linksOf: (ip: IpAddress) => readonly string[];
  /** The one over which the other speakers of a group are watched; `undefined`: this node cannot serve it. */
  readonly linkOf: (group: Layer2Group) => string | undefined;
  readonly interfacesOf: (service: Layer2Service) => readonly string[];
}

export function createPlaces(options: {
  readonly links: readonly Link[];
  readonly excluded: readonly RegExp[];
  readonly services: readonly Layer2Service[];
}): Places {
  const links = options.links.filter(
    (link) =>
      link.hasArp &&
      link.isBroadcast &&
      !link.hasMaster &&
      !options.excluded.some((name) => name.test(link.name)),
  );
  const byIp = new Map<string, Set<string>>();
  for (const { ips, interfaces } of options.services) {
    for (const ip of ips) {
      const names = byIp.get(ip.text) ?? new Set<string>();
      for (const link of links) if (link.isUp && serves(link, ip, interfaces)) names.add(link.name);
      byIp.set(ip.text, names);
    }
  }
  const sorted = new Map([...byIp].map(([ip, names]) => [ip, [...names].sort()]));
  const linksOf = ({ text }: IpAddress): readonly string[] => sorted.get(text) ?? [];
  return {
    links,
    linksOf,
    linkOf: ({ ips }) => ips.map((ip) => linksOf(ip)[0]).find((name) => name !== undefined),
    interfacesOf: ({ ips }) => [...new Set(ips.flatMap((ip) => linksOf(ip)))].sort(),
  };
}

function serves(link: Link, ip: IpAddress, interfaces: readonly string[] | undefined): boolean {
  if (interfaces) return interfaces.includes(link.name);
  if (link.defaultRoutes.includes(ip.family)) return true;
  return link.addresses.some((address) => {
    const subnet = parsePrefix(`${address.ip.text}/${String(address.length)}`);
    return subnet?.family === ip.family && prefixContains(subnet, ip);
  });
}
