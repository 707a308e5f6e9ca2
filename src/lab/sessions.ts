import { z } from 'zod';
import { compareText } from '../core/order.ts';
import type { LabRole } from './images.ts';

/** One BGP session as the daemon of a lab node reports it. */
export interface Session {
  /** Address, or interface of an unnumbered session. */
  readonly peer: string;
  readonly remoteAsn: number;
  /** RFC 4271 section 8.2.2, for example `Established`. */
  readonly state: string;
  /** Since the session is established; absent when it is not, or when the daemon does not say. */
  readonly uptimeSeconds?: number;
  /** Prefixes of all address families. */
  readonly received: number;
  readonly sent: number;
}

/** How to ask a node of that role for its sessions, and how to read the answer; undefined: it has none. */
export function sessionQuery(
  role: LabRole,
):
  | { readonly command: readonly string[]; readonly parse: (text: string, nowMs: number) => Session[] }
  | undefined {
  switch (role) {
    case 'node':
    case 'router-frr':
      return { command: ['vtysh', '-c', 'show bgp vrf all summary json'], parse: parseFrrSessions };
    case 'router-bird':
      return { command: ['birdc', 'show', 'protocols', 'all'], parse: parseBirdSessions };
    case 'router-gobgp':
      return { command: ['gobgp', 'neighbor', '-j'], parse: parseGobgpSessions };
    case 'controller':
    case 'backend':
    case 'client':
      return undefined;
  }
}

const frrPeer = z.object({
  remoteAs: z.number(),
  state: z.string(),
  peerUptimeMsec: z.number().default(0),
  pfxRcd: z.number().default(0),
  pfxSnt: z.number().default(0),
});
const frrSummary = z.record(z.string(), z.record(z.string(), z.unknown()));
const frrFamily = z.object({ peers: z.record(z.string(), frrPeer) });

/** FRR's `show bgp vrf all summary json`: VRF, then address family, then peers. */
export function parseFrrSessions(text: string): Session[] {
  const sessions = new Map<string, Session>();
  for (const families of Object.values(frrSummary.parse(JSON.parse(text)))) {
    for (const family of Object.values(families)) {
      // Beside its families, a VRF has entries of other shapes.
      if (typeof family !== 'object' || family === null || !('peers' in family)) continue;
      for (const [peer, found] of Object.entries(frrFamily.parse(family).peers)) {
        const before = sessions.get(peer);
        sessions.set(peer, {
          peer,
          remoteAsn: found.remoteAs,
          state: found.state,
          ...(found.state === 'Established'
            ? { uptimeSeconds: Math.floor(found.peerUptimeMsec / 1000) }
            : {}),
          received: found.pfxRcd + (before?.received ?? 0),
          sent: found.pfxSnt + (before?.sent ?? 0),
        });
      }
    }
  }
  return byPeer([...sessions.values()]);
}

/** BIRD's `show protocols all`: one paragraph for each protocol. */
export function parseBirdSessions(text: string): Session[] {
  const sessions = text.split(/\n\n+/).flatMap((paragraph): Session[] => {
    const field = (name: string): string | undefined =>
      new RegExp(`^ +${name}: +(.+)$`, 'm').exec(paragraph)?.[1]?.trim();
    const [peer, state] = [field('Neighbor address'), field('BGP state')];
    if (peer === undefined || state === undefined) return [];
    const routes = [...paragraph.matchAll(/^ +Routes: +(\d+) imported,(?:.*?(\d+) exported)?/gm)];
    const sum = (group: number): number =>
      routes.reduce((total, match) => total + Number(match[group] ?? 0), 0);
    return [{ peer, remoteAsn: Number(field('Neighbor AS') ?? 0), state, received: sum(1), sent: sum(2) }];
  });
  return byPeer(sessions);
}

const gobgpPeers = z.array(
  z.object({
    conf: z.object({ neighbor_address: z.string() }),
    state: z.object({ peer_asn: z.number().default(0), session_state: z.number().default(0) }),
    timers: z
      .object({ state: z.object({ uptime: z.object({ seconds: z.number() }).optional() }).optional() })
      .optional(),
    afi_safis: z
      .array(
        z.object({
          state: z.object({ received: z.number().default(0), advertised: z.number().default(0) }).optional(),
        }),
      )
      .default([]),
  }),
);
/** PeerState.SessionState of GoBGP's api/gobgp.proto. */
const GOBGP_STATES = ['Unknown', 'Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'];

/** GoBGP's `gobgp neighbor -j`. @param nowMs time in milliseconds since 1970; GoBGP gives the time a session came up. */
export function parseGobgpSessions(text: string, nowMs: number): Session[] {
  const sessions = gobgpPeers.parse(JSON.parse(text)).map((peer): Session => {
    const state = GOBGP_STATES[peer.state.session_state] ?? 'Unknown';
    const since = peer.timers?.state?.uptime?.seconds;
    const sum = (key: 'received' | 'advertised'): number =>
      peer.afi_safis.reduce((total, family) => total + (family.state?.[key] ?? 0), 0);
    return {
      peer: peer.conf.neighbor_address,
      remoteAsn: peer.state.peer_asn,
      state,
      ...(state === 'Established' && since !== undefined
        ? { uptimeSeconds: Math.max(0, Math.floor(nowMs / 1000) - since) }
        : {}),
      received: sum('received'),
      sent: sum('advertised'),
    };
  });
  return byPeer(sessions);
}

function byPeer(sessions: readonly Session[]): Session[] {
  return [...sessions].sort((a, b) => compareText(a.peer, b.peer));
}
