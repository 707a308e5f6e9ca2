import { expect, test } from 'vitest';
import { ip } from '../../core/test-ip.ts';
import { NOTHING_EXCLUDED, type Layer2Service, type Link } from '../../l2/index.ts';
import { createFailures } from './failures.ts';
import { createPlaces } from './places.ts';

const IP = '192.0.2.200';

function link(name: string, isUp = true): Link {
  return {
    ...{ name, index: 2, mac: '00:00:5e:00:53:01', isUp, isBroadcast: true, hasArp: true, hasMaster: false },
    ...{ addresses: [{ ip: ip('192.0.2.11'), length: 24 }], defaultRoutes: [], gateways: [] },
  };
}

function service(interfaces?: readonly string[], nodes = ['n1', 'n2']): Layer2Service {
  return {
    ...{ key: 'default/web', ips: [ip(IP)], pool: 'lan', interfaces, balance: false },
    candidates: nodes.map((node) => ({ node, score: 0 })),
    ...{ failback: { kind: 'never' }, announceIntervalMs: 60_000 },
  };
}

/** What is new about one Service on n1. */
function newsOf(of: Layer2Service, links: readonly Link[], failures = createFailures('n1')): string[] {
  const places = createPlaces({ links, exclusion: NOTHING_EXCLUDED, services: [of] });
  return [...failures.news([of], places).values()];
}

const MISSING = `node "n1" cannot announce ${IP} with protocol "layer2": eth9: no such interface`;

test.each([
  { name: 'an interface that is there', of: service(['eth1']), links: [link('eth1')], want: [] },
  { name: 'one that is not there', of: service(['eth9']), links: [link('eth1')], want: [MISSING] },
  { name: 'one of two', of: service(['eth1', 'eth9']), links: [link('eth1')], want: [] },
  { name: 'no carrier', of: service(['eth1']), links: [link('eth1', false)], want: [] },
  { name: 'another node is meant', of: service(['eth9'], ['n2']), links: [link('eth1')], want: [] },
  {
    name: 'a bridge member',
    of: service(['eth1']),
    links: [{ ...link('eth1'), hasMaster: true }],
    want: [expect.stringContaining('eth1: a member of a bond, bridge or VRF') as string],
  },
])('$name', ({ of, links, want }) => {
  expect(newsOf(of, links)).toEqual(want);
});

test('the same is said once, and again after it was well', () => {
  const failures = createFailures('n1');
  const of = service(['eth9']);
  expect(newsOf(of, [link('eth1')], failures)).toEqual([MISSING]);
  expect(newsOf(of, [link('eth1')], failures)).toEqual([]);
  expect(newsOf(of, [link('eth9')], failures)).toEqual([]);
  expect(newsOf(of, [link('eth1')], failures)).toEqual([MISSING]);
});
