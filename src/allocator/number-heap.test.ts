import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHeap, heapMin, heapPop, heapPush } from './number-heap.ts';

test('gives distinct numbers in ascending order, whatever the order of pushes and pops', () => {
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.nat(40) },
    { weight: 1, arbitrary: fc.constant('pop' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const heap = createHeap();
      const want = new Set<number>();
      const pop = (): void => {
        const min = want.size > 0 ? Math.min(...want) : undefined;
        expect(heapMin(heap)).toBe(min);
        expect(heapPop(heap)).toBe(min);
        if (min !== undefined) want.delete(min);
      };
      for (const item of steps) {
        if (item === 'pop') {
          pop();
        } else {
          heapPush(heap, item);
          want.add(item);
        }
      }
      while (want.size > 0) pop();
      expect(heapPop(heap)).toBeUndefined();
    }),
  );
});
