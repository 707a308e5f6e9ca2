import type { Finding } from './finding.ts';
import type { Endpoint, EndpointSliceObject, ObjectMeta } from './objects.ts';
import { booleanAt, NOTHING, objectAt, objectsAt, textAt, textsAt, type RawObject } from './raw-fields.ts';

/** Reads a `discovery.k8s.io/v1` EndpointSlice: who answers, where, and in what condition. */
export function readEndpointSlice(
  raw: Readonly<Record<string, unknown>>,
  metadata: ObjectMeta,
  findings: Finding[],
): EndpointSliceObject | undefined {
  const before = findings.length;
  const items = objectsAt({ raw, parent: NOTHING }, 'endpoints', findings);
  const endpoints = items.map((item) => readEndpoint(item, findings));
  return findings.length === before ? { kind: 'EndpointSlice', metadata, spec: { endpoints } } : undefined;
}

function readEndpoint(item: RawObject, findings: Finding[]): Endpoint {
  const nodeName = textAt(item, 'nodeName', findings);
  const conditions = { raw: objectAt(item, 'conditions', findings), parent: [...item.parent, 'conditions'] };
  const ready = booleanAt(conditions, 'ready', findings);
  const serving = booleanAt(conditions, 'serving', findings);
  booleanAt(conditions, 'terminating', findings);
  return {
    hasAddress: textsAt(item, 'addresses', findings).length > 0,
    ...(nodeName !== undefined && { nodeName }),
    ...(ready !== undefined && { ready }),
    ...(serving !== undefined && { serving }),
  };
}
