import type { Layer2Group } from './group.ts';
import {
  afterHearing,
  doubted,
  dueAt,
  isSameRecord,
  nextState,
  type GroupFacts,
  type GroupState,
  type Heard,
  type HeardEffect,
  type RecordSeen,
  type Standing,
} from './ownership.ts';
import { ownerHealth, recordOf, successorsOf, wantedInstead, type Surroundings } from './standing.ts';
import type { Layer2View } from './types.ts';

/** All that a keeper's decisions depend on. */
export interface KeeperFacts extends Surroundings {
  readonly groups: readonly Layer2Group[];
  /** Whether this node has an interface to answer for a group on. */
  readonly canServe: (group: Layer2Group) => boolean;
  /** Whether anybody was heard since then on the LAN of a group; true as well when there is nobody else on it. */
  readonly hasCompany: (group: Layer2Group, since: number) => boolean;
  /** Whether the gateway of the LAN of a group has just answered this node. */
  readonly hasGateway: (group: Layer2Group) => boolean;
  /** Cut off: no other speaker, no gateway and no API can be heard. */
  readonly isIsolated: boolean;
  /** Not every node's speaker is there yet, and it is not too late for them. */
  readonly isGathering?: boolean;
  /** This node drains or stops. */
  readonly isLeaving: boolean;
  /** RFC 3339. */
  readonly time: string;
}

/** What has become of a group. */
export interface Transition {
  readonly group: Layer2Group;
  readonly before: GroupState;
  readonly after: GroupState;
  readonly effect: HeardEffect;
  /** Keys of Services that have come to a group which this node answered for before. */
  readonly joined?: readonly string[];
}

export interface Keeper {
  /** Decides anew about every group. @returns what has changed */
  readonly decide: (facts: KeeperFacts) => readonly Transition[];
  /** Somebody spoke of an address of a group, by its key. */
  readonly hear: (key: string, heard: Heard, facts: KeeperFacts) => readonly Transition[];
  /** This node may have slept: nothing that it owns is certain. */
  readonly doubt: (facts: KeeperFacts) => readonly Transition[];
  readonly stateOf: (key: string) => GroupState;
  /** Who has a group's addresses, as far as is known here: written down, or heard on the LAN since. */
  readonly ownerOf: (group: Layer2Group, facts: Pick<KeeperFacts, 'me' | 'view'>) => string | undefined;
  /** When {@link decide} has to be called although nothing has happened. */
  readonly dueAt: () => number | undefined;
}

const IDLE: GroupState = { kind: 'idle' };
/** While a node waits to have been well for long enough, it is looked at this often. */
const WANTED_LOOK_MS = 1_000;

/** Keeps what one node is to every group. It has no clock: the same calls give the same answers. */
export function createKeeper(): Keeper {
  let states = new Map<string, { readonly group: Layer2Group; readonly state: GroupState }>();
  /** Owners that were heard of on the LAN while nothing could be written, over the record that this takes the place of. */
  const learned = new Map<
    string,
    { readonly over: RecordSeen | undefined; readonly record: RecordSeen; readonly at: number }
  >();
  /** When the record that stands written of a group was first read. */
  const read = new Map<string, { readonly record: RecordSeen; readonly at: number }>();
  let lookAt: number | undefined;

  const seenRecord = (group: Layer2Group, view: Layer2View): RecordSeen | undefined => {
    const written = recordOf(group, view);
    const heard = learned.get(group.key);
    if (!heard) return written;
    if (isSameRecord(heard.over, written)) return heard.record;
    learned.delete(group.key);
    return written;
  };
  const stateOf = (key: string): GroupState => states.get(key)?.state ?? IDLE;

  const readAt = (group: Layer2Group, record: RecordSeen, now: number): number => {
    const heard = learned.get(group.key);
    if (heard?.record === record) return heard.at;
    const known = read.get(group.key);
    if (known && isSameRecord(known.record, record)) return known.at;
    read.set(group.key, { record, at: now });
    return now;
  };
  const factsOf = (group: Layer2Group, state: GroupState, facts: KeeperFacts): GroupFacts => {
    const record = seenRecord(group, facts.view);
    const wanted = record && wantedInstead(group, record.node, facts);
    return {
      me: facts.me,
      key: group.key,
      standing: standingOf(group, facts),
      now: facts.now,
      time: facts.time,
      record,
      ownerHealth:
        record && record.node !== facts.me
          ? ownerHealth(record, group, facts, readAt(group, record, facts.now))
          : 'well',
      hasCompany: state.kind !== 'probing' || facts.hasCompany(group, state.since),
      successors: successorsOf(group, record, facts),
      isWithClients:
        record !== undefined && facts.healthOf(record.node, group) !== 'well' && facts.hasGateway(group),
      isGathering: facts.isGathering ?? false,
      ...(wanted ? { wanted } : {}),
    };
  };
  const settle = (group: Layer2Group, before: GroupState, facts: KeeperFacts): Transition[] => {
    const about = factsOf(group, before, facts);
    let after = nextState(before, about);
    // A step may open the next one at the same moment; none leads back.
    for (let step = 0; step < 4; step += 1) {
      const next = nextState(after, about);
      if (next === after) break;
      after = next;
    }
    if (after.kind === 'idle' && before.kind === 'idle') return [];
    return after === before ? [] : [{ group, before, after, effect: 'none' }];
  };
  const keep = (transitions: readonly Transition[]): readonly Transition[] => {
    for (const { group, after } of transitions) {
      if (after.kind === 'idle') states.delete(group.key);
      else states.set(group.key, { group, state: after });
    }
    return transitions;
  };

  return {
    decide: (facts) => {
      const transitions: Transition[] = [];
      const next = new Map<string, { readonly group: Layer2Group; readonly state: GroupState }>();
      for (const group of facts.groups) {
        const known = states.get(group.key);
        states.delete(group.key);
        const before = known?.state ?? IDLE;
        const changed = settle(group, before, facts);
        transitions.push(...changed);
        const after = changed[0]?.after ?? before;
        if (known && known.group !== group && before.kind === 'owned' && after.kind === 'owned') {
          const joined = newcomers(known.group, group);
          if (joined.length > 0) transitions.push({ group, before: after, after, effect: 'none', joined });
        }
        if (after.kind !== 'idle') next.set(group.key, { group, state: after });
      }
      // What is left belongs to groups that there are no longer.
      for (const { group, state } of states.values()) {
        transitions.push({ group, before: state, after: IDLE, effect: 'none' });
        learned.delete(group.key);
        read.delete(group.key);
      }
      states = next;
      lookAt = facts.groups.some(({ failback, candidates }) => mayBeWanted(failback, candidates))
        ? facts.now + WANTED_LOOK_MS
        : undefined;
      return transitions;
    },
    hear: (key, heard, facts) => {
      const known = states.get(key);
      const group = known?.group ?? facts.groups.find((each) => each.key === key);
      if (!group) return [];
      const before = known?.state ?? IDLE;
      if (heard.what === 'claim' && heard.node !== undefined && heard.node !== facts.me) {
        learn(group, heard.node, facts);
      }
      const { state: after, effect } = afterHearing(before, heard, {
        me: facts.me,
        key,
        now: facts.now,
      });
      if (after === before && effect === 'none') return [];
      return keep([{ group, before, after, effect }]);
    },
    doubt: (facts) =>
      keep(
        [...states.values()].flatMap(({ group, state }): Transition[] => {
          const after = doubted(state, factsOf(group, state, facts));
          return after === state ? [] : [{ group, before: state, after, effect: 'none' }];
        }),
      ),
    stateOf,
    ownerOf: (group, { me, view }) =>
      stateOf(group.key).kind === 'owned' ? me : seenRecord(group, view)?.node,
    dueAt: () => {
      const times = [...states.values()].flatMap(({ state }) => dueAt(state) ?? []);
      if (lookAt !== undefined) times.push(lookAt);
      return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
    },
  };

  /**
   * Somebody answers whom no record names, while the one that a record names is away, or while records cannot be read:
   * that one is believed.
   */
  function learn(group: Layer2Group, node: string, facts: KeeperFacts): void {
    const written = recordOf(group, facts.view);
    if (written?.node === node) learned.delete(group.key);
    if (written?.node === node || written?.node === facts.me) return;
    // While nothing can be read this node may not be one of those that watch, and have seen the other go.
    const isSure = written !== undefined && facts.view.isFresh;
    if (isSure && ownerHealth(written, group, facts, readAt(group, written, facts.now)) === 'well') return;
    const known = learned.get(group.key);
    if (known?.record.node === node && isSameRecord(known.over, written)) return;
    const record = { node, since: facts.time, cause: 'OwnerLost' } as const;
    learned.set(group.key, { over: written, record, at: facts.now });
  }
}

/** Keys of the Services that a group has now and had not before. */
function newcomers(before: Layer2Group, now: Layer2Group): readonly string[] {
  const known = new Set(before.services.map(({ key }) => key));
  return now.services.flatMap(({ key }) => (known.has(key) ? [] : [key]));
}

function mayBeWanted(failback: Layer2Group['failback'], candidates: Layer2Group['candidates']): boolean {
  return failback.kind !== 'never' || candidates.some(({ score }) => score !== candidates[0]?.score);
}

function standingOf(group: Layer2Group, { me, canServe, isIsolated, isLeaving }: KeeperFacts): Standing {
  if (isIsolated || !canServe(group)) return 'unable';
  if (!group.candidates.some(({ node }) => node === me)) return 'excluded';
  return isLeaving ? 'leaving' : 'able';
}
