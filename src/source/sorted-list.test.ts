import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeSorted } from './sorted-list.ts';

interface Item {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly version: number;
}

const meta = fc.record({
  namespace: fc.constantFrom('a', 'b'),
  name: fc.constantFrom('', 'a', 'b', 'c', 'd', 'e'),
});
const keyOf = ({ namespace, name }: Item['metadata']): string => `${namespace}/${name}`;

test('gives what a Map would, sorted', () => {
  const items = fc
    .uniqueArray(meta, { selector: keyOf })
    .map((metas) => metas.map((metadata): Item => ({ metadata, version: 0 })));
  const changes = fc.uniqueArray(fc.tuple(meta, fc.boolean()), { selector: ([each]) => keyOf(each) });
  fc.assert(
    fc.property(items, changes, (list, edits) => {
      const sorted = list.toSorted((a, b) => (keyOf(a.metadata) < keyOf(b.metadata) ? -1 : 1));
      const wanted = new Map(sorted.map((item) => [keyOf(item.metadata), item]));
      const merged = mergeSorted(
        sorted,
        edits.map(([metadata, present]) => {
          const item = present ? { metadata, version: 1 } : undefined;
          if (item) wanted.set(keyOf(metadata), item);
          else wanted.delete(keyOf(metadata));
          return [{ kind: 'Service', ...metadata }, item] as const;
        }),
      );
      expect(merged).toEqual(
        [...wanted.values()].sort((a, b) => (keyOf(a.metadata) < keyOf(b.metadata) ? -1 : 1)),
      );
    }),
  );
});

test('keeps the very list when nothing is different', () => {
  const list: readonly Item[] = ['a', 'b'].map((name) => ({
    metadata: { namespace: 'n', name },
    version: 0,
  }));
  const ref = (name: string): { kind: string; namespace: string; name: string } => ({
    kind: 'Service',
    namespace: 'n',
    name,
  });
  expect(mergeSorted(list, [])).toBe(list);
  expect(
    mergeSorted(list, [
      [ref('a'), list[0]],
      [ref('c'), undefined],
    ]),
  ).toBe(list);
  expect(mergeSorted(list, [[ref('a'), { ...list[0]! }]])).not.toBe(list);
});
