import { runnersUp, type GroupState, type Layer2Group } from '../../l2/index.ts';
import { sightKey, type Sight, type Sights } from './sights.ts';

/** An owner that this node watches over one interface, and the groups that it may be asked about there. */
export interface Watched {
  readonly sight: Sight;
  readonly groups: readonly Layer2Group[];
}

/** Who watches whom, for the addresses of this node and for those that it would take over. */
export interface WatchList {
  /** BFD is kept with these. */
  readonly sessions: readonly Sight[];
  /** These are asked for addresses of theirs. */
  readonly owners: readonly Watched[];
  /**
   * These come before this node in the succession to an owner: where one is not there, nobody waits for it. Those that are
   * asked for addresses of theirs are not among them.
   */
  readonly fellows: readonly Sight[];
  /** These had addresses that this node has taken over, and may come back with them. */
  readonly rivals: readonly Watched[];
}

export interface WatchListFacts {
  readonly me: string;
  readonly groups: readonly Layer2Group[];
  readonly ownerOf: (group: Layer2Group) => string | undefined;
  readonly stateOf: (key: string) => GroupState;
  /** The interface that serves a group. */
  readonly linkOf: (group: Layer2Group) => string | undefined;
  readonly sights: Sights;
}

/** Taken from an owner that could not be asked: it may still think that it has them. */
const UNASKED: ReadonlySet<string> = new Set(['OwnerLost', 'SpeakerLost', 'OwnerGone']);

export function watchListOf(facts: WatchListFacts): WatchList {
  const { me, sights } = facts;
  const sessions = new Map<string, Sight>();
  const owners = new Map<string, { sight: Sight; groups: Layer2Group[] }>();
  const fellows = new Map<string, Sight>();
  const rivals = new Map<string, { sight: Sight; groups: Layer2Group[] }>();
  const add = (
    to: Map<string, { sight: Sight; groups: Layer2Group[] }>,
    sight: Sight,
    group: Layer2Group,
  ): void => {
    const key = sightKey(sight);
    const known = to.get(key);
    if (known) known.groups.push(group);
    else to.set(key, { sight, groups: [group] });
  };
  for (const group of facts.groups) {
    const link = facts.linkOf(group);
    const owner = facts.ownerOf(group);
    if (link === undefined || owner === undefined) continue;
    if (owner === me) {
      for (const node of runnersUp(group.candidates, me)) {
        const sight = sights.of(node, link);
        if (sight) sessions.set(sightKey(sight), sight);
      }
    } else {
      const followers = runnersUp(group.candidates, owner);
      const place = followers.indexOf(me);
      const sight = place < 0 ? undefined : sights.of(owner, link);
      if (!sight) continue;
      sessions.set(sightKey(sight), sight);
      add(owners, sight, group);
      for (const node of followers.slice(0, place)) {
        const fellow = sights.of(node, link);
        if (fellow) fellows.set(sightKey(fellow), fellow);
      }
    }
    const state = facts.stateOf(group.key);
    if (state.kind !== 'owned' || state.claim.from === undefined || !UNASKED.has(state.claim.cause)) continue;
    const rival = sights.of(state.claim.from, link);
    if (rival) add(rivals, rival, group);
  }
  for (const key of owners.keys()) fellows.delete(key);
  return {
    sessions: [...sessions.values()],
    owners: [...owners.values()],
    fellows: [...fellows.values()],
    rivals: [...rivals.values()],
  };
}
