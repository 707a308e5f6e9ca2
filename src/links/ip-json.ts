import { parseIp, type IpFamily } from '../core/ip.ts';
import { fieldOf, itemsOf, textOf } from '../core/field.ts';
import { byText } from '../core/order.ts';
import type { Link, LinkAddress } from '../l2/index.ts';

/** What `ip -json address show` and `ip -json route show default` of both families said, as parsed JSON. */
export interface IpAnswers {
  readonly addresses: unknown;
  readonly defaultRoutes: Readonly<Record<IpFamily, unknown>>;
}

const FAMILIES = ['ipv4', 'ipv6'] as const;

/** The Ethernet-like interfaces of the node, sorted by name (iproute2, `ip -json`). Others can hold no address for a LAN. */
export function linksOf({ addresses, defaultRoutes }: IpAnswers): readonly Link[] {
  /** The hops of default routes that leave through an interface: a route has one by itself, or a list. */
  const hopsOf = (family: IpFamily, name: string): readonly unknown[] =>
    itemsOf(defaultRoutes[family])
      .flatMap((route) => [route, ...itemsOf(fieldOf(route, 'nexthops'))])
      .filter((hop) => fieldOf(hop, 'dev') === name);
  return itemsOf(addresses)
    .flatMap((raw): Link[] => {
      const name = textOf(fieldOf(raw, 'ifname'));
      const index = fieldOf(raw, 'ifindex');
      const mac = textOf(fieldOf(raw, 'address')).toLowerCase();
      if (name === '' || typeof index !== 'number' || fieldOf(raw, 'link_type') !== 'ether') return [];
      const flags = new Set(itemsOf(fieldOf(raw, 'flags')));
      return [
        {
          ...{ name, index, mac },
          isUp: flags.has('UP') && flags.has('LOWER_UP'),
          isBroadcast: flags.has('BROADCAST'),
          hasArp: !flags.has('NOARP'),
          hasMaster: textOf(fieldOf(raw, 'master')) !== '',
          addresses: itemsOf(fieldOf(raw, 'addr_info')).flatMap(addressOf),
          defaultRoutes: FAMILIES.filter((family) => hopsOf(family, name).length > 0),
          gateways: FAMILIES.flatMap((family) => hopsOf(family, name)).flatMap(
            (hop) => parseIp(textOf(fieldOf(hop, 'gateway'))) ?? [],
          ),
        },
      ];
    })
    .sort(byText(({ name }) => name));
}

/** An address that may be used: one that the kernel still checks for duplicates (RFC 4862 section 5.4) may not. */
function addressOf(raw: unknown): LinkAddress[] {
  const ip = parseIp(textOf(fieldOf(raw, 'local')));
  const length = fieldOf(raw, 'prefixlen');
  const isUsable = fieldOf(raw, 'tentative') !== true && fieldOf(raw, 'dadfailed') !== true;
  return ip && typeof length === 'number' && isUsable ? [{ ip, length }] : [];
}

/** Whether two readings say the same. */
export function linksEqual(a: readonly Link[], b: readonly Link[]): boolean {
  return textOfLinks(a) === textOfLinks(b);
}

function textOfLinks(links: readonly Link[]): string {
  return JSON.stringify(
    links.map((link) => ({
      ...link,
      addresses: link.addresses.map(({ ip, length }) => [ip.text, length]),
      gateways: link.gateways.map(({ text }) => text),
    })),
  );
}
