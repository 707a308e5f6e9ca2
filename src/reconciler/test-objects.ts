/** Objects for tests: what is not said is as unremarkable as can be. */
import type { Endpoint, EndpointSliceObject, NodeObject, ServiceObject } from '../api/index.ts';
import type { BfdProfile, BgpAdvertisement, Config, L2Advertisement, Peer, Pool } from '../config/index.ts';
import { parseCommunity, type Community } from '../core/community.ts';
import { parseIp, parsePrefix } from '../core/ip.ts';
import { byText, compareMeta } from '../core/order.ts';
import type { LabelSelector } from '../core/selector.ts';
import type { NodeInput } from './node-state.ts';

export function community(text: string): Community {
  const parsed = parseCommunity(text);
  if (!parsed.ok) throw new Error(`${text} is no community`);
  return parsed.community;
}

export function labelSelector(matchLabels: Readonly<Record<string, string>>): LabelSelector {
  return { matchLabels, matchExpressions: [] };
}

/** @param at address, or interface name when it is none */
export function peer(name: string, at: string, rest: Partial<Peer> = {}): Peer {
  const address = parseIp(at);
  return {
    name,
    myAsn: 64496,
    remoteAs: 64497,
    endpoint: address ? { kind: 'address', address } : { kind: 'interface', interface: at },
    port: 179,
    nodeSelectors: [],
    gracefulRestart: false,
    ebgpMultiHop: false,
    vrf: '',
    dualStackAddressFamily: false,
    ...rest,
  };
}

export function advertisement(
  name: string,
  rest: Partial<Omit<BgpAdvertisement, 'pools' | 'communities'>> & {
    readonly pools?: readonly string[];
    readonly communities?: readonly string[];
  } = {},
): BgpAdvertisement {
  const { pools = ['pool'], communities = [], ...others } = rest;
  return {
    name,
    aggregationLengthV4: 32,
    aggregationLengthV6: 128,
    nodeSelectors: [],
    peers: [],
    serviceSelectors: [],
    ...others,
    communities: communities.map(community),
    pools: new Set(pools),
  };
}

export function l2Advertisement(
  name: string,
  rest: Partial<Omit<L2Advertisement, 'pools'>> & { readonly pools?: readonly string[] } = {},
): L2Advertisement {
  const { pools = ['pool'], ...others } = rest;
  return {
    ...{ name, nodeSelectors: [], interfaces: [], serviceSelectors: [], preferredNodes: [] },
    ...{ balance: false, failback: { kind: 'never' }, announceIntervalMs: 60_000 },
    ...others,
    pools: new Set(pools),
  };
}

/** A pool of CIDRs. */
export function pool(name: string, ...cidrs: readonly string[]): Pool {
  const addresses = cidrs.map((cidr) => {
    const prefix = parsePrefix(cidr);
    if (!prefix) throw new Error(`${cidr} is no prefix`);
    return [prefix];
  });
  return { name, addresses, autoAssign: true, avoidBuggyIPs: false, labels: {} };
}

export function bfdProfile(name: string, rest: Partial<BfdProfile> = {}): BfdProfile {
  return { name, echoMode: false, passiveMode: false, ...rest };
}

export function service(
  name: string,
  ips: readonly string[],
  rest: {
    readonly type?: string;
    readonly policy?: 'Cluster' | 'Local';
    readonly class?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  } = {},
): ServiceObject {
  return {
    kind: 'Service',
    metadata: {
      ...{ name, namespace: 'default', labels: rest.labels ?? {} },
      annotations: rest.annotations ?? {},
    },
    spec: {
      type: rest.type ?? 'LoadBalancer',
      clusterIPs: [],
      ipFamilies: [],
      ipFamilyPolicy: 'SingleStack',
      externalTrafficPolicy: rest.policy ?? 'Cluster',
      ...(rest.class === undefined ? {} : { loadBalancerClass: rest.class }),
      selector: {},
      ports: [{ protocol: 'TCP', port: 80 }],
    },
    status: {
      ingress: ips.map((text) => (parseIp(text) || text === 'not-an-ip' ? { ip: text } : { hostname: text })),
    },
  };
}

/** Endpoints of the Service `name`; each has an address and is ready on no node in particular unless told otherwise. */
export function slice(
  name: string,
  endpoints: readonly Partial<Endpoint>[],
  suffix = '1',
): EndpointSliceObject {
  return {
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${suffix}`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': name },
      annotations: {},
    },
    spec: { endpoints: endpoints.map((endpoint) => ({ hasAddress: true, ...endpoint })) },
  };
}

export function node(
  name: string,
  rest: { readonly labels?: Readonly<Record<string, string>>; readonly networkUnavailable?: boolean } = {},
): NodeObject {
  return {
    kind: 'Node',
    metadata: { name, namespace: '', labels: rest.labels ?? {}, annotations: {} },
    spec: { networkUnavailable: rest.networkUnavailable ?? false, unschedulable: false },
  };
}

export function config(rest: Partial<Config> = {}): Config {
  return {
    pools: [pool('pool', '198.51.100.0/24')],
    peers: [],
    bfdProfiles: [],
    bgpAdvertisements: [],
    l2Advertisements: [],
    frrExtras: '',
    ...rest,
  };
}

/** The input of node n1: one pool, one advertisement to all peers, one peer, no Services. */
export function nodeInput(
  rest: Partial<Omit<NodeInput, 'selection' | 'config'>> & {
    readonly peers?: readonly Peer[];
    readonly advertisements?: readonly BgpAdvertisement[];
    readonly config?: Partial<Config>;
  } = {},
): NodeInput {
  const { peers = [peer('tor', '192.0.2.1')], advertisements = [advertisement('all')], ...others } = rest;
  const sortedPeers = [...peers].sort(byText(({ name }) => name));
  const sortedAds = [...advertisements].sort(byText(({ name }) => name));
  return {
    nodeName: 'n1',
    node: node('n1'),
    endpointSlices: [],
    loadBalancerClass: '',
    ignoreExcludeLabel: false,
    ...others,
    services: [...(rest.services ?? [])].sort((a, b) => compareMeta(a.metadata, b.metadata)),
    config: config({ peers: sortedPeers, bgpAdvertisements: sortedAds, ...rest.config }),
    selection: { peers: sortedPeers, bgpAdvertisements: sortedAds, l2Advertisements: [], problems: [] },
  };
}
