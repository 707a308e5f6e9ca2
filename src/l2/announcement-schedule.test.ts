import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ipFromValue } from '../core/ip.ts';
import { ip } from '../core/test-ip.ts';
import {
  announcementFrames,
  ANNOUNCEMENT_TIMES,
  NOTHING_ANNOUNCED,
  takeDue,
  withAnnounced,
  withDefended,
  withLinkReturned,
  type Announced,
  type AnnouncementSchedule,
} from './announcement-schedule.ts';
import { arpAnnouncements } from './arp.ts';
import { parseMac } from './mac.ts';
import { encodeNa } from './ndp.ts';

const MAC = parseMac('00:00:5e:00:53:01')!;
const OTHER_MAC = parseMac('00:00:5e:00:53:02')!;

function announced(text: string, more: Partial<Announced> = {}): Announced {
  return { ip: ip(text), interface: 'eth0', mac: MAC, linkLocal: ip('fe80::1'), intervalMs: 60_000, ...more };
}

const FIRST = 0xc6336400n;
const many = (count: number, more: Partial<Announced> = {}): Announced[] =>
  Array.from({ length: count }, (_, index) =>
    announced(ipFromValue('ipv4', FIRST + BigInt(index)).text, more),
  );

interface Sent {
  readonly at: number;
  readonly key: string;
}

const keyOf = (item: Announced): string => `${item.interface} ${item.ip.text}`;

/**
 * Takes what is due whenever it is said to be, until a time.
 * @param lateness how much later than asked for each look is
 */
function run(
  schedule: AnnouncementSchedule,
  { from, until, lateness = () => 0 }: { from: number; until: number; lateness?: () => number },
): { readonly sent: Sent[]; readonly schedule: AnnouncementSchedule; readonly looks: number } {
  const sent: Sent[] = [];
  let now = from;
  let looks = 0;
  while (now <= until) {
    const taken = takeDue(schedule, now);
    looks += 1;
    schedule = taken.schedule;
    for (const item of taken.due) sent.push({ at: now, key: keyOf(item) });
    if (taken.nextAt === undefined) break;
    if (taken.nextAt <= now) throw new Error(`to be looked at again at ${taken.nextAt}, and it is ${now}`);
    now = taken.nextAt + lateness();
  }
  return { sent, schedule, looks };
}

function timesOf(sent: readonly Sent[]): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { at, key } of sent) times.set(key, [...(times.get(key) ?? []), at]);
  return times;
}

const gaps = (times: readonly number[]): number[] => times.slice(1).map((at, index) => at - times[index]!);

describe('an address', () => {
  test('is announced at once, four times within 5 s, and then every interval', () => {
    const claimed = withAnnounced(NOTHING_ANNOUNCED, [announced('198.51.100.10')], 1_000);
    const { sent } = run(claimed, { from: 1_000, until: 600_000 });
    const times = sent.map(({ at }) => at);
    expect(times[0]).toBe(1_000);
    expect(times.filter((at) => at <= 6_000)).toHaveLength(5);
    for (const gap of gaps(times.slice(0, 5))) expect(gap).toBeGreaterThanOrEqual(1_000);
    const periods = gaps(times.slice(4));
    expect(periods.length).toBeGreaterThanOrEqual(8);
    for (const period of periods) {
      expect(period).toBeGreaterThanOrEqual(48_000);
      expect(period).toBeLessThanOrEqual(72_100);
    }
    expect(new Set(periods).size).toBeGreaterThan(3);
  });

  test('is not announced again when that is off', () => {
    const claimed = withAnnounced(NOTHING_ANNOUNCED, [announced('2001:db8::10', { intervalMs: 0 })], 0);
    const { sent, schedule } = run(claimed, { from: 0, until: 1e9 });
    expect(sent).toHaveLength(5);
    expect(takeDue(schedule, 1e9).nextAt).toBeUndefined();
  });

  test('follows another interval', () => {
    const quiet = announced('198.51.100.10', { intervalMs: 0 });
    const after = run(withAnnounced(NOTHING_ANNOUNCED, [quiet], 0), { from: 0, until: 1e6 });
    const loud = withAnnounced(after.schedule, [{ ...quiet, intervalMs: 10_000 }], 1e6);
    expect(takeDue(loud, 1e6).due).toHaveLength(1);
    const off = withAnnounced(loud, [quiet], 1e6);
    expect(takeDue(off, 1e9)).toMatchObject({ due: [], nextAt: undefined });
  });

  test('that is no longer announced is not', () => {
    const claimed = withAnnounced(NOTHING_ANNOUNCED, many(2), 0);
    const left = withAnnounced(claimed, many(1), 5);
    expect(run(left, { from: 5, until: 100_000 }).sent.map(({ key }) => key)).not.toContain(
      'eth0 198.51.100.1',
    );
    expect(takeDue(withAnnounced(claimed, [], 5), 5)).toMatchObject({ due: [], nextAt: undefined });
  });

  test('that is said to be announced again goes on as it was', () => {
    const { schedule } = run(withAnnounced(NOTHING_ANNOUNCED, many(3), 0), { from: 0, until: 20_000 });
    expect(withAnnounced(schedule, many(3), 20_000)).toBe(schedule);
    const more = withAnnounced(schedule, many(4), 20_000);
    expect(takeDue(more, 20_000).due.map(keyOf)).toEqual(['eth0 198.51.100.3']);
  });

  test.each<readonly [string, (schedule: AnnouncementSchedule) => AnnouncementSchedule]>([
    ['its link returns', (schedule) => withLinkReturned(schedule, 'eth0', 30_000)],
    [
      'the interface has another MAC address',
      (schedule) => withAnnounced(schedule, [announced('198.51.100.10', { mac: OTHER_MAC })], 30_000),
    ],
    [
      'it was gone meanwhile',
      (schedule) => withAnnounced(withAnnounced(schedule, [], 29_000), [announced('198.51.100.10')], 30_000),
    ],
  ])('begins anew when %s', (_name, change) => {
    const claimed = withAnnounced(NOTHING_ANNOUNCED, [announced('198.51.100.10')], 0);
    const { schedule } = run(claimed, { from: 0, until: 20_000 });
    const { sent } = run(change(schedule), { from: 30_000, until: 35_000 });
    expect(sent[0]?.at).toBe(30_000);
    expect(sent).toHaveLength(5);
  });

  test('does not begin anew when another link returns, or with another link-local address', () => {
    const { schedule } = run(withAnnounced(NOTHING_ANNOUNCED, many(1), 0), { from: 0, until: 20_000 });
    expect(withLinkReturned(schedule, 'eth1', 30_000)).toBe(schedule);
    const moved = withAnnounced(schedule, many(1, { linkLocal: ip('fe80::2') }), 30_000);
    expect(takeDue(moved, 30_000).due).toEqual([]);
    expect(takeDue(moved, 1e6).due).toMatchObject([{ linkLocal: { text: 'fe80::2' } }]);
  });

  test('that is defended is announced at once, once in a second', () => {
    const vip = ip('198.51.100.10');
    const claimed = withAnnounced(NOTHING_ANNOUNCED, [announced(vip.text), announced('198.51.100.11')], 0);
    const { schedule } = run(claimed, { from: 0, until: 20_000 });
    const first = takeDue(withDefended(schedule, new Set([vip.text]), 20_500), 20_500);
    expect(first.due.map(keyOf)).toEqual(['eth0 198.51.100.10']);
    const second = takeDue(withDefended(first.schedule, new Set([vip.text]), 20_600), 20_600);
    expect(second).toMatchObject({ due: [], nextAt: 21_500 });
    expect(takeDue(second.schedule, 21_500).due).toHaveLength(1);
  });

  test('whose node slept is announced once when it wakes', () => {
    const { schedule } = run(withAnnounced(NOTHING_ANNOUNCED, many(1), 0), { from: 0, until: 20_000 });
    const { sent } = run(schedule, { from: 1e7, until: 1e7 + 5_000 });
    expect(sent).toHaveLength(1);
  });
});

describe('a thousand addresses', () => {
  const claimed = withAnnounced(NOTHING_ANNOUNCED, many(1_000), 0);
  const { sent, looks } = run(claimed, { from: 0, until: 300_000 });
  const times = timesOf(sent);

  test('are all out within a fifth of a second, and five times within 5 s', () => {
    expect(times.size).toBe(1_000);
    for (const at of times.values()) {
      expect(at[0]).toBeLessThanOrEqual(200);
      expect(at.filter((time) => time <= 5_000)).toHaveLength(5);
    }
  });

  test('are repeated without a burst', () => {
    const seconds = new Map<number, number>();
    for (const { at } of sent)
      if (at > 10_000) seconds.set(Math.floor(at / 1_000), (seconds.get(Math.floor(at / 1_000)) ?? 0) + 1);
    expect(Math.max(...seconds.values())).toBeLessThanOrEqual(100);
  });

  test('wake the process at most ten times a second', () => {
    expect(looks).toBeLessThan(300 * 11 + 500);
  });
});

test('addresses that were claimed together are not repeated together', () => {
  const { sent } = run(withAnnounced(NOTHING_ANNOUNCED, many(500), 0), { from: 0, until: 5_000 });
  const tenths = new Map<number, number>();
  for (const { at } of sent) {
    const tenth = Math.floor(at / 100);
    if (at > 1_000) tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1);
  }
  expect(Math.max(...tenths.values())).toBeLessThanOrEqual(130);
});

// Any sequence of changes, looked at in time or late.

type Step =
  | { readonly kind: 'announce'; readonly count: number; readonly links: number; readonly intervalMs: number }
  | { readonly kind: 'link'; readonly name: string }
  | { readonly kind: 'defend'; readonly index: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('announce' as const),
    count: fc.nat(200),
    links: fc.integer({ min: 1, max: 2 }),
    intervalMs: fc.constantFrom(0, 1_000, 5_000, 60_000),
  }),
  fc.record({ kind: fc.constant('link' as const), name: fc.constantFrom('eth0', 'eth1') }),
  fc.record({ kind: fc.constant('defend' as const), index: fc.nat(200) }),
);

test('whatever changes: bounded rate, nothing that is not announced, no address twice in a second but for a new start', () => {
  const steps = fc.array(fc.record({ step, wait: fc.nat(8_000), late: fc.nat(400) }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(steps, (sequence) => {
      let schedule = NOTHING_ANNOUNCED;
      let now = 0;
      let wanted: Announced[] = [];
      const all: Sent[] = [];
      const starts: number[] = [];
      for (const { step: one, wait, late } of sequence) {
        switch (one.kind) {
          case 'announce':
            wanted = ['eth0', 'eth1']
              .slice(0, one.links)
              .flatMap((name) => many(one.count, { interface: name, intervalMs: one.intervalMs }));
            schedule = withAnnounced(schedule, wanted, now);
            break;
          case 'link':
            schedule = withLinkReturned(schedule, one.name, now);
            break;
          case 'defend':
            schedule = withDefended(
              schedule,
              new Set([ipFromValue('ipv4', FIRST + BigInt(one.index)).text]),
              now,
            );
            break;
        }
        starts.push(now);
        const { sent, schedule: next } = run(schedule, {
          from: now,
          until: now + wait,
          lateness: () => late,
        });
        schedule = next;
        const keys = new Set(wanted.map(keyOf));
        expect(sent.filter(({ key }) => !keys.has(key))).toEqual([]);
        // Everything new is out after as many batches as it takes.
        const batches = Math.ceil(wanted.length / ANNOUNCEMENT_TIMES.batchFirst);
        const enough = batches * (ANNOUNCEMENT_TIMES.batchEveryMs + late);
        if (wait >= enough && one.kind === 'announce') {
          const known = new Set([...all, ...sent].map(({ key }) => key));
          expect([...keys].filter((key) => !known.has(key))).toEqual([]);
        }
        all.push(...sent);
        now += wait + 1;
      }
      const batches = new Map<number, number>();
      for (const { at } of all) batches.set(at, (batches.get(at) ?? 0) + 1);
      const { batchFirst, batchRepeated, batchEveryMs, gapMs } = ANNOUNCEMENT_TIMES;
      for (const size of batches.values()) expect(size).toBeLessThanOrEqual(batchFirst + batchRepeated);
      for (const gap of gaps([...batches.keys()])) expect(gap).toBeGreaterThanOrEqual(batchEveryMs);
      for (const times of timesOf(all).values()) {
        for (const [index, at] of times.entries()) {
          const before = times[index - 1];
          if (before === undefined || at - before >= gapMs) continue;
          expect(starts.some((start) => start > before && start <= at)).toBe(true);
        }
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

describe('the frames', () => {
  test('of an IPv4 address are an ARP request and a reply', () => {
    const item = announced('198.51.100.10', { linkLocal: undefined });
    expect(announcementFrames(item)).toEqual(arpAnnouncements(item.ip, MAC));
  });

  test('of an IPv6 address are one advertisement, and none without an address to send it from', () => {
    const item = announced('2001:db8::10');
    const frame = encodeNa({ mac: MAC, sourceIp: ip('fe80::1'), target: item.ip });
    expect(announcementFrames(item)).toEqual([frame]);
    expect(announcementFrames({ ...item, linkLocal: undefined })).toEqual([]);
  });
});
