/** A LAN of keepers in virtual time, for tests: who hears whom, what is written down, and who is believed to live. */
import { parseIp } from '../core/ip.ts';
import { createBalance, evening } from './balance.ts';
import { recordOf } from './standing.ts';
import { createKeeper, type Keeper, type KeeperFacts, type Transition } from './keeper.ts';
import type { Layer2Group, Layer2Service } from './group.ts';
import { runnersUp } from './election.ts';
import {
  healthOf,
  NO_EVIDENCE,
  withAnswer,
  withBfd,
  withMiss,
  withoutWatch,
  type Evidence,
} from './liveness.ts';
import type { Layer2View, OwnershipRecord, SpeakerSeen } from './types.ts';

const STEP_MS = 10;
const BFD_MS = 150;
const ASK_MS = 200;
const FELLOW_MS = 500;
const PROBE_ROUNDS = [0, 20] as const;
const LEASE_MS = 8_000;
/** Every host's, as it tells the others. */
const LINK = { name: 'eth0', mac: '00:00:5e:00:53:01', addresses: [] };
/** From a write to the others' sight of it. */
const STORE_MS = 20;

interface Host {
  readonly name: string;
  keeper: Keeper;
  balance: ReturnType<typeof createBalance>;
  /** LAN segment: hosts of one segment hear each other. */
  segment: number;
  /** The segment that it was last on, and since when. */
  joined: number;
  joinedAt: number;
  /** Its speaker runs. */
  isAlive: boolean;
  /** Nothing of it runs; it goes on afterwards. */
  isFrozen: boolean;
  hasApi: boolean;
  /** Its interface has a carrier. */
  hasLink: boolean;
  isLeaving: boolean;
  /** Others as this host sees them. */
  evidence: Map<string, Evidence>;
  unreachableSince: Map<string, number>;
  /** Those that it has a BFD session with, and those of them that it asks; those that follow an owner before it does. */
  sessions: Set<string>;
  owners: Map<string, Layer2Group>;
  fellows: Set<string>;
  wellSince: Map<string, number>;
  lostAt: Map<string, number>;
  view: Layer2View;
  probes: { readonly at: number; readonly group: Layer2Group }[];
  rivalAt: number;
  renewedAt: number;
  lastStep: number;
}

export interface LanOptions {
  readonly names: readonly string[];
  readonly ips: readonly string[];
  /** Of all groups; absent: false, and never. */
  readonly balance?: boolean;
  readonly failback?: Layer2Group['failback'];
}

export interface Lan {
  readonly now: () => number;
  readonly run: (ms: number) => void;
  readonly host: (name: string) => Host;
  /** Names of the hosts that answer for an address, on each segment. */
  readonly owners: (ip: string) => readonly { readonly name: string; readonly segment: number }[];
  readonly groups: readonly Layer2Group[];
  readonly records: ReadonlyMap<string, OwnershipRecord>;
  readonly moves: Map<string, string>;
  readonly kill: (name: string) => void;
  readonly start: (name: string) => void;
  /** Who has an address, as one host sees it. */
  readonly ownerSeenBy: (name: string, ip: string) => string | undefined;
  /** Lets a host hear that another has an address. */
  readonly claim: (node: string, ip: string, hearer: string) => void;
  /** Called after each step. */
  onStep: () => void;
}

export function createLan({ names, ips, balance = false, failback = { kind: 'never' } }: LanOptions): Lan {
  let now = 0;
  const records = new Map<string, OwnershipRecord>();
  const pending: { readonly at: number; readonly run: () => void }[] = [];
  const moves = new Map<string, string>();
  const hosts = new Map<string, Host>();
  const candidates = names.map((node) => ({ node, score: 0 }));
  const groups = ips.map((text, index): Layer2Group => {
    const ip = parseIp(text);
    if (!ip) throw new Error(`${text} is no address`);
    const service: Layer2Service = {
      key: `default/s${String(index)}`,
      ips: [ip],
      pool: 'pool',
      candidates,
      interfaces: undefined,
      balance,
      failback,
      announceIntervalMs: 60_000,
    };
    return { ...service, key: text, services: [service] };
  });

  const freshHost = (name: string): Host => ({
    ...{
      name,
      keeper: createKeeper(),
      balance: createBalance(),
      segment: 0,
      joined: 0,
      joinedAt: now,
      isAlive: true,
      isFrozen: false,
      hasApi: true,
      hasLink: true,
      isLeaving: false,
    },
    evidence: new Map(),
    unreachableSince: new Map(),
    sessions: new Set(),
    owners: new Map(),
    fellows: new Set(),
    wellSince: new Map(),
    lostAt: new Map(),
    view: { isFresh: false, speakers: new Map(), ownerships: new Map(), moves },
    probes: [],
    rivalAt: 0,
    renewedAt: now,
    lastStep: now,
  });
  for (const name of names) hosts.set(name, freshHost(name));

  const hears = (from: Host, to: Host): boolean =>
    from !== to && from.segment === to.segment && from.hasLink && to.hasLink && to.isAlive && !to.isFrozen;
  const isUp = (host: Host): boolean => host.isAlive && !host.isFrozen;

  const factsOf = (host: Host): KeeperFacts => ({
    me: host.name,
    view: host.view,
    groups,
    canServe: () => host.hasLink,
    isReachable: (node) => host.view.speakers.get(node)?.record.links.length !== 0,
    isIsolated: false,
    isLeaving: host.isLeaving,
    now,
    time: new Date(now).toISOString(),
    // Who has no interface knows of nobody.
    healthOf: (node) => (host.hasLink ? healthOf(host.evidence.get(node) ?? NO_EVIDENCE) : 'well'),
    lostAt: (node) => host.lostAt.get(node) ?? 0,
    // Clients and their gateway are on segment 0, and the kernels of the others answer for their own addresses whatever
    // their speakers do: who is there with others, and without the gateway, leaves an address to an owner that lives.
    hasCompany: (group, since) =>
      // Questions that were asked before it came do not count.
      host.joinedAt <= since &&
      (host.segment === 0 ||
        (!doesOwnerHold(host, group) &&
          [...hosts.values()].some(
            (other) => other !== host && other.segment === host.segment && !other.isFrozen,
          ))),
    hasGateway: () => host.segment === 0 && host.hasLink,
    wellSince: (node) => host.wellSince.get(node),
    balancedOrder: (group) => host.balance(group, { groups, view: host.view }),
    evenedTo: evening({ groups, view: host.view }, { now, wellSince: (node) => host.wellSince.get(node) }),
  });

  const doesOwnerHold = ({ name, view }: Host, group: Layer2Group): boolean => {
    const owner = recordOf(group, view)?.node;
    return owner !== undefined && owner !== name && view.isFresh && view.speakers.get(owner)?.isHeld === true;
  };

  const perform = (host: Host, transitions: readonly Transition[]): void => {
    for (const { group, before, after, effect } of transitions) {
      if (after.kind === 'probing' && before.kind !== 'probing') {
        for (const after of PROBE_ROUNDS) host.probes.push({ at: now + after, group });
      }
      if (after.kind === 'owned' && before.kind !== 'owned') tellAll(host, group);
      // Announcements on top of announcements are held back for a step: two that both think they are right go on and on.
      if (effect !== 'none' && effect !== 'conflict-yielded') {
        pending.push({
          at: now + STEP_MS,
          run: () => {
            if (isUp(host) && host.keeper.stateOf(group.key).kind === 'owned') tellAll(host, group);
          },
        });
      }
    }
    if (transitions.length > 0) write(host);
  };

  /** What a host owns becomes what is written, if the store can be reached, a moment later. */
  const write = (host: Host): void => {
    if (!host.hasApi) return;
    const own = new Map<string, OwnershipRecord>();
    for (const group of groups) {
      const state = host.keeper.stateOf(group.key);
      if (state.kind !== 'owned' && state.kind !== 'released') continue;
      const owned = state.kind === 'owned' ? state : state.owned;
      const nextOwner =
        state.kind === 'released'
          ? state.to
          : state.handOver?.failedUntil === undefined
            ? state.handOver?.to
            : undefined;
      const key = group.services[0]?.key ?? '';
      own.set(key, {
        service: { namespace: 'default', name: key },
        node: host.name,
        ips: [group.key],
        interfaces: state.kind === 'owned' ? [LINK.name] : [],
        since: owned.since,
        cause: owned.claim.cause,
        ...(nextOwner === undefined ? {} : { nextOwner }),
        history: [],
      });
    }
    pending.push({
      at: now + STORE_MS,
      run: () => {
        for (const [key, record] of own) {
          const there = records.get(key);
          if (there && there.node !== host.name && there.since > record.since) continue;
          records.set(key, record);
          if (moves.get(key) === host.name) moves.delete(key);
        }
        for (const [key, record] of [...records]) {
          if (record.node === host.name && !own.has(key)) records.delete(key);
        }
      },
    });
  };

  const hear = (host: Host, group: Layer2Group, heard: { what: 'claim' | 'probe'; node: string }): void => {
    if (heard.what === 'claim') {
      host.evidence.set(heard.node, withAnswer(host.evidence.get(heard.node) ?? NO_EVIDENCE, now));
    }
    perform(host, host.keeper.hear(group.key, heard, factsOf(host)));
  };
  const tellAll = (from: Host, group: Layer2Group): void => {
    for (const to of hosts.values()) if (hears(from, to)) hear(to, group, { what: 'claim', node: from.name });
  };
  const ask = (from: Host, group: Layer2Group, to: Host): boolean => {
    if (!hears(from, to) || to.keeper.stateOf(group.key).kind !== 'owned') return false;
    hear(from, group, { what: 'claim', node: to.name });
    return true;
  };
  const probe = (from: Host, group: Layer2Group): void => {
    for (const to of hosts.values()) {
      if (!hears(from, to)) continue;
      if (!ask(from, group, to)) hear(to, group, { what: 'probe', node: from.name });
    }
  };

  const look = (host: Host): void => {
    for (const other of hosts.values()) {
      if (other === host) continue;
      if (!host.sessions.has(other.name)) continue;
      // FRR lives on when the speaker is killed, and not when the node is frozen.
      const isReachable =
        other.segment === host.segment &&
        other.hasLink &&
        host.hasLink &&
        !other.isFrozen &&
        other.sessions.has(host.name);
      const evidence = host.evidence.get(other.name) ?? NO_EVIDENCE;
      if (isReachable) {
        host.unreachableSince.delete(other.name);
        if (evidence.bfd !== 'up') host.evidence.set(other.name, withBfd(evidence, true, now));
      } else {
        const since = host.unreachableSince.get(other.name) ?? now;
        host.unreachableSince.set(other.name, since);
        if (now - since >= BFD_MS) host.evidence.set(other.name, withBfd(evidence, false, now));
      }
    }
    for (const other of hosts.values()) {
      if (other === host) continue;
      const isSeen = healthOf(host.evidence.get(other.name) ?? NO_EVIDENCE) === 'well';
      if (isSeen) host.lostAt.delete(other.name);
      else if (!host.lostAt.has(other.name)) host.lostAt.set(other.name, now);
      const isWell = isSeen && host.view.speakers.get(other.name)?.isHeld === true;
      if (!isWell) host.wellSince.delete(other.name);
      else if (!host.wellSince.has(other.name)) host.wellSince.set(other.name, now);
    }
    host.wellSince.set(host.name, 0);
  };
  /** As the speaker's list of whom it watches, which needs addresses and interfaces. */
  const updateWatch = (host: Host): void => {
    host.sessions = new Set();
    host.owners = new Map();
    host.fellows = new Set();
    for (const group of groups) {
      const owner = host.keeper.ownerOf(group, { me: host.name, view: host.view });
      if (owner === undefined) continue;
      const watching = runnersUp(group.candidates, owner);
      if (owner === host.name) for (const name of watching) host.sessions.add(name);
      else if (watching.includes(host.name)) {
        host.sessions.add(owner);
        host.owners.set(owner, group);
        for (const name of watching.slice(0, watching.indexOf(host.name))) host.fellows.add(name);
      }
    }
    for (const name of host.owners.keys()) host.fellows.delete(name);
    for (const [name, evidence] of host.evidence) {
      const isAsked = host.owners.has(name) || host.fellows.has(name);
      const watch = { hasSession: host.sessions.has(name), isAsked };
      host.evidence.set(name, withoutWatch(evidence, watch));
      if (!watch.hasSession) host.unreachableSince.delete(name);
    }
  };
  /** Its kernel answers for a node's own address. */
  const askFellow = (host: Host, other: Host): void => {
    const evidence = host.evidence.get(other.name) ?? NO_EVIDENCE;
    const isThere = other.segment === host.segment && other.hasLink && host.hasLink && !other.isFrozen;
    host.evidence.set(other.name, isThere ? withAnswer(evidence, now) : withMiss(evidence));
  };
  const questions = (host: Host): void => {
    if (now % FELLOW_MS === 0) for (const name of host.fellows) askFellow(host, lan.host(name));
    if (now % ASK_MS !== 0) return;
    for (const [name, group] of host.owners) {
      if (!ask(host, group, lan.host(name))) {
        host.evidence.set(name, withMiss(host.evidence.get(name) ?? NO_EVIDENCE));
      }
    }
    if (now < host.rivalAt) return;
    host.rivalAt = now + 250;
    for (const group of groups) {
      const state = host.keeper.stateOf(group.key);
      if (state.kind === 'owned' && state.claim.from !== undefined) probe(host, group);
    }
  };
  const read = (host: Host): void => {
    if (!host.hasApi) {
      host.view = { ...host.view, isFresh: false };
      return;
    }
    host.renewedAt = now;
    // What could not be written meanwhile.
    if (!host.view.isFresh) write(host);
    const speakers = new Map<string, SpeakerSeen>();
    for (const other of hosts.values()) {
      const isHeld = now - other.renewedAt < LEASE_MS;
      speakers.set(other.name, { record: { node: other.name, links: other.hasLink ? [LINK] : [] }, isHeld });
    }
    host.view = { isFresh: true, speakers, ownerships: new Map(records), moves: new Map(moves) };
  };

  const step = (): void => {
    now += STEP_MS;
    for (const each of pending.splice(0)) {
      if (each.at <= now) each.run();
      else pending.push(each);
    }
    for (const host of hosts.values()) {
      if (host.joined !== host.segment) Object.assign(host, { joined: host.segment, joinedAt: now });
      if (!isUp(host)) continue;
      const facts = factsOf(host);
      if (now - host.lastStep > 400) perform(host, host.keeper.doubt(facts));
      host.lastStep = now;
      read(host);
      look(host);
      questions(host);
      for (const due of host.probes.splice(0)) {
        if (due.at > now) host.probes.push(due);
        else if (host.keeper.stateOf(due.group.key).kind === 'probing') probe(host, due.group);
      }
      perform(host, host.keeper.decide(factsOf(host)));
      updateWatch(host);
    }
  };

  const groupOf = (ip: string): Layer2Group => {
    const group = groups.find(({ key }) => key === ip);
    if (!group) throw new Error(`${ip} is no address of this LAN`);
    return group;
  };
  const lan: Lan = {
    now: () => now,
    run: (ms) => {
      for (const until = now + ms; now < until;) {
        step();
        lan.onStep();
      }
    },
    host: (name) => {
      const host = hosts.get(name);
      if (!host) throw new Error(`no host ${name}`);
      return host;
    },
    owners: (ip) =>
      [...hosts.values()]
        .filter((host) => isUp(host) && host.keeper.stateOf(ip).kind === 'owned')
        .map(({ name, segment }) => ({ name, segment })),
    ownerSeenBy: (name, ip) => {
      const { keeper, view } = lan.host(name);
      return keeper.ownerOf(groupOf(ip), { me: name, view });
    },
    claim: (node, ip, hearer) => {
      hear(lan.host(hearer), groupOf(ip), { what: 'claim', node });
    },
    groups,
    records,
    moves,
    kill: (name) => {
      lan.host(name).isAlive = false;
    },
    start: (name) => {
      const before = lan.host(name);
      const { segment, joined, joinedAt, hasApi } = before;
      hosts.set(name, { ...freshHost(name), segment, joined, joinedAt, hasApi });
    },
    onStep: () => undefined,
  };
  return lan;
}
