import type { IpAddress } from '../../core/ip.ts';
import {
  linkLocalOf,
  NOTHING_ANNOUNCED,
  parseMac,
  takeDue,
  withAnnounced,
  withDefended,
  withLinkReturned,
  type Announced,
  type Layer2Group,
} from '../../l2/index.ts';
import type { Places } from './places.ts';

/** Sends announcements when they are due. */
export interface Announcer {
  /** What is announced from now on: what is new in it is announced at once. */
  readonly set: (wanted: readonly Announced[]) => void;
  /** Says once more, soon, where an address is. */
  readonly defend: (ip: IpAddress) => void;
  /** An interface can be used again: what it announces is said anew. */
  readonly linkReturned: (link: string) => void;
  readonly close: () => void;
}

/** @param onDue called when something is due, before it is sent: the last moment to take it back */
export function createAnnouncer(send: (announced: Announced) => void, onDue: () => void): Announcer {
  let schedule = NOTHING_ANNOUNCED;
  let timer: NodeJS.Timeout | undefined;
  let defence: NodeJS.Immediate | undefined;
  let defended = new Set<string>();
  let isClosed = false;

  const run = (): void => {
    clearTimeout(timer);
    if (isClosed) return;
    const now = performance.now();
    const taken = takeDue(schedule, now);
    schedule = taken.schedule;
    for (const announced of taken.due) send(announced);
    if (taken.nextAt !== undefined) timer = setTimeout(runWhenDue, Math.max(1, taken.nextAt - now));
  };
  const runWhenDue = (): void => {
    onDue();
    run();
  };
  return {
    set: (wanted) => {
      const next = withAnnounced(schedule, wanted, performance.now());
      if (next === schedule) return;
      schedule = next;
      run();
    },
    // Once for all that is heard in a turn: each costs as much as there are addresses.
    defend: (ip) => {
      defended.add(ip.text);
      defence ??= setImmediate(() => {
        defence = undefined;
        schedule = withDefended(schedule, defended, performance.now());
        defended = new Set();
        run();
      });
    },
    linkReturned: (link) => {
      schedule = withLinkReturned(schedule, link, performance.now());
      run();
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      clearImmediate(defence);
    },
  };
}

/** A group's addresses, on each of the interfaces that serve them. */
export function announcedOf(group: Layer2Group, places: Places): Announced[] {
  return group.ips.flatMap((ip) =>
    places.linksOf(ip).flatMap((link): Announced[] => {
      const mac = parseMac(link.mac);
      if (mac === undefined) return [];
      return [
        { ip, interface: link.name, mac, linkLocal: linkLocalOf(link), intervalMs: group.announceIntervalMs },
      ];
    }),
  );
}
