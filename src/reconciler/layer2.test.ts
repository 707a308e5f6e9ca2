import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../api/index.ts';
import { choiceOrder } from '../l2/index.ts';
import { createLayer2Reconciler, type Layer2Input } from './layer2.ts';
import { config, l2Advertisement, labelSelector, node, pool, service, slice } from './test-objects.ts';

const EXCLUDE = 'node.kubernetes.io/exclude-from-external-load-balancers';
const IP = '198.51.100.1';
const WEB = service('web', [IP]);
const LOCAL = service('web', [IP], { policy: 'Local' });
const READY: Partial<Endpoint> = { nodeName: 'n1', ready: true };
const on = (...names: readonly string[]) => ({
  nodeSelectors: names.map((name) => labelSelector({ 'kubernetes.io/hostname': name })),
});

type Changes = Partial<Omit<Layer2Input, 'config'>> & {
  readonly ads?: Layer2Input['config']['l2Advertisements'];
};

/** Three nodes, one Service with an endpoint on n1, one advertisement of its pool. */
function input({ ads = [l2Advertisement('all')], ...rest }: Changes = {}): Layer2Input {
  return {
    nodeName: 'n1',
    config: config({ l2Advertisements: ads, pools: [pool('pool', '198.51.100.0/24', '2001:db8:1::/64')] }),
    nodes: ['n1', 'n2', 'n3'].map((name) => node(name)),
    speakers: ['n1', 'n2', 'n3'],
    services: [WEB],
    endpointSlices: [slice('web', [READY])],
    loadBalancerClass: '',
    ignoreExcludeLabel: false,
    ...rest,
  };
}

/** The candidates of the one Service, each with its score unless that is 0, or why nobody answers for it. */
function outcome(changes: Changes): string {
  const { services, refused } = createLayer2Reconciler()(input(changes));
  const [decided] = services;
  if (decided && refused.length === 0)
    return decided.candidates
      .map(({ node, score }) => (score === 0 ? node : `${node}=${String(score)}`))
      .join(' ');
  return services.length === 0 ? refused.map(({ reason }) => reason).join(' ') || 'not looked at' : 'both';
}

describe('the endpoints of a Service', () => {
  const both = [
    { nodeName: 'n1', ready: true },
    { nodeName: 'n2', ready: true },
  ];
  const one = [
    { nodeName: 'n1', ready: true },
    { nodeName: 'n2', ready: false },
  ];
  test.each<readonly [string, readonly (readonly Partial<Endpoint>[])[], string, string]>([
    ['none', [], 'noEndpoints', 'noEndpoints'],
    ['no endpoint in its slice', [[]], 'noEndpoints', 'noEndpoints'],
    ['not ready', [[{ nodeName: 'n1', ready: false }]], 'noEndpoints', 'noEndpoints'],
    ['not ready, serving', [[{ nodeName: 'n1', ready: false, serving: true }]], 'n1 n2 n3', 'n1'],
    ['ready on two nodes', [both], 'n1 n2 n3', 'n1 n2'],
    ['ready on one of two nodes', [one], 'n1 n2 n3', 'n1'],
    [
      'on one node, ready and not',
      [
        [
          { nodeName: 'n1', ready: true },
          { nodeName: 'n1', ready: false },
        ],
      ],
      'n1 n2 n3',
      'n1',
    ],
    [
      'in two slices',
      [[{ nodeName: 'n1', ready: true }], [{ nodeName: 'n3', ready: true }]],
      'n1 n2 n3',
      'n1 n3',
    ],
    [
      'ready in one of two slices',
      [[{ nodeName: 'n1', ready: false }], [{ nodeName: 'n3', ready: true }]],
      'n1 n2 n3',
      'n3',
    ],
    ['ready on no node in particular', [[{ ready: true }]], 'n1 n2 n3', 'noCandidates'],
    ['ready on a node without a speaker', [[{ nodeName: 'n9', ready: true }]], 'n1 n2 n3', 'noCandidates'],
    ['of which nothing is known are ready', [[{ nodeName: 'n2' }]], 'n1 n2 n3', 'n2'],
    ['without an address', [[{ nodeName: 'n2', ready: true, hasAddress: false }]], 'n1 n2 n3', 'n2'],
  ])('%s', (_, slices, cluster, local) => {
    const endpointSlices = slices.map((endpoints, index) => slice('web', endpoints, String(index)));
    expect(outcome({ endpointSlices })).toBe(cluster);
    expect(outcome({ endpointSlices, services: [LOCAL] })).toBe(local);
  });

  test('of another Service do not count', () => {
    expect(outcome({ endpointSlices: [slice('other', [READY])] })).toBe('noEndpoints');
  });
});

describe('a Service', () => {
  const inTwo = config({ pools: [pool('a', '198.51.100.0/25'), pool('b', '198.51.100.128/25')] }).pools;
  test.each<readonly [string, Changes, string]>([
    ['without an address', { services: [service('web', [])] }, 'noIPAllocated'],
    ['with a host name', { services: [service('web', ['lb.example.org'])] }, 'invalidIP'],
    ['with what is no address', { services: [service('web', ['not-an-ip'])] }, 'invalidIP'],
    ['with an address of no pool', { services: [service('web', ['203.0.113.1'])] }, 'ipNotAllowed'],
    ['of both families', { services: [service('web', [IP, '2001:db8:1::1'])] }, 'n1 n2 n3'],
    [
      'of a class, when none is asked for',
      { services: [service('web', [IP], { class: 'x' })] },
      'not looked at',
    ],
    [
      'of the class asked for',
      { services: [service('web', [IP], { class: 'x' })], loadBalancerClass: 'x' },
      'n1 n2 n3',
    ],
    ['of another type', { services: [service('web', [IP], { type: 'ClusterIP' })] }, 'not looked at'],
    ['whose pool nobody advertises', { ads: [l2Advertisement('other', { pools: ['other'] })] }, 'notOwner'],
  ])('%s', (_, changes, want) => {
    expect(outcome(changes)).toBe(want);
  });

  test('with addresses of two pools is refused', () => {
    const both = service('web', ['198.51.100.1', '198.51.100.129']);
    const about = {
      ...input({ services: [both] }),
      config: config({ pools: inTwo, l2Advertisements: [l2Advertisement('a', { pools: ['a', 'b'] })] }),
    };
    expect(createLayer2Reconciler()(about).refused).toMatchObject([{ reason: 'ipNotAllowed' }]);
  });

  test('is not looked at without any advertisement', () => {
    expect(outcome({ ads: [] })).toBe('not looked at');
  });
});

describe('the nodes', () => {
  const excluded = node('n2', { labels: { [EXCLUDE]: '' } });
  const cutOff = node('n2', { networkUnavailable: true });
  const nodes = (second: typeof excluded) => [node('n1'), second, node('n3')];
  test.each<readonly [string, Changes, string]>([
    ['whose speakers live', { speakers: ['n1', 'n3'] }, 'n1 n3'],
    ['without a speaker: none', { speakers: [] }, 'noCandidates'],
    ['excluded by label', { nodes: nodes(excluded) }, 'n1 n3'],
    [
      'excluded by label, whatever its value',
      { nodes: nodes(node('n2', { labels: { [EXCLUDE]: 'false' } })) },
      'n1 n3',
    ],
    [
      'excluded by label, where that is not to count',
      { nodes: nodes(excluded), ignoreExcludeLabel: true },
      'n1 n2 n3',
    ],
    ['without network', { nodes: nodes(cutOff) }, 'n1 n3'],
    [
      'without network, where labels are not to count',
      { nodes: nodes(cutOff), ignoreExcludeLabel: true },
      'n1 n3',
    ],
    ['nobody has told of are taken as they are', { nodes: [] }, 'n1 n2 n3'],
    [
      'nobody has told of are known by their names',
      { nodes: [], ads: [l2Advertisement('a', on('n2'))] },
      'n2',
    ],
    [
      'all excluded',
      { nodes: ['n1', 'n2', 'n3'].map((name) => node(name, { labels: { [EXCLUDE]: '' } })) },
      'noCandidates',
    ],
    [
      'excluded that is the only one with an endpoint',
      {
        nodes: nodes(excluded),
        services: [LOCAL],
        endpointSlices: [slice('web', [{ nodeName: 'n2', ready: true }])],
      },
      'noCandidates',
    ],
  ])('%s', (_, changes, want) => {
    expect(outcome(changes)).toBe(want);
  });
});

describe('nodeSelectors', () => {
  test.each<readonly [string, Changes, string]>([
    ['of one advertisement are alternatives', { ads: [l2Advertisement('a', on('n1', 'n3'))] }, 'n1 n3'],
    [
      'of two advertisements are united',
      { ads: [l2Advertisement('a', on('n1')), l2Advertisement('b', on('n3'))] },
      'n1 n3',
    ],
    [
      'of one do not narrow another that has none',
      { ads: [l2Advertisement('a', on('n1')), l2Advertisement('b')] },
      'n1 n2 n3',
    ],
    ['that choose nobody', { ads: [l2Advertisement('a', on('n9'))] }, 'noCandidates'],
    [
      'and an endpoint on another node, local: nobody',
      { ads: [l2Advertisement('a', on('n2'))], services: [LOCAL] },
      'noCandidates',
    ],
    [
      'of another advertisement reach the node with the endpoint, local',
      { ads: [l2Advertisement('a', on('n2')), l2Advertisement('b')], services: [LOCAL] },
      'n1',
    ],
  ])('%s', (_, changes, want) => {
    expect(outcome(changes)).toBe(want);
  });
});

describe('serviceSelectors', () => {
  const blue = service('web', [IP], { labels: { app: 'blue' } });
  const forApp = (...apps: readonly string[]) => ({
    serviceSelectors: apps.map((app) => labelSelector({ app })),
  });
  const shared = (annotation: string) =>
    service('web', [IP], { labels: { app: 'blue' }, annotations: { [annotation]: '' } });
  const SHARE = 'metallb.io/allow-shared-ip';
  test.each<readonly [string, Changes, string]>([
    ['none: every Service', { services: [blue] }, 'n1 n2 n3'],
    ['that match', { services: [blue], ads: [l2Advertisement('a', forApp('blue'))] }, 'n1 n2 n3'],
    [
      'of which one matches',
      { services: [blue], ads: [l2Advertisement('a', forApp('red', 'blue'))] },
      'n1 n2 n3',
    ],
    [
      'of which none matches',
      { services: [blue], ads: [l2Advertisement('a', forApp('red'))] },
      'noMatchingAdvertisement',
    ],
    [
      'leave the nodes of the others alone',
      {
        services: [blue],
        ads: [
          l2Advertisement('a', { ...forApp('red'), ...on('n2') }),
          l2Advertisement('b', { ...forApp('blue'), ...on('n3') }),
        ],
      },
      'n3',
    ],
    [
      'leave the preferences of the others alone',
      {
        services: [blue],
        ads: [
          l2Advertisement('a', {
            ...forApp('red'),
            preferredNodes: [{ weight: 9, selector: labelSelector({}) }],
          }),
          l2Advertisement('b', forApp('blue')),
        ],
      },
      'n1 n2 n3',
    ],
    [
      'and a shared address: nobody',
      { services: [shared(SHARE)], ads: [l2Advertisement('a', forApp('blue'))] },
      'sharedIPWithServiceSelector',
    ],
    [
      'and an address shared by the old annotation: nobody',
      {
        services: [shared('metallb.universe.tf/allow-shared-ip')],
        ads: [l2Advertisement('a', forApp('blue'))],
      },
      'sharedIPWithServiceSelector',
    ],
    [
      'of one of two that match, and a shared address: nobody',
      { services: [shared(SHARE)], ads: [l2Advertisement('a'), l2Advertisement('b', forApp('blue'))] },
      'sharedIPWithServiceSelector',
    ],
    [
      'of one that does not match, and a shared address',
      { services: [shared(SHARE)], ads: [l2Advertisement('a'), l2Advertisement('b', forApp('red'))] },
      'n1 n2 n3',
    ],
    ['none, and a shared address', { services: [shared(SHARE)] }, 'n1 n2 n3'],
  ])('%s', (_, changes, want) => {
    expect(outcome(changes)).toBe(want);
  });
});

describe('preferred nodes', () => {
  const nodes = [
    node('n1', { labels: { rack: 'a' } }),
    node('n2', { labels: { rack: 'b', fast: '' } }),
    node('n3'),
  ];
  const prefer = (...rows: readonly (readonly [number, Readonly<Record<string, string>>])[]) => ({
    preferredNodes: rows.map(([weight, labels]) => ({ weight, selector: labelSelector(labels) })),
  });
  test.each<readonly [string, Changes, string]>([
    ['have the weight', { ads: [l2Advertisement('a', prefer([60, { rack: 'a' }]))] }, 'n1=60 n2 n3'],
    [
      'add up within an advertisement',
      { ads: [l2Advertisement('a', prefer([60, { rack: 'b' }], [7, { fast: '' }]))] },
      'n1 n2=67 n3',
    ],
    [
      'add up over advertisements',
      {
        ads: [
          l2Advertisement('a', prefer([60, { rack: 'b' }])),
          l2Advertisement('b', prefer([50, { rack: 'b' }], [1, { rack: 'a' }])),
        ],
      },
      'n1=1 n2=110 n3',
    ],
    [
      'match all when nothing is asked for',
      { ads: [l2Advertisement('a', prefer([5, {}]))] },
      'n1=5 n2=5 n3=5',
    ],
    [
      'do not become candidates by it',
      { ads: [l2Advertisement('a', { ...prefer([60, { rack: 'b' }]), ...on('n1') })] },
      'n1',
    ],
    [
      'have the weights of the advertisements that choose them',
      {
        ads: [
          l2Advertisement('a', { ...prefer([60, {}]), ...on('n1') }),
          l2Advertisement('b', prefer([5, {}])),
        ],
      },
      'n1=65 n2=5 n3=5',
    ],
    [
      'without an endpoint, local',
      { ads: [l2Advertisement('a', prefer([60, { rack: 'b' }]))], services: [LOCAL] },
      'n1',
    ],
  ])('%s', (_, changes, want) => {
    expect(outcome({ nodes, ...changes })).toBe(want);
  });
});

describe('for the node that decides', () => {
  const decided = (changes: Changes) => {
    const [first] = createLayer2Reconciler()(input(changes)).services;
    if (!first) throw new Error('nothing is announced');
    return first;
  };
  test.each<readonly [string, Changes['ads'] & object, readonly string[] | undefined]>([
    ['any interface will do when none is named', [l2Advertisement('a')], undefined],
    [
      'the interfaces of all that choose it',
      [
        l2Advertisement('a', { interfaces: ['eth1'] }),
        l2Advertisement('b', { interfaces: ['eth0', 'eth1'] }),
      ],
      ['eth0', 'eth1'],
    ],
    [
      'one without interfaces opens all',
      [l2Advertisement('a', { interfaces: ['eth1'] }), l2Advertisement('b')],
      undefined,
    ],
    [
      'those for other nodes do not count',
      [l2Advertisement('a', { interfaces: ['eth1'], ...on('n1') }), l2Advertisement('b', on('n2'))],
      ['eth1'],
    ],
    ['none when only others are chosen', [l2Advertisement('a', { ...on('n2') })], []],
  ])('%s', (_, ads, want) => {
    expect(decided({ ads }).interfaces).toEqual(want);
  });

  test('all nodes come to the same candidates, whatever interfaces they use', () => {
    const ads = [
      l2Advertisement('a', { interfaces: ['eth1'], ...on('n1', 'n2') }),
      l2Advertisement('b', on('n3')),
    ];
    const seen = ['n1', 'n2', 'n3'].map((nodeName) => decided({ ads, nodeName }));
    for (const { candidates } of seen) expect(candidates).toEqual(seen[0]?.candidates);
    expect(seen.map(({ interfaces }) => interfaces)).toEqual([['eth1'], ['eth1'], undefined]);
  });

  test('it is balanced when one of its advertisements is; else the first by name decides', () => {
    const ads = [
      l2Advertisement('a', { announceIntervalMs: 5_000, failback: { kind: 'immediate' } }),
      l2Advertisement('b', { balance: true }),
    ];
    expect(decided({ ads })).toMatchObject({
      balance: true,
      announceIntervalMs: 5_000,
      failback: { kind: 'immediate' },
    });
  });
});

test('two Services go to the nodes that their addresses choose, each by its own', () => {
  const services = [service('a', ['198.51.100.1']), service('b', ['198.51.100.2'])];
  const endpointSlices = services.map(({ metadata }) => slice(metadata.name, [READY]));
  const { services: decided } = createLayer2Reconciler()(input({ services, endpointSlices }));
  expect(decided.map(({ candidates, ips }) => choiceOrder(candidates, ips[0]!.text)[0])).toEqual([
    'n2',
    'n1',
  ]);
});

describe('when it is asked again', () => {
  const OTHER = service('other', ['198.51.100.2']);
  const start = input({
    services: [OTHER, WEB],
    endpointSlices: [slice('web', [READY]), slice('other', [READY])],
  });

  test('what has not changed stays the same objects', () => {
    const reconcile = createLayer2Reconciler();
    const before = reconcile(start);
    const after = reconcile({
      ...start,
      services: [...start.services],
      endpointSlices: [...start.endpointSlices],
    });
    expect(after.services).toBe(before.services);
  });

  test('a change of one Service leaves the other as it was', () => {
    const reconcile = createLayer2Reconciler();
    const [, web] = reconcile(start).services;
    const endpointSlices = [start.endpointSlices[0]!, slice('other', [{ ...READY, ready: false }])];
    const after = reconcile({ ...start, endpointSlices });
    expect(after.services).toHaveLength(1);
    expect(after.services[0]).toBe(web);
    expect(after.refused).toEqual([{ key: 'default/other', reason: 'noEndpoints' }]);
  });

  test.each<readonly [string, Partial<Layer2Input>, readonly string[]]>([
    ['a speaker that has gone', { speakers: ['n1', 'n2'] }, ['n1', 'n2']],
    ['a node that is excluded', { nodes: [node('n1', { labels: { [EXCLUDE]: '' } })] }, ['n2', 'n3']],
    [
      'an advertisement that chooses others',
      { config: input({ ads: [l2Advertisement('all', on('n3'))] }).config },
      ['n3'],
    ],
  ])('%s is heeded', (_, change, want) => {
    const reconcile = createLayer2Reconciler();
    reconcile(start);
    const { services } = reconcile({ ...start, ...change });
    expect(services.map(({ candidates }) => candidates.map(({ node }) => node))).toEqual([want, want]);
  });

  test('Services with the same advertisements share one list of candidates', () => {
    const [a, b] = createLayer2Reconciler()(start).services;
    expect(a?.candidates).toBe(b?.candidates);
  });
});
