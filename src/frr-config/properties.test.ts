import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffFrrConfig, linesOf, parseFrrConfig } from './index.ts';
import { createTestFrr } from './test-frr.ts';

const NEIGHBORS = ['192.0.2.1', '192.0.2.2', '2001:db8::1', 'eth1'];
const CLASSES = ['advertise-f0000001', 'advertise-f0000002'];

function maybe<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

const neighbor = fc
  .record({
    name: fc.constantFrom(...NEIGHBORS),
    remoteAs: fc.constantFrom('64497', '64498', 'external'),
    timers: maybe(fc.constantFrom('3 9', '60 180')),
    connect: maybe(fc.constantFrom(10, 120)),
    port: maybe(fc.constantFrom(179, 1790)),
    password: maybe(fc.constantFrom('first', 'second')),
    bfd: maybe(fc.constantFrom('fast', 'slow')),
    multihop: fc.boolean(),
    families: fc.subarray(['ipv4', 'ipv6']),
  })
  .map(({ name, ...rest }) => {
    const say = (words: string): string => ` neighbor ${name} ${words}`;
    const router = [
      say(`${name === 'eth1' ? 'interface ' : ''}remote-as ${rest.remoteAs}`),
      ...(rest.timers === undefined ? [] : [say(`timers ${rest.timers}`)]),
      ...(rest.connect === undefined ? [] : [say(`timers connect ${rest.connect}`)]),
      ...(rest.port === undefined ? [] : [say(`port ${rest.port}`)]),
      ...(rest.password === undefined ? [] : [say(`password ${rest.password}`)]),
      ...(rest.bfd === undefined ? [] : [say('bfd'), say(`bfd profile ${rest.bfd}`)]),
      ...(rest.multihop ? [say('ebgp-multihop')] : []),
    ];
    const family = [
      ` ${say('activate')}`,
      ` ${say(`route-map ${name}-in in`)}`,
      ` ${say(`route-map ${name}-out out`)}`,
    ];
    return { name, router, family, families: rest.families };
  });

const network = fc.record({
  prefix: fc.constantFrom('198.51.100.1/32', '198.51.100.2/32', '198.51.100.0/24'),
  name: fc.constantFrom(...CLASSES),
});

const router = fc
  .record({
    asn: fc.constantFrom(64496, 64500),
    vrf: fc.constantFrom('', ' vrf red'),
    routerId: maybe(fc.constantFrom('192.0.2.11', '192.0.2.12')),
    neighbors: fc.uniqueArray(neighbor, { selector: ({ name }) => name, maxLength: 3 }),
    networks: fc.uniqueArray(network, { selector: ({ prefix }) => prefix, maxLength: 3 }),
  })
  .map(({ asn, vrf, routerId, neighbors, networks }) => {
    const family = (name: string, lines: readonly string[]): string[] =>
      lines.length === 0 ? [] : [` address-family ${name} unicast`, ...lines, ' exit-address-family'];
    const of = (name: string): string[] =>
      neighbors.filter(({ families }) => families.includes(name)).flatMap((item) => item.family);
    const text = [
      `router bgp ${asn}${vrf}`,
      ' no bgp default ipv4-unicast',
      ...(routerId === undefined ? [] : [` bgp router-id ${routerId}`]),
      ...neighbors.flatMap((item) => item.router),
      ...family('ipv4', [
        ...networks.map(({ prefix, name }) => `  network ${prefix} route-map ${name}`),
        ...of('ipv4'),
      ]),
      ...family('ipv6', of('ipv6')),
      'exit',
    ];
    return { vrf, text };
  });

const routeMapEntry = fc
  .record({
    name: fc.constantFrom(...CLASSES, '192.0.2.1-out'),
    sequence: fc.constantFrom(10, 20),
    action: fc.constantFrom('permit', 'deny'),
    match: maybe(fc.constantFrom(1, 2)),
    set: maybe(fc.constantFrom('tag 1', 'tag 2', 'local-preference 100')),
  })
  .map(({ name, sequence, action, match, set }) => ({
    key: `${name} ${sequence}`,
    text: [
      `route-map ${name} ${action} ${sequence}`,
      ...(match === undefined ? [] : [` match tag ${match}`]),
      ...(set === undefined ? [] : [` set ${set}`]),
      'exit',
    ],
  }));

const profile = fc
  .record({
    name: fc.constantFrom('fast', 'slow', 'plain'),
    receive: maybe(fc.constantFrom(50, 300)),
    multiplier: maybe(fc.constantFrom(3, 5)),
    passive: fc.boolean(),
  })
  .map(({ name, receive, multiplier, passive }) => ({
    name,
    text: [
      ` profile ${name}`,
      ...(receive === undefined ? [] : [`  receive-interval ${receive}`]),
      ...(multiplier === undefined ? [] : [`  detect-multiplier ${multiplier}`]),
      ...(passive ? ['  passive-mode'] : []),
      ' exit',
    ],
  }));

const config = fc
  .record({
    log: fc.constantFrom('log stdout informational', 'log stdout debugging'),
    lists: fc.uniqueArray(
      fc.record({ sequence: fc.constantFrom(5, 10), prefix: fc.constantFrom('10.0.0.0/8', '10.1.0.0/16') }),
      { selector: ({ sequence }) => sequence },
    ),
    routeMaps: fc.uniqueArray(routeMapEntry, { selector: ({ key }) => key, maxLength: 4 }),
    profiles: fc.uniqueArray(profile, { selector: ({ name }) => name }),
    routers: fc.uniqueArray(router, { selector: ({ vrf }) => vrf }),
  })
  .map(({ log, lists, routeMaps, profiles, routers }) => [
    log,
    ...lists.map(({ sequence, prefix }) => `ip prefix-list users seq ${sequence} permit ${prefix}`),
    ...routeMaps.flatMap(({ text }) => text),
    ...(profiles.length === 0 ? [] : ['bfd', ...profiles.flatMap(({ text }) => text), 'exit']),
    ...routers.flatMap(({ text }) => text),
  ]);

function stateAfter(...batches: readonly (readonly string[])[]): readonly string[] {
  const frr = createTestFrr();
  for (const line of batches.flat()) frr.type(line);
  return frr.state();
}

function difference(from: readonly string[], to: readonly string[]): string[] {
  return linesOf(diffFrrConfig(parseFrrConfig(from.join('\n')), parseFrrConfig(to.join('\n'))));
}

describe('the difference of any two configurations', () => {
  test('typed into the first gives the second', () => {
    fc.assert(
      fc.property(config, config, (from, to) => {
        expect(stateAfter(from, difference(from, to))).toEqual(stateAfter(to));
      }),
      { numRuns: 500 },
    );
  });

  test('is empty between a configuration and itself', () => {
    fc.assert(
      fc.property(config, (some) => {
        expect(difference(some, some)).toEqual([]);
      }),
    );
  });

  test('does not mention a neighbor or prefix that is the same in both', () => {
    fc.assert(
      fc.property(config, config, router, (from, to, kept) => {
        const vrf = 'router bgp 64499 vrf kept';
        const same = [vrf, ...kept.text.slice(1)];
        const change = difference([...from, ...same], [...to, ...same]);
        expect(change).not.toContain(vrf);
        expect(change).not.toContain(`no ${vrf}`);
      }),
    );
  });

  test('can stop at any line and be computed anew', () => {
    fc.assert(
      fc.property(config, config, fc.nat(), (from, to, cut) => {
        const change = difference(from, to);
        const done = change.slice(0, cut % (change.length + 1));
        // What FRR shows then is a configuration again.
        const frr = createTestFrr();
        for (const line of [...from, ...done]) frr.type(line);
        const shown = textOf(frr.state());
        expect(stateAfter(shown, difference(shown, to))).toEqual(stateAfter(to));
      }),
    );
  });
});

/** A state of the test FRR as configuration text. */
function textOf(state: readonly string[]): string[] {
  const creating = state.filter((line) => line.includes('remote-as '));
  const others = state.filter((line) => !line.includes('remote-as '));
  return [...creating, ...others].flatMap((line) => {
    const path = line.split(' > ');
    const isHeader =
      path.length === 1 ? /^(?:router|route-map) /.test(line) : path[path.length - 1]!.startsWith('profile ');
    const depth = isHeader ? path.length : path.length - 1;
    return [...path, ...Array.from({ length: depth }, () => 'exit')];
  });
}
