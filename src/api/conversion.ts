import type { ResourceRef } from '../core/problem.ts';
import type { Finding } from './finding.ts';
import type { ApiKind, ApiObject, BGPAdvertisementSpec, L2AdvertisementSpec, ObjectMeta } from './objects.ts';

/** What one document gave: its object, or those that a legacy form stands for. */
export interface Conversion {
  readonly objects: readonly ApiObject[];
  readonly findings: readonly Finding[];
  /** What is there but gave no object. */
  readonly rejected: readonly ResourceRef[];
}

/** The protocols of the legacy pools. */
export const POOL_PROTOCOLS = ['layer2', 'bgp'] as const;

/** Metadata of an object that stands for (a part of) a legacy one. */
export function convertedMetadata(from: ResourceRef, metadata: ObjectMeta, name: string): ObjectMeta {
  const { creationTimestamp } = metadata;
  return {
    name,
    namespace: metadata.namespace,
    labels: {},
    annotations: {},
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    convertedFrom: from,
  };
}

export function refTo(kind: ApiKind, namespace: string, name: string): ResourceRef {
  return { kind, namespace, name };
}

/** What a legacy pool said about its routes. */
export type RouteFields = Pick<
  BGPAdvertisementSpec,
  'aggregationLength' | 'aggregationLengthV6' | 'localPref' | 'communities'
>;

/** A bgp pool without advertisements is announced with these. */
export const DEFAULT_ROUTES: RouteFields = {
  aggregationLength: 32,
  aggregationLengthV6: 128,
  localPref: 0,
  communities: [],
};

/** Legacy pools are announced by every node, to every peer, for every Service. */
export function bgpAdvertisementOf(pool: string, routes: RouteFields): BGPAdvertisementSpec {
  return {
    ...routes,
    ipAddressPools: [pool],
    ipAddressPoolSelectors: [],
    nodeSelectors: [],
    peers: [],
    serviceSelectors: [],
  };
}

export function l2AdvertisementOf(pool: string): L2AdvertisementSpec {
  return {
    ipAddressPools: [pool],
    ipAddressPoolSelectors: [],
    nodeSelectors: [],
    interfaces: [],
    serviceSelectors: [],
    preferredNodeSelectors: [],
    balance: false,
    failback: 'Never',
  };
}
