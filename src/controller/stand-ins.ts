import type { ServiceObject } from '../api/index.ts';
import { parseIp } from '../core/ip.ts';
import { objectKey } from '../core/problem.ts';
import type { ServiceStatus } from '../source/index.ts';

/**
 * Services that have an address by an earlier run and whose manifest could not be read since start, made up from what
 * is known of them: they go on holding it, so that nobody else is given it.
 */
export function standIns(
  statuses: readonly ServiceStatus[],
  services: readonly ServiceObject[],
): readonly ServiceObject[] {
  const read = new Set(services.map(({ metadata }) => objectKey(metadata)));
  return statuses
    .filter((status) => status.ingress.length > 0 && !read.has(objectKey(status)))
    .map(({ namespace, name, ingress }) => ({
      kind: 'Service',
      metadata: { namespace, name, labels: {}, annotations: {} },
      spec: {
        type: 'LoadBalancer',
        clusterIPs: [],
        ipFamilies: ingress.map((ip) => (parseIp(ip)?.family === 'ipv6' ? 'IPv6' : 'IPv4')),
        ipFamilyPolicy: ingress.length > 1 ? 'RequireDualStack' : 'SingleStack',
        externalTrafficPolicy: 'Cluster',
        selector: {},
        ports: [],
      },
      status: { ingress: ingress.map((ip) => ({ ip })) },
    }));
}
