import type { Layer2View, Link } from '../../l2/index.ts';
import { sightKey, type Sights } from './sights.ts';

export interface WellnessFacts {
  readonly speakers: Layer2View['speakers'];
  /** This node's interfaces that addresses may be on. */
  readonly links: readonly Link[];
  readonly sights: Pick<Sights, 'isWell' | 'of' | 'canBeSeen'>;
  readonly isDraining: (node: string) => boolean;
  /** Of the monotonic clock, milliseconds. */
  readonly now: number;
}

/** Since when each speaker could have addresses: what is moved without need is moved to one that has been well for a while. */
export interface Wellness {
  readonly update: (facts: WellnessFacts) => void;
  /**
   * Since when a node is well, and on the LAN of an interface of this one; `undefined`: it is not.
   * @param link `undefined`: of none, as nobody is
   */
  readonly since: (node: string, link: string | undefined) => number | undefined;
}

export function createWellness(): Wellness {
  let well = new Map<string, number>();
  /** By node and interface: a node whose own interface was gone is as new on that LAN as one that was gone itself. */
  let seen = new Map<string, number>();
  let canBeSeen: Sights['canBeSeen'] = () => true;
  return {
    update: ({ speakers, links, sights, isDraining, now }) => {
      const nextWell: typeof well = new Map();
      const nextSeen: typeof seen = new Map();
      for (const [node, { isHeld }] of speakers) {
        if (!isHeld || !sights.isWell(node) || isDraining(node)) continue;
        nextWell.set(node, well.get(node) ?? now);
        for (const { name: link } of links) {
          const key = sightKey({ node, link });
          if (sights.of(node, link)) nextSeen.set(key, seen.get(key) ?? now);
        }
      }
      well = nextWell;
      seen = nextSeen;
      canBeSeen = sights.canBeSeen;
    },
    since: (node, link) => {
      const since = well.get(node);
      if (since === undefined || link === undefined) return since;
      if (!canBeSeen(node, link)) return undefined;
      return Math.max(since, seen.get(sightKey({ node, link })) ?? since);
    },
  };
}
