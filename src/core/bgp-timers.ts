import { NANOSECONDS_PER_SECOND, notADuration, parseDuration } from './duration.ts';

/** Hold Time and keepalive interval of a session (RFC 4271 section 4.2), in whole seconds. */
export interface BgpTimers {
  readonly keepaliveSeconds: number;
  readonly holdSeconds: number;
}

export interface TimerFault {
  readonly field: 'holdTime' | 'keepaliveTime';
  /** What is wrong, with the value, and what would be right. */
  readonly message: string;
}

export type TimersParse =
  /** `timers` is absent when neither was given: the daemon's defaults hold. */
  | { readonly ok: true; readonly timers?: BgpTimers }
  | { readonly ok: false; readonly faults: readonly TimerFault[] };

/** The Hold Time field of an OPEN message has two octets. */
const MAX_HOLD_SECONDS = 65_535n;

/**
 * Parses the two timers of a BGPPeer. One alone gives the other: the keepalive interval is a third of the hold time.
 * Both are floored to whole seconds, and a keepalive interval above a third of the hold time is lowered to it, which
 * is what bgpd does with it anyway (`peer_timers_set`).
 */
export function parseTimers(given: {
  readonly holdTime?: string;
  readonly keepaliveTime?: string;
}): TimersParse {
  const faults: TimerFault[] = [];
  const read = (field: TimerFault['field']): bigint | undefined => {
    const text = given[field];
    if (text === undefined) return undefined;
    const value = parseDuration(text);
    if (value === undefined) faults.push({ field, message: notADuration(text) });
    else if (value < 0n) faults.push({ field, message: `${text}: must not be negative` });
    return value;
  };
  const hold = read('holdTime');
  const keepalive = read('keepaliveTime');
  if (faults.length > 0) return { ok: false, faults };
  if (hold === undefined && keepalive === undefined) return { ok: true };

  const holdTime = hold ?? (keepalive ?? 0n) * 3n;
  const holdText = given.holdTime ?? `${given.keepaliveTime ?? ''} (three times that is the hold time)`;
  const holdField = given.holdTime === undefined ? 'keepaliveTime' : 'holdTime';
  const holdSeconds = holdTime / NANOSECONDS_PER_SECOND;
  if ((holdSeconds !== 0n && holdSeconds < 3n) || holdSeconds > MAX_HOLD_SECONDS) {
    const message = `${holdText}: the hold time must be 0 or 3s to ${String(MAX_HOLD_SECONDS)}s (RFC 4271 section 4.2)`;
    return { ok: false, faults: [{ field: holdField, message }] };
  }
  if (keepalive !== undefined && keepalive > holdTime) {
    const message = `${given.keepaliveTime ?? ''}: must not exceed the hold time (${holdText}); a third of it is usual`;
    return { ok: false, faults: [{ field: 'keepaliveTime', message }] };
  }
  const keepaliveSeconds = (keepalive ?? holdTime / 3n) / NANOSECONDS_PER_SECOND;
  const third = holdSeconds / 3n;
  return {
    ok: true,
    timers: {
      keepaliveSeconds: Number(keepaliveSeconds < third ? keepaliveSeconds : third),
      holdSeconds: Number(holdSeconds),
    },
  };
}
