import { choiceOrder, succession, type Candidate } from './election.ts';
import type { Layer2Group } from './group.ts';
import type { GroupFacts, OwnerHealth, RecordSeen } from './ownership.ts';
import type { Layer2View, OwnershipRecord } from './types.ts';

/** How long a node must have been well before addresses are moved to it without need. */
const STABLE_MS = { preferred: 10_000, immediate: 1_000 } as const;

/** What the decision about any group depends on beside the group. */
export interface Surroundings {
  readonly me: string;
  readonly view: Layer2View;
  /** Whether a node is on the LAN of the link that serves a group, as far as it has told. */
  readonly isReachable: (node: string, group: Layer2Group) => boolean;
  /** What is known here of a node, over the link that serves a group. */
  readonly healthOf: (node: string, group: Layer2Group) => 'well' | 'lost' | 'silent';
  /** When a node was found to be lost or silent; meaningful while it is. */
  readonly lostAt: (node: string, group: Layer2Group) => number;
  /** Since when a node has been a speaker and well, on the monotonic clock; `undefined`: it is not. */
  readonly wellSince: (node: string, group: Layer2Group) => number | undefined;
  /** The order in which candidates are chosen for a group of a balanced pool that nobody has. */
  readonly balancedOrder: (group: Layer2Group) => readonly string[];
  /** Where a group of a balanced pool should go back to, so that its nodes have as many addresses each. */
  readonly evenedTo: (group: Layer2Group) => string | undefined;
  readonly now: number;
}

/** The newest record of a group: its Services are owned together, and are written down one by one. */
export function recordOf(group: Layer2Group, view: Layer2View): OwnershipRecord | undefined {
  let newest: OwnershipRecord | undefined;
  for (const { key } of group.services) {
    const record = view.ownerships.get(key);
    if (record && (!newest || record.since > newest.since)) newest = record;
  }
  return newest;
}

/**
 * What is known here of the node that has a group's addresses.
 *
 * Who writes lives: a record that came after the node was lost from sight says that it is this node that cannot see.
 * @param readAt when the record that names the node was first read, on the monotonic clock
 */
export function ownerHealth(
  { node, interfaces }: RecordSeen,
  group: Layer2Group,
  around: Surroundings,
  readAt: number,
): OwnerHealth {
  const speaker = around.view.speakers.get(node);
  // What was read last stays true for as long as nothing can be read.
  if (around.view.isFresh && !speaker?.isHeld) return 'gone';
  if (interfaces?.length === 0) return 'released';
  const health = around.healthOf(node, group);
  return health !== 'well' && around.lostAt(node, group) < readAt ? 'well' : health;
}

/**
 * The nodes that may have the addresses after their owner, or that may have them first, in order; none that is lost, or that
 * has no interface on the LAN.
 */
export function successorsOf(
  group: Layer2Group,
  record: RecordSeen | undefined,
  around: Surroundings,
): readonly string[] {
  const order = record
    ? succession(group.candidates, record.node)
    : group.balance
      ? around.balancedOrder(group)
      : choiceOrder(group.candidates, group.key);
  return order.filter(
    (node) =>
      node === around.me || (around.healthOf(node, group) === 'well' && around.isReachable(node, group)),
  );
}

/** Who should have a group's addresses instead of the node that has them, although that node is well. */
export function wantedInstead(
  group: Layer2Group,
  owner: string,
  around: Surroundings,
): GroupFacts['wanted'] | undefined {
  const isWell = (node: string, forMs: number): boolean =>
    node === owner || hasBeenWell(node, group, { ...around, forMs });
  for (const { key } of group.services) {
    const to = around.view.moves.get(key);
    if (to === undefined || to === owner) continue;
    if (group.candidates.some(({ node }) => node === to) && isWell(to, 0))
      return { node: to, cause: 'Requested' };
  }
  const here = group.candidates.find(({ node }) => node === owner);
  if (!here) return undefined;
  const preferred = bestOf(
    group.candidates.filter(({ node, score }) => score > here.score && isWell(node, STABLE_MS.preferred)),
    group.key,
  );
  if (preferred !== undefined) return { node: preferred, cause: 'Preferred' };
  const stableMs = failbackMs(group);
  if (stableMs === undefined) return undefined;
  const first = group.balance
    ? around.evenedTo(group)
    : bestOf(
        group.candidates.filter(({ node }) => isWell(node, stableMs)),
        group.key,
      );
  return first === undefined || first === owner ? undefined : { node: first, cause: 'Failback' };
}

/** For how long a node must have been well before a group goes back to it; `undefined`: it never does. */
export function failbackMs({ failback }: Layer2Group): number | undefined {
  if (failback.kind === 'never') return undefined;
  return failback.kind === 'immediate' ? STABLE_MS.immediate : failback.delayMs;
}

export function hasBeenWell(
  node: string,
  group: Layer2Group,
  { wellSince, now, forMs }: Pick<Surroundings, 'wellSince' | 'now'> & { readonly forMs: number },
): boolean {
  const since = wellSince(node, group);
  return since !== undefined && now - since >= forMs;
}

function bestOf(candidates: readonly Candidate[], key: string): string | undefined {
  return candidates.length === 0 ? undefined : choiceOrder(candidates, key)[0];
}
