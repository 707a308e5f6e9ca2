/** What a speaker last wrote to say that it lives. */
export interface Heartbeat {
  /** Another one after each renewal. */
  readonly version: string;
  /** For how long it holds without a renewal, in milliseconds. */
  readonly heldMs: number;
  /** The speaker has said that it goes. */
  readonly isReleased: boolean;
}

interface Seen extends Heartbeat {
  /** Since when it is what it is, on our own clock. */
  readonly at: number;
  readonly isHeld: boolean;
}

/** Between two judgements; a longer pause means that this process stood still, and so did its eyes. */
const STALL_MS = 2_000;

export interface Heartbeats {
  readonly see: (node: string, heartbeat: Heartbeat, nowMs: number) => void;
  readonly forget: (node: string) => void;
  readonly isHeld: (node: string) => boolean;
  /** Judges all. To be called at least every second, and before {@link see} of what was read after a pause. */
  readonly judge: (nowMs: number, isFresh: boolean) => void;
}

/**
 * Which speakers live. As with client-go's leader election, the times that they write are never compared with our clock:
 * a speaker lives while what it writes goes on changing. While it cannot be read, or while this process stood still,
 * nobody's time runs; afterwards each has the whole of it again, since the others could not write either.
 *
 * Times are milliseconds of one monotonic clock.
 */
export function createHeartbeats(): Heartbeats {
  const all = new Map<string, Seen>();
  let judgedAt: number | undefined;
  return {
    see: (node, heartbeat, nowMs) => {
      const before = all.get(node);
      const isSame =
        before?.version === heartbeat.version &&
        before.isReleased === heartbeat.isReleased &&
        before.heldMs === heartbeat.heldMs;
      if (!isSame) all.set(node, { ...heartbeat, at: nowMs, isHeld: !heartbeat.isReleased });
    },
    forget: (node) => {
      all.delete(node);
    },
    isHeld: (node) => all.get(node)?.isHeld ?? false,
    judge: (nowMs, isFresh) => {
      const canTell = isFresh && (judgedAt === undefined || nowMs - judgedAt <= STALL_MS);
      judgedAt = nowMs;
      for (const [node, seen] of all) {
        if (!seen.isHeld) continue;
        if (!canTell) all.set(node, { ...seen, at: nowMs });
        else if (nowMs - seen.at >= seen.heldMs) all.set(node, { ...seen, isHeld: false });
      }
    },
  };
}
