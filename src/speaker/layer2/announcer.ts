import type { IpAddress } from '../../core/ip.ts';

/** After a claim an address is announced again at these times: a switch or a host may have missed the first. */
const REPEAT_MS = [1_100, 2_200, 3_300, 4_400] as const;
/** Periodic announcements are this much earlier or later, so that many addresses do not stay in step. */
const JITTER = 0.1;

interface Entry {
  readonly ip: IpAddress;
  readonly intervalMs: number;
  /** When it is announced next, the earliest first; empty: only periodically. */
  due: number[];
}

export interface Announcer {
  /** Announces an address now, a few times more, and then periodically. */
  readonly claim: (ip: IpAddress, options: { readonly now: number; readonly intervalMs: number }) => void;
  /** Announces it again, as after a claim. */
  readonly again: (ip: IpAddress, now: number) => void;
  readonly forget: (ip: IpAddress) => void;
  readonly keepOnly: (known: ReadonlyMap<string, unknown>) => void;
  readonly tick: (now: number) => void;
}

export function createAnnouncer(options: { readonly send: (ip: IpAddress) => void }): Announcer {
  const entries = new Map<string, Entry>();
  const burst = (entry: Entry, now: number): void => {
    entry.due = REPEAT_MS.map((after) => now + after);
    options.send(entry.ip);
  };
  return {
    claim: (ip, { now, intervalMs }) => {
      const entry = { ip, intervalMs, due: [] };
      entries.set(ip.text, entry);
      burst(entry, now);
    },
    again: (ip, now) => {
      const entry = entries.get(ip.text);
      if (entry) burst(entry, now);
    },
    forget: (ip) => {
      entries.delete(ip.text);
    },
    keepOnly: (known) => {
      for (const text of entries.keys()) if (!known.has(text)) entries.delete(text);
    },
    tick: (now) => {
      for (const entry of entries.values()) {
        const [next] = entry.due;
        if (next === undefined || next > now) continue;
        entry.due.shift();
        if (entry.due.length === 0 && entry.intervalMs > 0) {
          entry.due.push(now + entry.intervalMs * (1 + JITTER * (2 * Math.random() - 1)));
        }
        options.send(entry.ip);
      }
    },
  };
}
