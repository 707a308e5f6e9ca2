import { describe, expect, test } from 'vitest';
import { ip } from '../core/test-ip.ts';
import { addressHash, choiceOrder, succession, type Candidate } from './election.ts';
import type { Layer2Group, Layer2Service } from './group.ts';
import { ownerHealth, recordOf, successorsOf, wantedInstead, type Surroundings } from './standing.ts';
import type { Layer2View, OwnershipRecord } from './types.ts';

const KEY = '192.0.2.1';
const NODES = ['n1', 'n2', 'n3', 'n4'];
/** By the hash of the address: the order in which they would be chosen. */
const ORDER = [...NODES].sort((a, b) => (addressHash(a, KEY) < addressHash(b, KEY) ? -1 : 1));
const [FIRST = '', SECOND = '', THIRD = '', LAST = ''] = ORDER;

const scored = (scores: Readonly<Record<string, number>> = {}): readonly Candidate[] =>
  NODES.map((node) => ({ node, score: scores[node] ?? 0 }));

function group(rest: Partial<Layer2Group> = {}): Layer2Group {
  const service: Layer2Service = {
    key: 'default/a',
    ips: [ip(KEY)],
    pool: 'pool',
    candidates: rest.candidates ?? scored(),
    interfaces: undefined,
    balance: false,
    failback: { kind: 'never' },
    announceIntervalMs: 0,
  };
  return { ...service, key: KEY, services: [service, { ...service, key: 'default/b' }], ...rest };
}

function record(node: string, since: string): OwnershipRecord {
  return {
    ...{ service: { namespace: 'default', name: 'a' }, node, ips: [KEY], interfaces: ['eth0'] },
    ...{ since, cause: 'FirstClaim', history: [] },
  };
}

function view(rest: Partial<Layer2View> = {}): Layer2View {
  const speakers = new Map(NODES.map((node) => [node, { record: { node, links: [] }, isHeld: true }]));
  return { isFresh: true, speakers, ownerships: new Map(), moves: new Map(), ...rest };
}

const NOW = 1_000_000;
function around(rest: Partial<Surroundings> = {}): Surroundings {
  return {
    me: FIRST,
    view: view(),
    isReachable: () => true,
    healthOf: () => 'well',
    lostAt: () => NOW - 500,
    wellSince: () => 0,
    balancedOrder: ({ candidates }) => candidates.map(({ node }) => node),
    evenedTo: () => undefined,
    now: NOW,
    ...rest,
  };
}

describe('the record of a group', () => {
  const old = record('n1', '2026-01-02T03:04:05.000Z');
  const young = record('n2', '2026-01-02T03:04:06.000Z');
  test.each<readonly [string, readonly (readonly [string, OwnershipRecord])[], OwnershipRecord | undefined]>([
    ['is none when none of its Services has one', [['default/c', old]], undefined],
    ['is that of the one Service that has one', [['default/b', old]], old],
    [
      'is the newest',
      [
        ['default/a', old],
        ['default/b', young],
      ],
      young,
    ],
    [
      'is the newest, whichever comes first',
      [
        ['default/a', young],
        ['default/b', old],
      ],
      young,
    ],
  ])('%s', (_, ownerships, want) => {
    expect(recordOf(group(), view({ ownerships: new Map(ownerships) }))).toBe(want);
  });
});

describe('an owner', () => {
  const held = (isHeld: boolean): Layer2View['speakers'] =>
    new Map([['n1', { record: { node: 'n1', links: [] }, isHeld }]]);
  test.each<readonly [string, Layer2View, 'well' | 'lost', string]>([
    ['that is a speaker is what it is seen to be', view(), 'well', 'well'],
    ['that is a speaker and is not heard of is lost', view(), 'lost', 'lost'],
    ['that renews its Lease no more is gone', view({ speakers: held(false) }), 'well', 'gone'],
    ['that is no speaker is gone', view({ speakers: new Map() }), 'well', 'gone'],
    [
      'that renews its Lease no more, by what could last be read, is what it is seen to be',
      view({ speakers: held(false), isFresh: false }),
      'well',
      'well',
    ],
    [
      'that is no speaker, by what could last be read, is what it is seen to be',
      view({ speakers: new Map(), isFresh: false }),
      'lost',
      'lost',
    ],
  ])('%s', (_, seen, health, want) => {
    const about = around({ view: seen, healthOf: () => health });
    expect(ownerHealth(record('n1', ''), group(), about, 0)).toBe(want);
  });

  test.each<readonly [string, 'well' | 'lost', Layer2View, string]>([
    ['although it is well', 'well', view(), 'released'],
    ['whatever is seen of it', 'lost', view(), 'released'],
    ['unless it is gone', 'well', view({ speakers: held(false) }), 'gone'],
  ])('that has written that it answers nowhere has let go, %s', (_, health, seen, want) => {
    const about = around({ view: seen, healthOf: () => health });
    expect(ownerHealth({ ...record('n1', ''), interfaces: [] }, group(), about, NOW)).toBe(want);
  });

  test('that was only heard is what it is seen to be', () => {
    const { interfaces: _, ...heard } = record('n1', '');
    expect(ownerHealth(heard, group(), around(), NOW)).toBe('well');
  });

  test.each([
    ['lost', 'before', NOW - 501],
    ['lost', 'when', NOW - 500],
    ['well', 'after', NOW - 499],
  ])('is %s when it was read of %s it was lost from sight', (want, _, readAt) => {
    const about = around({ healthOf: () => 'lost', lostAt: () => NOW - 500 });
    expect(ownerHealth(record('n1', ''), group(), about, readAt)).toBe(want);
  });
});

describe('the successors', () => {
  test('of nobody stand in the order of choice', () => {
    expect(successorsOf(group(), undefined, around())).toEqual(ORDER);
  });

  test('of nobody in a balanced pool stand in the order that the balance wants', () => {
    const wanted = [...ORDER.slice(1), FIRST];
    const balancedOrder = (): readonly string[] => wanted;
    expect(successorsOf(group({ balance: true }), undefined, around({ balancedOrder }))).toEqual(wanted);
    expect(successorsOf(group(), undefined, around({ balancedOrder }))).toEqual(ORDER);
  });

  test('of an owner are those that follow it', () => {
    const { candidates } = group();
    const owner = record(SECOND, '');
    expect(successorsOf(group(), owner, around())).toEqual(succession(candidates, SECOND));
  });

  test.each(['lost', 'silent'] as const)(
    'are without one that is %s, but never without this node',
    (health) => {
      const healthOf = (node: string) => (node === FIRST || node === THIRD ? health : 'well');
      expect(successorsOf(group(), undefined, around({ healthOf }))).toEqual([FIRST, SECOND, LAST]);
    },
  );
});

test('the successors are without one that has no interface on the LAN, but never without this node', () => {
  const isReachable = (node: string) => node !== FIRST && node !== THIRD;
  expect(successorsOf(group(), undefined, around({ isReachable }))).toEqual([FIRST, SECOND, LAST]);
});

describe('instead of its owner, an address should have', () => {
  const moved = (node: string, key = 'default/a') => view({ moves: new Map([[key, node]]) });
  const best = scored({ [LAST]: 5, [THIRD]: 3 });
  const since = (times: Readonly<Record<string, number | undefined>>) => (node: string) =>
    node in times ? times[node] : 0;
  const immediate = { kind: 'immediate' } as const;
  const stable = { kind: 'afterStable', delayMs: 60_000 } as const;
  type Want = readonly [string, string] | undefined;
  test.each<readonly [string, Layer2Group, Surroundings, Want]>([
    ['nobody: it stays where it is', group(), around(), undefined],
    ['whom a person wants', group(), around({ view: moved(THIRD) }), [THIRD, 'Requested']],
    [
      'whom a person wants for another Service of the group',
      group(),
      around({ view: moved(THIRD, 'default/b') }),
      [THIRD, 'Requested'],
    ],
    ['nobody when a person wants the owner', group(), around({ view: moved(SECOND) }), undefined],
    [
      'nobody when a person wants a node that is no candidate',
      group(),
      around({ view: moved('n9') }),
      undefined,
    ],
    [
      'nobody when a person wants a node that is away',
      group(),
      around({ view: moved(THIRD), wellSince: since({ [THIRD]: undefined }) }),
      undefined,
    ],
    [
      'whom a person wants although it has only just come',
      group(),
      around({ view: moved(THIRD), wellSince: since({ [THIRD]: NOW }) }),
      [THIRD, 'Requested'],
    ],
    [
      'whom a person wants, not whom the advertisements prefer',
      group({ candidates: best }),
      around({ view: moved(FIRST) }),
      [FIRST, 'Requested'],
    ],
    ['whom the advertisements prefer most', group({ candidates: best }), around(), [LAST, 'Preferred']],
    [
      'the next best when the best has only just come',
      group({ candidates: best }),
      around({ wellSince: since({ [LAST]: NOW - 9_999 }) }),
      [THIRD, 'Preferred'],
    ],
    [
      'the best once it has been well for ten seconds',
      group({ candidates: best }),
      around({ wellSince: since({ [LAST]: NOW - 10_000 }) }),
      [LAST, 'Preferred'],
    ],
    [
      'nobody when it is preferred itself and the better one is away',
      group({ candidates: scored({ [LAST]: 5, [SECOND]: 3 }) }),
      around({ wellSince: since({ [LAST]: undefined }) }),
      undefined,
    ],
    [
      'nobody whom the advertisements prefer as much',
      group({ candidates: scored({ [FIRST]: 3, [SECOND]: 3 }) }),
      around(),
      undefined,
    ],
    [
      'the first choice, when it goes back at once',
      group({ failback: immediate }),
      around(),
      [FIRST, 'Failback'],
    ],
    [
      'the first choice that is there, when it goes back at once',
      group({ failback: immediate }),
      around({ wellSince: since({ [FIRST]: NOW - 999 }) }),
      undefined,
    ],
    [
      'nobody while the first choice has not been there for as long as it must',
      group({ failback: stable }),
      around({ wellSince: since({ [FIRST]: NOW - 59_999 }) }),
      undefined,
    ],
    [
      'the first choice when it has been there for as long as it must',
      group({ failback: stable }),
      around({ wellSince: since({ [FIRST]: NOW - 60_000 }) }),
      [FIRST, 'Failback'],
    ],
    [
      'of a balanced pool the one that evens it out, whichever is the first choice',
      group({ balance: true, failback: immediate }),
      around({ evenedTo: () => THIRD }),
      [THIRD, 'Failback'],
    ],
    [
      'nobody of a balanced pool that is even',
      group({ balance: true, failback: immediate }),
      around(),
      undefined,
    ],
    [
      'nobody else when the owner is no candidate: it hands over by itself',
      group({ candidates: scored().filter(({ node }) => node !== SECOND), failback: immediate }),
      around(),
      undefined,
    ],
  ])('%s', (_, of, surroundings, want) => {
    const found = wantedInstead(of, SECOND, surroundings);
    expect(found && [found.node, found.cause]).toEqual(want);
  });

  test('the first choice is the one that nobody would have chosen otherwise', () => {
    expect(choiceOrder(scored(), KEY)[0]).toBe(FIRST);
  });
});
