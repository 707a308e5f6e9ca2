import type { IpAddress } from '../../core/ip.ts';
import { byText, compareText } from '../../core/order.ts';
import {
  linksFor,
  linkTable,
  unusedLinks,
  type Layer2Group,
  type Layer2Service,
  type Link,
  type LinkExclusion,
  type UnusedLink,
} from '../../l2/index.ts';

/** Which interfaces serve which addresses. */
export interface Places {
  /** The interfaces that may be used at all, sorted by name. */
  readonly links: readonly Link[];
  /** Those that serve an address, sorted by name. */
  readonly linksOf: (ip: IpAddress) => readonly Link[];
  /** The one over which the other speakers of a group are watched; `undefined`: this node cannot serve it. */
  readonly linkOf: (group: Layer2Group) => string | undefined;
  readonly interfacesOf: (service: Layer2Service) => readonly string[];
  /** The interfaces that do not serve a Service, and why. */
  readonly unusedFor: (service: Layer2Service) => readonly UnusedLink[];
}

export function createPlaces(options: {
  readonly links: readonly Link[];
  readonly exclusion: LinkExclusion;
  readonly services: readonly Layer2Service[];
}): Places {
  const table = linkTable(options.links, options.exclusion);
  const byIp = new Map<string, Map<string, Link>>();
  for (const { ips, interfaces } of options.services) {
    for (const ip of ips) {
      const links = byIp.get(ip.text) ?? new Map<string, Link>();
      // A Service that shares the address may allow other interfaces.
      for (const link of linksFor(table, { ip, interfaces })) links.set(link.name, link);
      byIp.set(ip.text, links);
    }
  }
  const sorted = new Map(
    [...byIp].map(([ip, links]) => [ip, [...links.values()].sort(byText(({ name }) => name))]),
  );
  const linksOf = ({ text }: IpAddress): readonly Link[] => sorted.get(text) ?? [];
  const usable = new Map([...table.ipv4.usable, ...table.ipv6.usable]);
  return {
    links: [...usable.values()].sort(byText(({ name }) => name)),
    linksOf,
    linkOf: ({ ips }) => ips.map((ip) => linksOf(ip)[0]?.name).find((name) => name !== undefined),
    interfacesOf: ({ ips }) =>
      [...new Set(ips.flatMap((ip) => linksOf(ip).map(({ name }) => name)))].sort(compareText),
    unusedFor: ({ ips, interfaces }) => ips.flatMap((ip) => unusedLinks(table, { ip, interfaces })),
  };
}
