import { fieldOf, textOf } from '../core/field.ts';

/** The spec of a Lease (coordination.k8s.io/v1), as client-go's leader election writes it. */
export interface LeaseSpec {
  /** Empty: nobody holds it. */
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  /** RFC 3339 with microseconds. */
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseTransitions: number;
}

/** A Lease's spec, and when it was first seen to be what it is, on our own clock. */
export interface ObservedLease {
  readonly spec: LeaseSpec;
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
}

export function leaseSpecOf(raw: unknown): LeaseSpec {
  const spec = fieldOf(raw, 'spec');
  const text = (name: string): string => textOf(fieldOf(spec, name));
  const number = (name: string): number => {
    const value = fieldOf(spec, name);
    return typeof value === 'number' ? value : 0;
  };
  return {
    holderIdentity: text('holderIdentity'),
    leaseDurationSeconds: number('leaseDurationSeconds'),
    acquireTime: text('acquireTime'),
    renewTime: text('renewTime'),
    leaseTransitions: number('leaseTransitions'),
  };
}

/**
 * What was observed, with a new time when the Lease is not what it was. The times written in it are never compared with
 * our clock: the holder's clock may be wrong by any amount, and counts as alive for as long as the Lease keeps changing.
 */
export function observeLease(before: ObservedLease | undefined, spec: LeaseSpec, now: number): ObservedLease {
  const isSame =
    before?.spec.holderIdentity === spec.holderIdentity &&
    before.spec.renewTime === spec.renewTime &&
    before.spec.leaseTransitions === spec.leaseTransitions;
  return isSame ? before : { spec, at: now };
}

/** When the Lease may be taken by `identity`: `now` or earlier when it may be taken at once. */
export function takeableAt({ spec, at }: ObservedLease, identity: string): number {
  if (spec.holderIdentity === '' || spec.holderIdentity === identity) return at;
  return at + spec.leaseDurationSeconds * 1_000;
}

/** The Lease as its holder writes it. */
export function heldLease(
  before: LeaseSpec | undefined,
  { identity, durationSeconds, time }: { identity: string; durationSeconds: number; time: Date },
): LeaseSpec {
  const renewTime = microTime(time);
  const isOurs = before?.holderIdentity === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: durationSeconds,
    acquireTime: isOurs && before.acquireTime !== '' ? before.acquireTime : renewTime,
    renewTime,
    leaseTransitions: before ? before.leaseTransitions + (isOurs ? 0 : 1) : 0,
  };
}

/** The Lease as a holder leaves it that goes: nobody's, and open at once. */
export function releasedLease(before: LeaseSpec, time: Date): LeaseSpec {
  const now = microTime(time);
  return { ...before, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
}

/** metav1.MicroTime. */
function microTime(time: Date): string {
  return time.toISOString().replace(/Z$/, '000Z');
}
