import { z } from 'zod';
import type { TestLab } from './support.ts';

/** A route in an FRR router's table: the selected one, with the next hops that are in the kernel. */
export interface RouterRoute {
  readonly protocol: string;
  /** Addresses, sorted. */
  readonly nextHops: readonly string[];
  /** The same with the interface, `ADDRESS INTERFACE`, sorted. */
  readonly links: readonly string[];
}

const nextHop = z.object({
  ip: z.string().optional(),
  interfaceName: z.string().optional(),
  fib: z.boolean().optional(),
});
const routesSchema = z.record(
  z.string(),
  z.array(z.object({ protocol: z.string(), selected: z.boolean().optional(), nexthops: z.array(nextHop) })),
);

/** `show ip route json` of an FRR router: prefix -> route, routes it learned by BGP only. */
export async function frrRoutes(lab: TestLab, node: string): Promise<ReadonlyMap<string, RouterRoute>> {
  const routes = new Map<string, RouterRoute>();
  for (const family of ['ip', 'ipv6']) {
    const text = await lab.run(node, ['vtysh', '-c', `show ${family} route bgp json`]);
    for (const [prefix, entries] of Object.entries(routesSchema.parse(JSON.parse(text)))) {
      const entry = entries.find((each) => each.selected === true);
      const hops = entry?.nexthops.filter((each) => each.fib === true) ?? [];
      if (!entry) continue;
      routes.set(prefix, {
        protocol: entry.protocol,
        nextHops: hops.map((hop) => hop.ip ?? '').sort(),
        links: hops.map((hop) => `${hop.ip ?? ''} ${hop.interfaceName ?? ''}`).sort(),
      });
    }
  }
  return routes;
}

/** One path of a prefix as an FRR router received it. */
export interface RouterPath {
  readonly peer: string;
  readonly asPath: string;
  /** Absent when the peer sent none (eBGP). */
  readonly localPref?: number;
  /** Ascending texts, as FRR prints them. */
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
}

const list = z.object({ list: z.array(z.string()).default([]) }).optional();
const pathsSchema = z.object({
  version: z.number().default(0),
  paths: z
    .array(
      z.object({
        aspath: z.object({ string: z.string() }),
        locPrf: z.number().optional(),
        community: list,
        largeCommunity: list,
        peer: z.object({ peerId: z.string() }),
      }),
    )
    .default([]),
});

/** `show bgp ... PREFIX json` of an FRR router, sorted by peer; empty when the prefix is not there. */
export async function frrPaths(lab: TestLab, node: string, prefix: string): Promise<readonly RouterPath[]> {
  const { paths } = await bgpEntry(lab, node, prefix);
  return paths
    .map((path) => ({
      peer: path.peer.peerId,
      asPath: path.aspath.string,
      ...(path.locPrf === undefined ? {} : { localPref: path.locPrf }),
      communities: path.community?.list ?? [],
      largeCommunities: path.largeCommunity?.list ?? [],
    }))
    .sort((a, b) => (a.peer < b.peer ? -1 : 1));
}

/**
 * A number that FRR raises whenever a path of the prefix comes, goes or changes; unlike the age it prints, which is
 * rounded and jumps by a second.
 */
export async function frrRouteVersion(lab: TestLab, node: string, prefix: string): Promise<number> {
  return (await bgpEntry(lab, node, prefix)).version;
}

async function bgpEntry(lab: TestLab, node: string, prefix: string): Promise<z.infer<typeof pathsSchema>> {
  const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
  const text = await lab.run(node, ['vtysh', '-c', `show bgp ${family} unicast ${prefix} json`]);
  return pathsSchema.parse(JSON.parse(text));
}

/** How often a session came up and went: what a flap changes. */
export interface SessionHistory {
  readonly peer: string;
  readonly state: string;
  readonly established: number;
  readonly dropped: number;
}

const summarySchema = z.object({
  ipv4Unicast: z.object({
    peers: z.record(
      z.string(),
      z.object({
        state: z.string(),
        connectionsEstablished: z.number(),
        connectionsDropped: z.number(),
      }),
    ),
  }),
});

/** `show bgp summary json` of an FRR router, sorted by peer. */
export async function frrSessions(lab: TestLab, node: string): Promise<readonly SessionHistory[]> {
  const { ipv4Unicast } = summarySchema.parse(
    JSON.parse(await lab.run(node, ['vtysh', '-c', 'show bgp summary json'])),
  );
  return Object.entries(ipv4Unicast.peers)
    .map(([peer, found]) => ({
      peer,
      state: found.state,
      established: found.connectionsEstablished,
      dropped: found.connectionsDropped,
    }))
    .sort((a, b) => (a.peer < b.peer ? -1 : 1));
}

const bfdSchema = z.array(
  z.object({
    peer: z.string(),
    status: z.string(),
    'remote-transmit-interval': z.number(),
    uptime: z.number().optional(),
  }),
);

/** `show bfd peers json` of an FRR router, sorted by peer. */
export async function frrBfdPeers(lab: TestLab, node: string): Promise<z.infer<typeof bfdSchema>> {
  const peers = bfdSchema.parse(JSON.parse(await lab.run(node, ['vtysh', '-c', 'show bfd peers json'])));
  return [...peers].sort((a, b) => (a.peer < b.peer ? -1 : 1));
}
