import {
  ASK_AGAIN_MS,
  ASK_EVERY_MS,
  MISSES_TO_SILENCE,
  type Keeper,
  type Layer2Group,
} from '../../l2/index.ts';
import type { Ports } from './ports.ts';
import { askFrame, probeFrames } from './questions.ts';
import { sightKey, type Sights } from './sights.ts';
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

/**
 * Asks those that this node watches whether they still answer for what is theirs, and those that it followed whether they
 * are back. Times are milliseconds of a monotonic clock.
 */
export interface Inquiry {
  readonly watch: (list: WatchList) => void;
  /** Asks what is due. @returns whether somebody's health has changed since the last time */
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
  /** Those whose answer is outstanding. */
  const asked = new Set<string>();
  const disputedAt = new Map<string, number>();
  let list: WatchList = { sessions: [], owners: [], rivals: [] };
  let nextAsk = 0;
  let nextRival = 0;
  let turn = 0;

  const askOwner = ({ sight, groups }: Watched): void => {
    // Each time for another of its addresses.
    const ip = groups[turn % groups.length]?.ips[0];
    if (!ip) return;
    asked.add(sightKey(sight));
    ports.send(sight.link, (port) => askFrame(port, ip, sight.mac));
  };
  const askOwners = (now: number): { readonly isNews: boolean; readonly isMissing: boolean } => {
    turn += 1;
    let isNews = false;
    let isMissing = false;
    for (const watched of list.owners) {
      const { node, link } = watched.sight;
      const isDue = asked.has(sightKey(watched.sight)) && !mayBeStarting(watched.sight, now);
      if (isDue && sights.missed(node, link, now)) isNews = true;
      const { missed } = sights.evidenceOf(node, link);
      if (missed > 0 && missed < MISSES_TO_SILENCE) isMissing = true;
      askOwner(watched);
    }
    return { isNews, isMissing };
  };
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
    },
    ask: (now) => {
      let isNews = false;
      if (now >= nextAsk) {
        const owners = askOwners(now);
        isNews = owners.isNews;
        nextAsk = now + (owners.isMissing ? ASK_AGAIN_MS : ASK_EVERY_MS);
      }
      if (now >= nextRival) {
        nextRival = now + RIVAL_EVERY_MS;
        for (const rival of list.rivals) askBack(rival, now);
      }
      return isNews;
    },
    answered: (node, link, now) => {
      asked.delete(sightKey({ node, link }));
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
      asked.clear();
    },
  };
}
