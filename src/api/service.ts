import { invalid, missing, shown, type Finding } from './finding.ts';
import { readTexts } from './metadata.ts';
import type { LoadBalancerIngress, ObjectMeta, ServiceObject, ServiceSpec } from './objects.ts';
import { NOTHING, objectAt, objectsAt, textAt, textsAt, wordAt, type RawObject } from './raw-fields.ts';

const FAMILY_POLICIES = ['SingleStack', 'PreferDualStack', 'RequireDualStack'] as const;
const TRAFFIC_POLICIES = ['Cluster', 'Local'] as const;

/**
 * Reads a Service. What the API server would have filled in is filled in: one family, traffic from the whole cluster,
 * TCP ports, `clusterIPs` from `clusterIP`. Fields that nothing here uses are left out.
 */
export function readService(
  raw: Readonly<Record<string, unknown>>,
  metadata: ObjectMeta,
  findings: Finding[],
): ServiceObject | undefined {
  const before = findings.length;
  const root = { raw, parent: NOTHING };
  const spec = readSpec({ raw: objectAt(root, 'spec', findings), parent: ['spec'] }, findings);
  const ingress = readIngress({ raw: objectAt(root, 'status', findings), parent: ['status'] }, findings);
  return findings.length === before ? { kind: 'Service', metadata, spec, status: { ingress } } : undefined;
}

function readSpec(spec: RawObject, findings: Finding[]): ServiceSpec {
  const clusterIP = textAt(spec, 'clusterIP', findings);
  const clusterIPs = textsAt(spec, 'clusterIPs', findings);
  const loadBalancerClass = textAt(spec, 'loadBalancerClass', findings);
  const loadBalancerIP = textAt(spec, 'loadBalancerIP', findings);
  return {
    type: textAt(spec, 'type', findings) ?? 'ClusterIP',
    clusterIPs: clusterIPs.length === 0 && clusterIP !== undefined ? [clusterIP] : clusterIPs,
    ipFamilies: textsAt(spec, 'ipFamilies', findings),
    ipFamilyPolicy: wordAt(spec, 'ipFamilyPolicy', { words: FAMILY_POLICIES, findings }) ?? 'SingleStack',
    externalTrafficPolicy:
      wordAt(spec, 'externalTrafficPolicy', { words: TRAFFIC_POLICIES, findings }) ?? 'Cluster',
    ...(loadBalancerClass !== undefined && { loadBalancerClass }),
    ...(loadBalancerIP !== undefined && { loadBalancerIP }),
    selector: readTexts(spec.raw.selector, ['spec', 'selector'], findings),
    ports: readPorts(spec, findings),
  };
}

function readPorts(spec: RawObject, findings: Finding[]): ServiceSpec['ports'] {
  const ports = objectsAt(spec, 'ports', findings);
  return ports.length === 0 ? NOTHING : ports.map((port) => readPort(port, findings));
}

function readPort(port: RawObject, findings: Finding[]): ServiceSpec['ports'][number] {
  const protocol = textAt(port, 'protocol', findings) ?? 'TCP';
  const value = port.raw.port;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535) {
    return { protocol, port: value };
  }
  const path = [...port.parent, 'port'];
  const right = 'a whole number from 1 to 65535';
  const isAbsent = value === undefined || value === null;
  findings.push(isAbsent ? missing(path, right) : invalid(path, `${shown(value)}: must be ${right}`));
  return { protocol, port: 0 };
}

function readIngress(status: RawObject, findings: Finding[]): readonly LoadBalancerIngress[] {
  const loadBalancer = {
    raw: objectAt(status, 'loadBalancer', findings),
    parent: ['status', 'loadBalancer'],
  };
  return objectsAt(loadBalancer, 'ingress', findings).map((item) => {
    const ip = textAt(item, 'ip', findings);
    const hostname = textAt(item, 'hostname', findings);
    return { ...(ip !== undefined && { ip }), ...(hostname !== undefined && { hostname }) };
  });
}
