import type { ServiceObject } from '../api/index.ts';
import { ipFamilyOf, parseIp, type IpAddress, type IpFamily } from '../core/ip.ts';
import { compareText } from '../core/order.ts';
import { objectKey } from '../core/problem.ts';
import { annotationOf } from './annotations.ts';
import { familyOf, type FamilyWish } from './choose.ts';
import type { AddressRequest } from './ledger.ts';
import { quote, reasonOf } from './reason.ts';
import type { AllocationReason, AllocatorOptions, ServiceFamily } from './types.ts';

/** What the Service asks of the addresses it gets. */
export function addressRequestOf(service: ServiceObject): AddressRequest {
  const { metadata, spec } = service;
  const ports = new Set(spec.ports.map(({ protocol, port }) => `${protocol.toLowerCase()}/${String(port)}`));
  return {
    key: objectKey(metadata),
    namespace: metadata.namespace,
    labels: metadata.labels,
    ports: [...ports].sort(compareText),
    sharingKey: annotationOf(service, 'allow-shared-ip'),
    backendKey: spec.externalTrafficPolicy === 'Local' ? selectorText(spec.selector) : '',
  };
}

/** Equal for equal selectors, and never empty: an empty one still differs from policy Cluster. */
function selectorText(selector: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(selector).sort(([a], [b]) => compareText(a, b)));
}

/** Family of one address, of two of different families; undefined for anything else. */
function familyOfTexts(texts: readonly string[]): ServiceFamily | undefined {
  const families = texts.map(ipFamilyOf);
  const [first, second] = families;
  if (families.length === 1) return first;
  return families.length === 2 && first && second && first !== second ? 'dual' : undefined;
}

/** Every text parsed; undefined when one of them is no address. */
export function parseAll(texts: readonly string[]): IpAddress[] | undefined {
  const ips: IpAddress[] = [];
  for (const text of texts) {
    const ip = parseIp(text);
    if (!ip) return undefined;
    ips.push(ip);
  }
  return ips;
}

/** One address, or two of different families. */
export function onePerFamily(ips: readonly IpAddress[]): boolean {
  return ips.length === 1 || (ips.length === 2 && ips[0]?.family !== ips[1]?.family);
}

export type ClusterFamily =
  | { readonly kind: 'known'; readonly wish: FamilyWish; readonly count: number }
  /** No cluster IP at all. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly count: number; readonly message: string };

/** Which families the Service wants, from its cluster IPs. */
export function clusterFamilyOf(
  service: ServiceObject,
  missing: AllocatorOptions['missingClusterIPs'],
): ClusterFamily {
  const { clusterIPs, ipFamilies, ipFamilyPolicy: policy } = service.spec;
  const primary: IpFamily = ipFamilies[0] === 'IPv6' ? 'ipv6' : 'ipv4';
  const texts = clusterIPs.filter((text) => text !== '');
  if (texts.length === 0) {
    if (missing !== 'fromSpec') return { kind: 'none' };
    const family = familyFromSpec(service, primary);
    return { kind: 'known', wish: { family, policy, primary }, count: family === 'dual' ? 2 : 1 };
  }
  const family = familyOfTexts(texts);
  if (family !== undefined) return { kind: 'known', wish: { family, policy, primary }, count: texts.length };
  const message = `cluster IPs ${texts.map(quote).join(', ')} are not one address or one of each family`;
  return { kind: 'unknown', count: texts.length, message };
}

/** The families that an API server of a dual-stack cluster would give; a lone request tells more than the default does. */
function familyFromSpec(service: ServiceObject, primary: IpFamily): ServiceFamily {
  const { ipFamilies, ipFamilyPolicy } = service.spec;
  if (ipFamilies.length > 1 || ipFamilyPolicy !== 'SingleStack') return 'dual';
  const requested = requestedIpsOf(service);
  if (ipFamilies.length === 0 && requested.ok && requested.ips.length > 0) return familyOf(requested.ips);
  return primary;
}

export type Requested =
  | { readonly ok: true; readonly ips: readonly IpAddress[] }
  | { readonly ok: false; readonly reason: AllocationReason };

const REQUEST_ANNOTATION = 'metallb.io/loadBalancerIPs';

/** The addresses asked for by annotation or `spec.loadBalancerIP`, in the order given; none when neither is set. */
export function requestedIpsOf(service: ServiceObject): Requested {
  const annotation = annotationOf(service, 'loadBalancerIPs');
  const field = service.spec.loadBalancerIP ?? '';
  if (annotation !== '' && field !== '') {
    const message = `${REQUEST_ANNOTATION} ${quote(annotation)} and spec.loadBalancerIP ${quote(field)} are both set; keep one, preferably the annotation`;
    return { ok: false, reason: reasonOf('requestTwice', message) };
  }
  if (annotation !== '') return parseRequest(REQUEST_ANNOTATION, annotation);
  if (field === '') return { ok: true, ips: [] };
  const ip = parseIp(field);
  if (ip) return { ok: true, ips: [ip] };
  return {
    ok: false,
    reason: reasonOf('requestInvalid', `spec.loadBalancerIP ${quote(field)}: must be one IP address`),
  };
}

function parseRequest(name: string, text: string): Requested {
  const ips: IpAddress[] = [];
  for (const item of text.split(',')) {
    const ip = parseIp(item.trim());
    if (!ip) {
      const message = `${name} ${quote(text)}: ${quote(item.trim())} is not an IP address; must be one address, or one of each family separated by a comma`;
      return { ok: false, reason: reasonOf('requestInvalid', message) };
    }
    ips.push(ip);
  }
  if (onePerFamily(ips)) return { ok: true, ips };
  const message = `${name} ${quote(text)}: must be one address, or one of each family`;
  return { ok: false, reason: reasonOf('requestInvalid', message) };
}
