import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseManifest, type ApiObject, type ClusterSnapshot } from '../api/index.ts';
import { changedMiddle, withMiddle } from '../core/changed-middle.ts';
import { createFrrConfigParser, parseFrrConfig } from '../frr-config/index.ts';
import { compileFrrConf } from '../frr-render/index.ts';
import { createGrouping } from '../l2/index.ts';
import type { BgpDesiredState } from '../reconciler/index.ts';
import { createNodeDecider, snapshotOf } from './index.ts';

/** What is kept from one change to the next must give what is decided from nothing, whatever the changes were. */

const NAMESPACE = 'metallb-system';
const NODES = ['n1', 'n2', 'n3'];
const SEQUENCES = 1_000;
const SEED = Number(process.env.INCREMENTAL_SEED ?? Date.now() % 1_000_000);
const TEMPLATE = readFileSync(new URL('../../templates/frr.conf.hbs', import.meta.url), 'utf8');

/** The same object for the same text, as a source gives it that knows what did not change. */
const made = new Map<string, ApiObject>();
function object(kind: string, name: string, rest: object): ApiObject {
  const isCore = ['Service', 'Node'].includes(kind);
  const version = kind === 'BGPPeer' ? 'metallb.io/v1beta2' : 'metallb.io/v1beta1';
  const apiVersion = isCore ? 'v1' : kind === 'EndpointSlice' ? 'discovery.k8s.io/v1' : version;
  const namespace = isCore || kind === 'EndpointSlice' ? 'default' : NAMESPACE;
  const raw = { apiVersion, kind, ...rest, metadata: { name, namespace, ...metadataOf(rest) } };
  const text = JSON.stringify(raw);
  const known = made.get(text);
  if (known) return known;
  const { objects, problems } = parseManifest(raw, { defaultNamespace: NAMESPACE });
  const [parsed] = objects;
  if (!parsed || problems.length > 0) throw new Error(`${text}: ${problems[0]?.message ?? 'gives nothing'}`);
  made.set(text, parsed);
  return parsed;
}

function metadataOf(rest: { readonly metadata?: object }): object {
  return rest.metadata ?? {};
}

interface Endpoint {
  readonly node: string;
  readonly ready: boolean;
}

interface ServiceTraits {
  readonly ips: readonly string[];
  readonly team: string;
  readonly policy: string;
  readonly type: string;
  readonly isShared: boolean;
}

const ADDRESSES = ['198.51.100.1', '198.51.100.2', '198.51.100.3', '203.0.113.1', '2001:db8::1'];
const PLAIN = { team: 'a', policy: 'Cluster', type: 'LoadBalancer', isShared: false };
const BEGINNING = [['198.51.100.1'], ['198.51.100.2', '2001:db8::1'], ['198.51.100.3'], []];

function serviceWith({ ips, team, policy, type, isShared }: ServiceTraits): object {
  return {
    metadata: {
      labels: { team },
      ...(isShared ? { annotations: { 'metallb.io/allow-shared-ip': 'key' } } : {}),
    },
    spec: { type, externalTrafficPolicy: policy, ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
  };
}

// Few names and addresses, so that Services share prefixes, come back, and change in one respect at a time.
const service = fc
  .record({
    ips: fc.subarray(ADDRESSES, { maxLength: 2 }),
    team: fc.constantFrom('a', 'b'),
    policy: fc.constantFrom('Cluster', 'Local'),
    type: fc.constantFrom('LoadBalancer', 'LoadBalancer', 'ClusterIP'),
    isShared: fc.boolean(),
  })
  .map(serviceWith);
const endpoints = fc.array(fc.record({ node: fc.constantFrom(...NODES), ready: fc.boolean() }), {
  maxLength: 2,
});

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('Service' as const), at: fc.nat(5), to: fc.option(service) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('EndpointSlice' as const),
      at: fc.nat(9),
      to: fc.option(endpoints),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('Node' as const),
      at: fc.nat(2),
      to: fc.option(fc.record({ isExcluded: fc.boolean(), rack: fc.constantFrom('r1', 'r2') })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pools' as const), to: fc.constantFrom('all', 'one', 'none') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('peers' as const), to: fc.subarray(['tor', 'spine']) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('bgp' as const), to: fc.subarray(['all', 'wide', 'team']) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('l2' as const), to: fc.subarray(['all', 'rack', 'team']) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('speakers' as const), to: fc.subarray(NODES) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const POOLS: Readonly<Record<string, readonly ApiObject[]>> = {
  all: [
    object('IPAddressPool', 'lan', { spec: { addresses: ['198.51.100.0/24', '2001:db8::/64'] } }),
    object('IPAddressPool', 'other', { spec: { addresses: ['203.0.113.0/24'] } }),
  ],
  one: [object('IPAddressPool', 'lan', { spec: { addresses: ['198.51.100.0/30'] } })],
  none: [],
};
const TEAM_A = { serviceSelectors: [{ matchLabels: { team: 'a' } }] };
const BGP: Readonly<Record<string, object>> = {
  all: {},
  wide: { aggregationLength: 30, communities: ['64500:1'], ipAddressPools: ['lan'] },
  team: { ...TEAM_A, localPref: 200, peers: ['spine'], ipAddressPools: ['other'] },
};
const L2: Readonly<Record<string, object>> = {
  all: {},
  rack: { nodeSelectors: [{ matchLabels: { rack: 'r1' } }], interfaces: ['eth1'] },
  team: { ...TEAM_A, balance: true },
};

/** What stands in the cluster, changed step by step. */
class Cluster {
  /** Most of what comes changes something that is announced, and not the first thing there is. */
  readonly #services = new Map(BEGINNING.map((ips, at) => [at, serviceWith({ ...PLAIN, ips })]));
  readonly #slices = new Map<number, readonly Endpoint[]>(
    BEGINNING.map((_, at) => [at, [{ node: 'n1', ready: true }]]),
  );
  readonly #nodes = new Map<number, { readonly isExcluded: boolean; readonly rack: string }>();
  #pools: readonly ApiObject[] = POOLS.all ?? [];
  #peers: readonly string[] = ['tor'];
  #bgp: readonly string[] = ['all'];
  #l2: readonly string[] = ['all'];
  speakers: readonly string[] = NODES;

  take(step: Step): void {
    if (step.kind === 'Service') put(this.#services, step.at, step.to);
    else if (step.kind === 'EndpointSlice') put(this.#slices, step.at, step.to);
    else if (step.kind === 'Node') put(this.#nodes, step.at, step.to);
    else if (step.kind === 'pools') this.#pools = POOLS[step.to] ?? [];
    else if (step.kind === 'peers') this.#peers = step.to;
    else if (step.kind === 'bgp') this.#bgp = step.to;
    else if (step.kind === 'l2') this.#l2 = step.to;
    else this.speakers = step.to;
  }

  objects(): readonly ApiObject[] {
    return [
      ...this.#pools,
      ...this.#peers.map((name, index) =>
        object('BGPPeer', name, {
          spec: { myASN: 64_500, peerASN: 64_501, peerAddress: `192.0.2.${index + 1}` },
        }),
      ),
      ...this.#bgp.map((name) => object('BGPAdvertisement', name, { spec: BGP[name] })),
      ...this.#l2.map((name) => object('L2Advertisement', name, { spec: L2[name] })),
      ...[...this.#services].map(([index, rest]) => object('Service', `web${index}`, rest)),
      // The second half belongs to the same Services as the first: a Service may have two.
      ...[...this.#slices].map(([index, list]) =>
        object('EndpointSlice', `slice${index}`, {
          metadata: { labels: { 'kubernetes.io/service-name': `web${index % 5}` } },
          addressType: 'IPv4',
          endpoints: list.map(({ node, ready }) => ({
            ...{ addresses: ['192.0.2.100'], nodeName: node, conditions: { ready } },
          })),
        }),
      ),
      ...[...this.#nodes].map(([index, { isExcluded, rack }]) =>
        object('Node', NODES[index] ?? '', {
          metadata: {
            labels: {
              rack,
              ...(isExcluded ? { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } : {}),
            },
          },
        }),
      ),
    ];
  }
}

function put<T>(to: Map<number, T>, at: number, value: T | null): void {
  if (value === null) to.delete(at);
  else to.set(at, value);
}

const OPTIONS = { nodeName: 'n1', loadBalancerClass: '', ignoreExcludeLabel: false };
const CONF = { hostname: 'n1', logLevel: 'informational' } as const;
const EMPTY: BgpDesiredState = { routers: [], bfdProfiles: [], extras: '' };

/** Writes as if for the first time: of a state without routers nothing is remembered. */
const writtenAnew = compileFrrConf(TEMPLATE);
function textOf(bgp: BgpDesiredState): string {
  writtenAnew(EMPTY, CONF);
  return writtenAnew(bgp, CONF);
}

/** The same objects in lists that tell how they came from those before, as a source's do. */
function carriedOn(before: ClusterSnapshot | undefined, after: ClusterSnapshot): ClusterSnapshot {
  if (!before) return after;
  const on = <T>(old: readonly T[], now: readonly T[]): readonly T[] => {
    const { start, removed, added } = changedMiddle(old, now);
    return withMiddle(old, start, removed.length, added);
  };
  const Service = on(before.objects.Service, after.objects.Service);
  const EndpointSlice = on(before.objects.EndpointSlice, after.objects.EndpointSlice);
  return { ...after, objects: { ...after.objects, Service, EndpointSlice } };
}

test(
  `what is kept gives what is decided from nothing: ${SEQUENCES} sequences, INCREMENTAL_SEED=${SEED}`,
  { timeout: 120_000 },
  () => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) => {
        const cluster = new Cluster();
        const decide = createNodeDecider(OPTIONS);
        const parse = createFrrConfigParser();
        const grouping = createGrouping();
        const template = compileFrrConf(TEMPLATE);
        let before: ClusterSnapshot | undefined;
        for (const each of steps) {
          cluster.take(each);
          const snapshot = carriedOn(before, snapshotOf(cluster.objects(), { namespace: NAMESPACE }));
          before = snapshot;
          const kept = decide(snapshot, cluster.speakers);
          const full = createNodeDecider(OPTIONS)(snapshot, cluster.speakers);
          expect(kept).toEqual(full);
          const text = template(kept.state.bgp, CONF);
          expect(text).toBe(textOf(full.state.bgp));
          expect(statementsOf(parse(text))).toEqual(statementsOf(parseFrrConfig(text)));
          expect(grouping(kept.layer2.services)).toEqual(createGrouping()(full.layer2.services));
          for (const { bgp } of kept.state.services)
            outcomes.add(bgp.kind === 'announce' ? bgp.kind : bgp.reason);
          for (const { reason } of kept.layer2.refused) outcomes.add(reason);
        }
      }),
      { numRuns: SEQUENCES, seed: SEED },
    );
    // The property says something: all of these came up.
    expect([...outcomes].sort()).toEqual(
      expect.arrayContaining([
        ...['announce', 'ipNotAllowed', 'noCandidates', 'noEndpoints', 'noIPAllocated', 'noLocalEndpoints'],
        ...[
          'noMatchingAdvertisement',
          'nodeLabeledExcludeBalancers',
          'notOwner',
          'sharedIPWithServiceSelector',
        ],
      ]),
    );
  },
);

/** The order of statements in a context means nothing. */
function statementsOf({ contexts, version }: ReturnType<typeof parseFrrConfig>): unknown {
  const shown = [...contexts].map(
    ([key, { path, statements }]) => [key, { path, of: new Map(statements) }] as const,
  );
  return { version, contexts: new Map(shown) };
}
