import { describe, expect, test } from 'vitest';
import { advertisement, arp, question, readFrame, solicitation } from './frames.ts';
import {
  answerSpans,
  gaps,
  lastOwner,
  longest,
  overlaps,
  questionSpans,
  since,
  sightingsOf,
  takeover,
  violations,
  type Sighting,
  type Stretch,
} from './judge.ts';

const [A, B, C] = ['00:00:5e:00:53:0a', '00:00:5e:00:53:0b', '00:00:5e:00:53:0c'];
const ASKER = '00:00:5e:00:53:ff';
const IP = '192.0.2.200';
const ASKED = { ip: IP, asker: ASKER, joinMs: 50 };

/** Answers of one MAC to the asker every 10 ms. */
function answers(mac: string, fromMs: number, toMs: number): Sighting[] {
  const count = Math.floor((toMs - fromMs) / 10) + 1;
  return Array.from({ length: count }, (_, index) => ({
    ...{ atMs: fromMs + index * 10, ip: IP, what: 'reply' as const, mac, to: ASKER },
  }));
}

function recording(...parts: readonly Sighting[][]): Sighting[] {
  return parts.flat().sort((a, b) => a.atMs - b.atMs);
}

describe('what a frame says', () => {
  test.each([
    {
      name: 'question',
      frame: question({ mac: ASKER, ip: '192.0.2.10' }, IP),
      want: [
        { what: 'question', ip: IP, mac: ASKER },
        { what: 'announcement', ip: '192.0.2.10', mac: ASKER },
      ],
    },
    {
      name: 'probe',
      frame: question({ mac: A, ip: '0.0.0.0' }, IP),
      want: [{ what: 'probe', ip: IP, mac: A }],
    },
    {
      name: 'announcement, request form',
      frame: arp({ mac: A, ip: IP, target: IP }),
      want: [{ what: 'announcement', ip: IP, mac: A }],
    },
    {
      name: 'announcement, reply form',
      frame: arp({ mac: A, ip: IP, target: IP, operation: 2 }),
      want: [{ what: 'announcement', ip: IP, mac: A }],
    },
    {
      name: 'reply',
      frame: arp({ mac: A, ip: IP, target: '192.0.2.10', operation: 2, targetMac: ASKER }),
      want: [{ what: 'reply', ip: IP, mac: A, to: ASKER }],
    },
    {
      name: 'unsolicited Neighbor Advertisement',
      frame: advertisement({ mac: A, ip: 'fe80::a', target: '2001:db8::c8' }),
      want: [{ what: 'announcement', ip: '2001:db8::c8', mac: A }],
    },
    {
      name: 'one from beyond the link',
      frame: advertisement({ mac: A, ip: 'fe80::a', target: '2001:db8::c8', hopLimit: 64 }),
      want: [],
    },
    {
      name: 'a question from beyond the link',
      frame: solicitation({ mac: A, ip: 'fe80::a', target: '2001:db8::c8', hopLimit: 64 }),
      want: [],
    },
    {
      name: 'duplicate address detection',
      frame: question({ mac: A, ip: '::' }, '2001:db8::c8'),
      want: [{ what: 'probe', ip: '2001:db8::c8', mac: A }],
    },
  ])('$name', ({ frame, want }) => {
    const read = readFrame(frame);
    expect(read && sightingsOf(7, read)).toEqual(want.map((each) => ({ atMs: 7, ...each })));
  });
});

test('since: from that time on', () => {
  const seen = answers(A, 0, 50);
  expect(since(seen, 30).map(({ atMs }) => atMs)).toEqual([30, 40, 50]);
  expect([since(seen, 0), since(seen, 60), since([], 0)]).toEqual([seen, [], []]);
});

test('takeover: the first claim of another after the fault', () => {
  const seen = recording(answers(A, 0, 200), answers(B, 150, 150), answers(B, 310, 400));
  expect(takeover(seen, { ip: IP, mac: A, fromMs: 200 })).toMatchObject({ atMs: 310, mac: B });
  expect(takeover(seen, { ip: IP, mac: A, fromMs: 401 })).toBeUndefined();
  expect(takeover(seen, { ip: '192.0.2.201', mac: A, fromMs: 0 })).toBeUndefined();
  expect(lastOwner(seen, IP)).toBe(B);
});

describe('spans, overlaps, gaps', () => {
  test('one owner after another: no overlap, a gap', () => {
    const spans = answerSpans(recording(answers(A, 0, 100), answers(B, 400, 500)), ASKED);
    expect(spans).toEqual([
      { mac: A, fromMs: 0, toMs: 100 },
      { mac: B, fromMs: 400, toMs: 500 },
    ]);
    expect(overlaps(spans)).toEqual([]);
    expect(gaps(spans, { fromMs: 0, toMs: 600 })).toEqual([
      { fromMs: 100, toMs: 400 },
      { fromMs: 500, toMs: 600 },
    ]);
  });

  test('two at once, and three', () => {
    const spans = answerSpans(
      recording(answers(A, 0, 300), answers(B, 200, 500), answers(C, 250, 260)),
      ASKED,
    );
    expect(overlaps(spans)).toEqual([{ fromMs: 200, toMs: 300 }]);
    expect(gaps(spans, { fromMs: 0, toMs: 500 })).toEqual([]);
  });

  test('one host is never two', () => {
    const span = { mac: A, fromMs: 0, toMs: 100 };
    expect(overlaps([span, { ...span, fromMs: 50, toMs: 150 }])).toEqual([]);
  });

  test('a pause longer than joinMs ends a span, and the answers of others to others do not count', () => {
    const toOther = answers(B, 0, 200).map((sighting) => ({ ...sighting, to: C }));
    const spans = answerSpans(recording(answers(A, 0, 100), toOther, answers(A, 160, 200)), ASKED);
    expect(spans.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([
      [0, 100],
      [160, 200],
    ]);
    expect(longest(gaps(spans, { fromMs: 0, toMs: 200 }))).toBe(60);
  });
});

describe('violations', () => {
  const ALWAYS = [{ fromMs: 0, toMs: 5_000 }];
  const stretch = (fromMs: number, toMs: number, hasCandidate = true): Stretch => ({
    ...{ fromMs, toMs, hasCandidate, after: `fault at ${fromMs}` },
  });
  const judge = (seen: readonly Sighting[], stretches: readonly Stretch[], asked = ALWAYS): unknown =>
    violations(answerSpans(seen, ASKED), { ip: IP, asked, stretches, mostMs: 1_000 }).map(
      ({ rule, fromMs, lastedMs }) => [rule, fromMs, lastedMs],
    );

  test.each([
    { name: 'a quick move is none', seen: [answers(A, 0, 1_000), answers(B, 1_400, 5_000)], want: [] },
    {
      name: 'no owner for longer',
      seen: [answers(A, 0, 1_000), answers(B, 2_010, 5_000)],
      want: [['no owner', 1_000, 1_010]],
    },
    {
      name: 'two owners for longer',
      seen: [answers(A, 0, 3_000), answers(B, 1_500, 5_000)],
      want: [['two owners', 1_500, 1_500]],
    },
    {
      name: 'nobody at all',
      seen: [],
      want: [['no owner', 1_000, 4_000]],
    },
  ])('$name', ({ seen, want }) => {
    expect(judge(recording(...seen), [stretch(0, 1_000), stretch(1_000, 5_000)])).toEqual(want);
  });

  test('each stretch has its own second', () => {
    const seen = recording(answers(A, 0, 3_000), answers(B, 1_200, 5_000));
    expect(judge(seen, [stretch(0, 2_100), stretch(2_100, 5_000)])).toEqual([]);
  });

  test('who is not asked need not answer', () => {
    const questions = [0, 10, 20, 1_500, 1_510, 3_000, 3_010].map((atMs): Sighting => ({
      ...{ atMs, ip: IP, what: 'question', mac: ASKER },
    }));
    const asked = questionSpans(questions, ASKED);
    expect(asked).toEqual([
      { fromMs: 0, toMs: 20 },
      { fromMs: 1_500, toMs: 1_510 },
      { fromMs: 3_000, toMs: 3_010 },
    ]);
    expect(judge([], [stretch(0, 5_000)], [...asked])).toEqual([]);
    expect(judge([], [stretch(0, 5_000)])).toEqual([['no owner', 0, 5_000]]);
  });

  test('without a candidate nobody has to answer', () => {
    expect(judge([], [stretch(0, 5_000, false)])).toEqual([]);
  });
});
