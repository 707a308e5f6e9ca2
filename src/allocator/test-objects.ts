/** Objects for the tests of this folder. */
import { inspect } from 'node:util';
import type { ServiceObject, ServiceSpec } from '../api/index.ts';
import type { Pool, PoolAllocation } from '../config/index.ts';
import { parsePrefix, prefixesOfRange, type IpAddress } from '../core/ip.ts';
import { ip } from '../core/test-ip.ts';
import type { LabelSelector } from '../core/selector.ts';
import type { FamilyWish } from './choose.ts';
import type { AddressRequest } from './ledger.ts';
import type { ServiceDecision } from './types.ts';

/** Addresses separated by commas. */
export function ips(text: string): IpAddress[] {
  return text.split(',').map((item) => ip(item.trim()));
}

export function labelSelector(matchLabels: Record<string, string>): LabelSelector {
  return { matchLabels, matchExpressions: [] };
}

export interface PoolOptions {
  readonly autoAssign?: boolean;
  readonly avoidBuggyIPs?: boolean;
  readonly allocation?: {
    readonly priority?: number;
    readonly namespaces?: readonly string[];
    readonly serviceSelectors?: readonly LabelSelector[];
  };
}

/** A pool of CIDRs and `a-b` ranges separated by blanks. */
export function pool(name: string, addresses: string, options: PoolOptions = {}): Pool {
  const { autoAssign = true, avoidBuggyIPs = false, allocation } = options;
  const items = addresses.split(' ').map((item) => {
    const [start = '', end] = item.split('-');
    if (end !== undefined) return prefixesOfRange(ip(start), ip(end));
    const prefix = parsePrefix(item);
    if (!prefix) throw new Error(`${item} is no prefix`);
    return [prefix];
  });
  const pinned: PoolAllocation | undefined = allocation && {
    ...(allocation.priority === undefined ? {} : { priority: allocation.priority }),
    namespaces: new Set(allocation.namespaces),
    serviceSelectors: allocation.serviceSelectors ?? [],
  };
  return {
    name,
    addresses: items,
    autoAssign,
    avoidBuggyIPs,
    labels: {},
    ...(pinned ? { allocation: pinned } : {}),
  };
}

/** A text that differs whenever anything in the value does. */
export function fullText(value: unknown): string {
  return inspect(value, { depth: null, sorted: true, maxArrayLength: null, maxStringLength: null });
}

export interface ServiceOptions {
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  /** Addresses, or `host:NAME` for a host name, separated by commas. */
  readonly ingress?: string;
  /** Separated by commas. */
  readonly clusterIPs?: string;
  readonly policy?: ServiceSpec['ipFamilyPolicy'];
  /** `tcp/80` and the like, separated by commas. */
  readonly ports?: string;
  readonly spec?: Partial<ServiceSpec>;
}

export const CLUSTER_V4 = '10.96.0.1';
export const CLUSTER_V6 = 'fd00:96::1';
export const CLUSTER_DUAL = `${CLUSTER_V4},${CLUSTER_V6}`;

/** A LoadBalancer Service; IPv4 unless cluster IPs are given. */
export function service(name: string, options: ServiceOptions = {}): ServiceObject {
  const { namespace = 'default', labels = {}, annotations = {}, ingress = '', ports = 'tcp/80' } = options;
  return {
    kind: 'Service',
    metadata: { name, namespace, labels, annotations },
    spec: {
      type: 'LoadBalancer',
      clusterIPs: list(options.clusterIPs ?? CLUSTER_V4),
      ipFamilies: [],
      ipFamilyPolicy: options.policy ?? 'SingleStack',
      externalTrafficPolicy: 'Cluster',
      selector: { app: name },
      ports: list(ports).map((text) => {
        const [protocol = '', port = ''] = text.split('/');
        return { protocol: protocol.toUpperCase(), port: Number(port) };
      }),
      ...options.spec,
    },
    status: {
      ingress: list(ingress).map((text) =>
        text.startsWith('host:') ? { hostname: text.slice('host:'.length) } : { ip: text },
      ),
    },
  };
}

export interface RequestOptions {
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly ports?: string;
  readonly sharingKey?: string;
  readonly backendKey?: string;
}

export function addressRequest(name: string, options: RequestOptions = {}): AddressRequest {
  const { namespace = 'default', labels = {}, ports = 'tcp/80', sharingKey = '', backendKey = '' } = options;
  return { key: `${namespace}/${name}`, namespace, labels, ports: list(ports), sharingKey, backendKey };
}

export function wish(
  family: FamilyWish['family'],
  policy: FamilyWish['policy'] = family === 'dual' ? 'RequireDualStack' : 'SingleStack',
  primary: FamilyWish['primary'] = 'ipv4',
): FamilyWish {
  return { family, policy, primary };
}

export function warnings(decision: ServiceDecision): string[] {
  return decision.events.filter((event) => event.type === 'Warning').map((event) => event.reason);
}

function list(text: string): string[] {
  return text === '' ? [] : text.split(',').map((item) => item.trim());
}
