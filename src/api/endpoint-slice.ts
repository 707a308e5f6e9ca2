import { createInterning } from '../core/interned.ts';
import type { Finding } from './finding.ts';
import type { Endpoint, EndpointSliceObject, ObjectMeta } from './objects.ts';
import { booleanAt, NOTHING, objectAt, objectsAt, textAt, textsAt, type RawObject } from './raw-fields.ts';

/** There are as many as nodes, times what they can say: not as many as endpoints. */
const interned = createInterning<Endpoint>(16_384);

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
  const hasAddress = textsAt(item, 'addresses', findings).length > 0;
  return interned(`${String(hasAddress)} ${String(ready)} ${String(serving)} ${nodeName ?? ''}`, () => ({
    hasAddress,
    ...(nodeName !== undefined && { nodeName }),
    ...(ready !== undefined && { ready }),
    ...(serving !== undefined && { serving }),
  }));
}
