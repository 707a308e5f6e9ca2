import { describe, expect, test } from 'vitest';
import type { ServiceObject } from '../api/index.ts';
import type { BgpAdvertisement } from '../config/index.ts';
import { createNodeReconciler } from './node-state.ts';
import { advertisement, labelSelector, node, nodeInput, peer, pool, service, slice } from './test-objects.ts';

const EXCLUDE = 'node.kubernetes.io/exclude-from-external-load-balancers';

type Input = Parameters<typeof nodeInput>[0];

/** `announce POOL to PEERS`, or the reason why not, of the one Service there is; undefined when it is not ours. */
function verdict(web: ServiceObject, input: Input = {}): string | undefined {
  const endpointSlices = [slice('web', [{ nodeName: 'n2', ready: true }])];
  const state = createNodeReconciler()(nodeInput({ services: [web], endpointSlices, ...input }));
  const [first] = state.services;
  if (!first) return undefined;
  return first.bgp.kind === 'announce'
    ? `announce ${first.bgp.pool} to ${first.bgp.peers.join(', ')}`
    : first.bgp.reason;
}

const WEB = service('web', ['198.51.100.1']);

describe('a Service is looked at', () => {
  test.each<[string, ServiceObject, string, string | undefined]>([
    ['of type LoadBalancer', WEB, '', 'announce pool to tor'],
    ['of another type', service('web', ['198.51.100.1'], { type: 'ClusterIP' }), '', undefined],
    ['without a class when one is asked for', WEB, 'ours', undefined],
    [
      'of the class asked for',
      service('web', ['198.51.100.1'], { class: 'ours' }),
      'ours',
      'announce pool to tor',
    ],
    ['of a class when none is asked for', service('web', ['198.51.100.1'], { class: 'ours' }), '', undefined],
    ['of another class', service('web', ['198.51.100.1'], { class: 'theirs' }), 'ours', undefined],
  ])('%s', (_, web, loadBalancerClass, expected) => {
    expect(verdict(web, { loadBalancerClass })).toBe(expected);
  });
});

describe('its addresses', () => {
  test.each<[string, string[], string]>([
    ['none yet', [], 'noIPAllocated'],
    ['one in a pool', ['198.51.100.1'], 'announce pool to tor'],
    ['both families in one pool', ['198.51.100.1', '2001:db8:1::1'], 'announce pool to tor'],
    ['a host name', ['lb.example.org'], 'invalidIP'],
    ['one of two is a host name', ['198.51.100.1', 'lb.example.org'], 'invalidIP'],
    ['no address at all', ['not-an-ip'], 'invalidIP'],
    ['outside every pool', ['203.0.113.1'], 'ipNotAllowed'],
    ['in two pools', ['198.51.100.1', '192.0.2.200'], 'ipNotAllowed'],
  ])('%s', (_, ips, expected) => {
    const pools = [pool('other', '192.0.2.128/25'), pool('pool', '198.51.100.0/24', '2001:db8:1::/64')];
    expect(verdict(service('web', ips), { config: { pools } })).toBe(expected);
  });
});

describe('advertisements', () => {
  const blue = service('web', ['198.51.100.1'], { labels: { app: 'blue' } });
  const forBlue = { serviceSelectors: [labelSelector({ app: 'blue' })] };
  const forRed = { serviceSelectors: [labelSelector({ app: 'red' })] };
  const two = [peer('tor', '192.0.2.1'), peer('spine', '192.0.2.2')];

  test.each<[string, BgpAdvertisement[], string]>([
    ['none', [], 'notOwner'],
    ['of another pool', [advertisement('a', { pools: ['other'] })], 'notOwner'],
    ['to every peer', [advertisement('a')], 'announce pool to spine, tor'],
    ['to one peer', [advertisement('a', { peers: ['tor'] })], 'announce pool to tor'],
    [
      'to two by two advertisements',
      [advertisement('a', { peers: ['tor'] }), advertisement('b', { peers: ['spine'] })],
      'announce pool to spine, tor',
    ],
    ['to a peer that there is not', [advertisement('a', { peers: ['nobody'] })], 'announce pool to '],
    ['for its labels', [advertisement('a', forBlue)], 'announce pool to spine, tor'],
    [
      'for either of two labels',
      [advertisement('a', { serviceSelectors: [...forRed.serviceSelectors, ...forBlue.serviceSelectors] })],
      'announce pool to spine, tor',
    ],
    ['for other labels', [advertisement('a', forRed)], 'noMatchingAdvertisement'],
    [
      'for other labels, and for all',
      [advertisement('a', { ...forRed, peers: ['tor'] }), advertisement('b', { peers: ['spine'] })],
      'announce pool to spine',
    ],
  ])('%s', (_, advertisements, expected) => {
    expect(verdict(blue, { advertisements, peers: two })).toBe(expected);
  });

  test.each<[string, Partial<BgpAdvertisement>, Partial<BgpAdvertisement>, boolean]>([
    ['different', { localPref: 100 }, { localPref: 200 }, true],
    ['one unset', { localPref: 100 }, {}, true],
    ['equal', { localPref: 100 }, { localPref: 100 }, false],
    ['of different aggregations', { localPref: 100, aggregationLengthV4: 24 }, { localPref: 200 }, false],
    [
      'different only for a family the pool has not',
      { localPref: 100, aggregationLengthV6: 64 },
      { localPref: 200 },
      true,
    ],
    ['at different peers', { localPref: 100, peers: ['tor'] }, { localPref: 200, peers: ['spine'] }, false],
    [
      'at one peer in common',
      { localPref: 100, peers: ['tor'] },
      { localPref: 200, peers: ['spine', 'tor'] },
      true,
    ],
    ['at one peer and at all', { localPref: 100, peers: ['tor'] }, { localPref: 200 }, true],
  ])('with local preferences that are %s', (_, a, b, conflict) => {
    const advertisements = [
      advertisement('a', { ...a, communities: [], pools: ['pool'] }),
      advertisement('b', { ...b, communities: [], pools: ['pool'] }),
    ];
    const expected = conflict ? 'conflictingAdvertisements' : 'announce pool to spine, tor';
    expect(verdict(blue, { advertisements, peers: two })).toBe(expected);
  });

  test('in conflict do no harm to a Service that only one of them matches', () => {
    const advertisements = [
      advertisement('a', { localPref: 100 }),
      advertisement('b', { localPref: 200, ...forRed }),
    ];
    expect(verdict(blue, { advertisements, peers: two })).toBe('announce pool to spine, tor');
  });
});

describe('the node', () => {
  test.each<[string, Input, string]>([
    ['is fine', {}, 'announce pool to tor'],
    ['is not known', { node: undefined }, 'announce pool to tor'],
    ['has no network', { node: node('n1', { networkUnavailable: true }) }, 'nodeNetworkUnavailable'],
    ['is excluded', { node: node('n1', { labels: { [EXCLUDE]: '' } }) }, 'nodeLabeledExcludeBalancers'],
    [
      'is excluded by the word false, too',
      { node: node('n1', { labels: { [EXCLUDE]: 'false' } }) },
      'nodeLabeledExcludeBalancers',
    ],
    [
      'is excluded, which is ignored',
      { node: node('n1', { labels: { [EXCLUDE]: '' } }), ignoreExcludeLabel: true },
      'announce pool to tor',
    ],
    [
      'has no network, which is not',
      { node: node('n1', { networkUnavailable: true }), ignoreExcludeLabel: true },
      'nodeNetworkUnavailable',
    ],
  ])('%s', (_, input, expected) => {
    expect(verdict(WEB, input)).toBe(expected);
  });
});

describe('endpoints', () => {
  const here = { nodeName: 'n1' };
  const there = { nodeName: 'n2' };

  test.each<[string, Parameters<typeof slice>[1][], { cluster: boolean; local: boolean }]>([
    ['no slice', [], { cluster: false, local: false }],
    ['an empty slice', [[]], { cluster: false, local: false }],
    ['ready here', [[{ ...here, ready: true }]], { cluster: true, local: true }],
    ['ready elsewhere', [[{ ...there, ready: true }]], { cluster: true, local: false }],
    ['ready on no node in particular', [[{ ready: true }]], { cluster: true, local: false }],
    ['conditions unset', [[here]], { cluster: true, local: true }],
    ['not ready', [[{ ...here, ready: false }]], { cluster: false, local: false }],
    [
      'not ready, not serving',
      [[{ ...here, ready: false, serving: false }]],
      { cluster: false, local: false },
    ],
    [
      'terminating and still serving',
      [[{ ...here, ready: false, serving: true }]],
      { cluster: true, local: true },
    ],
    [
      'terminating and no longer serving',
      [[{ ...here, ready: false, serving: false }]],
      { cluster: false, local: false },
    ],
    ['not serving, ready unset', [[{ ...here, serving: false }]], { cluster: true, local: true }],
    ['without an address', [[{ ...here, ready: true, hasAddress: false }]], { cluster: false, local: false }],
    [
      'one of two here is ready',
      [
        [
          { ...here, ready: false },
          { ...here, ready: true },
        ],
      ],
      { cluster: true, local: true },
    ],
    [
      'ready here in the second slice',
      [[{ ...there, ready: true }], [{ ...here, ready: true }]],
      { cluster: true, local: true },
    ],
  ])('%s', (_, slices, expected) => {
    const endpointSlices = slices.map((endpoints, index) => slice('web', endpoints, String(index)));
    const local = service('web', ['198.51.100.1'], { policy: 'Local' });
    expect(verdict(WEB, { endpointSlices })).toBe(expected.cluster ? 'announce pool to tor' : 'noEndpoints');
    expect(verdict(local, { endpointSlices })).toBe(
      expected.local ? 'announce pool to tor' : 'noLocalEndpoints',
    );
  });

  test('of another Service or namespace do not count', () => {
    const other = slice('other', [here]);
    const elsewhere = slice('web', [here]);
    const endpointSlices = [other, { ...elsewhere, metadata: { ...elsewhere.metadata, namespace: 'other' } }];
    expect(verdict(WEB, { endpointSlices })).toBe('noEndpoints');
  });
});

test('the first reason in order is the one told', () => {
  const none = service('web', []);
  const outside = service('web', ['203.0.113.1']);
  const excluded = node('n1', { labels: { [EXCLUDE]: '' }, networkUnavailable: true });
  const bare = { advertisements: [], node: excluded, endpointSlices: [] };
  expect(verdict(none, bare)).toBe('noIPAllocated');
  expect(verdict(outside, bare)).toBe('ipNotAllowed');
  expect(verdict(WEB, bare)).toBe('notOwner');
  expect(verdict(WEB, { ...bare, advertisements: [advertisement('all')] })).toBe('nodeNetworkUnavailable');
  expect(verdict(WEB, { endpointSlices: [], node: node('n1', { labels: { [EXCLUDE]: '' } }) })).toBe(
    'nodeLabeledExcludeBalancers',
  );
});
