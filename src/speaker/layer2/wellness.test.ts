import { expect, test } from 'vitest';
import type { Layer2View } from '../../l2/index.ts';
import { sightKey } from './sights.ts';
import { createWellness, type WellnessFacts } from './wellness.ts';

const ETH0: WellnessFacts['links'][number] = {
  ...{ name: 'eth0', index: 2, mac: '00:00:5e:00:53:01', isUp: true, isBroadcast: true, hasArp: true },
  ...{ hasMaster: false, addresses: [], defaultRoutes: [], gateways: [] },
};

function facts(
  now: number,
  rest: { readonly isWell?: boolean; readonly seen?: readonly string[] } = {},
): WellnessFacts {
  const { isWell = true, seen = ['n2', 'n3'] } = rest;
  const speakers: Layer2View['speakers'] = new Map(
    ['n2', 'n3'].map((node) => [node, { record: { node, links: [] }, isHeld: true }]),
  );
  const keys = new Set(seen.map((node) => sightKey({ node, link: 'eth0' })));
  const isSeen = (node: string, link: string): boolean => keys.has(sightKey({ node, link }));
  return {
    ...{ speakers, links: [ETH0], now, isDraining: () => false },
    sights: {
      isWell: () => isWell,
      // Only whether there is one is looked at.
      of: (node, link) =>
        isSeen(node, link) ? ({ link } as ReturnType<WellnessFacts['sights']['of']>) : undefined,
      canBeSeen: (node, link) => keys.size === 0 || isSeen(node, link),
    },
  };
}

test('begins when a node is seen, and begins anew after it was not well', () => {
  const wellness = createWellness();
  expect(wellness.since('n2', 'eth0')).toBeUndefined();
  wellness.update(facts(1));
  wellness.update(facts(2));
  expect(wellness.since('n2', 'eth0')).toBe(1);
  wellness.update(facts(3, { isWell: false }));
  expect(wellness.since('n2', 'eth0')).toBeUndefined();
  wellness.update(facts(4));
  expect(wellness.since('n2', 'eth0')).toBe(4);
});

test('begins anew on a LAN that the node was away from, whatever else it is on', () => {
  const wellness = createWellness();
  wellness.update(facts(1));
  wellness.update(facts(2, { seen: ['n3'] }));
  expect([wellness.since('n2', 'eth0'), wellness.since('n2', 'eth1')]).toEqual([undefined, undefined]);
  expect(wellness.since('n2', undefined)).toBe(1);
  wellness.update(facts(3));
  expect([wellness.since('n2', 'eth0'), wellness.since('n3', 'eth0')]).toEqual([3, 1]);
});

test('goes on where nobody can be seen by addresses', () => {
  const wellness = createWellness();
  wellness.update(facts(1, { seen: [] }));
  wellness.update(facts(2, { seen: [] }));
  expect(wellness.since('n2', 'eth0')).toBe(1);
});
