import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EndpointSliceObject } from '../api/index.ts';
import { createSliceIndex } from './endpoints.ts';

/** A slice of this Service; 0: of none. */
function slice(name: number, service: number): EndpointSliceObject {
  const labels: Record<string, string> = service === 0 ? {} : { 'kubernetes.io/service-name': `s${service}` };
  return {
    kind: 'EndpointSlice',
    metadata: { namespace: 'default', name: `slice-${name}`, labels, annotations: {} },
    spec: { endpoints: [] },
  };
}

/** What stands in a list: names of slices in order, each with its Service and version. */
const lists = fc.array(
  fc.uniqueArray(fc.record({ name: fc.nat(8), service: fc.nat(3), version: fc.nat(1) }), {
    selector: ({ name }) => name,
    maxLength: 9,
  }),
  { minLength: 1, maxLength: 12 },
);

test('after any sequence of lists the groups are those of the last list alone', () => {
  fc.assert(
    fc.property(lists, (sequence) => {
      const made = new Map<string, EndpointSliceObject>();
      const index = createSliceIndex();
      let before = new Map<string, readonly EndpointSliceObject[]>();
      for (const entries of sequence) {
        const list = entries
          .toSorted((a, b) => a.name - b.name)
          .map((entry) => {
            const key = JSON.stringify(entry);
            const object = made.get(key) ?? slice(entry.name, entry.service);
            made.set(key, object);
            return object;
          });
        const groups = index(list);
        const fresh = createSliceIndex()(list);
        expect(new Set(groups.keys())).toEqual(new Set(fresh.keys()));
        for (const [key, group] of groups) {
          expect(new Set(group)).toEqual(new Set(fresh.get(key)));
          const old = before.get(key);
          // What is the same is the same array: decisions are kept by it.
          const isSame = old?.length === group.length && old.every((each) => group.includes(each));
          if (isSame) expect(group).toBe(old);
        }
        before = new Map(groups);
      }
    }),
  );
});
