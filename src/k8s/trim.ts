import { fieldOf } from '../core/field.ts';
import type { RawObject } from './raw-object.ts';
import type { ResourceType } from './resources.ts';

/** Annotations that anything here reads. Others can be a megabyte each. */
const OUR_ANNOTATION = /^metallb\.(?:io|universe\.tf)\//;
/** The one label of an EndpointSlice that anything here reads. */
const SLICE_LABEL = 'kubernetes.io/service-name';

/**
 * An object with what the core may read of it and nothing else: no managedFields, no foreign annotations, and no
 * resourceVersion, so that two versions which differ only in what nobody reads are equal.
 */
export function trimmed(raw: RawObject, { apiVersion, kind }: ResourceType): object {
  const { name, namespace, uid, labels, annotations } = raw.metadata;
  return {
    ...(kind === 'BGPPeer' ? withoutOldZeros(raw) : raw),
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      // Of a slice that was replaced by one of the same name nobody need know.
      ...(uid === undefined || kind === 'EndpointSlice' ? {} : { uid }),
      ...picked('labels', labels, (key) => kind !== 'EndpointSlice' || key === SLICE_LABEL),
      ...picked('annotations', annotations, (key) => OUR_ANNOTATION.test(key)),
    },
  };
}

/** Of a Service's spec, what decides whether and from where it is announced. */
const ANNOUNCED_FIELDS: ReadonlySet<string> = new Set(['type', 'externalTrafficPolicy', 'loadBalancerClass']);

/**
 * A Service as a speaker reads it. By what its addresses were chosen is the controller's to know: with ten thousand Services
 * that is 4 MB, and a change of nothing else is none.
 */
export function announcedPart(raw: RawObject): RawObject {
  const { uid: _uid, ...metadata } = raw.metadata;
  const { spec, ...rest } = raw;
  return { ...rest, metadata, ...picked('spec', spec, (key) => ANNOUNCED_FIELDS.has(key)) };
}

/**
 * A BGPPeer that was written as v1beta1 is read as v1beta2 with the same fields (there is no webhook that would convert
 * it), and some zeros mean "not given" in v1beta1 only: the port, and a keepalive time beside a hold time.
 */
function withoutOldZeros(raw: RawObject): object {
  const { spec } = raw;
  if (typeof spec !== 'object' || spec === null) return raw;
  const { peerPort, keepaliveTime, ...rest } = spec as Record<string, unknown>;
  const { holdTime } = rest;
  const hasHoldTime = holdTime !== undefined && holdTime !== null && !isZero(holdTime);
  return {
    ...raw,
    spec: {
      ...rest,
      ...(peerPort === undefined || peerPort === 0 ? {} : { peerPort }),
      ...(keepaliveTime === undefined || (hasHoldTime && isZero(keepaliveTime)) ? {} : { keepaliveTime }),
    },
  };
}

/** Go writes a duration of nothing as `0s`. */
function isZero(duration: unknown): boolean {
  return duration === '0s' || duration === '0';
}

function picked(field: string, entries: unknown, isWanted: (key: string) => boolean): object {
  if (typeof entries !== 'object' || entries === null) return {};
  const wanted = Object.keys(entries).filter(isWanted);
  return wanted.length === 0
    ? {}
    : { [field]: Object.fromEntries(wanted.map((key) => [key, fieldOf(entries, key)])) };
}
