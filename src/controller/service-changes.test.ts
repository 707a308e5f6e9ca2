import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ServiceObject } from '../api/index.ts';
import { serviceChanges } from './service-changes.ts';

function service(name: string): ServiceObject {
  return {
    kind: 'Service',
    metadata: { name, namespace: 'n', labels: {}, annotations: {} },
    spec: {
      type: 'LoadBalancer',
      clusterIPs: [],
      ipFamilies: [],
      ipFamilyPolicy: 'SingleStack',
      externalTrafficPolicy: 'Cluster',
      selector: {},
      ports: [],
    },
    status: { ingress: [] },
  };
}

const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e')).map((list) => list.sort());

test('finds what is new, another object, or gone', () => {
  fc.assert(
    fc.property(names, names, names, (before, after, same) => {
      const old = before.map(service);
      const now = after.map((name) => {
        const known = old.find(({ metadata }) => metadata.name === name);
        return known && same.includes(name) ? known : service(name);
      });
      const { changed, deleted } = serviceChanges(old, now);
      expect(changed).toEqual(now.filter((each) => !old.includes(each)));
      expect(deleted).toEqual(before.filter((name) => !after.includes(name)).map((name) => `n/${name}`));
    }),
  );
});

test('the very list has no changes', () => {
  const list = [service('a')];
  expect(serviceChanges(list, list)).toEqual({ changed: [], deleted: [] });
});
