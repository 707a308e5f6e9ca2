import type { OwnershipRecord, SpeakerRecord } from './types.ts';

/** What speakers wrote down for each other, for somebody who looks at it once and is no speaker. */

export interface WrittenSpeaker {
  readonly record: SpeakerRecord;
  /** It said that it goes. */
  readonly isReleased: boolean;
  /** RFC 3339, by the clock of its node: when it last said that it lives. */
  readonly renewTime: string;
  /** For how long that holds. */
  readonly heldMs: number;
}

export interface WrittenLayer2 {
  /** By node name. */
  readonly speakers: ReadonlyMap<string, WrittenSpeaker>;
  /** By `namespace/name` of the Service. */
  readonly ownerships: ReadonlyMap<string, OwnershipRecord>;
  /** Requests to move a Service's addresses, by `namespace/name`: the node that should have them. */
  readonly moves: ReadonlyMap<string, string>;
}

/**
 * Whether a speaker lives, at a time of the wall clock in milliseconds. Speakers among themselves compare no clocks (see
 * `createHeartbeats`): they have the time to watch whether it is said again.
 */
export function livesAt({ isReleased, renewTime, heldMs }: WrittenSpeaker, atMs: number): boolean {
  const renewedAt = Date.parse(renewTime);
  return !isReleased && !Number.isNaN(renewedAt) && atMs - renewedAt <= heldMs;
}
