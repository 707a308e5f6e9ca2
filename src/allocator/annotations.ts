import type { ServiceObject } from '../api/index.ts';
import { compareText } from '../core/order.ts';

const PREFIX = 'metallb.io/';

/** The prefix up to MetalLB 0.14; still read, and warned about. */
const DEPRECATED_PREFIX = 'metallb.universe.tf/';

/** Written by the controller: the pool that the addresses come from. Never read under the deprecated prefix. */
export const ALLOCATED_POOL_ANNOTATION = `${PREFIX}ip-allocated-from-pool`;

export type UserAnnotation = 'address-pool' | 'loadBalancerIPs' | 'allow-shared-ip';

/**
 * The value of an annotation under its current name, else under its deprecated one. A current name that is present hides
 * the deprecated one even when it is empty. Absent and empty both give ''.
 */
export function annotationOf(service: ServiceObject, name: UserAnnotation): string {
  const annotations = service.metadata.annotations;
  return annotations[PREFIX + name] ?? annotations[DEPRECATED_PREFIX + name] ?? '';
}

/** Names of the annotations with the deprecated prefix, sorted. */
export function deprecatedAnnotationsOf(service: ServiceObject): string[] {
  const names: string[] = [];
  for (const name in service.metadata.annotations) {
    if (name.startsWith(DEPRECATED_PREFIX)) names.push(name);
  }
  return names.sort(compareText);
}

/** The current name for a deprecated one. */
export function currentNameOf(deprecatedName: string): string {
  return PREFIX + deprecatedName.slice(DEPRECATED_PREFIX.length);
}
