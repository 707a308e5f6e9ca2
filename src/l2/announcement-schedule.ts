import type { IpAddress } from '../core/ip.ts';
import { arpAnnouncements } from './arp.ts';
import type { MacAddress } from './mac.ts';
import { encodeNa } from './ndp.ts';

/** An address that this node announces on one of its interfaces. */
export interface Announced {
  readonly ip: IpAddress;
  /** Name of the interface. */
  readonly interface: string;
  /** Of that interface: with another one, everybody has to be told anew. */
  readonly mac: MacAddress;
  /** What advertisements are sent from; of no use to IPv4. */
  readonly linkLocal: IpAddress | undefined;
  /** How often it is said again once everybody should know; 0: never. */
  readonly intervalMs: number;
}

/**
 * When each address is announced next. A value: every function gives another one. Times are milliseconds of a monotonic
 * clock.
 */
export interface AnnouncementSchedule {
  /** Each address on each interface, the one that is due next first. */
  readonly items: readonly Item[];
  /** The last batch was just before this. */
  readonly notBefore: number;
}

interface Item {
  /** Interface, MAC address and address. */
  readonly key: string;
  readonly announced: Announced;
  /** When it was claimed, or its link returned. */
  readonly since: number;
  /** How often it has been said since then. */
  readonly sent: number;
  /** Minus infinity: never yet. */
  readonly sentAt: number;
  /** Infinity: not again. */
  readonly dueAt: number;
}

export const ANNOUNCEMENT_TIMES = {
  /** The first one, and those that follow it: a frame or two may be lost while a switch learns a port. */
  burst: 5,
  /** RFC 4861 section 7.2.6 wants RetransTimer, 1 s, between two; five fit into 5 s with what spreads them. */
  burstStepMs: 1_050,
  /** Over how long the repetitions of addresses that were claimed together are spread. */
  burstSpreadMs: 600,
  /** The least between two announcements of an address, but for the first of a burst. */
  gapMs: 1_000,
  /** A period is this part of it shorter or longer. */
  jitter: 0.2,
  /** Periods end on a multiple of this, so that a thousand of them wake nobody a thousand times. */
  periodGridMs: 100,
  /** Between two batches. */
  batchEveryMs: 10,
  /** First announcements in a batch: a thousand addresses are out after 0.16 s. */
  batchFirst: 64,
  /** Repetitions in a batch, beside these: 2,000 addresses a second. */
  batchRepeated: 20,
} as const;

export const NOTHING_ANNOUNCED: AnnouncementSchedule = { items: [], notBefore: -Infinity };

/**
 * Says what is announced from now on. What is new is due at once, and that an interface has another MAC address makes
 * all on it new; what was there goes on as it was. An address whose link is down is left out, and is new when it is
 * back.
 */
export function withAnnounced(
  schedule: AnnouncementSchedule,
  wanted: readonly Announced[],
  now: number,
): AnnouncementSchedule {
  const known = new Map(schedule.items.map((item) => [item.key, item]));
  const items = new Map<string, Item>();
  let isSame = true;
  for (const announced of wanted) {
    const key = keyOf(announced);
    const before = known.get(key);
    const item = before ? updated(before, announced) : begun(key, announced, now);
    isSame &&= item === before;
    items.set(key, item);
  }
  return isSame && items.size === known.size ? schedule : sorted(schedule, [...items.values()]);
}

/** Begins anew with all addresses of an interface: it has lost its carrier and has it again. */
export function withLinkReturned(
  schedule: AnnouncementSchedule,
  interfaceName: string,
  now: number,
): AnnouncementSchedule {
  return changed(schedule, (item) =>
    item.announced.interface === interfaceName ? begun(item.key, item.announced, now) : item,
  );
}

/**
 * Says them again soon, whatever was planned: somebody else has claimed these addresses. At once, if not said just before.
 * @param ips canonical texts
 */
export function withDefended(
  schedule: AnnouncementSchedule,
  ips: ReadonlySet<string>,
  now: number,
): AnnouncementSchedule {
  return changed(schedule, (item) => {
    if (!ips.has(item.announced.ip.text)) return item;
    return { ...item, dueAt: Math.min(item.dueAt, Math.max(now, item.sentAt + ANNOUNCEMENT_TIMES.gapMs)) };
  });
}

export interface DueAnnouncements {
  /** To be sent now, first announcements first. */
  readonly due: readonly Announced[];
  readonly schedule: AnnouncementSchedule;
  /** When to ask again; `undefined`: when something has changed. */
  readonly nextAt: number | undefined;
}

/**
 * What has to be announced by now, as much as goes into one batch, and what is left of the schedule then. Who asks late
 * is not given an address twice.
 */
export function takeDue(schedule: AnnouncementSchedule, now: number): DueAnnouncements {
  const { items, notBefore } = schedule;
  const { batchFirst, batchRepeated, batchEveryMs } = ANNOUNCEMENT_TIMES;
  const first: Item[] = [];
  const repeated: Item[] = [];
  const left: Item[] = [];
  let at = 0;
  for (; now >= notBefore; at += 1) {
    const item = items[at];
    if (item === undefined || item.dueAt > now) break;
    if (item.sent === 0 && first.length < batchFirst) first.push(item);
    else if (item.sent > 0 && repeated.length < batchRepeated) repeated.push(item);
    else left.push(item);
  }
  const taken = [...first, ...repeated];
  if (taken.length === 0) return { due: [], schedule, nextAt: nextAt(schedule) };
  const again = taken.map((item) => said(item, now)).sort(byDue);
  const rest = { items: merged([...left, ...items.slice(at)], again), notBefore: now + batchEveryMs };
  return { due: taken.map(({ announced }) => announced), schedule: rest, nextAt: nextAt(rest) };
}

/** The frames that announce it: ARP in both forms, or an unsolicited Neighbor Advertisement. */
export function announcementFrames({ ip, mac, linkLocal }: Announced): readonly Uint8Array[] {
  if (ip.family === 'ipv4') return arpAnnouncements(ip, mac);
  return linkLocal ? [encodeNa({ mac, sourceIp: linkLocal, target: ip })] : [];
}

function keyOf({ ip, mac, interface: name }: Announced): string {
  return `${name} ${mac} ${ip.text}`;
}

function begun(key: string, announced: Announced, now: number): Item {
  return { key, announced, since: now, sent: 0, sentAt: -Infinity, dueAt: now };
}

/** The item with what may change under it. */
function updated(item: Item, announced: Announced): Item {
  const before = item.announced;
  if (before.linkLocal?.text === announced.linkLocal?.text && before.intervalMs === announced.intervalMs) {
    return item;
  }
  const next = { ...item, announced };
  const isPeriodic = item.sent >= ANNOUNCEMENT_TIMES.burst && before.intervalMs !== announced.intervalMs;
  return isPeriodic ? { ...next, dueAt: dueAfter(next) } : next;
}

function said(item: Item, now: number): Item {
  const next = { ...item, sent: item.sent + 1, sentAt: now };
  return { ...next, dueAt: dueAfter(next) };
}

/** When an item is due that was last said at `sentAt`. */
function dueAfter({ key, announced, since, sent, sentAt }: Item): number {
  const { burst, burstStepMs, burstSpreadMs, gapMs, jitter, periodGridMs } = ANNOUNCEMENT_TIMES;
  if (sent < burst) {
    const planned = since + sent * burstStepMs + Math.floor(fractionOf(key) * burstSpreadMs);
    return Math.max(planned, sentAt + gapMs);
  }
  if (announced.intervalMs === 0) return Infinity;
  const factor = 1 - jitter + 2 * jitter * fractionOf(`${key} ${String(sent)}`);
  const at = sentAt + Math.max(announced.intervalMs * factor, gapMs);
  return Math.ceil(at / periodGridMs) * periodGridMs;
}

function changed(schedule: AnnouncementSchedule, change: (item: Item) => Item): AnnouncementSchedule {
  const items = schedule.items.map(change);
  return items.every((item, index) => item === schedule.items[index]) ? schedule : sorted(schedule, items);
}

function sorted(schedule: AnnouncementSchedule, items: readonly Item[]): AnnouncementSchedule {
  return { ...schedule, items: [...items].sort(byDue) };
}

/** Two sorted lists as one. */
function merged(many: readonly Item[], few: readonly Item[]): readonly Item[] {
  const items: Item[] = [];
  let at = 0;
  for (const item of few) {
    let next = many[at];
    for (; next !== undefined && next.dueAt <= item.dueAt; next = many[at]) {
      items.push(next);
      at += 1;
    }
    items.push(item);
  }
  return [...items, ...many.slice(at)];
}

function nextAt({ items, notBefore }: AnnouncementSchedule): number | undefined {
  const dueAt = items[0]?.dueAt ?? Infinity;
  return dueAt === Infinity ? undefined : Math.max(dueAt, notBefore);
}

function byDue(a: Item, b: Item): number {
  // Both may be Infinity.
  return a.dueAt < b.dueAt ? -1 : a.dueAt > b.dueAt ? 1 : 0;
}

/**
 * At least 0 and below 1, the same for the same text: what spreads addresses out needs no chance, only that no two have
 * the same. FNV-1a, with a last mixing so that texts which differ at their end only are far apart.
 */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}
