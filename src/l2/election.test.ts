import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressHash, choiceOrder, runnersUp, standsBefore, succession, type Candidate } from './election.ts';

const candidates = (...nodes: readonly string[]): readonly Candidate[] =>
  nodes.map((node) => ({ node, score: 0 }));
const NODES = ['node-a', 'node-b', 'node-c'];

describe('the hash of a node and an address', () => {
  // As `printf 'node-a#10.20.30.1' | sha256sum` gives them: MetalLB's choice in the same cluster.
  test.each([
    ['10.20.30.1', ['9689afd510d91269', '0867af7f46acd65c', '95c3be9ba22b2c6d'], 'node-b'],
    ['10.20.30.2', ['c624646457ee13dc', 'cc236a574258d1d6', 'aa6883973f7bf8ed'], 'node-c'],
    ['2001:db8::a', ['094ee449eed46ba3', '1ce11397ce722128', '7ab60832450dc802'], 'node-a'],
  ])('of %s is SHA-256 over node#address, and the lowest is first', (ip, hashes, first) => {
    expect(NODES.map((node) => addressHash(node, ip).slice(0, 16))).toEqual(hashes);
    expect(choiceOrder(candidates(...NODES), ip)[0]).toBe(first);
    for (const node of NODES.filter((each) => each !== first)) {
      expect(standsBefore(first, node, ip)).toBe(true);
      expect(standsBefore(node, first, ip)).toBe(false);
    }
  });
});

describe('the order of choice', () => {
  const scored = (scores: Readonly<Record<string, number>>): readonly Candidate[] =>
    Object.entries(scores).map(([node, score]) => ({ node, score }));
  test.each<
    readonly [string, readonly Candidate[], ReadonlyMap<string, number> | undefined, readonly string[]]
  >([
    ['nobody', [], undefined, []],
    ['one', candidates('node-a'), undefined, ['node-a']],
    ['by hash when all are alike', candidates(...NODES), undefined, ['node-b', 'node-c', 'node-a']],
    [
      'the score goes before the hash',
      scored({ 'node-a': 1, 'node-b': 0, 'node-c': 0 }),
      undefined,
      ['node-a', 'node-b', 'node-c'],
    ],
    [
      'the same score leaves it to the hash',
      scored({ 'node-a': 7, 'node-b': 0, 'node-c': 7 }),
      undefined,
      ['node-c', 'node-a', 'node-b'],
    ],
    [
      'the fewest addresses go before the hash',
      candidates(...NODES),
      new Map([
        ['node-b', 2],
        ['node-c', 1],
      ]),
      ['node-a', 'node-c', 'node-b'],
    ],
    [
      'the score goes before the fewest addresses',
      scored({ 'node-a': 0, 'node-b': 5, 'node-c': 0 }),
      new Map([['node-b', 9]]),
      ['node-b', 'node-c', 'node-a'],
    ],
  ])('%s', (_, from, load, want) => {
    expect(choiceOrder(from, '10.20.30.1', load)).toEqual(want);
  });

  test('does not depend on the order of the candidates', () => {
    for (const from of [NODES, [...NODES].reverse()])
      expect(choiceOrder(candidates(...from), '10.20.30.2')).toEqual(['node-c', 'node-a', 'node-b']);
  });

  test('a node more or less changes nothing between the others', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 12 }),
        fc.ipV4(),
        fc.nat(),
        (nodes, ip, which) => {
          const gone = nodes[which % nodes.length];
          const without = nodes.filter((node) => node !== gone);
          expect(choiceOrder(candidates(...without), ip)).toEqual(
            choiceOrder(candidates(...nodes), ip).filter((node) => node !== gone),
          );
        },
      ),
    );
  });
});

describe('the succession of an owner', () => {
  // By the SHA-256 of the names, as `printf node-c | sha256sum` gives it: 092c, 4f91, 6657, 93ef, db81.
  const ring = ['node-c', 'node-e', 'node-a', 'node-b', 'node-d'];
  const at = (index: number): string => ring[(index + ring.length) % ring.length]!;

  test('goes round the ring from the owner: one behind, one before, two behind, two before', () => {
    for (let start = 0; start < ring.length; start += 1) {
      expect(succession(candidates(...ring), at(start))).toEqual([
        at(start + 1),
        at(start - 1),
        at(start + 2),
        at(start - 2),
      ]);
    }
  });

  test.each<readonly [string, readonly Candidate[], string, readonly string[]]>([
    ['of the only candidate is nobody', candidates('node-a'), 'node-a', []],
    ['of nobody but the owner is nobody', [], 'node-a', []],
    ['of an owner that is no candidate has all candidates', candidates('node-b'), 'node-a', ['node-b']],
    [
      'takes the score before the distance',
      ring.map((node, index) => ({ node, score: index === 2 ? 3 : 0 })),
      at(0),
      [at(2), at(1), at(-1), at(-2)],
    ],
  ])('%s', (_, from, owner, want) => {
    expect(succession(from, owner)).toEqual(want);
  });

  test('is the same list for the same candidates: it is worked out once', () => {
    const from = candidates(...ring);
    expect(succession(from, at(0))).toBe(succession(from, at(0)));
    expect(succession(from, at(1))).not.toBe(succession(from, at(0)));
  });

  test('has two runners-up, who have the owner for theirs: nobody watches more than two', () => {
    for (const owner of ring) {
      const watching = runnersUp(candidates(...ring), owner);
      expect(watching).toHaveLength(2);
      for (const node of watching) expect(runnersUp(candidates(...ring), node)).toContain(owner);
    }
  });

  test('is everybody but the owner, once, whoever there is', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        (nodes, which) => {
          const owner = nodes[which % nodes.length]!;
          const others = nodes.filter((node) => node !== owner);
          expect([...succession(candidates(...nodes), owner)].sort()).toEqual([...others].sort());
        },
      ),
    );
  });
});
