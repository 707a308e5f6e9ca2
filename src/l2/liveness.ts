/** What is known of whether another node lives, seen over one link. Times are milliseconds of a monotonic clock. */
export interface Evidence {
  readonly bfd: 'none' | 'up' | 'down';
  /** When BFD said so; meaningful unless `none`. */
  readonly bfdSince: number;
  /** When it last answered for one of its addresses, or claimed one; `undefined`: never. */
  readonly answeredAt: number | undefined;
  /** Questions in a row that it has not answered. */
  readonly missed: number;
}

export const NO_EVIDENCE: Evidence = { bfd: 'none', bfdSince: 0, answeredAt: undefined, missed: 0 };

/** How often a runner-up asks an owner, */
export const ASK_EVERY_MS = 150;
/** how soon again when it has not answered: two runners-up in turn have to be done within a second, */
export const ASK_AGAIN_MS = 100;
/** how often another runner-up, that is to be waited for, is asked for its node's own address, */
export const ASK_FELLOW_EVERY_MS = 500;
/** and after how many answers missed one counts as silent. */
export const MISSES_TO_SILENCE = 3;

/** A session that was never up says nothing when it is not up: the other side may not know of it yet. */
export function withBfd(evidence: Evidence, isUp: boolean, now: number): Evidence {
  if (isUp) return evidence.bfd === 'up' ? evidence : { ...evidence, bfd: 'up', bfdSince: now };
  return evidence.bfd === 'up' ? { ...evidence, bfd: 'down', bfdSince: now } : evidence;
}

export function withAnswer(evidence: Evidence, now: number): Evidence {
  return { ...evidence, answeredAt: now, missed: 0 };
}

export function withMiss(evidence: Evidence): Evidence {
  return { ...evidence, missed: Math.min(evidence.missed + 1, MISSES_TO_SILENCE) };
}

/**
 * What is left of what is known when a node is no longer watched: without a session, or without questions, nothing new
 * comes, and what spoke against it would speak against it for ever.
 */
export function withoutWatch(
  evidence: Evidence,
  watch: { readonly hasSession: boolean; readonly isAsked: boolean },
): Evidence {
  const bfd = watch.hasSession ? evidence.bfd : 'none';
  const missed = watch.isAsked ? evidence.missed : 0;
  return bfd === evidence.bfd && missed === evidence.missed ? evidence : { ...evidence, bfd, missed };
}

/**
 * Whether the node can be counted on. Who has answered since BFD lost it has only lost its FRR; who does not answer
 * although BFD has it has only lost its speaker.
 */
export function healthOf(evidence: Evidence): 'well' | 'lost' | 'silent' {
  const { bfd, bfdSince, answeredAt, missed } = evidence;
  if (missed >= MISSES_TO_SILENCE) return bfd === 'down' ? 'lost' : 'silent';
  if (bfd === 'down' && (answeredAt === undefined || answeredAt < bfdSince)) return 'lost';
  return 'well';
}
