import type { Logger } from 'pino';
import type { ObservedState } from '../../bfd-status/index.ts';
import type { IpAddress } from '../../core/ip.ts';
import {
  ASK_AGAIN_MS,
  ASK_EVERY_MS,
  createGrouping,
  linkLocalOf,
  parseMac,
  type Announced,
  type LinkExclusion,
  createKeeper,
  healthOf,
  macOwners,
  MAX_HISTORY,
  MISSES_TO_SILENCE,
  recordOf,
  type GroupState,
  type HeardClaim,
  type KeeperFacts,
  type Layer2Group,
  type Layer2Service,
  type Layer2Store,
  type Layer2View,
  type Link,
  type OwnershipRecord,
  type Transition,
} from '../../l2/index.ts';
import { createAnnouncer } from './announcer.ts';
import type { Layer2Metrics } from './metrics.ts';
import { createFailures } from './failures.ts';
import { createPlaces, type Places } from './places.ts';
import { createPorts } from './ports.ts';
import { askFrame, probeFrames } from './questions.ts';
import { createSights } from './sights.ts';
import { watchListOf, type Watched, type WatchList } from './watch-list.ts';

/** How often the runner looks at its clock, and asks. */
const TICK_MS = 50;
/** A tick that comes so much later than it should: the process was stopped, or got no CPU. */
const SLEPT_MS = 400;
/** The second probe follows the first by this. */
const PROBE_AGAIN_MS = 20;
/** So many are asked whether this node is on the LAN: one that answers will do. */
const WITNESSES = 12;
/** How often somebody that addresses were taken from is asked whether it is back with them, */
const RIVAL_EVERY_MS = 250;
/** and for how long after its BFD session is up again. */
const RIVAL_SETTLED_MS = 5_000;
/** Without a word of another speaker, of the gateway or of the API for this long, a node takes itself to be cut off. */
const ISOLATED_MS = 1_000;
/** How long a new speaker leaves what nobody has to others that may still be starting. */
const GATHER_MS = 10_000;
/** What is still owned after this when the speaker stops is given up. */
const LEAVE_MS = 5_000;

const NO_VIEW: Layer2View = { isFresh: false, speakers: new Map(), ownerships: new Map(), moves: new Map() };

/** A BFD session with another speaker, for frr.conf. */
export interface SpeakerSession {
  readonly peer: IpAddress;
  readonly localAddress: IpAddress;
  readonly interface: string;
}

export interface Layer2Options {
  readonly me: string;
  readonly store: Layer2Store;
  /** Interfaces that are never used. */
  readonly exclusion: LinkExclusion;
  readonly metrics: Layer2Metrics;
  readonly logger: Logger;
  /** Names of the cluster's nodes, as far as they are known. */
  readonly nodes: () => readonly string[];
  /** Whether a node is being left: nothing is moved to it without need. */
  readonly isDraining: (node: string) => boolean;
  /** The speakers that live, sorted, whenever there are others. */
  readonly onSpeakers: (names: readonly string[]) => void;
  /** The BFD sessions that FRR should keep, whenever there are others. */
  readonly onSessions: (sessions: readonly SpeakerSession[]) => void;
  /** Something that people should hear of, about a Service. */
  readonly onEvent: (service: string, event: Layer2Event) => void;
}

export interface Layer2Event {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'nodeAssigned' | 'announceFailed' | 'addressConflict';
  readonly message: string;
}

export interface Layer2 {
  /** What the configuration wants announced. */
  readonly want: (services: readonly Layer2Service[]) => void;
  readonly links: (links: readonly Link[]) => void;
  readonly observed: (state: ObservedState) => void;
  /** Whether the node is cordoned and should be left. */
  readonly drain: (isDraining: boolean) => void;
  /** Hands everything over and ends. */
  readonly stop: () => Promise<void>;
}

/**
 * Answers for addresses on the LAN, together with the other speakers: it brings what the kernel, FRR, the store and the LAN
 * tell to the keeper, and does what the keeper says.
 */
export function startLayer2(options: Layer2Options): Layer2 {
  const { me, store, logger, metrics } = options;
  const grouping = createGrouping();
  const keeper = createKeeper();
  const sights = createSights();
  const failures = createFailures(me);
  const startedAt = performance.now();
  let view = NO_VIEW;
  let hasView = false;
  let links: readonly Link[] = [];
  let groups: readonly Layer2Group[] = [];
  let groupByIp = new Map<string, Layer2Group>();
  let places: Places = createPlaces({ links, exclusion: options.exclusion, services: [] });
  let owners = macOwners(view.speakers);
  let watch: WatchList = { sessions: [], owners: [], rivals: [] };
  let speakers = '';
  let sessions = '';
  let wellSince = new Map<string, number>();
  const records = new Map<string, OwnershipRecord>();
  let wanted: readonly Layer2Service[] | undefined;
  let isLeaving = false;
  let isStopping = false;
  let isIsolated = false;
  let gatewayAt = -Infinity;
  const witnessedAt = new Map<string, number>();
  let freshAt = startedAt;
  let timer: NodeJS.Timeout | undefined;
  let wake: NodeJS.Immediate | undefined;

  const ports = createPorts({
    logger,
    // A process that wakes up reads what has piled up on its sockets before its timers run.
    onFrames: () => {
      if (hasSlept(now())) tick();
    },
    onHeard: (link, heard) => {
      hear(link, heard);
    },
    onReopened: () => {
      placeAll();
    },
    metrics,
  });
  const announcer = createAnnouncer((announced) => {
    ports.announce(announced);
    metrics.announced(announced.ip);
  });

  const now = (): number => performance.now();
  const facts = (): KeeperFacts => {
    const at = now();
    return {
      ...{ me, view, groups, isIsolated, now: at },
      isLeaving: isLeaving || isStopping,
      isGathering: isGathering(at),
      time: new Date().toISOString(),
      canServe: (group) => places.linkOf(group) !== undefined,
      healthOf: (node, group) => {
        const link = places.linkOf(group);
        return link === undefined ? 'well' : healthOf(sights.evidenceOf(node, link));
      },
      lostAt: (node, group) => sights.lostAt(node, places.linkOf(group) ?? ''),
      hasCompany: (group, since) => {
        const link = places.linkOf(group);
        const company = link === undefined ? undefined : ports.companyOn(link);
        if (link === undefined || !company) return false;
        return company.heardAt() >= since || witnessesOf(group, link).length === 0;
      },
      wellSince: (node) => wellSince.get(node),
      load,
    };
  };

  /** Whom a node asks that wants to know whether it is on the LAN: anybody but the one whose addresses it is about to take. */
  const witnessesOf = (group: Layer2Group, link: string): readonly IpAddress[] => {
    const owner = recordOf(group, view)?.node;
    const others = sights.over(link).filter(({ node }) => node !== owner);
    const hosts = ports.companyOn(link)?.hosts(now()) ?? [];
    return [
      ...others.map(({ address }) => address),
      ...ports.gatewaysOn(link),
      ...hosts.filter(({ mac }) => owner === undefined || owners.get(mac) !== owner).map(({ ip }) => ip),
    ];
  };

  /** A speaker that has just started waits for those of the other nodes, but not for long: a node may have none. */
  const isGathering = (at: number): boolean =>
    at - startedAt < GATHER_MS &&
    options.nodes().some((node) => node !== me && view.speakers.get(node)?.isHeld !== true);

  const load = (pool: string): ReadonlyMap<string, number> => {
    const counts = new Map<string, number>();
    for (const group of groups) {
      if (group.pool !== pool) continue;
      const owner = recordOf(group, view)?.node;
      if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    return counts;
  };

  /** Everything anew, once for all that happened in this turn. */
  const decideSoon = (): void => {
    wake ??= setImmediate(decide);
  };
  const decide = (): void => {
    clearImmediate(wake);
    wake = undefined;
    if (!hasView) return;
    updateWellSince();
    perform(keeper.decide(facts()));
    updateWatch();
    arm();
  };
  const arm = (): void => {
    clearTimeout(timer);
    const at = now();
    const times = [keeper.dueAt(), isGathering(at) ? startedAt + GATHER_MS : undefined];
    const due = times.reduce((a, b) => Math.min(a ?? Infinity, b ?? Infinity), undefined);
    if (due !== undefined && due !== Infinity) timer = setTimeout(decide, Math.max(1, due - now()));
  };

  const updateWellSince = (): void => {
    const at = now();
    const next = new Map<string, number>(isLeaving ? [] : [[me, startedAt]]);
    for (const [node, { isHeld }] of view.speakers) {
      if (node === me || !isHeld || !sights.isWell(node) || options.isDraining(node)) continue;
      next.set(node, wellSince.get(node) ?? at);
    }
    wellSince = next;
  };

  const perform = (transitions: readonly Transition[]): void => {
    if (transitions.length === 0) return;
    placeAll();
    for (const transition of transitions) follow(transition);
    store.publishOwnership(new Map(records));
  };

  const follow = ({ group, before, after, effect }: Transition): void => {
    if (after.kind === 'probing' && before.kind !== 'probing') probe(group);
    if (after.kind === 'owned' && before.kind !== 'owned') own(group, after, before);
    else if (after.kind === 'owned' || after.kind === 'released') writeDown(group, after);
    if (before.kind === 'owned' && after.kind !== 'owned') disown(group, after);
    else if (before.kind === 'released' && after.kind !== 'owned' && after.kind !== 'released')
      forgetRecords(group);
    // What was only in doubt was left written down.
    else if (after.kind === 'idle' || after.kind === 'waiting') forgetRecords(group);
    if (effect === 'announce' || effect === 'conflict-kept' || effect === 'foreign') {
      for (const ip of group.ips) announcer.defend(ip);
    }
    if (effect === 'conflict-kept' || effect === 'conflict-yielded') {
      logger.warn({ ips: textsOf(group), effect }, 'another speaker had the address too');
      metrics.conflict('speaker');
    } else if (effect === 'foreign') {
      logger.warn({ ips: textsOf(group) }, 'a host that is no speaker uses the address');
      metrics.conflict('foreign');
      tell(group, {
        type: 'Warning',
        reason: 'addressConflict',
        message: `a host that is no speaker uses ${textsOf(group).join(', ')}`,
      });
    }
  };

  const own = (group: Layer2Group, owned: GroupState & { kind: 'owned' }, before: GroupState): void => {
    writeDown(group, owned);
    const { cause, from, since } = owned.claim;
    if (since !== undefined && before.kind === 'probing') return;
    metrics.moved(cause);
    logger.info({ ips: textsOf(group), cause, from }, 'answering for addresses');
    tell(group, {
      type: 'Normal',
      reason: 'nodeAssigned',
      message: `announcing from node "${me}" with protocol "layer2"`,
    });
  };

  const disown = (group: Layer2Group, after: GroupState): void => {
    if (after.kind === 'released') return;
    // What is only in doubt stays written down.
    if (after.kind !== 'probing') {
      forgetRecords(group);
      logger.info({ ips: textsOf(group), now: after.kind }, 'no longer answering for addresses');
    }
  };

  const forgetRecords = (group: Layer2Group): void => {
    for (const { key } of group.services) records.delete(key);
  };

  /** The Services of what is owned, or their interfaces, have changed: what is written down follows. */
  const writeAnew = (): void => {
    if (records.size === 0) return;
    const before = new Map(records);
    records.clear();
    for (const group of groups) {
      const state = keeper.stateOf(group.key);
      if (state.kind === 'owned' || state.kind === 'released') writeDown(group, state);
      else if (state.kind === 'probing') {
        for (const { key } of group.services) {
          const doubted = before.get(key);
          if (doubted) records.set(key, doubted);
        }
      }
    }
    store.publishOwnership(new Map(records));
  };

  const writeDown = (group: Layer2Group, state: GroupState & { kind: 'owned' | 'released' }): void => {
    const owned = state.kind === 'owned' ? state : state.owned;
    const nextOwner =
      state.kind === 'released'
        ? state.to
        : state.handOver?.failedUntil === undefined
          ? state.handOver?.to
          : undefined;
    for (const service of group.services) {
      const history = recordOf(group, view)?.history ?? [];
      const isNew = history[0]?.at !== owned.since || history[0].node !== me;
      const move = { at: owned.since, node: me, cause: owned.claim.cause };
      const [namespace = '', name = ''] = service.key.split('/');
      records.set(service.key, {
        service: { namespace, name },
        node: me,
        ips: service.ips.map(({ text }) => text),
        interfaces: places.interfacesOf(service),
        since: owned.since,
        cause: owned.claim.cause,
        ...(nextOwner === undefined ? {} : { nextOwner }),
        history: isNew ? [move, ...history].slice(0, MAX_HISTORY) : history,
      });
    }
  };

  const tell = (group: Layer2Group, event: Layer2Event): void => {
    for (const { key } of group.services) options.onEvent(key, event);
  };

  /** Brings the tables of all interfaces to what is owned, and what is listened for. */
  const placeAll = (): void => {
    const owned = groups.filter(({ key }) => keeper.stateOf(key).kind === 'owned');
    ports.place(places, groups, keeper.stateOf);
    announcer.set(owned.flatMap((group) => announcedOf(group, places)));
    metrics.owned(owned);
  };

  const probe = (group: Layer2Group): void => {
    const send = (): void => {
      if (keeper.stateOf(group.key).kind !== 'probing') return;
      const link = places.linkOf(group);
      if (link !== undefined) askWitnesses(group, link);
      for (const ip of group.ips) {
        for (const { name } of places.linksOf(ip)) ports.send(name, (port) => probeFrames(port, ip));
      }
    };
    send();
    setTimeout(send, PROBE_AGAIN_MS).unref();
  };

  /** Once for all groups that begin to ask at the same moment. */
  const askWitnesses = (group: Layer2Group, link: string): void => {
    const at = now();
    if (at - (witnessedAt.get(link) ?? -Infinity) < PROBE_AGAIN_MS / 2) return;
    witnessedAt.set(link, at);
    for (const ip of witnessesOf(group, link).slice(0, WITNESSES)) {
      ports.send(link, (port) => probeFrames(port, ip));
    }
  };

  const hear = (link: string, heard: HeardClaim): void => {
    if (ports.isGateway(heard.ip)) {
      gatewayAt = now();
      return;
    }
    const group = groupByIp.get(heard.ip.text);
    if (!group) return;
    const node = owners.get(heard.mac);
    // A speaker's kernel may have the address too, and use it to ask: that is no claim to it.
    if (heard.what === 'use' && node !== undefined) return;
    if (node !== undefined) {
      const isNews = sights.answered(node, link, now());
      asked.delete(`${node}\0${link}`);
      if (isNews) decideSoon();
    }
    const what = heard.what === 'probe' ? 'probe' : 'claim';
    const transitions = keeper.hear(group.key, { what, node }, facts());
    if (transitions.length === 0) return;
    perform(transitions);
    // What one address shows of a rival is true of all that were its own: ask for each.
    if (what === 'claim' && transitions.some(({ effect }) => effect.startsWith('conflict'))) askRival(node);
    decideSoon();
  };

  const askRival = (node: string | undefined): void => {
    for (const { sight, groups: taken } of watch.rivals) {
      if (sight.node !== node) continue;
      for (const group of taken) {
        const [ip] = group.ips;
        if (ip && keeper.stateOf(group.key).kind === 'owned')
          ports.send(sight.link, (port) => probeFrames(port, ip));
      }
    }
  };

  const updateWatch = (): void => {
    watch = watchListOf({
      ...{ me, groups, sights },
      stateOf: keeper.stateOf,
      ownerOf: (group) => keeper.ownerOf(group, { me, view }),
      linkOf: (group) => places.linkOf(group),
    });
    sights.watching(
      watch.sessions,
      watch.owners.map(({ sight }) => sight),
    );
    const next = watch.sessions
      .map(({ address, localAddress, link }) => ({ peer: address, localAddress, interface: link }))
      .sort((a, b) => (a.peer.text + a.interface < b.peer.text + b.interface ? -1 : 1));
    const text = JSON.stringify(
      next.map((session) => [session.peer.text, session.localAddress.text, session.interface]),
    );
    if (text === sessions) return;
    sessions = text;
    options.onSessions(next);
  };

  // The clock: questions that are due, and whether this process slept.
  const asked = new Set<string>();
  let lastTick = now();
  let nextAsk = 0;
  let nextRival = 0;
  let turn = 0;
  const hasSlept = (at: number): boolean => at - lastTick > SLEPT_MS + TICK_MS;
  const tick = (): void => {
    const at = now();
    const slept = hasSlept(at);
    lastTick = at;
    if (groups.length === 0) return;
    if (slept) {
      asked.clear();
      perform(keeper.doubt(facts()));
      arm();
    }
    if (view.isFresh) freshAt = at;
    if (at >= nextAsk) {
      turn += 1;
      const isMissing = askOwners(watch.owners, turn);
      nextAsk = at + (isMissing ? ASK_AGAIN_MS : ASK_EVERY_MS);
      updateIsolation(at);
    }
    if (at >= nextRival) {
      nextRival = at + RIVAL_EVERY_MS;
      for (const rival of watch.rivals) askBack(rival, at);
    }
  };

  /** @returns whether an answer is missing, and may still come */
  const askOwners = (watched: readonly Watched[], index: number): boolean => {
    let isNews = false;
    let isMissing = false;
    for (const { sight, groups: theirs } of watched) {
      const key = `${sight.node}\0${sight.link}`;
      if (asked.has(key) && sights.missed(sight.node, sight.link, now())) isNews = true;
      const { missed } = sights.evidenceOf(sight.node, sight.link);
      if (missed > 0 && missed < MISSES_TO_SILENCE) isMissing = true;
      const group = theirs[index % theirs.length];
      const ip = group?.ips[0];
      if (!ip) continue;
      asked.add(key);
      ports.send(sight.link, (port) => askFrame(port, ip, sight.mac));
    }
    if (isNews) decide();
    return isMissing;
  };

  const askBack = ({ sight, groups: taken }: Watched, at: number): void => {
    const evidence = sights.evidenceOf(sight.node, sight.link);
    const owned = taken.flatMap((group) => {
      const state = keeper.stateOf(group.key);
      return state.kind === 'owned' ? [{ group, claimedAt: state.claimedAt }] : [];
    });
    const [first] = owned;
    const ip = first?.group.ips[0];
    if (!first || !ip) return;
    const since = Math.max(evidence.bfdSince, first.claimedAt);
    if (evidence.bfd === 'up' && at - since > RIVAL_SETTLED_MS) return;
    ports.send(sight.link, (port) => probeFrames(port, ip));
  };

  const updateIsolation = (at: number): void => {
    const hasOthers = [...view.speakers.keys()].some((node) => node !== me);
    const signs = [view.isFresh ? at : freshAt, sights.heardAt(at) ?? -Infinity, gatewayAt];
    const isCutOff = hasOthers && at - Math.max(...signs) > ISOLATED_MS;
    if (!view.isFresh) ports.askGateways();
    if (isCutOff === isIsolated) return;
    isIsolated = isCutOff;
    logger.warn(
      { isIsolated },
      isIsolated ? 'nobody can be heard: giving up every address' : 'others can be heard again',
    );
    decide();
  };
  const clock = setInterval(tick, TICK_MS);

  const reshape = (services: readonly Layer2Service[] | undefined): void => {
    if (services) groups = grouping(services);
    groupByIp = new Map(groups.flatMap((group) => group.ips.map((ip) => [ip.text, group])));
    places = createPlaces({
      links,
      exclusion: options.exclusion,
      services: groups.flatMap((group) => group.services),
    });
    // Where nothing is announced nothing is listened to.
    ports.set(groups.length > 0 ? places.links : []);
    sights.set(places.links, view.speakers, me);
    // Before the interfaces are known all of them are missing.
    if (links.length > 0) tellFailures();
    writeAnew();
    decideSoon();
  };
  const tellFailures = (): void => {
    const services = groups.flatMap((group) => group.services);
    for (const [service, message] of failures.news(services, places)) {
      options.onEvent(service, { type: 'Warning', reason: 'announceFailed', message });
    }
  };

  store.start((next) => {
    const hadSpeakers = view.speakers;
    view = next;
    hasView = true;
    if (next.speakers !== hadSpeakers) {
      owners = macOwners(next.speakers);
      sights.set(places.links, next.speakers, me);
      const names = [...next.speakers].filter(([, { isHeld }]) => isHeld).map(([name]) => name);
      const living = [...new Set([...names, me])].sort();
      if (living.join('\0') !== speakers) {
        speakers = living.join('\0');
        options.onSpeakers(living);
      }
    }
    decideSoon();
  });

  return {
    want: (services) => {
      if (services === wanted) return;
      wanted = services;
      reshape(services);
    },
    links: (next) => {
      links = next;
      reshape(undefined);
      store.publishSpeaker({
        node: me,
        links: places.links.map(({ name, mac, addresses }) => ({
          ...{ name, mac },
          addresses: addresses.map(({ ip, length }) => `${ip.text}/${String(length)}`),
        })),
      });
      decide();
    },
    observed: (state) => {
      if (sights.observed(state, now())) decide();
    },
    drain: (isDraining) => {
      if (isDraining === isLeaving) return;
      isLeaving = isDraining;
      decideSoon();
    },
    stop: async () => {
      isStopping = true;
      decide();
      const deadline = now() + LEAVE_MS;
      const isOwner = (): boolean => groups.some(({ key }) => keeper.stateOf(key).kind === 'owned');
      while (isOwner() && now() < deadline && view.speakers.size > 1) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      clearInterval(clock);
      clearTimeout(timer);
      clearImmediate(wake);
      announcer.close();
      ports.close();
      await store.release();
      await store.idle();
    },
  };
}

function textsOf(group: Layer2Group): string[] {
  return group.ips.map(({ text }) => text);
}

/** A group's addresses, on each of the interfaces that serve them. */
function announcedOf(group: Layer2Group, places: Places): Announced[] {
  return group.ips.flatMap((ip) =>
    places.linksOf(ip).flatMap((link): Announced[] => {
      const mac = parseMac(link.mac);
      if (mac === undefined) return [];
      return [
        { ip, interface: link.name, mac, linkLocal: linkLocalOf(link), intervalMs: group.announceIntervalMs },
      ];
    }),
  );
}
