import type { ServiceObject } from '../api/index.ts';
import { localPrefConflict, type BgpAdvertisement, type Peer, type Pool } from '../config/index.ts';
import { exactList } from '../core/exact-list.ts';
import { parseIp, prefixContains, type IpAddress } from '../core/ip.ts';
import { compareText } from '../core/order.ts';
import { anySelectorMatches } from '../core/selector.ts';
import type { UsableEndpoints } from './endpoints.ts';
import type { BgpWithdrawReason } from './types.ts';

/** What of this node's configuration and state a Service's announcement depends on. */
export interface AnnouncementFacts {
  readonly pools: readonly Pool[];
  /** Those that select this node. */
  readonly advertisements: readonly BgpAdvertisement[];
  /** Those with a session on this node. */
  readonly peers: readonly Peer[];
  readonly networkUnavailable: boolean;
  /** The node carries `node.kubernetes.io/exclude-from-external-load-balancers`, and the label counts. */
  readonly excludedByLabel: boolean;
}

export type Decision =
  | {
      readonly kind: 'announce';
      readonly ips: readonly IpAddress[];
      readonly pool: string;
      /** Those that match the Service, sorted by name. */
      readonly advertisements: readonly BgpAdvertisement[];
      /** BGPPeers they lead to, sorted by name. */
      readonly peers: readonly string[];
    }
  | { readonly kind: 'withdraw'; readonly ips: readonly IpAddress[]; readonly reason: BgpWithdrawReason };

/**
 * Whether this node announces a LoadBalancer Service over BGP. The checks are MetalLB's, in MetalLB's order, so the
 * first reason to fail is the one its users know.
 */
export function decideService(
  service: ServiceObject,
  endpoints: UsableEndpoints,
  facts: AnnouncementFacts,
): Decision {
  const ingress = service.status.ingress;
  const ips = addressesOf(service);
  const withdraw = (reason: BgpWithdrawReason): Decision => ({ kind: 'withdraw', ips, reason });

  if (ingress.length === 0) return withdraw('noIPAllocated');
  if (ips.length !== ingress.length) return withdraw('invalidIP');
  const pool = poolOf(facts.pools, ips);
  if (!pool) return withdraw('ipNotAllowed');
  const ofPool = facts.advertisements.filter((advertisement) => advertisement.pools.has(pool.name));
  if (ofPool.length === 0) return withdraw('notOwner');
  const matching = ofPool.filter(({ serviceSelectors }) =>
    anySelectorMatches(serviceSelectors, service.metadata.labels),
  );
  if (matching.length === 0) return withdraw('noMatchingAdvertisement');
  if (hasConflict(matching, pool)) return withdraw('conflictingAdvertisements');
  if (facts.networkUnavailable) return withdraw('nodeNetworkUnavailable');
  if (facts.excludedByLabel) return withdraw('nodeLabeledExcludeBalancers');
  if (service.spec.externalTrafficPolicy === 'Local') {
    if (!endpoints.local) return withdraw('noLocalEndpoints');
  } else if (!endpoints.anywhere) {
    return withdraw('noEndpoints');
  }
  return {
    kind: 'announce',
    ips,
    pool: pool.name,
    advertisements: matching,
    peers: peersOf(matching, facts.peers),
  };
}

/** Those in its status that are addresses. */
export function addressesOf({ status }: ServiceObject): readonly IpAddress[] {
  return exactList(status.ingress.flatMap(({ ip }) => (ip === undefined ? [] : (parseIp(ip) ?? []))));
}

/** A Service that this system serves: of type LoadBalancer, and of this class. */
export function isOurs(service: ServiceObject, loadBalancerClass: string): boolean {
  return service.spec.type === 'LoadBalancer' && (service.spec.loadBalancerClass ?? '') === loadBalancerClass;
}

/** The pool that has all addresses of a Service. */
export function poolOf(pools: readonly Pool[], ips: readonly IpAddress[]): Pool | undefined {
  return pools.find((candidate) => ips.every((ip) => poolContains(candidate, ip)));
}

function poolContains(pool: Pool, ip: IpAddress): boolean {
  return pool.addresses.some((item) => item.some((prefix) => prefixContains(prefix, ip)));
}

function hasConflict(advertisements: readonly BgpAdvertisement[], pool: Pool): boolean {
  return advertisements.some((a, index) =>
    advertisements.slice(index + 1).some((b) => localPrefConflict(a, b, pool)),
  );
}

function peersOf(advertisements: readonly BgpAdvertisement[], peers: readonly Peer[]): string[] {
  return peers
    .map(({ name }) => name)
    .filter((name) => advertisements.some((ad) => ad.peers.length === 0 || ad.peers.includes(name)))
    .sort(compareText);
}
