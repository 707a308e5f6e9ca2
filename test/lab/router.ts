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
  /** Seconds since 1970 of the last UPDATE that changed it. */
  readonly updatedAt: number;
}

const list = z.object({ list: z.array(z.string()).default([]) }).optional();
const pathsSchema = z.object({
  paths: z
    .array(
      z.object({
        aspath: z.object({ string: z.string() }),
        locPrf: z.number().optional(),
        community: list,
        largeCommunity: list,
        peer: z.object({ peerId: z.string() }),
        lastUpdate: z.object({ epoch: z.number() }),
      }),
    )
    .default([]),
});

/** `show bgp ... PREFIX json` of an FRR router, sorted by peer; empty when the prefix is not there. */
export async function frrPaths(lab: TestLab, node: string, prefix: string): Promise<readonly RouterPath[]> {
  const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
  const text = await lab.run(node, ['vtysh', '-c', `show bgp ${family} unicast ${prefix} json`]);
  return pathsSchema
    .parse(JSON.parse(text))
    .paths.map((path) => ({
      peer: path.peer.peerId,
      asPath: path.aspath.string,
      ...(path.locPrf === undefined ? {} : { localPref: path.locPrf }),
      communities: path.community?.list ?? [],
      largeCommunities: path.largeCommunity?.list ?? [],
      updatedAt: path.lastUpdate.epoch,
    }))
    .sort((a, b) => (a.peer < b.peer ? -1 : 1));
}

/** When a session came up and how often: what a flap changes. */
export interface SessionAge {
  readonly peer: string;
  readonly state: string;
  readonly establishedAt: number;
  readonly established: number;
  readonly dropped: number;
}

const summarySchema = z.object({
  ipv4Unicast: z.object({
    peers: z.record(
      z.string(),
      z.object({
        state: z.string(),
        peerUptimeEstablishedEpoch: z.number().default(0),
        connectionsEstablished: z.number(),
        connectionsDropped: z.number(),
      }),
    ),
  }),
});

/** `show bgp summary json` of an FRR router, sorted by peer. */
export async function frrSessionAges(lab: TestLab, node: string): Promise<readonly SessionAge[]> {
  const { ipv4Unicast } = summarySchema.parse(
    JSON.parse(await lab.run(node, ['vtysh', '-c', 'show bgp summary json'])),
  );
  return Object.entries(ipv4Unicast.peers)
    .map(([peer, found]) => ({
      peer,
      state: found.state,
      establishedAt: found.peerUptimeEstablishedEpoch,
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
