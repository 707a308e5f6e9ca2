import type { LanFrame } from './frames.ts';

/** What one frame says about one address. */
export interface Sighting {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly ip: string;
  /**
   * `announcement`: to everyone, unasked. `reply`: to the one who asked. `question`: who has it. `probe`: the same by
   * somebody who wants to have it (RFC 5227 section 2.1.1, RFC 4862 section 5.4).
   */
  readonly what: 'announcement' | 'reply' | 'question' | 'probe';
  /** Who says so: the one that claims to have the address, or that asks. */
  readonly mac: string;
  /** Whom a reply is for. */
  readonly to?: string;
}

/** A time during which something was so, in milliseconds since the epoch. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A time during which one MAC answered. */
export interface Span extends Interval {
  readonly mac: string;
}

/** What a frame says; nothing when it is one that receivers have to ignore (RFC 4861 section 7.1: hop limit). */
export function sightingsOf(atMs: number, { source, destination, message }: LanFrame): readonly Sighting[] {
  switch (message.kind) {
    case 'arp': {
      const { operation, senderMac, senderIp, targetMac, targetIp } = message;
      const announced = { atMs, ip: senderIp, what: 'announcement', mac: senderMac } as const;
      if (senderIp === targetIp) return [announced];
      if (operation === 2) return [{ ...announced, what: 'reply', to: targetMac }];
      if (operation !== 1) return [];
      if (senderIp === '0.0.0.0') return [{ atMs, ip: targetIp, what: 'probe', mac: senderMac }];
      // Who hears a question learns who asks (RFC 826), so it announces its sender too.
      return [{ atMs, ip: targetIp, what: 'question', mac: senderMac }, announced];
    }
    case 'ns': {
      if (message.hopLimit !== 255) return [];
      const what = message.from === '::' ? 'probe' : 'question';
      return [{ atMs, ip: message.target, what, mac: message.linkLayer ?? source }];
    }
    case 'na': {
      if (message.hopLimit !== 255) return [];
      const claim = { atMs, ip: message.target, mac: message.linkLayer ?? source };
      return message.isSolicited
        ? [{ ...claim, what: 'reply', to: destination }]
        : [{ ...claim, what: 'announcement' }];
    }
  }
}

/** Those at or after a time, of sightings in order of time. */
export function since(sightings: readonly Sighting[], fromMs: number): readonly Sighting[] {
  return sightings.slice(sightings.findLastIndex(({ atMs }) => atMs < fromMs) + 1);
}

function isClaim(sighting: Sighting): boolean {
  return sighting.what === 'announcement' || sighting.what === 'reply';
}

/** The first claim of another than `mac` at or after `fromMs`; undefined when there is none. */
export function takeover(
  sightings: readonly Sighting[],
  { ip, mac, fromMs }: { readonly ip: string; readonly mac: string; readonly fromMs: number },
): Sighting | undefined {
  return sightings.find(
    (sighting) => sighting.atMs >= fromMs && sighting.ip === ip && sighting.mac !== mac && isClaim(sighting),
  );
}

/** The MAC that claimed the address last; undefined when none did. */
export function lastOwner(sightings: readonly Sighting[], ip: string): string | undefined {
  return sightings.findLast((sighting) => sighting.ip === ip && isClaim(sighting))?.mac;
}

/**
 * When each MAC answered one asker for an address. Answers no more than `joinMs` apart make one span; one that stands
 * alone is a span without length.
 * @param joinMs several times the asker's interval
 * @returns by start
 */
export function answerSpans(
  sightings: readonly Sighting[],
  { ip, asker, joinMs }: { readonly ip: string; readonly asker: string; readonly joinMs: number },
): readonly Span[] {
  const spans: Span[] = [];
  const open = new Map<string, number>();
  for (const { atMs, ip: about, what, mac, to } of sightings) {
    if (what !== 'reply' || about !== ip || to !== asker) continue;
    const index = open.get(mac);
    const span = index === undefined ? undefined : spans[index];
    if (index !== undefined && span && atMs - span.toMs <= joinMs) {
      spans[index] = { ...span, toMs: atMs };
    } else {
      open.set(mac, spans.length);
      spans.push({ mac, fromMs: atMs, toMs: atMs });
    }
  }
  return spans.sort((a, b) => a.fromMs - b.fromMs);
}

/** When an asker went on asking for an address: it may have been kept from it, and then nobody had to answer. */
export function questionSpans(
  sightings: readonly Sighting[],
  { ip, asker, joinMs }: { readonly ip: string; readonly asker: string; readonly joinMs: number },
): readonly Interval[] {
  const spans: Interval[] = [];
  for (const { atMs, ip: about, what, mac } of sightings) {
    if (what !== 'question' || about !== ip || mac !== asker) continue;
    const last = spans.at(-1);
    if (last && atMs - last.toMs <= joinMs) spans[spans.length - 1] = { fromMs: last.fromMs, toMs: atMs };
    else spans.push({ fromMs: atMs, toMs: atMs });
  }
  return spans;
}

/** Times with two MACs at once, by start; one answer inside another's span is an overlap without length. */
export function overlaps(spans: readonly Span[]): readonly Interval[] {
  const both: Interval[] = [];
  spans.forEach((one, index) => {
    for (const other of spans.slice(index + 1)) {
      if (other.mac === one.mac) continue;
      const fromMs = Math.max(one.fromMs, other.fromMs);
      const toMs = Math.min(one.toMs, other.toMs);
      if (fromMs <= toMs) both.push({ fromMs, toMs });
    }
  });
  return union(both);
}

/** Times of `within` that no span covers, by start. */
export function gaps(spans: readonly Interval[], within: Interval): readonly Interval[] {
  const found: Interval[] = [];
  let fromMs = within.fromMs;
  for (const span of union(spans)) {
    if (span.fromMs >= within.toMs) break;
    if (span.fromMs > fromMs) found.push({ fromMs, toMs: span.fromMs });
    fromMs = Math.max(fromMs, span.toMs);
  }
  if (fromMs < within.toMs) found.push({ fromMs, toMs: within.toMs });
  return found;
}

/** The parts of intervals that lie in `within`. */
export function clipped(intervals: readonly Interval[], within: Interval): readonly Interval[] {
  return intervals
    .map(({ fromMs, toMs }) => ({
      fromMs: Math.max(fromMs, within.fromMs),
      toMs: Math.min(toMs, within.toMs),
    }))
    .filter(({ fromMs, toMs }) => fromMs < toMs);
}

export function longest(intervals: readonly Interval[]): number {
  return Math.max(0, ...intervals.map(({ fromMs, toMs }) => toMs - fromMs));
}

function union(intervals: readonly Interval[]): readonly Interval[] {
  const merged: Interval[] = [];
  for (const each of [...intervals].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last && each.fromMs <= last.toMs) {
      merged[merged.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, each.toMs) };
    } else merged.push({ fromMs: each.fromMs, toMs: each.toMs });
  }
  return merged;
}

/** A time during which nothing was done to the LAN or its hosts. */
export interface Stretch extends Interval {
  /** What was done at its start. */
  readonly after: string;
  /** Whether at least one host that may have the address lives and reaches the asker. */
  readonly hasCandidate: boolean;
}

export interface Violation {
  readonly ip: string;
  readonly rule: 'two owners' | 'no owner';
  /** For how long, within one stretch. */
  readonly lastedMs: number;
  readonly fromMs: number;
  readonly after: string;
}

/**
 * Holds what was recorded against the two rules of ownership: within a stretch, never two owners longer than `mostMs`,
 * and never none for longer while there is a candidate. What is left over from the stretch before has `mostMs` from the
 * start of this one.
 */
export function violations(
  spans: readonly Span[],
  options: {
    readonly ip: string;
    /** When there were questions. */
    readonly asked: readonly Interval[];
    readonly stretches: readonly Stretch[];
    readonly mostMs: number;
  },
): readonly Violation[] {
  const { ip, asked, stretches, mostMs } = options;
  const both = overlaps(spans);
  return stretches.flatMap((stretch) => {
    const found = (rule: Violation['rule'], intervals: readonly Interval[]): Violation[] =>
      clipped(intervals, stretch)
        .filter(({ fromMs, toMs }) => toMs - fromMs > mostMs)
        .map(({ fromMs, toMs }) => ({ ip, rule, lastedMs: toMs - fromMs, fromMs, after: stretch.after }));
    return [
      ...found('two owners', both),
      ...(stretch.hasCandidate ? asked.flatMap((time) => found('no owner', gaps(spans, time))) : []),
    ];
  });
}
