import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { standsBefore } from './election.ts';
import {
  afterHearing,
  doubted,
  dueAt,
  nextState,
  OWNERSHIP_TIMES,
  type GroupFacts,
  type GroupState,
  type Heard,
  type Owned,
  type RecordSeen,
} from './ownership.ts';

const NOW = 100_000;
const TIME = '2026-01-02T03:04:05.000Z';
const EARLIER = '2026-01-02T03:00:00.000Z';
const KEY = '192.0.2.1';
/** For this address n2 stands before n1, and n1 before n3. */
const [AHEAD, ME, BEHIND] = ['n2', 'n1', 'n3'];
test('the names stand in this order', () => {
  expect(standsBefore(AHEAD, ME, KEY) && standsBefore(ME, BEHIND, KEY)).toBe(true);
});

const record = (node: string, rest: Partial<RecordSeen> = {}): RecordSeen => ({
  ...{ node, since: EARLIER, cause: 'FirstClaim' },
  ...rest,
});

/** Nobody has the address, and this node is the first who may. */
function facts(rest: Partial<GroupFacts> = {}): GroupFacts {
  return {
    ...{ me: ME, key: KEY, standing: 'able', now: NOW, time: TIME },
    ...{ record: undefined, ownerHealth: 'well', successors: [ME, BEHIND], hasCompany: true },
    ...rest,
  };
}

const IDLE: GroupState = { kind: 'idle' };
const waiting = (until = NOW + 100): GroupState => ({ kind: 'waiting', until });
const probing = (
  claim: { cause: RecordSeen['cause']; from?: string; since?: string } = { cause: 'FirstClaim' },
  until = NOW + 20,
  forMs: number = T.probeMs,
): GroupState => ({ kind: 'probing', since: until - forMs, until, claim });
function owned(rest: Partial<Owned> = {}): Owned {
  return {
    ...{ kind: 'owned', claim: { cause: 'FirstClaim' }, since: EARLIER },
    ...{ claimedAt: NOW - 10_000, superseded: undefined },
    ...rest,
  };
}
const released = (until = NOW + 100): GroupState => ({
  ...{ kind: 'released', to: BEHIND, until, owned: owned() },
});

type Row = readonly [name: string, before: GroupState, facts: GroupFacts, after: unknown];
const T = OWNERSHIP_TIMES;

describe('a node that has nothing', () => {
  const lost = { record: record(BEHIND), ownerHealth: 'lost' } as const;
  test.each<Row>([
    ['asks at once when nobody has them and it is first', IDLE, facts(), probing(undefined, NOW + T.probeMs)],
    [
      'waits its turn when nobody has them and another is first',
      IDLE,
      facts({ successors: [BEHIND, 'n4', ME] }),
      waiting(NOW + 2 * T.fallbackMs),
    ],
    ['does nothing when it is not among those that may', IDLE, facts({ successors: [BEHIND] }), IDLE],
    ['does nothing when it leaves', IDLE, facts({ standing: 'leaving' }), IDLE],
    ['does nothing when it is no candidate', IDLE, facts({ standing: 'excluded' }), IDLE],
    ['does nothing when it cannot be reached', IDLE, facts({ standing: 'unable' }), IDLE],
    ['leaves them to an owner that is well', IDLE, facts({ record: record(BEHIND) }), IDLE],
    [
      'asks at once when the owner is lost and it follows',
      IDLE,
      facts(lost),
      probing({ cause: 'OwnerLost', from: BEHIND }, NOW + T.probeMs),
    ],
    [
      'asks when the owner does not answer',
      IDLE,
      facts({ record: record(BEHIND), ownerHealth: 'silent' }),
      probing({ cause: 'SpeakerLost', from: BEHIND }, NOW + T.probeMs),
    ],
    [
      'asks when the owner is no speaker any more',
      IDLE,
      facts({ record: record(BEHIND), ownerHealth: 'gone' }),
      probing({ cause: 'OwnerGone', from: BEHIND }, NOW + T.probeMs),
    ],
    [
      'takes at once what the owner has left for it',
      IDLE,
      facts({ record: record(BEHIND, { nextOwner: ME }), ownerHealth: 'released' }),
      owned({
        ...{ claim: { cause: 'HandOver', from: BEHIND }, since: TIME, claimedAt: NOW },
        superseded: record(BEHIND, { nextOwner: ME }),
      }),
    ],
    [
      'asks in its turn for what the owner has left for another',
      IDLE,
      facts({
        ...{ record: record(BEHIND, { nextOwner: 'n4' }), ownerHealth: 'released' },
        successors: ['n4', ME],
      }),
      waiting(NOW + T.succeedMs),
    ],
    [
      'waits for the first when it is the second to follow',
      IDLE,
      facts({ ...lost, successors: ['n4', ME] }),
      waiting(NOW + T.succeedMs),
    ],
    ['leaves a lost owner to others when it does not follow', IDLE, facts({ ...lost, successors: [] }), IDLE],
    [
      'asks for what the record says it has: it was started anew',
      IDLE,
      facts({ record: record(ME, { cause: 'Requested' }), successors: [] }),
      probing({ cause: 'Requested', since: EARLIER }, NOW + T.probeMs),
    ],
    [
      'does not take up again what it had when it leaves',
      IDLE,
      facts({ record: record(ME), standing: 'leaving' }),
      IDLE,
    ],
    [
      'takes what it is offered without asking: the owner answers until it hears of it',
      IDLE,
      facts({ record: record(BEHIND, { nextOwner: ME }), successors: [] }),
      owned({
        claim: { cause: 'HandOver', from: BEHIND },
        since: TIME,
        claimedAt: NOW,
        superseded: record(BEHIND, { nextOwner: ME }),
      }),
    ],
    [
      'takes what it is offered by a node that it cannot see',
      IDLE,
      facts({ record: record(BEHIND, { nextOwner: ME }), ownerHealth: 'lost' }),
      expect.objectContaining({ kind: 'owned' }),
    ],
    [
      'asks first when who offered it has gone since',
      IDLE,
      facts({ record: record(BEHIND, { nextOwner: ME }), ownerHealth: 'gone' }),
      probing({ cause: 'OwnerGone', from: BEHIND }, NOW + T.probeMs),
    ],
    [
      'takes no offer when it leaves itself',
      IDLE,
      facts({ record: record(BEHIND, { nextOwner: ME }), standing: 'leaving' }),
      IDLE,
    ],
    [
      'leaves an offer to the one it is for',
      IDLE,
      facts({ record: record(BEHIND, { nextOwner: 'n4' }) }),
      IDLE,
    ],
    [
      'says why it takes what it is offered when it knows',
      IDLE,
      facts({
        record: record(BEHIND, { nextOwner: ME }),
        wanted: { node: ME, cause: 'Requested' },
      }),
      expect.objectContaining({ claim: { cause: 'Requested', from: BEHIND } }),
    ],
  ])('%s', (_, before, about, want) => {
    expect(nextState(before, about)).toEqual(want);
  });
});

describe('a node that waits', () => {
  test.each<Row>([
    ['goes on waiting', waiting(), facts(), waiting()],
    [
      'asks when its time has come, whatever its turn',
      waiting(NOW),
      facts({ successors: ['n4', ME] }),
      probing(undefined, NOW + T.probeMs),
    ],
    ['gives up when another has them', waiting(), facts({ record: record(BEHIND) }), IDLE],
    ['gives up when it can no longer serve', waiting(), facts({ standing: 'unable' }), IDLE],
    ['gives up when its time has come and it may not', waiting(NOW), facts({ successors: [] }), IDLE],
    [
      'takes what it is offered',
      waiting(),
      facts({ record: record(BEHIND, { nextOwner: ME }) }),
      expect.objectContaining({ kind: 'owned', claim: { cause: 'HandOver', from: BEHIND } }),
    ],
    [
      'says of whom it takes them, when its time has come',
      waiting(NOW),
      facts({ record: record(BEHIND), ownerHealth: 'silent' }),
      probing({ cause: 'SpeakerLost', from: BEHIND }, NOW + T.probeMs),
    ],
  ])('%s', (_, before, about, want) => {
    expect(nextState(before, about)).toEqual(want);
  });
});

describe('a node that asks', () => {
  const fromLost = { cause: 'OwnerLost', from: BEHIND } as const;
  test.each<Row>([
    ['goes on asking', probing(), facts(), probing()],
    [
      'has them when nobody has answered',
      probing(undefined, NOW),
      facts(),
      owned({ since: TIME, claimedAt: NOW }),
    ],
    [
      'has them although their owner is believed well again: it did not answer',
      probing(fromLost, NOW),
      facts({ record: record(BEHIND) }),
      owned({ claim: fromLost, since: TIME, claimedAt: NOW, superseded: record(BEHIND) }),
    ],
    ['gives up when a third has them', probing(fromLost), facts({ record: record('n4') }), IDLE],
    ['gives up when another has them that nobody had', probing(), facts({ record: record(BEHIND) }), IDLE],
    ['gives up when it can no longer serve', probing(), facts({ standing: 'unable' }), IDLE],
    ['gives up when it is to leave', probing(), facts({ standing: 'leaving' }), IDLE],
    [
      'takes what it is offered meanwhile',
      probing(),
      facts({ record: record(BEHIND, { nextOwner: ME }) }),
      expect.objectContaining({ kind: 'owned', claim: { cause: 'HandOver', from: BEHIND } }),
    ],
    [
      'has them since when it had them, when it had them before',
      probing({ cause: 'Requested', since: EARLIER }, NOW),
      facts({ record: record(ME) }),
      owned({ claim: { cause: 'Requested', since: EARLIER }, claimedAt: NOW }),
    ],
    [
      'has them later than whom it takes them from, whatever that clock said',
      probing(fromLost, NOW),
      facts({ record: record(BEHIND, { since: '2030-01-01T00:00:00.000Z' }), ownerHealth: 'lost' }),
      expect.objectContaining({ since: '2030-01-01T00:00:00.001Z' }),
    ],
    [
      'has them from now on when the record says no time at all',
      probing(fromLost, NOW),
      facts({ record: record(BEHIND, { since: 'unknown' }), ownerHealth: 'lost' }),
      expect.objectContaining({ since: TIME }),
    ],
  ])('%s', (_, before, about, want) => {
    expect(nextState(before, about)).toEqual(want);
  });
});

describe('an owner', () => {
  const wanted = { node: BEHIND, cause: 'Preferred' } as const;
  const handOver = { to: BEHIND, cause: 'HandOver', until: NOW + 500 } as const;
  const begun = { to: BEHIND, cause: 'HandOver', until: NOW + T.handOverMs } as const;
  const late = { ...handOver, until: NOW };
  const refused = { ...handOver, until: NOW - 500, failedUntil: NOW + 1_000 };
  test.each<Row>([
    ['stays one', owned(), facts({ record: record(ME) }), owned()],
    ['stays one while nothing is written down', owned(), facts(), owned()],
    [
      'stays one while the record it took the place of is still read',
      owned({ superseded: record(BEHIND) }),
      facts({ record: record(BEHIND) }),
      owned({ superseded: record(BEHIND) }),
    ],
    ['yields when another has written that it has them', owned(), facts({ record: record(BEHIND) }), IDLE],
    [
      'yields when the node it took them from has them anew',
      owned({ superseded: record(BEHIND) }),
      facts({ record: record(BEHIND, { since: TIME }) }),
      IDLE,
    ],
    [
      'offers them to the first who follows when it leaves',
      owned(),
      facts({ standing: 'leaving' }),
      owned({ handOver: begun }),
    ],
    [
      'offers them when it is no candidate any more',
      owned(),
      facts({ standing: 'excluded' }),
      owned({ handOver: begun }),
    ],
    [
      'keeps them when it leaves and nobody follows',
      owned(),
      facts({ standing: 'leaving', successors: [ME] }),
      owned(),
    ],
    [
      'gives them up when it is no candidate and nobody is',
      owned(),
      facts({ standing: 'excluded', successors: [] }),
      IDLE,
    ],
    [
      'says who should have them when it cannot be reached',
      owned(),
      facts({ standing: 'unable' }),
      { kind: 'released', to: BEHIND, until: NOW + T.handOverMs, owned: owned() },
    ],
    [
      'gives them up when it cannot be reached and nobody follows',
      owned(),
      facts({ standing: 'unable', successors: [ME] }),
      IDLE,
    ],
    [
      'leaves them to whom it offered them when it can no longer be reached',
      owned({ handOver: { ...handOver, to: 'n4' } }),
      facts({ standing: 'unable' }),
      expect.objectContaining({ kind: 'released', to: 'n4', owned: owned() }),
    ],
    [
      'leaves them to the first who follows when the offer was not taken up',
      owned({ handOver: { ...refused, to: 'n4' } }),
      facts({ standing: 'unable' }),
      expect.objectContaining({ kind: 'released', to: BEHIND }),
    ],
    [
      'offers them to a node that should have them',
      owned(),
      facts({ wanted }),
      owned({ handOver: { ...begun, cause: 'Preferred' } }),
    ],
    [
      'keeps them when it is the one that should',
      owned(),
      facts({ wanted: { node: ME, cause: 'Preferred' } }),
      owned(),
    ],
    ['waits for the next one', owned({ handOver }), facts({ wanted }), owned({ handOver })],
    [
      'waits for the next one when it leaves, whoever that is',
      owned({ handOver: { ...handOver, to: 'n4' } }),
      facts({ standing: 'leaving' }),
      owned({ handOver: { ...handOver, to: 'n4' } }),
    ],
    ['takes an offer back when it need not go any more', owned({ handOver }), facts(), owned()],
    [
      'takes an offer back when another should have them now',
      owned({ handOver }),
      facts({ wanted: { node: 'n4', cause: 'Requested' } }),
      owned(),
    ],
    [
      'keeps them when the offer was not taken up, and tries no more for a while',
      owned({ handOver: late }),
      facts({ wanted }),
      owned({ handOver: { ...late, failedUntil: NOW + T.handOverAgainMs } }),
    ],
    [
      'does not offer them again before that',
      owned({ handOver: refused }),
      facts({ wanted }),
      owned({ handOver: refused }),
    ],
    [
      'offers them again after that',
      owned({ handOver: { ...refused, failedUntil: NOW } }),
      facts({ wanted }),
      owned({ handOver: { ...begun, cause: 'Preferred' } }),
    ],
    [
      'offers them to another at once when that one should have them',
      owned({ handOver: refused }),
      facts({ wanted: { node: 'n4', cause: 'Requested' } }),
      owned({ handOver: { to: 'n4', cause: 'Requested', until: NOW + T.handOverMs } }),
    ],
    [
      'forgets an offer that was not taken up when nobody else should have them',
      owned({ handOver: refused }),
      facts(),
      owned(),
    ],
    [
      'offers them to the next when it leaves and the first does not take them',
      owned({ handOver: late }),
      facts({ standing: 'leaving', successors: [BEHIND, ME, 'n4'] }),
      owned({ handOver: { ...begun, to: 'n4' } }),
    ],
    [
      'begins with the first again when nobody has taken them',
      owned({ handOver: { ...late, to: 'n4' } }),
      facts({ standing: 'leaving', successors: [BEHIND, ME, 'n4'] }),
      owned({ handOver: begun }),
    ],
    [
      'offers them when it leaves although nobody took them a moment ago',
      owned({ handOver: refused }),
      facts({ standing: 'leaving' }),
      owned({ handOver: begun }),
    ],
  ])('%s', (_, before, about, want) => {
    expect(nextState(before, about)).toEqual(want);
  });
});

describe('a node that cannot answer any more', () => {
  test.each<Row>([
    ['leaves its word for the next one', released(), facts({ standing: 'unable' }), released()],
    [
      'has nothing when the next one has them',
      released(),
      facts({ standing: 'unable', record: record(BEHIND) }),
      IDLE,
    ],
    [
      'leaves its word while its own record is what is read',
      released(),
      facts({ standing: 'unable', record: record(ME) }),
      released(),
    ],
    ['has nothing when nobody took them in time', released(NOW), facts({ standing: 'unable' }), IDLE],
    [
      'asks for them when it can answer again, and has them since then',
      released(),
      facts({ record: record(ME) }),
      probing({ cause: 'FirstClaim', since: EARLIER }, NOW + T.probeMs),
    ],
    ['does not ask for them when the next one has them', released(), facts({ record: record(BEHIND) }), IDLE],
  ])('%s', (_, before, about, want) => {
    expect(nextState(before, about)).toEqual(want);
  });
});

describe('hearing of an address from', () => {
  const claim = (node: string | undefined): Heard => ({ what: 'claim', node });
  const probe = (node: string | undefined): Heard => ({ what: 'probe', node });
  const retreat = waiting(NOW + T.retreatMs);
  const taken = (ago: number): Owned =>
    owned({ claim: { cause: 'HandOver', from: AHEAD }, claimedAt: NOW - ago });
  test.each<readonly [string, GroupState, Heard, unknown, string]>([
    ['itself changes nothing', owned(), claim(ME), owned(), 'none'],
    ['another changes nothing for who has nothing', IDLE, claim(BEHIND), IDLE, 'none'],
    ['another that has them makes who waits wait longer', waiting(), claim(BEHIND), retreat, 'none'],
    [
      'another that has them does not shorten the wait',
      waiting(NOW + 9_000),
      claim(BEHIND),
      waiting(NOW + 9_000),
      'none',
    ],
    ['another that asks does not make who waits wait longer', waiting(), probe(AHEAD), waiting(), 'none'],
    ['another that has them makes who asks retreat', probing(), claim(BEHIND), retreat, 'none'],
    [
      'a stranger that has them makes who asks retreat, and is told of',
      probing(),
      claim(undefined),
      retreat,
      'foreign',
    ],
    [
      'a stranger that asks as well makes who asks retreat (RFC 5227 section 2.1.1)',
      probing(),
      probe(undefined),
      retreat,
      'foreign',
    ],
    ['a speaker ahead that asks as well makes who asks retreat', probing(), probe(AHEAD), retreat, 'none'],
    ['a speaker behind that asks as well changes nothing', probing(), probe(BEHIND), probing(), 'none'],
    ['the next one ends what was left for it', released(), claim(BEHIND), IDLE, 'none'],
    [
      'one that only asks does not end what was left for the next',
      released(),
      probe(BEHIND),
      released(),
      'none',
    ],
    ['one that only asks changes nothing for the owner', owned(), probe(AHEAD), owned(), 'none'],
    [
      'a speaker ahead makes the owner yield',
      owned(),
      claim(AHEAD),
      waiting(NOW + T.yieldMs),
      'conflict-yielded',
    ],
    ['a speaker behind makes the owner say it again', owned(), claim(BEHIND), owned(), 'conflict-kept'],
    [
      'the next one ends the hand-over, behind or not',
      owned({ handOver: { to: BEHIND, cause: 'HandOver', until: NOW + 9 } }),
      claim(BEHIND),
      IDLE,
      'none',
    ],
    [
      'the next one that comes late still ends the hand-over',
      owned({ handOver: { to: BEHIND, cause: 'HandOver', until: NOW - 9, failedUntil: NOW + 9 } }),
      claim(BEHIND),
      IDLE,
      'none',
    ],
    [
      'the owner before, just after the hand-over, is told once more',
      taken(10),
      claim(AHEAD),
      taken(10),
      'announce',
    ],
    [
      'the owner before, long after the hand-over, is a conflict',
      taken(T.handOverMs),
      claim(AHEAD),
      waiting(NOW + T.yieldMs),
      'conflict-yielded',
    ],
    [
      'the owner before, that was only lost, is a conflict at once',
      owned({ claim: { cause: 'OwnerLost', from: AHEAD }, claimedAt: NOW - 10 }),
      claim(AHEAD),
      waiting(NOW + T.yieldMs),
      'conflict-yielded',
    ],
    [
      'a stranger is answered by one announcement',
      owned(),
      claim(undefined),
      owned({ defendedAt: NOW }),
      'foreign',
    ],
    [
      'a stranger again is not answered before RFC 5227 allows it',
      owned({ defendedAt: NOW - T.defendMs + 1 }),
      claim(undefined),
      owned({ defendedAt: NOW - T.defendMs + 1 }),
      'none',
    ],
    [
      'a stranger is answered again after that',
      owned({ defendedAt: NOW - T.defendMs }),
      claim(undefined),
      owned({ defendedAt: NOW }),
      'foreign',
    ],
  ])('%s', (_, before, heard, state, effect) => {
    expect(afterHearing(before, heard, { me: ME, key: KEY, now: NOW })).toEqual({ state, effect });
  });
});

describe('after a sleep', () => {
  test('an owner asks before it answers', () => {
    expect(doubted(owned(), facts({ record: record(ME) }))).toEqual(
      probing({ cause: 'FirstClaim', since: EARLIER }, NOW + T.doubtMs, T.doubtMs),
    );
  });
  test('who asks asks anew', () => {
    const state = probing({ cause: 'OwnerLost', from: BEHIND }, NOW - 1);
    const anew = probing({ cause: 'OwnerLost', from: BEHIND }, NOW + T.doubtMs, T.doubtMs);
    expect(doubted(state, facts())).toEqual(anew);
  });
  test.each([IDLE, waiting(), released()])('what is $kind stays so', (state) => {
    expect(doubted(state, facts())).toBe(state);
  });
});

test.each<readonly [GroupState, number | undefined]>([
  [IDLE, undefined],
  [waiting(7), 7],
  [probing(undefined, 7), 7],
  [released(7), 7],
  [owned(), undefined],
  [owned({ handOver: { to: BEHIND, cause: 'HandOver', until: 7 } }), 7],
  [owned({ handOver: { to: BEHIND, cause: 'HandOver', until: 7, failedUntil: 9 } }), 9],
])('%j has to be looked at again at %s', (state, want) => {
  expect(dueAt(state)).toBe(want);
});

const NAMES = [ME, AHEAD, BEHIND];
const anyRecord = fc.option(
  fc.record(
    {
      node: fc.constantFrom(...NAMES),
      since: fc.constantFrom(EARLIER, TIME),
      cause: fc.constantFrom('FirstClaim' as const, 'HandOver' as const),
      nextOwner: fc.constantFrom(...NAMES),
    },
    { requiredKeys: ['node', 'since', 'cause'] },
  ),
  { nil: undefined },
);
const anyFacts = fc.record(
  {
    me: fc.constant(ME),
    key: fc.constant(KEY),
    standing: fc.constantFrom('able' as const, 'leaving' as const, 'excluded' as const, 'unable' as const),
    now: fc.constantFrom(NOW, NOW + 5_000),
    time: fc.constant(TIME),
    record: anyRecord,
    ownerHealth: fc.constantFrom('well' as const, 'lost' as const, 'silent' as const, 'gone' as const),
    successors: fc.subarray(NAMES),
    hasCompany: fc.boolean(),
    wanted: fc.record({ node: fc.constantFrom(...NAMES), cause: fc.constant('Preferred' as const) }),
  },
  {
    requiredKeys: [
      ...(['me', 'key', 'standing', 'now', 'time', 'record', 'ownerHealth', 'successors'] as const),
      'hasCompany',
    ],
  },
);
const anyState = fc.constantFrom<GroupState>(
  ...[IDLE, waiting(), waiting(NOW), probing(), probing(undefined, NOW), released(), owned()],
  probing({ cause: 'OwnerLost', from: BEHIND }, NOW),
  owned({ superseded: record(BEHIND) }),
  owned({ handOver: { to: BEHIND, cause: 'HandOver', until: NOW + 9 } }),
  owned({ handOver: { to: BEHIND, cause: 'HandOver', until: NOW - 9, failedUntil: NOW + 9 } }),
);

test('who has heard nobody while it asked claims nothing, and asks again later', () => {
  const about = facts({ hasCompany: false });
  expect(nextState(probing(undefined, NOW), about)).toEqual(waiting(NOW + OWNERSHIP_TIMES.retreatMs));
  expect(nextState(probing(undefined, NOW), { ...about, hasCompany: true }).kind).toBe('owned');
});

test('what nobody has is left alone while the speakers gather, and what an owner lost is not', () => {
  const gathering = { isGathering: true };
  expect(nextState(IDLE, facts(gathering))).toEqual(IDLE);
  expect(nextState(IDLE, facts()).kind).toBe('probing');
  const lost = facts({ ...gathering, record: record(BEHIND), ownerHealth: 'lost', successors: [ME] });
  expect(nextState(IDLE, lost).kind).toBe('probing');
});

describe('whatever is so', () => {
  test('the same facts again lead to rest within four steps, at which nothing changes any more', () => {
    fc.assert(
      fc.property(anyState, anyFacts, (before, about) => {
        let state = before;
        for (let step = 0; step < 4; step += 1) state = nextState(state, about);
        const next = nextState(state, about);
        expect(next).toEqual(state);
        if (state.kind !== 'idle') expect(next).toBe(state);
      }),
      { numRuns: 2_000 },
    );
  });

  test('no node answers that cannot be reached', () => {
    fc.assert(
      fc.property(anyState, anyFacts, (before, about) => {
        expect(nextState(before, { ...about, standing: 'unable' }).kind).not.toBe('owned');
      }),
    );
  });

  test('what becomes due lies ahead, once it has come to rest', () => {
    fc.assert(
      fc.property(anyState, anyFacts, (before, about) => {
        let state = before;
        for (let step = 0; step < 4; step += 1) state = nextState(state, about);
        expect(dueAt(state) ?? Infinity).toBeGreaterThan(about.now);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('an owner that reads of another who took what it has while nothing could be read', () => {
  const other = record(BEHIND, { since: '2026-03-04T05:06:07.000Z' });
  const apart = { record: other, ownerHealth: 'well', isWithClients: true } as const;

  test('says so with a newer record when clients are here and the other cannot be seen', () => {
    const state = nextState(owned(), facts(apart));
    expect(state).toMatchObject({ kind: 'owned', superseded: other, insistedAt: NOW });
    expect((state as { since: string }).since > other.since).toBe(true);
    // The same record again changes nothing.
    expect(nextState(state, facts({ ...apart, now: NOW + 20 }))).toBe(state);
  });

  test.each([
    ['the other can be seen, or no gateway answers', { isWithClients: false }],
    ['this node leaves', { standing: 'leaving' as const }],
    ['this node cannot be reached', { standing: 'unable' as const }],
  ])('gives in when %s', (_, rest) => {
    expect(nextState(owned(), facts({ ...apart, ...rest }))).toEqual({ kind: 'idle' });
  });

  test('gives in to the one that it hands over to', () => {
    const handOver = { to: BEHIND, cause: 'HandOver', until: NOW + 1_000 } as const;
    expect(nextState(owned({ handOver }), facts(apart))).toEqual({ kind: 'idle' });
  });

  test('gives in the second time: the other sees a gateway as well', () => {
    const first = nextState(owned(), facts(apart));
    const again = record(BEHIND, { since: '2026-03-04T05:06:08.000Z' });
    const later = (ms: number): GroupFacts => facts({ ...apart, record: again, now: NOW + ms });
    expect(nextState(first, later(9_999))).toEqual({ kind: 'idle' });
    expect(nextState(first, later(10_000))).toMatchObject({ kind: 'owned', superseded: again });
  });
});
