import type { BfdState, ObservedState } from '../../bfd-status/index.ts';
import {
  healthOf,
  neighborOn,
  NO_EVIDENCE,
  withAnswer,
  withBfd,
  withMiss,
  withoutWatch,
  type Evidence,
  type Layer2View,
  type Link,
  type Neighbor,
} from '../../l2/index.ts';

/** Another speaker over one interface of this node, and what is known of it there. */
export interface Sight extends Neighbor {
  readonly link: string;
}

/** A text for each pair of a node and an interface of this one, for maps and sets. */
export function sightKey({ node, link }: Pick<Sight, 'node' | 'link'>): string {
  return `${node}\0${link}`;
}

/** Who else can be seen over which interface, and whether they live. */
export interface Sights {
  /** The speakers or the interfaces have changed. What is known of those that stay is kept. */
  readonly set: (links: readonly Link[], speakers: Layer2View['speakers'], me: string) => void;
  readonly of: (node: string, link: string) => Sight | undefined;
  readonly evidenceOf: (node: string, link: string) => Evidence;
  /** When the node was found to be lost or silent; meaningful while it is. */
  readonly lostAt: (node: string, link: string) => number;
  /**
   * Whether the node is on the LAN of an interface, by the addresses that it has told. Where nobody has an address in common
   * with this node, addresses tell nothing, and everybody may be there.
   */
  readonly canBeSeen: (node: string, link: string) => boolean;
  /** All that can be seen over an interface. */
  readonly over: (link: string) => readonly Sight[];
  /**
   * Only these have sessions, and only those are asked, from now on: of the others nothing speaks against any more. A
   * session that FRR has already, from before this process was started, counts from here on.
   */
  readonly watching: (sessions: readonly Sight[], asked: readonly Sight[], now: number) => void;
  /** What FRR knows of the sessions. @returns whether anything is new */
  readonly observed: (state: ObservedState, now: number) => boolean;
  /** The node has answered, or spoken up, over this interface. @returns whether its health has changed */
  readonly answered: (node: string, link: string, now: number) => boolean;
  /** It has not answered in time. @returns whether its health has changed */
  readonly missed: (node: string, link: string, now: number) => boolean;
  /** Whether all that is known of a node speaks for it. */
  readonly isWell: (node: string) => boolean;
  /** When anybody was last heard of: now, for as long as a session is up. */
  readonly heardAt: (now: number) => number | undefined;
}

export function createSights(): Sights {
  let sights = new Map<string, { readonly sight: Sight; evidence: Evidence; lostAt: number }>();
  let byNode = new Map<string, readonly string[]>();
  /** Interfaces that anybody can be seen over. */
  let shared: ReadonlySet<string> = new Set();
  /** What FRR said last, by the peer's address. It says nothing again for as long as nothing changes. */
  let sessionStates: ReadonlyMap<string, BfdState> = new Map();

  const change = (key: string, now: number, to: (evidence: Evidence) => Evidence): boolean => {
    const entry = sights.get(key);
    if (!entry) return false;
    const before = healthOf(entry.evidence);
    entry.evidence = to(entry.evidence);
    const after = healthOf(entry.evidence);
    if (before === 'well' && after !== 'well') entry.lostAt = now;
    return after !== before;
  };
  return {
    set: (links, speakers, me) => {
      const next: typeof sights = new Map();
      const nodes = new Map<string, string[]>();
      for (const { record } of speakers.values()) {
        if (record.node === me) continue;
        for (const link of links) {
          const neighbor = neighborOn(link, record);
          if (!neighbor) continue;
          const key = sightKey({ node: record.node, link: link.name });
          const known = sights.get(key);
          const isSame =
            known?.sight.address.text === neighbor.address.text &&
            known.sight.localAddress.text === neighbor.localAddress.text;
          const { evidence, lostAt } = isSame ? known : { evidence: NO_EVIDENCE, lostAt: 0 };
          next.set(key, { sight: { ...neighbor, link: link.name }, evidence, lostAt });
          nodes.set(record.node, [...(nodes.get(record.node) ?? []), key]);
        }
      }
      sights = next;
      byNode = nodes;
      shared = new Set([...next.values()].map(({ sight }) => sight.link));
    },
    of: (node, link) => sights.get(sightKey({ node, link }))?.sight,
    evidenceOf: (node, link) => sights.get(sightKey({ node, link }))?.evidence ?? NO_EVIDENCE,
    canBeSeen: (node, link) => !shared.has(link) || sights.has(sightKey({ node, link })),
    lostAt: (node, link) => sights.get(sightKey({ node, link }))?.lostAt ?? 0,
    over: (link) => [...sights.values()].flatMap(({ sight }) => (sight.link === link ? [sight] : [])),
    watching: (sessions, asked, now) => {
      const withSession = new Set(sessions.map(sightKey));
      const withQuestions = new Set(asked.map(sightKey));
      for (const [key, entry] of sights) {
        const hasSession = withSession.has(key);
        const kept = withoutWatch(entry.evidence, { hasSession, isAsked: withQuestions.has(key) });
        const isUp = hasSession && sessionStates.get(entry.sight.address.text) === 'Up';
        entry.evidence = isUp && kept.bfd === 'none' ? withBfd(kept, true, now) : kept;
      }
    },
    observed: (state, now) => {
      sessionStates = new Map(
        [...state.bfd.values()]
          .filter(({ vrf, multihop }) => vrf === '' && !multihop)
          .map((session) => [session.peer.text, session.state]),
      );
      let isNew = false;
      for (const [key, { sight, evidence }] of sights) {
        const sessionState = sessionStates.get(sight.address.text);
        if (sessionState === undefined) continue;
        const next = withBfd(evidence, sessionState === 'Up', now);
        if (next !== evidence) isNew = true;
        change(key, now, () => next);
      }
      return isNew;
    },
    answered: (node, link, now) =>
      change(sightKey({ node, link }), now, (evidence) => withAnswer(evidence, now)),
    missed: (node, link, now) => change(sightKey({ node, link }), now, withMiss),
    isWell: (node) =>
      (byNode.get(node) ?? []).every((key) => {
        const entry = sights.get(key);
        return !entry || healthOf(entry.evidence) === 'well';
      }),
    heardAt: (now) => {
      let latest: number | undefined;
      for (const { evidence } of sights.values()) {
        const at = evidence.bfd === 'up' ? now : evidence.answeredAt;
        if (at !== undefined && (latest === undefined || at > latest)) latest = at;
      }
      return latest;
    },
  };
}
