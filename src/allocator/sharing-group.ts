import { lowerBound } from './sorted-array.ts';
import type { AddressUse } from './ledger.ts';

/**
 * The addresses of one address space whose users have the same sharing key and backend key, by position: where a Service
 * with these keys may join.
 */
export interface SharingGroup {
  readonly members: AddressUse[];
  /**
   * For a set of ports (its text): every member below this position is known to have one of the ports taken. It spares
   * the search from the start when many Services with the same key and the same ports each need an address.
   */
  readonly knownConflicts: Map<string, bigint>;
}

/** Bound on the port sets remembered for one group; beyond it the oldest is forgotten, which only costs time. */
const MAX_REMEMBERED_PORT_SETS = 32;

const byPosition = (a: { readonly position: bigint }, b: { readonly position: bigint }): number =>
  a.position < b.position ? -1 : a.position > b.position ? 1 : 0;

export function createSharingGroup(): SharingGroup {
  return { members: [], knownConflicts: new Map() };
}

export function addMember(group: SharingGroup, use: AddressUse): void {
  group.members.splice(lowerBound<{ readonly position: bigint }>(group.members, use, byPosition), 0, use);
  portsReleased(group, use.position);
}

export function removeMember(group: SharingGroup, use: AddressUse): void {
  const index = group.members.indexOf(
    use,
    lowerBound<{ readonly position: bigint }>(group.members, use, byPosition),
  );
  if (index < 0) throw new Error(`address ${use.ip.text} is missing from its sharing group`);
  group.members.splice(index, 1);
}

/** To be called when ports became free at `position`. */
export function portsReleased(group: SharingGroup, position: bigint): void {
  for (const [ports, known] of group.knownConflicts) {
    if (known > position) group.knownConflicts.set(ports, position);
  }
}

/**
 * The first member below `limit` at which none of `ports` is taken.
 * @param limit position to stop at, exclusive; undefined searches all
 */
export function firstJoinable(
  group: SharingGroup,
  ports: readonly string[],
  limit: bigint | undefined,
): AddressUse | undefined {
  const portsText = ports.join(' ');
  const from = group.knownConflicts.get(portsText) ?? 0n;
  let known = from;
  let found: AddressUse | undefined;
  for (
    let index = lowerBound<{ readonly position: bigint }>(group.members, { position: from }, byPosition);
    index < group.members.length;
    index += 1
  ) {
    const use = group.members[index];
    if (use === undefined || (limit !== undefined && use.position >= limit)) break;
    if (!ports.some((port) => use.ports.has(port))) {
      found = use;
      break;
    }
    known = use.position + 1n;
  }
  if (known !== from) remember(group, portsText, known);
  return found;
}

function remember(group: SharingGroup, portsText: string, known: bigint): void {
  group.knownConflicts.delete(portsText);
  group.knownConflicts.set(portsText, known);
  if (group.knownConflicts.size <= MAX_REMEMBERED_PORT_SETS) return;
  for (const oldest of group.knownConflicts.keys()) {
    group.knownConflicts.delete(oldest);
    break;
  }
}
