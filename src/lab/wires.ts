import { LabError } from './error.ts';
import { ipIn, listNetns, runIn, setSysctls } from './netns.ts';
import type { LabState } from './state.ts';
import type { Endpoint, TopologyLink } from './topology.ts';

/**
 * The cables of a lab. Each link is two veth pairs joined by a bridge of their own in a namespace that holds nothing
 * else. A direct veth pair would do for traffic, but not for cutting it: an end that goes down takes the carrier from
 * the other end, and the router would know at once without BFD. Taking a port out of the bridge stops every frame in
 * both directions while both ends keep their carrier, as when a switch between them fails.
 */

/** Makes all links of a lab, up at both ends. The namespaces exist; the ends appear inside them and nowhere else. */
export async function addWires(options: {
  readonly wires: string;
  readonly links: readonly TopologyLink[];
  readonly netnsOf: (node: string) => string;
}): Promise<void> {
  if (options.links.length === 0) return;
  // The namespace of the wires is no host: it must not send neighbour discovery into them.
  await setSysctls(options.wires, { 'net.ipv6.conf.default.disable_ipv6': 1 });
  const inside = options.links.flatMap((link, index) => {
    const bridge = bridgeName(index);
    const ends = [
      { port: `${bridge}a`, end: link.a },
      { port: `${bridge}b`, end: link.b },
    ];
    return [
      `link add ${bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set ${bridge} up`,
      ...ends.flatMap(({ port, end }) => [
        `link add ${port} type veth peer name ${end.interface} netns ${options.netnsOf(end.node)}`,
        `link set ${port} master ${bridge} up`,
      ]),
    ];
  });
  await runIn(options.wires, ['ip', '-batch', '-'], { input: `${inside.join('\n')}\n` });
  const ends = options.links.flatMap(({ a, b }) => [a, b]);
  await Promise.all(ends.map((end) => ipIn(options.netnsOf(end.node), ['link', 'set', end.interface, 'up'])));
}

/**
 * What a link is like: `cut` passes no frame and both ends keep their carrier, as when a switch in between fails;
 * `unplugged` takes the carrier from both ends.
 */
export type Wire = 'cut' | 'unplugged' | 'whole';

/** Cuts, unplugs or mends the link that `end` belongs to; what is so already stays so. Takes effect within milliseconds. */
export async function setWire(state: LabState, end: Endpoint, wire: Wire): Promise<void> {
  const index = state.links.findIndex((link) => isEnd(link.a, end) || isEnd(link.b, end));
  if (index === -1) {
    const known = state.links.flatMap(({ a, b }) => [endpointText(a), endpointText(b)]).join(', ');
    throw new LabError(
      'ERR_LAB_UNKNOWN',
      `lab ${state.name} has no link end ${endpointText(end)}; it has ${known || 'no links'}`,
    );
  }
  const bridge = bridgeName(index);
  const ports = [`${bridge}a`, `${bridge}b`];
  const commands =
    wire === 'unplugged'
      ? ports.map((port) => `link set ${port} down`)
      : [
          `link set ${bridge}a ${wire === 'cut' ? 'nomaster' : `master ${bridge}`}`,
          ...ports.map((port) => `link set ${port} up`),
        ];
  await runIn(state.wires, ['ip', '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

/** Texts `NODE:INTERFACE` of the link ends whose link is cut or unplugged; none when the cables are gone altogether. */
export async function cutLinks(state: LabState): Promise<string[]> {
  if (state.links.length === 0) return [];
  // Somebody removed it, or the machine was switched off: what is left of the lab is shown, and can be taken down.
  if (!(await listNetns()).includes(state.wires)) return [];
  const ports = JSON.parse(await ipIn(state.wires, ['-json', 'link', 'show'])) as readonly {
    readonly ifname: string;
    readonly master?: string;
    readonly flags: readonly string[];
  }[];
  const isLoose = ({ master, flags }: (typeof ports)[number]): boolean =>
    master === undefined || !flags.includes('UP');
  const loose = new Set(ports.filter(isLoose).map((port) => port.ifname));
  return state.links.flatMap((link, index) =>
    loose.has(`${bridgeName(index)}a`) ? [endpointText(link.a), endpointText(link.b)] : [],
  );
}

export function endpointText(end: Endpoint): string {
  return `${end.node}:${end.interface}`;
}

function bridgeName(index: number): string {
  return `w${String(index)}`;
}

function isEnd(a: Endpoint, b: Endpoint): boolean {
  return a.node === b.node && a.interface === b.interface;
}
