import type { IpAddress } from '../../core/ip.ts';
import {
  createBalance,
  createGrouping,
  createKeeper,
  evening,
  healthOf,
  isBesideGateway,
  isCutOff,
  type GroupState,
  type HeardClaim,
  type KeeperFacts,
  type Layer2Group,
  type Layer2Service,
  type Link,
  type Transition,
} from '../../l2/index.ts';
import { announcedOf, createAnnouncer } from './announcer.ts';
import { createFailures } from './failures.ts';
import { createGateways } from './gateways.ts';
import { createInquiry } from './inquiry.ts';
import { createLedger } from './ledger.ts';
import { createPorts } from './ports.ts';
import { probeFrames } from './questions.ts';
import type { Layer2, Layer2Options } from './options.ts';
import { createSights } from './sights.ts';
import { firstSituation, withGroups, withView } from './situation.ts';
import { createTelling } from './telling.ts';
import { watchListOf } from './watch-list.ts';
import { createWellness } from './wellness.ts';
import { createWitnesses } from './witnesses.ts';

/** How often the runner looks at its clock, and asks. */
const TICK_MS = 50;
/** A tick that comes so much later than it should: the process was stopped, or got no CPU. */
const SLEPT_MS = 400;
/** The second probe follows the first by this, and the third, which only who slept has the time to send. */
const PROBE_AGAIN_MS = [20, 100] as const;
/** How long a new speaker leaves what nobody has to others that may still be starting. */
const GATHER_MS = 10_000;
/** What is still owned after this when the speaker stops is given up. */
const LEAVE_MS = 5_000;

/**
 * Answers for addresses on the LAN, together with the other speakers: it brings what the kernel, FRR, the store and the LAN
 * tell to the keeper, and does what the keeper says.
 */
export function startLayer2(options: Layer2Options): Layer2 {
  const { me, store, exclusion, logger, metrics } = options;
  const grouping = createGrouping();
  const keeper = createKeeper();
  const balance = createBalance();
  const wellness = createWellness();
  const sights = createSights();
  const failures = createFailures(me);
  const startedAt = performance.now();
  let situation = firstSituation(exclusion);
  let speakers = '';
  let sessions = '';
  let wanted: readonly Layer2Service[] | undefined;
  /** What is wanted is known, and takes the other speakers into account. */
  let isBriefed = false;
  let isLeaving = false;
  let isStopping = false;
  let isIsolated = false;
  /** Everything is closed: what is still told changes nothing, and keeps no process alive. */
  let hasEnded = false;
  let freshAt = startedAt;
  let isUnplaced = false;
  let isUnwritten = false;
  let probing: Layer2Group[] = [];
  let timer: NodeJS.Timeout | undefined;
  let wake: NodeJS.Immediate | undefined;

  const now = (): number => performance.now();
  const ports = createPorts({
    logger,
    onFrames: () => {
      wakeUp();
    },
    onHeard: (link, heard) => {
      hear(link, heard);
    },
    onReopened: (link) => {
      announcer.linkReturned(link);
      place();
    },
    metrics,
  });
  const announcer = createAnnouncer(
    (announced) => {
      ports.announce(announced);
      metrics.announced(announced.ip);
    },
    () => {
      wakeUp();
    },
  );
  const gateways = createGateways(ports.send);
  const witnesses = createWitnesses({ me, situation: () => situation, sights, ports, gateways });
  const inquiry = createInquiry({ sights, ports, stateOf: keeper.stateOf, startedAt });
  const tell = createTelling(options);
  const ledger = createLedger({ me, situation: () => situation, stateOf: keeper.stateOf });

  const facts = (): KeeperFacts => {
    const { view, groups, places } = situation;
    const at = now();
    const wellSince: KeeperFacts['wellSince'] = (node, group) =>
      node === me ? (isLeaving ? undefined : startedAt) : wellness.since(node, places.linkOf(group));
    return {
      ...{ me, view, groups, isIsolated, now: at },
      isLeaving: isLeaving || isStopping,
      isGathering: isGathering(at),
      time: new Date().toISOString(),
      canServe: (group) => places.linkOf(group) !== undefined,
      isReachable: (node, group) => sights.canBeSeen(node, places.linkOf(group) ?? ''),
      healthOf: (node, group) => {
        const link = places.linkOf(group);
        return link === undefined ? 'well' : healthOf(sights.evidenceOf(node, link));
      },
      lostAt: (node, group) => sights.lostAt(node, places.linkOf(group) ?? ''),
      hasCompany: (group, since) => witnesses.isAmongOthers(group, since, at),
      hasGateway: (group) => isBesideGateway(gateways.answeredAt(places.linkOf(group) ?? ''), at),
      wellSince,
      balancedOrder: (group) => balance(group, situation),
      evenedTo: evening(situation, { wellSince, now: at }),
    };
  };

  /** A speaker that has just started waits for those of the other nodes, but not for long: a node may have none. */
  const isGathering = (at: number): boolean =>
    at - startedAt < GATHER_MS &&
    options.nodes().some((node) => node !== me && situation.view.speakers.get(node)?.isHeld !== true);

  /** Everything anew, once for all that happened in this turn. */
  const decideSoon = (): void => {
    if (!hasEnded) wake ??= setImmediate(decide);
  };
  const decide = (): void => {
    clearImmediate(wake);
    wake = undefined;
    if (!situation.hasView || hasEnded) return;
    wakeUp();
    wellness.update({
      ...{ speakers: situation.view.speakers, links: situation.places.links, sights, now: now() },
      isDraining: options.isDraining,
    });
    perform(keeper.decide(facts()));
    if (isUnplaced) place();
    if (isUnwritten) publish();
    updateWatch();
    arm();
  };
  const arm = (): void => {
    clearTimeout(timer);
    const at = now();
    const times = [keeper.dueAt(), isGathering(at) ? startedAt + GATHER_MS : undefined];
    const due = times.reduce((a, b) => Math.min(a ?? Infinity, b ?? Infinity), undefined);
    if (due !== undefined && due !== Infinity) {
      // What has come in by then is read before anything is decided: timers of a process that is late run before its sockets.
      timer = setTimeout(decideSoon, Math.max(1, due - at));
    }
  };

  /** What is heard comes one by one: the tables and the records follow once, at the end of the turn. */
  const perform = (transitions: readonly Transition[]): void => {
    if (transitions.length === 0) return;
    isUnplaced = true;
    isUnwritten = true;
    for (const transition of transitions) follow(transition);
    decideSoon();
  };

  const follow = (transition: Transition): void => {
    const { group, before, after, effect } = transition;
    if (after.kind === 'probing' && (before.kind !== 'probing' || before.until !== after.until)) probe(group);
    if (after.kind === 'owned' || after.kind === 'released') ledger.write(group, after);
    // What is only in doubt stays written down.
    else if (!isInDoubt(before, after)) ledger.forget(group);
    if (effect !== 'none' && effect !== 'conflict-yielded') {
      for (const ip of group.ips) announcer.defend(ip);
    }
    tell(transition);
  };

  const owned = (): readonly Layer2Group[] =>
    situation.groups.filter(({ key }) => keeper.stateOf(key).kind === 'owned');
  /** Brings the tables of all interfaces to what is owned, and what is listened for. */
  const place = (): void => {
    isUnplaced = false;
    const { groups, places } = situation;
    const held = owned();
    ports.place(places, groups, keeper.stateOf);
    announcer.set(held.flatMap((group) => announcedOf(group, places)));
    metrics.owned(held);
  };
  const publish = (): void => {
    isUnwritten = false;
    store.publishOwnership(ledger.records());
  };

  /** All that begins to ask in this turn asks together, twice. */
  const probe = (group: Layer2Group): void => {
    probing.push(group);
    if (probing.length > 1) return;
    // The interfaces have to listen for the answer first.
    setImmediate(() => {
      const together = probing;
      probing = [];
      sendProbes(together);
      for (const afterMs of PROBE_AGAIN_MS) setTimeout(sendProbes, afterMs, together).unref();
    });
  };
  const sendProbes = (together: readonly Layer2Group[]): void => {
    const { places } = situation;
    const ipsOf = new Map<string, IpAddress[]>();
    for (const group of together) {
      if (keeper.stateOf(group.key).kind !== 'probing') continue;
      const link = places.linkOf(group);
      if (link !== undefined) witnesses.ask(group, link, now());
      for (const ip of group.ips) {
        for (const { name } of places.linksOf(ip)) {
          const ips = ipsOf.get(name);
          if (ips) ips.push(ip);
          else ipsOf.set(name, [ip]);
        }
      }
    }
    for (const [link, ips] of ipsOf) {
      ports.send(link, (port) => ips.flatMap((ip) => probeFrames(port, ip)));
    }
  };

  const hear = (link: string, heard: HeardClaim): void => {
    const at = now();
    if (ports.isGateway(heard.ip)) {
      gateways.hear(link, heard.what, at);
      return;
    }
    const group = situation.groupByIp.get(heard.ip.text);
    const node = situation.owners.get(heard.mac);
    if (!group) {
      // The own address of another speaker's node, which was asked for it.
      if (heard.what !== 'probe' && node !== undefined && inquiry.answered(node, link, at)) decideSoon();
      return;
    }
    // A speaker's kernel may have the address too, and use it to ask: that is no claim to it.
    if (heard.what === 'use' && node !== undefined) return;
    if (node !== undefined && inquiry.answered(node, link, at)) decideSoon();
    const what = heard.what === 'probe' ? 'probe' : 'claim';
    const transitions = keeper.hear(group.key, { what, node }, facts());
    perform(transitions);
    const isConflict = transitions.some(({ effect }) => effect.startsWith('conflict'));
    if (what === 'claim' && isConflict) inquiry.askRival(node, at);
  };

  const updateWatch = (): void => {
    const { view, groups, places } = situation;
    const watch = watchListOf({
      ...{ me, groups, sights },
      stateOf: keeper.stateOf,
      ownerOf: (group) => keeper.ownerOf(group, { me, view }),
      linkOf: (group) => places.linkOf(group),
    });
    inquiry.watch(watch);
    sights.watching(watch.sessions, [...watch.owners.map(({ sight }) => sight), ...watch.fellows], now());
    if (ports.listenFor(watch.fellows.map(({ address }) => address))) place();
    const next = watch.sessions
      .map(({ address, localAddress, link }) => ({ peer: address, localAddress, interface: link }))
      .sort((a, b) => (a.peer.text + a.interface < b.peer.text + b.interface ? -1 : 1));
    const text = JSON.stringify(
      next.map((session) => [session.peer.text, session.localAddress.text, session.interface]),
    );
    // Before this node's interfaces are known there is nobody to be seen over them.
    if (!isBriefed || situation.links.length === 0 || text === sessions) return;
    sessions = text;
    options.onSessions(next);
  };

  // The clock: questions that are due, and whether this process slept. It stands still where nothing is announced.
  let clock: NodeJS.Timeout | undefined;
  let lastTick = now();
  const hasSlept = (at: number): boolean => clock !== undefined && at - lastTick > SLEPT_MS + TICK_MS;
  /**
   * Of a process that slept anything may run first: the timers of its announcements, the frames that have piled up on its
   * sockets. Before it says or decides anything it has to know that it slept.
   */
  const wakeUp = (): void => {
    if (hasSlept(now())) tick();
  };
  const tick = (): void => {
    const at = now();
    const slept = hasSlept(at);
    lastTick = at;
    if (slept) {
      inquiry.forgive();
      perform(keeper.doubt(facts()));
      // Nothing that is in doubt is answered for from here on, not even what is waiting to be read.
      place();
      arm();
    }
    if (situation.view.isFresh) freshAt = at;
    gateways.askAgain(!situation.view.isFresh, at);
    if (inquiry.ask(at)) decide();
    updateIsolation(at);
  };
  const setClock = (isNeeded: boolean): void => {
    if (isNeeded === (clock !== undefined)) return;
    clearInterval(clock);
    lastTick = now();
    clock = isNeeded ? setInterval(tick, TICK_MS) : undefined;
  };

  const updateIsolation = (at: number): void => {
    const { view } = situation;
    const hasOthers = [...view.speakers.keys()].some((node) => node !== me);
    const apiAt = view.isFresh ? at : freshAt;
    const latest = Math.max(apiAt, sights.heardAt(at) ?? -Infinity, gateways.heardAt());
    const isNow = isCutOff({ latest, hasOthers }, at);
    if (isNow === isIsolated) return;
    isIsolated = isNow;
    logger.warn(
      { isIsolated },
      isIsolated ? 'nobody can be heard: giving up every address' : 'others can be heard again',
    );
    decide();
  };

  const reshape = (change: {
    readonly services?: readonly Layer2Service[];
    readonly links?: readonly Link[];
  }): void => {
    if (hasEnded) return;
    const groups = change.services ? grouping(change.services) : situation.groups;
    situation = withGroups(situation, { groups, links: change.links ?? situation.links, exclusion });
    const { places, view, links } = situation;
    // Where nothing is announced nothing is listened to.
    const used = groups.length > 0 ? places.links : [];
    setClock(groups.length > 0);
    ports.set(used);
    gateways.set(used);
    sights.set(places.links, view.speakers, me);
    // Before the interfaces are known all of them are missing.
    if (links.length > 0) tellFailures();
    isUnplaced = true;
    if (ledger.rewrite()) isUnwritten = true;
    decideSoon();
  };
  const tellFailures = (): void => {
    const services = situation.groups.flatMap((group) => group.services);
    for (const [service, message] of failures.news(services, situation.places)) {
      options.onEvent(service, { type: 'Warning', reason: 'announceFailed', message });
    }
  };

  store.start((view) => {
    const { hasView, view: before } = situation;
    situation = withView(situation, view);
    if (!hasView) ledger.adopt([...view.ownerships].filter(([, { node }]) => node === me));
    if (isBriefed && ledger.prune()) isUnwritten = true;
    if (view.speakers !== before.speakers) {
      sights.set(situation.places.links, view.speakers, me);
      const names = [...view.speakers].filter(([, { isHeld }]) => isHeld).map(([name]) => name);
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
      // Before the other speakers are known nothing is wanted, and that means nothing.
      const isFirst = !isBriefed && situation.hasView;
      if (isFirst) {
        isBriefed = true;
        isUnwritten = true;
      }
      if (services !== wanted) {
        wanted = services;
        reshape({ services });
      } else if (isFirst) decideSoon();
      if (isBriefed && ledger.prune()) {
        isUnwritten = true;
        decideSoon();
      }
    },
    links: (links) => {
      if (hasEnded) return;
      reshape({ links });
      store.publishSpeaker({
        node: me,
        links: situation.places.links.map(({ name, mac, addresses }) => ({
          ...{ name, mac },
          addresses: addresses.map(({ ip, length }) => `${ip.text}/${String(length)}`),
        })),
      });
      decide();
    },
    observed: (state) => {
      if (sights.observed(state, now())) decide();
    },
    owned,
    drain: (isDraining) => {
      if (isDraining === isLeaving) return;
      isLeaving = isDraining;
      decideSoon();
    },
    stop: async () => {
      isStopping = true;
      decide();
      const deadline = now() + LEAVE_MS;
      const isOwner = (): boolean => situation.groups.some(({ key }) => keeper.stateOf(key).kind === 'owned');
      while (isOwner() && now() < deadline && situation.view.speakers.size > 1) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      hasEnded = true;
      setClock(false);
      clearTimeout(timer);
      clearImmediate(wake);
      if (isUnwritten) publish();
      announcer.close();
      ports.close();
      await store.release();
      await store.idle();
    },
  };
}

/** It was this node's, and it asks whether it still is, or will ask again. */
function isInDoubt(before: GroupState, after: GroupState): boolean {
  if (before.kind === 'released') return false;
  const asking = after.kind === 'waiting' ? before : after;
  return asking.kind === 'probing' && asking.claim.since !== undefined;
}
