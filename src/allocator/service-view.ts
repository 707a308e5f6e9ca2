import type { ServiceObject } from '../api/index.ts';
import type { IpAddress } from '../core/ip.ts';
import { objectKey } from '../core/problem.ts';
import type { AddressRequest } from './ledger.ts';
import { addressRequestOf, clusterFamilyOf, onePerFamily, parseAll, type ClusterFamily } from './request.ts';
import type { AllocatorOptions } from './types.ts';

/** A Service with its texts parsed, once for everything that a pass does with it. */
export type ServiceView =
  | {
      readonly kind: 'loadBalancer';
      readonly key: string;
      readonly service: ServiceObject;
      readonly request: AddressRequest;
      readonly cluster: ClusterFamily;
      readonly current: CurrentIps;
    }
  /** A Service of another type, which has no addresses. */
  | { readonly kind: 'other'; readonly key: string; readonly service: ServiceObject };

export function viewOf(service: ServiceObject, options: AllocatorOptions): ServiceView {
  const key = objectKey(service.metadata);
  if (service.spec.type !== 'LoadBalancer') return { kind: 'other', key, service };
  return {
    kind: 'loadBalancer',
    key,
    service,
    request: addressRequestOf(service),
    cluster: clusterFamilyOf(service, options.missingClusterIPs),
    current: currentIpsOf(service),
  };
}

/** What the status of a Service says that it holds. */
export type CurrentIps =
  | { readonly kind: 'none' }
  | { readonly kind: 'known'; readonly ips: readonly IpAddress[] }
  | { readonly kind: 'unknown'; readonly texts: readonly string[] };

/** The addresses in the status; entries with a host name alone do not count. */
export function currentIpsOf(service: ServiceObject): CurrentIps {
  const texts: string[] = [];
  for (const { ip } of service.status.ingress) {
    if (ip !== undefined && ip !== '') texts.push(ip);
  }
  if (texts.length === 0) return { kind: 'none' };
  const ips = parseAll(texts);
  return ips && onePerFamily(ips) ? { kind: 'known', ips } : { kind: 'unknown', texts };
}
