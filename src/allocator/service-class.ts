import type { ServiceObject } from '../api/index.ts';

/**
 * Whether this controller looks after a Service: its `loadBalancerClass` is the one configured, or neither is set
 * (Kubernetes documentation, "Specifying class of load balancer implementation").
 */
export function isOurs(service: ServiceObject, loadBalancerClass: string | undefined): boolean {
  return (service.spec.loadBalancerClass ?? '') === (loadBalancerClass ?? '');
}
