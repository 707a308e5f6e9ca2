import { isNewer } from './documents.ts';
import type { Layer2View, OwnershipRecord, SpeakerSeen } from './types.ts';

/**
 * Who owns what, from what stands written and what this node has just said.
 * @param seen what stands written, by `namespace/name`
 * @param own what this node says that it owns; undefined before it has said anything, when what an earlier run left counts
 */
export function ownershipsOf(options: {
  readonly node: string;
  readonly seen: Iterable<readonly [string, OwnershipRecord]>;
  readonly own: ReadonlyMap<string, OwnershipRecord> | undefined;
}): ReadonlyMap<string, OwnershipRecord> {
  const { node, seen, own } = options;
  const ownerships = new Map<string, OwnershipRecord>(own);
  for (const [key, record] of seen) {
    if (record.node === node && own !== undefined) continue;
    const other = ownerships.get(key);
    if (!other || isNewer(record, other)) ownerships.set(key, record);
  }
  return ownerships;
}

/** Whether two views say the same; records are compared by identity. */
export function isSameView(a: Layer2View, b: Layer2View): boolean {
  return (
    a.isFresh === b.isFresh &&
    isSameMap(a.speakers, b.speakers, isSameSpeaker) &&
    isSameMap(a.ownerships, b.ownerships) &&
    isSameMap(a.moves, b.moves)
  );
}

function isSameSpeaker(a: SpeakerSeen, b: SpeakerSeen): boolean {
  return a.record === b.record && a.isHeld === b.isHeld;
}

function isSameMap<T>(
  a: ReadonlyMap<string, T>,
  b: ReadonlyMap<string, T>,
  isSame: (a: T, b: T) => boolean = Object.is,
): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !isSame(value, other)) return false;
  }
  return true;
}

/** The first of the speakers that live, by name: it does what one has to do for all. */
export function firstHeld(speakers: ReadonlyMap<string, SpeakerSeen>): string | undefined {
  let first: string | undefined;
  for (const [node, { isHeld }] of speakers) {
    if (isHeld && (first === undefined || node < first)) first = node;
  }
  return first;
}
