import { describe, expect, test } from 'vitest';
import { ip } from '../core/test-ip.ts';
import { createBalance, evening } from './balance.ts';
import { choiceOrder, type Candidate } from './election.ts';
import type { Layer2Group, Layer2Service } from './group.ts';
import type { Layer2View, OwnershipRecord } from './types.ts';

const NODES = ['n1', 'n2', 'n3'];
const CANDIDATES: readonly Candidate[] = NODES.map((node) => ({ node, score: 0 }));
const KEYS = Array.from({ length: 9 }, (_, index) => `192.0.2.${String(201 + index)}`);

function group(key: string, rest: Partial<Layer2Group> = {}): Layer2Group {
  const common = {
    ...{ ips: [ip(key)], pool: 'pool', candidates: CANDIDATES, balance: true },
    ...{ failback: { kind: 'never' as const }, announceIntervalMs: 0 },
  };
  const service: Layer2Service = { ...common, key: `default/${key}`, interfaces: undefined };
  return { ...common, key, services: [service], ...rest };
}

/** What is written down: the owner of each of these groups, by key. */
function viewOf(owners: ReadonlyMap<string, string> = new Map()): Layer2View {
  const ownerships = new Map(
    [...owners].map(([key, node]): [string, OwnershipRecord] => [
      `default/${key}`,
      {
        ...{ service: { namespace: 'default', name: key }, node, ips: [key], interfaces: ['eth0'] },
        ...{ since: '', cause: 'FirstClaim', history: [] },
      },
    ]),
  );
  return { isFresh: true, speakers: new Map(), ownerships, moves: new Map() };
}

function counts(nodes: readonly (string | undefined)[]): readonly number[] {
  return NODES.map((node) => nodes.filter((each) => each === node).length);
}

describe('addresses of a balanced pool', () => {
  const groups = KEYS.map((key) => group(key));

  test('that come together are spread evenly', () => {
    const orderOf = createBalance();
    const facts = { groups, view: viewOf() };
    expect(counts(groups.map((each) => orderOf(each, facts)[0]))).toEqual([3, 3, 3]);
  });

  test('are planned alike by every node, whichever is written down first', () => {
    const facts = { groups, view: viewOf() };
    const first = createBalance();
    const plan = new Map(groups.map((each) => [each.key, first(each, facts)[0] ?? '']));
    const orderOf = createBalance();
    orderOf(group(KEYS[0] ?? ''), facts);
    const owners = new Map<string, string>();
    for (const key of [...KEYS].reverse()) {
      owners.set(key, plan.get(key) ?? '');
      const view = viewOf(owners);
      for (const each of groups) {
        if (!owners.has(each.key)) expect(orderOf(each, { groups, view })[0]).toBe(plan.get(each.key));
      }
    }
  });

  test('are planned alike by a node that hears of them when some have their owners already', () => {
    const facts = { groups, view: viewOf() };
    const first = createBalance();
    const plan = new Map(groups.map((each) => [each.key, first(each, facts)[0] ?? '']));
    for (const { key } of groups) {
      const orderOf = createBalance();
      const late = { groups, view: viewOf(new Map([[key, plan.get(key) ?? '']])) };
      for (const each of groups) {
        if (each.key !== key)
          expect(orderOf(each, late)[0], `${each.key} after ${key}`).toBe(plan.get(each.key));
      }
    }
  });

  test('that come later go to the node that has the fewest', () => {
    const [last, ...there] = groups;
    const owners = there.map(({ key }, index): [string, string] => [key, index < 4 ? 'n1' : 'n3']);
    const view = viewOf(new Map(owners));
    const orderOf = createBalance();
    orderOf(there[0] ?? group(''), { groups: there, view });
    expect(orderOf(last ?? group(''), { groups, view })[0]).toBe('n2');
  });

  test('are not counted for another pool', () => {
    const other = group('198.51.100.1', { pool: 'other' });
    const owners = new Map(KEYS.map((key): [string, string] => [key, firstOf(other)]));
    const facts = { groups: [...groups, other], view: viewOf(owners) };
    expect(createBalance()(other, facts)[0]).toBe(firstOf(other));
  });

  test('are planned anew when there are other candidates', () => {
    const orderOf = createBalance();
    orderOf(groups[0] ?? group(''), { groups, view: viewOf() });
    const candidates = CANDIDATES.slice(1);
    const fewer = groups.map((each) => ({ ...each, candidates }));
    const facts = { groups: fewer, view: viewOf() };
    expect(counts(fewer.map((each) => orderOf(each, facts)[0])).toSorted((a, b) => a - b)).toEqual([0, 4, 5]);
  });

  test('go to a node with a higher score however many it has', () => {
    const candidates = CANDIDATES.map(({ node }) => ({ node, score: node === 'n2' ? 10 : 0 }));
    const scored = groups.map((each) => ({ ...each, candidates }));
    const facts = { groups: scored, view: viewOf() };
    const orderOf = createBalance();
    expect(counts(scored.map((each) => orderOf(each, facts)[0]))).toEqual([0, 9, 0]);
  });
});

describe('a balanced pool that goes back', () => {
  const NOW = 100_000;
  const failback = { kind: 'afterStable', delayMs: 60_000 } as const;
  const groups = KEYS.map((key) => group(key, { failback }));
  /** The first five are on n1, the others on n3. */
  const owners = new Map(KEYS.map((key, index): [string, string] => [key, index < 5 ? 'n1' : 'n3']));

  function after(
    of: readonly Layer2Group[],
    {
      since = 0,
      held = owners,
    }: { readonly since?: number; readonly held?: ReadonlyMap<string, string> } = {},
  ): readonly number[] {
    const around = { now: NOW, wellSince: (node: string) => (node === 'n2' ? since : 0) };
    const to = evening({ groups: of, view: viewOf(held) }, around);
    return counts(of.map((each) => to(each) ?? held.get(each.key)));
  }

  test('evens out over a node that came back, and moves no more than that takes', () => {
    expect(after(groups)).toEqual([3, 3, 3]);
    const around = { now: NOW, wellSince: () => 0 };
    const to = evening({ groups, view: viewOf(owners) }, around);
    expect(groups.flatMap((each) => to(each) ?? [])).toEqual(['n2', 'n2', 'n2']);
  });

  test('stays when the node has not been there for long enough', () => {
    expect(after(groups, { since: NOW - 59_999 })).toEqual([5, 0, 4]);
    expect(after(groups, { since: NOW - 60_000 })).toEqual([3, 3, 3]);
  });

  test('stays when a move would only make another node the fullest', () => {
    const held = new Map(KEYS.slice(0, 2).map((key): [string, string] => [key, 'n1']));
    const two = groups.slice(0, 2);
    expect(after(two.slice(0, 1), { held })).toEqual([1, 0, 0]);
    expect(after(two, { held }).toSorted((a, b) => a - b)).toEqual([0, 1, 1]);
  });

  test('stays where its advertisement says never, and counts there', () => {
    const kept = groups.map((each, index) =>
      index < 5 ? { ...each, failback: { kind: 'never' as const } } : each,
    );
    expect(after(kept)).toEqual([5, 2, 2]);
  });

  test('is not evened out over nodes that are preferred less', () => {
    const candidates = CANDIDATES.map(({ node }) => ({ node, score: node === 'n2' ? 0 : 1 }));
    expect(after(groups.map((each) => ({ ...each, candidates })))).toEqual([5, 0, 4]);
  });
});

function firstOf({ key, candidates }: Layer2Group): string {
  return choiceOrder(candidates, key)[0] ?? '';
}
