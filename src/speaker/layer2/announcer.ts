import type { IpAddress } from '../../core/ip.ts';
import { NOTHING_ANNOUNCED, takeDue, withAnnounced, withDefended, type Announced } from '../../l2/index.ts';

/** Sends announcements when they are due. */
export interface Announcer {
  /** What is announced from now on: what is new in it is announced at once. */
  readonly set: (wanted: readonly Announced[]) => void;
  /** Says once more, soon, where an address is. */
  readonly defend: (ip: IpAddress) => void;
  readonly close: () => void;
}

export function createAnnouncer(send: (announced: Announced) => void): Announcer {
  let schedule = NOTHING_ANNOUNCED;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const run = (): void => {
    clearTimeout(timer);
    if (isClosed) return;
    const now = performance.now();
    const taken = takeDue(schedule, now);
    schedule = taken.schedule;
    for (const announced of taken.due) send(announced);
    if (taken.nextAt !== undefined) timer = setTimeout(run, Math.max(1, taken.nextAt - now));
  };
  return {
    set: (wanted) => {
      const next = withAnnounced(schedule, wanted, performance.now());
      if (next === schedule) return;
      schedule = next;
      run();
    },
    defend: (ip) => {
      schedule = withDefended(schedule, ip, performance.now());
      run();
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
