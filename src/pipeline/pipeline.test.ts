import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { read, snapshot } from '../config/testing.ts';
import { formatProblem } from '../core/problem.ts';
import { compileFrrConf } from '../frr-render/index.ts';
import { createNodeDecider, nodeNamesOf, planCluster, planNode, renderNode, snapshotOf } from './index.ts';

const template = compileFrrConf(
  readFileSync(new URL('../../templates/frr.conf.hbs', import.meta.url), 'utf8'),
);

const POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: pool, namespace: metallb-system }
spec: { addresses: [198.51.100.0/30] }`;
const ADVERTISEMENT = `
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: { name: all, namespace: metallb-system }`;

function peer(name: string, more = ''): string {
  return `
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: ${name}, namespace: metallb-system }
spec: { myASN: 64496, peerASN: 64497, peerAddress: 192.0.2.1${more} }`;
}

function service(
  name: string,
  options: { ip?: string; policy?: string; class?: string; type?: string } = {},
): string {
  const { ip, policy = 'Cluster', class: loadBalancerClass, type = 'LoadBalancer' } = options;
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec:
  type: ${type}
  externalTrafficPolicy: ${policy}
  ${loadBalancerClass === undefined ? '' : `loadBalancerClass: ${loadBalancerClass}`}
  ports: [{ port: 80 }]
${ip === undefined ? '' : `status: { loadBalancer: { ingress: [{ ip: ${ip} }] } }`}`;
}

function slice(name: string, node: string, ready: boolean): string {
  return `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, namespace: default, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
endpoints: [{ addresses: [10.0.0.1], nodeName: ${node}, conditions: { ready: ${ready} } }]`;
}

const BASE = [POOL, ADVERTISEMENT, peer('tor')];

/** Prefixes in a frr.conf. */
function networks(text: string): string[] {
  return [...text.matchAll(/^ {2}network (\S+) /gm)].map((match) => match[1] ?? '');
}

describe('a snapshot of objects', () => {
  test('has each kind sorted, and of two with one name the first', () => {
    const [first, second] = [
      read(service('b', { ip: '198.51.100.1' })),
      read(service('b', { ip: '198.51.100.2' })),
    ];
    const objects = [
      ...first.objects,
      ...second.objects,
      ...read(service('a')).objects,
      ...read(POOL).objects,
    ];
    const { namespace, objects: byKind, rejected } = snapshotOf(objects, { namespace: 'metallb-system' });
    expect(namespace).toBe('metallb-system');
    expect(rejected).toEqual([]);
    expect(byKind.Service).toEqual([...read(service('a')).objects, ...first.objects]);
    expect(byKind.IPAddressPool.map(({ metadata }) => metadata.name)).toEqual(['pool']);
    expect(byKind.BGPPeer).toEqual([]);
  });

  test('is what a source gives', () => {
    const texts = [...BASE, service('web'), slice('web', 'n1', true)];
    expect(snapshotOf(read(texts.join('\n---\n')).objects, { namespace: 'metallb-system' })).toEqual(
      snapshot(...texts),
    );
  });

  test('names its nodes in order', () => {
    const node = (name: string): string => `\napiVersion: v1\nkind: Node\nmetadata: { name: ${name} }`;
    expect(nodeNamesOf(snapshot(node('n2'), node('n10'), node('n1')))).toEqual(['n1', 'n10', 'n2']);
  });
});

describe('a plan of the cluster', () => {
  test('gives addresses, keeps those there are, and says why there are none', () => {
    const plan = planCluster(
      snapshot(
        POOL,
        service('a'),
        service('b', { ip: '198.51.100.0' }),
        service('c'),
        service('d'),
        service('e'),
      ),
    );
    expect(
      plan.assignments.map(({ key, outcome, ingress }) => `${key} ${outcome} ${ingress.join()}`),
    ).toEqual([
      'default/a assigned 198.51.100.1',
      'default/b assigned 198.51.100.0',
      'default/c assigned 198.51.100.2',
      'default/d assigned 198.51.100.3',
      'default/e refused ',
    ]);
    expect(plan.services.map(({ status }) => status.ingress.map(({ ip }) => ip).join())).toEqual([
      '198.51.100.1',
      '198.51.100.0',
      '198.51.100.2',
      '198.51.100.3',
      '',
    ]);
  });

  test('looks only at Services of its class and type', () => {
    const objects = snapshot(
      POOL,
      service('a', { class: 'ours' }),
      service('b'),
      service('c', { type: 'ClusterIP' }),
    );
    expect(planCluster(objects).assignments.map(({ key }) => key)).toEqual(['default/b']);
    expect(planCluster(objects, { loadBalancerClass: 'ours' }).assignments.map(({ key }) => key)).toEqual([
      'default/a',
    ]);
  });

  test('serves many, each once', () => {
    const wide = POOL.replace('198.51.100.0/30', '10.0.0.0/16');
    const plan = planCluster(
      snapshot(wide, ...Array.from({ length: 500 }, (_, index) => service(`s${index}`))),
    );
    const addresses = plan.assignments.flatMap(({ ingress }) => ingress);
    expect(new Set(addresses).size).toBe(500);
  });
});

describe('endpoints', () => {
  test.each<[string, string[], 'absent' | 'assumed', string[]]>([
    ['none, and none assumed', [service('web')], 'absent', []],
    ['none, and assumed', [service('web')], 'assumed', ['198.51.100.0/32']],
    ['none, and assumed here', [service('web', { policy: 'Local' })], 'assumed', ['198.51.100.0/32']],
    ['not ready: nothing is assumed', [service('web'), slice('web', 'n1', false)], 'assumed', []],
    ['elsewhere', [service('web', { policy: 'Local' }), slice('web', 'n2', true)], 'assumed', []],
    ['here', [service('web', { policy: 'Local' }), slice('web', 'n1', true)], 'absent', ['198.51.100.0/32']],
  ])('%s', (_, texts, endpoints, expected) => {
    const { frrConf } = renderNode(snapshot(...BASE, ...texts), { nodeName: 'n1', template, endpoints });
    expect(networks(frrConf)).toEqual(expected);
  });
});

describe("a node's plan", () => {
  const objects = snapshot(
    ...BASE,
    peer('other', ', nodeSelectors: [{ matchLabels: { rack: b } }]').replace('192.0.2.1', '192.0.2.2'),
    peer('double'),
    peer('broken', ', bfdProfile: gone').replace('192.0.2.1', '192.0.2.3'),
    service('web'),
    '\napiVersion: v1\nkind: Node\nmetadata: { name: n2, labels: { rack: b } }',
  );

  test('is rendered as its own node, with its own peers', () => {
    const plan = planCluster(objects, { endpoints: 'assumed' });
    const [n1, n2] = ['n1', 'n2'].map((nodeName) => planNode(plan, { nodeName, template }).frrConf);
    expect(n1).toContain('\nhostname n1\n');
    expect(n2).toContain('\nhostname n2\n');
    expect(n1).not.toContain('neighbor 192.0.2.2 ');
    expect(n2).toContain('neighbor 192.0.2.2 remote-as 64497');
    expect(
      planNode(plan, { nodeName: 'n1', template, hostname: 'host', logLevel: 'warnings' }).frrConf,
    ).toContain('\nhostname host\nlog stdout warnings\n');
  });

  test('in one call has the problems of the cluster and of the node', () => {
    const both = renderNode(objects, { nodeName: 'n1', template, endpoints: 'assumed' });
    const plan = planCluster(objects, { endpoints: 'assumed' });
    const node = planNode(plan, { nodeName: 'n1', template });
    expect(both.frrConf).toBe(node.frrConf);
    expect(both.state).toEqual(node.state);
    expect(both.assignments).toEqual(plan.assignments);
    expect(both.problems).toEqual([...plan.problems, ...node.problems]);
    expect(both.problems.map((problem) => problem.resource?.name)).toEqual(
      expect.arrayContaining(['broken', 'tor']),
    );
    expect(both.problems.map(formatProblem).join('\n')).toMatch(
      /BGPPeer metallb-system\/broken: spec\.bfdProfile/,
    );
  });

  test('is the same for the same objects', () => {
    const options = { nodeName: 'n1', template, endpoints: 'assumed' } as const;
    expect(renderNode(objects, options)).toEqual(renderNode(structuredClone(objects), options));
  });
});

describe('the decider of a speaker', () => {
  const options = { nodeName: 'n1', loadBalancerClass: '', ignoreExcludeLabel: false };
  const good = snapshot(...BASE, service('web', { ip: '198.51.100.1' }), slice('web', 'n1', true));

  test('decides as a plan does once the addresses are written', () => {
    const decision = createNodeDecider(options)(good);
    const node = planNode(planCluster(good), { nodeName: 'n1', template });
    expect(decision.state).toEqual(node.state);
    expect(template(decision.state.bgp, { hostname: 'n1', logLevel: 'informational' })).toBe(node.frrConf);
  });

  test('keeps the last good version of an object', () => {
    const decide = createNodeDecider(options);
    const before = decide(good);
    const bad = snapshot(
      POOL,
      ADVERTISEMENT,
      peer('tor', ', bfdProfile: gone'),
      service('web', { ip: '198.51.100.1' }),
      slice('web', 'n1', true),
    );
    const after = decide(bad);
    expect(after.state.bgp).toEqual(before.state.bgp);
    expect(after.problems.map(formatProblem)).toEqual([expect.stringContaining('spec.bfdProfile')]);
    expect(createNodeDecider(options)(bad).state.bgp.routers).toEqual([]);
    expect(decide(good)).toEqual(before);
  });

  test('gives the very state of before when nothing has changed', () => {
    const decide = createNodeDecider(options);
    expect(decide(good).state.bgp).toBe(decide(good).state.bgp);
  });

  test('says nothing of what is wrong with peers and advertisements of other nodes', () => {
    const node = (name: string, rack: string): string =>
      `\napiVersion: v1\nkind: Node\nmetadata: { name: ${name}, labels: { rack: ${rack} } }`;
    const elsewhere = ', nodeSelectors: [{ matchLabels: { rack: b } }]';
    const objects = [
      ...[POOL, ADVERTISEMENT, node('n1', 'a'), node('n2', 'b')],
      ADVERTISEMENT.replace('name: all', 'name: odd') +
        '\nspec: { communities: [gone], nodeSelectors: [{ matchLabels: { rack: b } }] }',
    ];
    const broken = snapshot(...objects, peer('tor', `, bfdProfile: gone${elsewhere}`));
    const said = (nodeName: string): readonly (string | undefined)[] =>
      createNodeDecider({ ...options, nodeName })(broken).problems.map(({ resource }) => resource?.name);
    expect(said('n1')).toEqual([]);
    expect(said('n2')).toEqual(['tor', 'odd']);
    // Its last good version is in use here.
    const decide = createNodeDecider(options);
    decide(snapshot(...objects, peer('tor')));
    const { state, problems } = decide(broken);
    expect(problems.map(({ resource }) => resource?.name)).toEqual(['tor']);
    expect(state.bgp.routers).toHaveLength(1);
  });
});
