import type { IpAddress } from '../../core/ip.ts';
import {
  ASK_AGAIN_MS,
  ASK_EVERY_MS,
  ASK_FELLOW_EVERY_MS,
  MISSES_TO_SILENCE,
  type Keeper,
  type Layer2Group,
} from '../../l2/index.ts';
import type { Ports } from './ports.ts';
import { askFrame, probeFrames } from './questions.ts';
import { sightKey, type Sight, type Sights } from './sights.ts';
import type { Watched, WatchList } from './watch-list.ts';

/** How often somebody that addresses were taken from is asked whether it is back with them, */
const RIVAL_EVERY_MS = 250;
/** and for how long after its BFD session is up again. */
const RIVAL_SETTLED_MS = 5_000;
/** It is asked for all at once no sooner than this after the last time: each answer is a dispute, and asks for the same. */
const DISPUTE_MS = 500;
/**
 * Where this speaker was only just started, others may be starting too, and the slowest of them has a thousand Services to
 * read first: who has not answered yet has so long, from the start of this one.
 */
const STARTING_MS = 3_000;

interface Question {
  readonly askedAt: number;
  /** Not answered yet. */
  readonly isOpen: boolean;
  /** How many there were, with this one. */
  readonly turn: number;
}

/**
 * Asks those that this node watches whether they still answer for what is theirs, and those that it followed whether they
 * are back. Times are milliseconds of a monotonic clock.
 */
export interface Inquiry {
  readonly watch: (list: WatchList) => void;
  /** Asks what is due. @returns whether somebody's health has changed, by what it has not answered */
  readonly ask: (now: number) => boolean;
  /** Somebody has answered, or spoken up. @returns whether its health has changed */
  readonly answered: (node: string, link: string, now: number) => boolean;
  /** What one address shows of a rival is true of all that were its own: asks for each that this node has. */
  readonly askRival: (node: string | undefined, now: number) => void;
  /** This process slept: what it missed is nobody's fault. */
  readonly forgive: () => void;
}

export function createInquiry(options: {
  readonly sights: Sights;
  readonly ports: Pick<Ports, 'send'>;
  readonly stateOf: Keeper['stateOf'];
  /** When this speaker was started. */
  readonly startedAt: number;
}): Inquiry {
  const { sights, ports, stateOf, startedAt } = options;
  const questions = new Map<string, Question>();
  /** Fellows that have answered: a kernel can be told not to answer whom it does not know. */
  const answering = new Set<string>();
  const disputedAt = new Map<string, number>();
  let list: WatchList = { sessions: [], owners: [], fellows: [], rivals: [] };
  let nextRival = 0;

  /** Asks when it is time to. @returns whether the health of who is asked has changed, since it did not answer before */
  const askWhenDue = (
    sight: Sight,
    now: number,
    how: {
      readonly everyMs: number;
      /** Whether it counts when there is no answer. */
      readonly counts: boolean;
      /** What the nth question is for. */
      readonly addressOf: (turn: number) => IpAddress | undefined;
    },
  ): boolean => {
    const { node, link, mac } = sight;
    const key = sightKey(sight);
    const before = questions.get(key);
    const isMissing = before?.isOpen === true && how.counts;
    const isSilent = sights.evidenceOf(node, link).missed >= MISSES_TO_SILENCE;
    const everyMs = isMissing && !isSilent ? ASK_AGAIN_MS : how.everyMs;
    if (before && now - before.askedAt < everyMs) return false;
    const isNews = isMissing && sights.missed(node, link, now);
    const turn = (before?.turn ?? 0) + 1;
    const ip = how.addressOf(turn);
    if (ip) {
      questions.set(key, { askedAt: now, isOpen: true, turn });
      ports.send(link, (port) => askFrame(port, ip, mac));
    }
    return isNews;
  };
  const askOwner = ({ sight, groups }: Watched, now: number): boolean =>
    askWhenDue(sight, now, {
      everyMs: ASK_EVERY_MS,
      counts: !mayBeStarting(sight, now),
      // Each time for another of its addresses.
      addressOf: (turn) => groups[turn % groups.length]?.ips[0],
    });
  const askFellow = (sight: Sight, now: number): boolean =>
    askWhenDue(sight, now, {
      everyMs: ASK_FELLOW_EVERY_MS,
      counts: answering.has(sightKey(sight)),
      addressOf: () => sight.address,
    });
  const mayBeStarting = ({ node, link }: Watched['sight'], now: number): boolean =>
    now - startedAt < STARTING_MS && sights.evidenceOf(node, link).answeredAt === undefined;
  const askBack = ({ sight, groups }: Watched, now: number): void => {
    const { bfd, bfdSince } = sights.evidenceOf(sight.node, sight.link);
    for (const group of groups) {
      const state = stateOf(group.key);
      if (state.kind !== 'owned') continue;
      const isSettled = bfd === 'up' && now - Math.max(bfdSince, state.claimedAt) > RIVAL_SETTLED_MS;
      if (!isSettled) probe(sight.link, [group]);
      return;
    }
  };
  const probe = (link: string, groups: readonly Layer2Group[]): void => {
    const ips = groups.flatMap(({ ips: [first] }) => first ?? []);
    ports.send(link, (port) => ips.flatMap((ip) => probeFrames(port, ip)));
  };

  return {
    watch: (next) => {
      list = next;
      const asked = new Set([...next.owners.map(({ sight }) => sight), ...next.fellows].map(sightKey));
      for (const key of questions.keys()) if (!asked.has(key)) questions.delete(key);
    },
    ask: (now) => {
      const news = [
        ...list.owners.map((owner) => askOwner(owner, now)),
        ...list.fellows.map((fellow) => askFellow(fellow, now)),
      ];
      if (now >= nextRival) {
        nextRival = now + RIVAL_EVERY_MS;
        for (const rival of list.rivals) askBack(rival, now);
      }
      return news.includes(true);
    },
    answered: (node, link, now) => {
      const key = sightKey({ node, link });
      const question = questions.get(key);
      if (question?.isOpen === true) {
        questions.set(key, { ...question, isOpen: false });
        if (list.fellows.some((fellow) => sightKey(fellow) === key)) answering.add(key);
      }
      return sights.answered(node, link, now);
    },
    askRival: (node, now) => {
      for (const { sight, groups } of list.rivals) {
        const key = sightKey(sight);
        if (sight.node !== node || now - (disputedAt.get(key) ?? -Infinity) < DISPUTE_MS) continue;
        disputedAt.set(key, now);
        const owned = groups.filter((group) => stateOf(group.key).kind === 'owned');
        probe(sight.link, owned);
      }
    },
    forgive: () => {
      for (const [key, question] of questions) questions.set(key, { ...question, isOpen: false });
    },
  };
}
