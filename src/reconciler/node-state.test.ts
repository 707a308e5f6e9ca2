import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNodeReconciler, type NodeInput } from './node-state.ts';
import { ip } from '../core/test-ip.ts';
import {
  advertisement,
  bfdProfile,
  community,
  node,
  nodeInput,
  peer,
  pool,
  service,
  slice,
} from './test-objects.ts';
import type { BgpDesiredState, NodeDesiredState } from './types.ts';

function decide(input: NodeInput): NodeDesiredState {
  return createNodeReconciler()(input);
}

/** `ROUTER PREFIX -> PEER LOCALPREF COMMUNITIES, ...` for every prefix. */
function routes(bgp: BgpDesiredState): string[] {
  return bgp.routers.flatMap((router) =>
    router.originated.map(({ prefix, treatment }) => {
      const peers = treatment.peers.map(({ peer: name, localPref, communities }) =>
        [
          name,
          ...(localPref === undefined ? [] : [`lp=${localPref}`]),
          ...communities.map(({ text }) => text),
        ].join(' '),
      );
      return `${router.asn}${router.vrf === '' ? '' : ` ${router.vrf}`} ${prefix.text} -> ${peers.join(', ')}`;
    }),
  );
}

/** Services with a ready endpoint on another node. */
function serving(...addresses: readonly string[]): Pick<NodeInput, 'services' | 'endpointSlices'> {
  const named = addresses.map((address, index) => [`web${index}`, address] as const);
  return {
    services: named.map(([name, address]) => service(name, address.split(','))),
    endpointSlices: named.map(([name]) => slice(name, [{ nodeName: 'n2' }])),
  };
}

const V4 = serving('198.51.100.1');
const DUAL = { pools: [pool('pool', '198.51.100.0/24', '2001:db8:1::/64')] };

describe('prefixes', () => {
  test.each<[string, Parameters<typeof nodeInput>[0], string[]]>([
    ['of no Service', {}, []],
    ['of one Service', V4, ['64496 198.51.100.1/32 -> tor']],
    [
      'of several, by number',
      serving('198.51.100.10', '198.51.100.9', '198.51.100.100'),
      ['64496 198.51.100.9/32 -> tor', '64496 198.51.100.10/32 -> tor', '64496 198.51.100.100/32 -> tor'],
    ],
    [
      'of an address that two share',
      serving('198.51.100.1', '198.51.100.1'),
      ['64496 198.51.100.1/32 -> tor'],
    ],
    [
      'of one that has no address yet',
      { ...V4, services: [...V4.services, service('other', [])] },
      ['64496 198.51.100.1/32 -> tor'],
    ],
    [
      'aggregated',
      {
        ...serving('198.51.100.1', '198.51.100.2', '198.51.100.65'),
        advertisements: [advertisement('a', { aggregationLengthV4: 26 })],
      },
      ['64496 198.51.100.0/26 -> tor', '64496 198.51.100.64/26 -> tor'],
    ],
    [
      'host and aggregate together',
      {
        ...V4,
        advertisements: [
          advertisement('a', { aggregationLengthV4: 24, communities: ['64496:1'] }),
          advertisement('b'),
        ],
      },
      ['64496 198.51.100.0/24 -> tor 64496:1', '64496 198.51.100.1/32 -> tor'],
    ],
    [
      'of a dual-stack pool at a peer of each family',
      {
        ...serving('198.51.100.1,2001:db8:1::1'),
        config: DUAL,
        peers: [peer('v4', '192.0.2.1'), peer('v6', '2001:db8::1')],
      },
      ['64496 198.51.100.1/32 -> v4', '64496 2001:db8:1::1/128 -> v6'],
    ],
    [
      'of both families at one peer that carries both',
      {
        ...serving('198.51.100.1,2001:db8:1::1'),
        config: DUAL,
        peers: [peer('both', '2001:db8::1', { dualStackAddressFamily: true })],
      },
      ['64496 198.51.100.1/32 -> both', '64496 2001:db8:1::1/128 -> both'],
    ],
    [
      'of both families at an unnumbered peer',
      {
        ...serving('198.51.100.1,2001:db8:1::1'),
        config: DUAL,
        peers: [peer('wire', 'eth1', { remoteAs: 'external' })],
      },
      ['64496 198.51.100.1/32 -> wire', '64496 2001:db8:1::1/128 -> wire'],
    ],
    ['that no peer can carry are not originated', { ...serving('2001:db8:1::1'), config: DUAL }, []],
    [
      'aggregated by the length of their family',
      {
        ...serving('198.51.100.1,2001:db8:1::1'),
        config: DUAL,
        peers: [peer('wire', 'eth1')],
        advertisements: [advertisement('a', { aggregationLengthV4: 24, aggregationLengthV6: 64 })],
      },
      ['64496 198.51.100.0/24 -> wire', '64496 2001:db8:1::/64 -> wire'],
    ],
  ])('%s', (_, input, expected) => {
    expect(routes(decide(nodeInput(input)).bgp)).toEqual(expected);
  });
});

describe('peers and attributes', () => {
  const tor = peer('tor', '192.0.2.1');
  const spine = peer('spine', '192.0.2.2');
  const red = peer('red', '192.0.2.3', { vrf: 'red', myAsn: 64500 });

  test.each<[string, Parameters<typeof nodeInput>[0], string[]]>([
    ['all peers when none is named', { ...V4, peers: [tor, spine] }, ['64496 198.51.100.1/32 -> spine, tor']],
    [
      'only the peer named',
      { ...V4, peers: [tor, spine], advertisements: [advertisement('a', { peers: ['tor'] })] },
      ['64496 198.51.100.1/32 -> tor'],
    ],
    [
      'unknown names are passed over',
      { ...V4, advertisements: [advertisement('a', { peers: ['nobody', 'tor'] })] },
      ['64496 198.51.100.1/32 -> tor'],
    ],
    ['no peer at all', { ...V4, peers: [] }, []],
    [
      'attributes by peer',
      {
        ...V4,
        peers: [tor, spine],
        advertisements: [
          advertisement('a', { peers: ['tor'], localPref: 150 }),
          advertisement('b', { peers: ['spine'], communities: ['64496:1'] }),
        ],
      },
      ['64496 198.51.100.1/32 -> spine 64496:1, tor lp=150'],
    ],
    [
      'the union of communities, by number, standard among large',
      {
        ...V4,
        advertisements: [
          advertisement('a', { communities: ['65535:65281', 'large:64496:1:2'] }),
          advertisement('b', { communities: ['64496:7', '65535:65281', 'large:1:2:3'] }),
        ],
      },
      ['64496 198.51.100.1/32 -> tor large:1:2:3 large:64496:1:2 64496:7 65535:65281'],
    ],
    [
      'the union over Services that share an aggregate',
      {
        ...serving('198.51.100.1', '203.0.113.1'),
        config: { pools: [pool('a', '198.51.100.0/24'), pool('b', '203.0.113.0/24')] },
        advertisements: [
          advertisement('a', { pools: ['a'], aggregationLengthV4: 1, communities: ['64496:1'] }),
          advertisement('b', { pools: ['b'], aggregationLengthV4: 1, communities: ['64496:2'] }),
        ],
      },
      ['64496 128.0.0.0/1 -> tor 64496:1 64496:2'],
    ],
    [
      'a router for each VRF, each with what its own peers get',
      { ...V4, peers: [tor, red], advertisements: [advertisement('a', { peers: ['red'] })] },
      ['64500 red 198.51.100.1/32 -> red'],
    ],
    [
      'both VRFs',
      { ...V4, peers: [tor, red] },
      ['64496 198.51.100.1/32 -> tor', '64500 red 198.51.100.1/32 -> red'],
    ],
  ])('%s', (_, input, expected) => {
    expect(routes(decide(nodeInput(input)).bgp)).toEqual(expected);
  });

  test('the highest local preference wins where an aggregate brings two together', () => {
    const input = nodeInput({
      ...serving('198.51.100.1', '203.0.113.1'),
      config: { pools: [pool('a', '198.51.100.0/24'), pool('b', '203.0.113.0/24')] },
      advertisements: [
        advertisement('a', { pools: ['a'], aggregationLengthV4: 1, localPref: 200 }),
        advertisement('b', { pools: ['b'], aggregationLengthV4: 1, localPref: 100 }),
      ],
    });
    expect(routes(decide(input).bgp)).toEqual(['64496 128.0.0.0/1 -> tor lp=200']);
  });

  test('prefixes with the same treatment share it', () => {
    const { bgp } = decide(nodeInput({ ...serving('198.51.100.1', '198.51.100.2'), peers: [tor, spine] }));
    const [a, b] = bgp.routers[0]?.originated ?? [];
    expect(a?.treatment).toBe(b?.treatment);
  });
});

describe('routers', () => {
  test('exist with their sessions, whether anything is announced or not', () => {
    const { bgp } = decide(nodeInput({ peers: [peer('b', '192.0.2.2'), peer('a', '192.0.2.1')] }));
    expect(
      bgp.routers.map(({ asn, vrf, neighbors }) => [asn, vrf, neighbors.map(({ name }) => name)]),
    ).toEqual([[64496, '', ['a', 'b']]]);
  });

  test('have the router id that any of their peers gives', () => {
    const peers = [
      peer('a', '192.0.2.1'),
      peer('b', '192.0.2.2', { routerId: ip('192.0.2.11') }),
      peer('c', '192.0.2.1', { vrf: 'red' }),
    ];
    const { bgp } = decide(nodeInput({ peers }));
    expect(bgp.routers.map(({ vrf, routerId }) => [vrf, routerId?.text])).toEqual([
      ['', '192.0.2.11'],
      ['red', undefined],
    ]);
  });

  test('profiles and extras are passed on, used or not', () => {
    const profiles = [bfdProfile('fast')];
    const { bgp } = decide(
      nodeInput({ peers: [], config: { bfdProfiles: profiles, frrExtras: '# hello\n' } }),
    );
    expect(bgp).toEqual({ routers: [], bfdProfiles: profiles, extras: '# hello\n' });
  });
});

describe('a reconciler that stays', () => {
  const base = nodeInput(serving('198.51.100.1', '198.51.100.2'));
  const changes: [string, NodeInput][] = [
    ['nothing', base],
    ['a Service gone', { ...base, services: base.services.slice(1) }],
    [
      'another address',
      { ...base, services: [service('web0', ['198.51.100.9']), ...base.services.slice(1)] },
    ],
    ['endpoints gone', { ...base, endpointSlices: base.endpointSlices.slice(1) }],
    [
      'endpoints not ready',
      { ...base, endpointSlices: [slice('web0', [{ ready: false }]), ...base.endpointSlices.slice(1)] },
    ],
    [
      'a second slice',
      { ...base, endpointSlices: [...base.endpointSlices, slice('web0', [{ nodeName: 'n1' }], '2')] },
    ],
    [
      'the node excluded',
      {
        ...base,
        node: node('n1', { labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } }),
      },
    ],
    ['the node without network', { ...base, node: node('n1', { networkUnavailable: true }) }],
    ['another node', { ...base, nodeName: 'n2' }],
    ['another class', { ...base, loadBalancerClass: 'theirs' }],
    [
      'an attribute',
      nodeInput({
        ...serving('198.51.100.1', '198.51.100.2'),
        advertisements: [advertisement('all', { communities: ['64496:1'] })],
      }),
    ],
    ['no peers', nodeInput({ ...serving('198.51.100.1', '198.51.100.2'), peers: [] })],
  ];

  test.each(changes)('decides as a new one after: %s', (_, changed) => {
    const reconcile = createNodeReconciler();
    reconcile(base);
    expect(reconcile(changed)).toEqual(decide(changed));
    expect(reconcile(base)).toEqual(decide(base));
  });

  test('decides as a new one after any sequence of changes', () => {
    const advertisements = [
      [advertisement('all')],
      [advertisement('all'), advertisement('wide', { aggregationLengthV4: 30, peers: ['tor'] })],
      [advertisement('none', { peers: ['nobody'] })],
    ];
    const configs = advertisements.map((each) => nodeInput({ advertisements: each }));
    // Few names and addresses, so that Services share prefixes, come back, and stand beside those that are not ours.
    const made = new Map<string, unknown>();
    const once = <T>(key: string, make: () => T): T => {
      if (!made.has(key)) made.set(key, make());
      return made.get(key) as T;
    };
    const entry = fc.record({
      address: fc.integer({ min: 0, max: 5 }),
      isOurs: fc.boolean(),
      endpoints: fc.constantFrom('none', 'ready', 'unready'),
    });
    const step = fc.record({
      config: fc.nat(configs.length - 1),
      entries: fc.array(fc.option(entry), { maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 8 }), (steps) => {
        const reconcile = createNodeReconciler();
        for (const { config, entries } of steps) {
          const named = entries.flatMap((each, index) => (each ? [[`web${index}`, each] as const] : []));
          const input: NodeInput = {
            ...(configs[config] ?? base),
            services: named.map(([name, { address, isOurs }]) =>
              once(`${name} ${address} ${isOurs}`, () => {
                const made = service(name, address === 0 ? [] : [`198.51.100.${address}`]);
                return isOurs ? made : { ...made, spec: { ...made.spec, type: 'ClusterIP' } };
              }),
            ),
            endpointSlices: named.flatMap(([name, { endpoints }]) =>
              endpoints === 'none'
                ? []
                : [once(`${name} ${endpoints}`, () => slice(name, [{ ready: endpoints === 'ready' }]))],
            ),
          };
          const state = reconcile(input);
          expect(state).toEqual(decide(input));
          expect(reconcile({ ...input, services: [...input.services] })).toBe(state);
        }
      }),
    );
  });

  test.each<[string, NodeInput]>([
    [
      'endpoints of nobody',
      { ...base, endpointSlices: [...base.endpointSlices, slice('nobody', [{ nodeName: 'n1' }])] },
    ],
    ['the same Services in another list', { ...base, services: [...base.services] }],
  ])('gives the very same state after what changes nothing: %s', (_, changed) => {
    const reconcile = createNodeReconciler();
    const before = reconcile(base);
    expect(reconcile(changed)).toBe(before);
  });

  test.each<[string, NodeInput]>([
    ['a Service without an address yet', { ...base, services: [...base.services, service('web2', [])] }],
    [
      'a Service that is another object and sends the same',
      { ...base, services: [service('web0', ['198.51.100.1']), ...base.services.slice(1)] },
    ],
  ])('has nothing new for FRR after: %s', (_, changed) => {
    const reconcile = createNodeReconciler();
    const before = reconcile(base);
    expect(reconcile(changed).bgp).toBe(before.bgp);
  });

  test('gives equal states for equal input in any order of objects', () => {
    const turned = {
      ...base,
      services: [...base.services],
      endpointSlices: [...base.endpointSlices].reverse(),
    };
    expect(decide(turned)).toEqual(decide(base));
  });
});

test('the key of a treatment is its content', () => {
  const [a, b] = [
    decide(nodeInput({ ...V4, advertisements: [advertisement('one', { communities: ['64496:1'] })] })),
    decide(
      nodeInput({
        ...serving('198.51.100.7'),
        advertisements: [advertisement('two', { communities: ['64496:1'], aggregationLengthV4: 28 })],
      }),
    ),
  ].map(({ bgp }) => bgp.routers[0]?.originated[0]?.treatment);
  expect(a?.key).toBe(b?.key);
  expect(a?.peers).toEqual([{ peer: 'tor', communities: [community('64496:1')] }]);
});
