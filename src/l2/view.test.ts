import { describe, expect, test } from 'vitest';
import type { Layer2View, OwnershipRecord } from './types.ts';
import { firstHeld, isSameView, ownershipsOf } from './view.ts';

function record(node: string, second: number): OwnershipRecord {
  const since = `2026-01-02T03:04:${String(second).padStart(2, '0')}.000Z`;
  return {
    service: { namespace: 'default', name: 'web' },
    ...{ node, ips: ['198.51.100.1'], interfaces: ['eth0'], since, cause: 'FirstClaim', history: [] },
  };
}

const KEY = 'default/web';

describe('ownershipsOf', () => {
  test.each([
    { name: 'nothing', seen: [], own: undefined, want: undefined },
    { name: 'what stands written', seen: [record('n2', 1)], own: undefined, want: 'n2 01' },
    { name: 'what an earlier run of this node left', seen: [record('n1', 1)], own: undefined, want: 'n1 01' },
    { name: '... until it says what it owns', seen: [record('n1', 1)], own: [], want: undefined },
    { name: 'what was just said', seen: [], own: [record('n1', 1)], want: 'n1 01' },
    {
      name: '... over what is written of it',
      seen: [record('n1', 1)],
      own: [record('n1', 2)],
      want: 'n1 02',
    },
    { name: '... over an earlier owner', seen: [record('n2', 1)], own: [record('n1', 2)], want: 'n1 02' },
    { name: 'a later owner', seen: [record('n2', 3)], own: [record('n1', 2)], want: 'n2 03' },
    {
      name: 'at the same time the lower name',
      seen: [record('n2', 2)],
      own: [record('n1', 2)],
      want: 'n1 02',
    },
    { name: '... whoever it is', seen: [record('n0', 2)], own: [record('n1', 2)], want: 'n0 02' },
    {
      name: 'of two that are written the newer',
      seen: [record('n3', 4), record('n2', 3)],
      own: undefined,
      want: 'n3 04',
    },
    { name: '... in any order', seen: [record('n2', 3), record('n3', 4)], own: [], want: 'n3 04' },
  ])('$name', ({ seen, own, want }) => {
    const owner = ownershipsOf({
      node: 'n1',
      seen: seen.map((each) => [KEY, each] as const),
      own: own && new Map(own.map((each) => [KEY, each])),
    }).get(KEY);
    expect(owner && `${owner.node} ${owner.since.slice(17, 19)}`).toBe(want);
  });
});

describe('isSameView', () => {
  const speaker = { node: 'n1', links: [] };
  const [web, mail] = [record('n1', 1), record('n1', 1)];
  const view = (rest: Partial<Layer2View> = {}): Layer2View => ({
    isFresh: true,
    speakers: new Map([['n1', { record: speaker, isHeld: true }]]),
    ownerships: new Map([[KEY, web]]),
    moves: new Map([[KEY, 'n2']]),
    ...rest,
  });

  test('the same records in other maps', () => {
    expect(isSameView(view(), view())).toBe(true);
  });

  test.each<Partial<Layer2View>>([
    { isFresh: false },
    { speakers: new Map() },
    { speakers: new Map([['n1', { record: speaker, isHeld: false }]]) },
    { speakers: new Map([['n1', { record: { ...speaker }, isHeld: true }]]) },
    { ownerships: new Map([[KEY, mail]]) },
    { ownerships: new Map([['default/mail', web]]) },
    { moves: new Map([[KEY, 'n3']]) },
    { moves: new Map() },
  ])('another: %o', (rest) => {
    expect(isSameView(view(), view(rest))).toBe(false);
    expect(isSameView(view(rest), view())).toBe(false);
  });
});

test('the first that lives', () => {
  const speakers = (held: Readonly<Record<string, boolean>>): Layer2View['speakers'] =>
    new Map(Object.entries(held).map(([node, isHeld]) => [node, { record: { node, links: [] }, isHeld }]));
  expect(firstHeld(speakers({}))).toBeUndefined();
  expect(firstHeld(speakers({ n3: true, n1: false, n2: true }))).toBe('n2');
});
