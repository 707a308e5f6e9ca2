import { describe, expect, test } from 'vitest';
import { recording, RECORDED_VERSIONS } from '../../test/frr-json/recordings.ts';
import { ip } from '../core/test-ip.ts';
import { parseAdvertisedRoutes, type AdvertisedRoute } from './advertised-routes.ts';
import { advertisedRoutesCommand } from './commands.ts';

/** FRR 8.4 does not tell the communities it sends. */
const tellsCommunities = (version: string): boolean => Number.parseFloat(version) >= 9;

const textOf = (route: AdvertisedRoute) => ({
  prefix: route.prefix.text,
  localPref: route.localPref,
  communities: route.communities?.map((community) => community.text),
});

describe.each(RECORDED_VERSIONS)('advertised routes of FRR %s', (version) => {
  const read = (name: string) => parseAdvertisedRoutes(recording(version, name));

  test.each([
    { name: 'external', prefixes: ['198.51.100.1/32', '198.51.100.2/32'] },
    { name: 'internal', prefixes: ['198.51.100.1/32', '198.51.100.2/32'] },
    { name: 'unnumbered', prefixes: ['2001:db8:1::1/128', '2001:db8:1::2/128'] },
  ])('$name has what passed the outbound policy, and only that', ({ name, prefixes }) => {
    const { routes, problems } = read(`advertised-${name}.txt`);
    expect(problems).toEqual([]);
    expect(routes.map((route) => route.prefix.text)).toEqual(prefixes);
    expect(routes[0]).toMatchObject({ localPref: 150, asPath: '', communities: undefined });
    for (const route of routes) expect(route).not.toHaveProperty('nextHop');
  });

  test.each(['external', 'internal', 'unnumbered'])(
    '%s in detail has the communities too, where FRR tells',
    (name) => {
      const { routes, problems } = read(`advertised-${name}-detail.txt`);
      if (!tellsCommunities(version)) {
        expect(routes).toEqual([]);
        expect(problems).toMatchObject([
          { message: expect.stringContaining('% Unknown command') as unknown },
        ]);
        return;
      }
      expect(problems).toEqual([]);
      expect(routes.map(textOf).map((route) => route.communities)).toEqual([
        ['large:64512:1:2', '64512:7', '64512:100'],
        ['65535:0', '65535:666', '65535:65281', '65535:65282', '65535:65283', '65535:65284'],
      ]);
      expect(routes[0]).toMatchObject({ localPref: 150, asPath: '' });
    },
  );

  test('a session that is down has none', () => {
    expect(read('advertised-down.txt')).toEqual({ routes: [], problems: [] });
  });

  test.each([
    { name: 'no-such-neighbor', says: 'No such neighbor' },
    { name: 'wrong-family', says: 'No such neighbor or address family' },
  ])('$name is a problem in the words of FRR', ({ name, says }) => {
    const { routes, problems } = read(`advertised-${name}.txt`);
    expect(routes).toEqual([]);
    expect(problems).toMatchObject([{ message: expect.stringContaining(says) as unknown }]);
  });
});

describe('a route of another shape', () => {
  const only = (members: object) =>
    parseAdvertisedRoutes({ advertisedRoutes: { '198.51.100.0/24': members } });

  test('with nothing', () => {
    expect(only({}).routes.map(textOf)).toEqual([
      { prefix: '198.51.100.0/24', localPref: undefined, communities: undefined },
    ]);
  });

  test('passed on from another router', () => {
    const { routes } = only({ nextHop: '192.0.2.9', path: '64500 64501', metric: 7 });
    expect(routes).toMatchObject([{ nextHop: { text: '192.0.2.9' }, asPath: '64500 64501', med: 7 }]);
    const paths = [{ aspath: { string: '64500' }, nexthops: [{ ip: '2001:db8::9' }], largeCommunity: {} }];
    expect(only({ paths }).routes).toMatchObject([
      { nextHop: { text: '2001:db8::9' }, asPath: '64500', communities: [] },
    ]);
  });

  test.each([
    { list: ['64512:7', 'sesame', 9], want: ['64512:7'], problems: 2 },
    { list: ['64512:70000'], want: [], problems: 1 },
    { list: 'noExport', want: [], problems: 0 },
  ])('communities $list', ({ list, want, problems }) => {
    const read = only({ paths: [{ community: { list } }] });
    expect(read.routes.map(textOf)[0]!.communities).toEqual(want);
    expect(read.problems).toHaveLength(problems);
  });

  test('a wrong prefix does not hide the others, and equal ones are one', () => {
    const { routes, problems } = parseAdvertisedRoutes({
      advertisedRoutes: { default: {}, '198.51.100.9/24': {}, '198.51.100.0/24': {}, '192.0.2.0/24': 1 },
    });
    expect(routes.map((route) => route.prefix.text)).toEqual(['198.51.100.0/24']);
    expect(problems).toHaveLength(2);
  });

  test('10,000 are sorted by number', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `198.18.${index >> 8}.${index & 255}/32`);
    const answer = { advertisedRoutes: Object.fromEntries(names.toReversed().map((name) => [name, {}])) };
    expect(parseAdvertisedRoutes(answer).routes.map((route) => route.prefix.text)).toEqual(names);
  });
});

describe('the command', () => {
  const address = ip('192.0.2.2');

  test.each([
    {
      query: { vrf: '', peer: { kind: 'address', address }, family: 'ipv4', detail: false },
      want: 'show bgp vrf default ipv4 unicast neighbors 192.0.2.2 advertised-routes json',
    },
    {
      query: { vrf: 'red', peer: { kind: 'interface', interface: 'eth1.100' }, family: 'ipv6', detail: true },
      want: 'show bgp vrf red ipv6 unicast neighbors eth1.100 advertised-routes detail json',
    },
  ] as const)('$want', ({ query, want }) => {
    expect(advertisedRoutesCommand(query)).toBe(want);
  });

  test.each(['', 'eth0 json', 'eth0\nconfigure terminal', 'eth?', 'eth\u0000', 'eth\u007f'])(
    'a name %j is no part of a command',
    (name) => {
      const peer = { kind: 'interface', interface: name } as const;
      expect(advertisedRoutesCommand({ vrf: '', peer, family: 'ipv4', detail: false })).toBeUndefined();
      const vrf = name === '' ? ' ' : name;
      expect(
        advertisedRoutesCommand({ vrf, peer: { kind: 'address', address }, family: 'ipv4', detail: false }),
      ).toBeUndefined();
    },
  );
});
