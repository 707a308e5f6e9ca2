import { describe, expect, test } from 'vitest';
import {
  heldLease,
  leaseSpecOf,
  observeLease,
  releasedLease,
  takeableAt,
  type LeaseSpec,
} from './lease-decision.ts';

const TIME = new Date('2026-01-02T03:04:05.678Z');
const SPEC: LeaseSpec = {
  holderIdentity: 'a',
  leaseDurationSeconds: 6,
  acquireTime: '2026-01-02T03:00:00.000000Z',
  renewTime: '2026-01-02T03:04:00.000000Z',
  leaseTransitions: 3,
};

test('the first holder makes the Lease', () => {
  expect(heldLease(undefined, { identity: 'a', durationSeconds: 6, time: TIME })).toEqual({
    holderIdentity: 'a',
    leaseDurationSeconds: 6,
    acquireTime: '2026-01-02T03:04:05.678000Z',
    renewTime: '2026-01-02T03:04:05.678000Z',
    leaseTransitions: 0,
  });
});

test('its holder renews it, and another one counts as a transition', () => {
  expect(heldLease(SPEC, { identity: 'a', durationSeconds: 6, time: TIME })).toEqual({
    ...SPEC,
    renewTime: '2026-01-02T03:04:05.678000Z',
  });
  expect(heldLease(SPEC, { identity: 'b', durationSeconds: 6, time: TIME })).toEqual({
    holderIdentity: 'b',
    leaseDurationSeconds: 6,
    acquireTime: '2026-01-02T03:04:05.678000Z',
    renewTime: '2026-01-02T03:04:05.678000Z',
    leaseTransitions: 4,
  });
});

test('who goes leaves it open for all', () => {
  const released = releasedLease(SPEC, TIME);
  expect(released).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 3 });
  expect(takeableAt({ spec: released, at: 500 }, 'b')).toBe(500);
});

describe('who may take it, and when', () => {
  test.each([
    { name: 'its holder, at once', identity: 'a', want: 1_000 },
    { name: 'another one, when it has not changed for its duration', identity: 'b', want: 7_000 },
  ])('$name', ({ identity, want }) => {
    expect(takeableAt({ spec: SPEC, at: 1_000 }, identity)).toBe(want);
  });

  test('the clock of the holder does not matter, only that the Lease changes', () => {
    const first = observeLease(undefined, { ...SPEC, renewTime: '1999-01-01T00:00:00.000000Z' }, 1_000);
    expect(takeableAt(first, 'b')).toBe(7_000);
    const same = observeLease(first, { ...SPEC, renewTime: '1999-01-01T00:00:00.000000Z' }, 3_000);
    expect(same).toBe(first);
    const renewed = observeLease(same, { ...SPEC, renewTime: '1999-01-01T00:00:02.000000Z' }, 3_000);
    expect(takeableAt(renewed, 'b')).toBe(9_000);
  });
});

test("a Lease without a spec is nobody's", () => {
  expect(leaseSpecOf({ metadata: { name: 'x' } })).toEqual({
    holderIdentity: '',
    leaseDurationSeconds: 0,
    acquireTime: '',
    renewTime: '',
    leaseTransitions: 0,
  });
});
