import { describe, expect, test } from 'vitest';
import type { ServiceStatus } from '../source/index.ts';
import type { RawObject } from './raw-object.ts';
import { seenService, statusPatch } from './seen-service.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');

function raw(status: object, annotations: object = {}): RawObject {
  return {
    metadata: { namespace: 'default', name: 'web', uid: 'u1', resourceVersion: '7', annotations },
    status,
  };
}

function wanted(more: Partial<ServiceStatus>): ServiceStatus {
  return { namespace: 'default', name: 'web', ingress: [], ...more };
}

const REFUSED = { status: 'False', reason: 'PoolsExhausted', message: 'no address left' } as const;

describe('the patch of a status', () => {
  const lock = { uid: 'u1', resourceVersion: '7' };
  test.each([
    {
      name: 'an address and its pool',
      seen: raw({ loadBalancer: {} }),
      want: wanted({ ingress: ['192.0.2.1'], pool: 'first' }),
      patch: {
        metadata: { ...lock, annotations: { 'metallb.io/ip-allocated-from-pool': 'first' } },
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
      },
    },
    {
      name: 'nothing any more',
      seen: raw(
        { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] } },
        { 'metallb.io/ip-allocated-from-pool': 'first', other: 'x' },
      ),
      want: wanted({}),
      patch: {
        metadata: { ...lock, annotations: { 'metallb.io/ip-allocated-from-pool': null } },
        status: { loadBalancer: { ingress: null } },
      },
    },
    {
      name: 'why there is none',
      seen: raw({}),
      want: wanted({ condition: REFUSED }),
      patch: {
        metadata: lock,
        status: {
          conditions: [
            { type: 'metallb.io/AddressAssigned', ...REFUSED, lastTransitionTime: '2026-01-02T03:04:05Z' },
          ],
        },
      },
    },
    {
      name: 'another reason: the time of the transition stays',
      seen: raw({
        conditions: [
          { type: 'Other', status: 'True' },
          {
            type: 'metallb.io/AddressAssigned',
            ...REFUSED,
            message: 'old',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      }),
      want: wanted({ condition: REFUSED }),
      patch: {
        metadata: lock,
        status: {
          conditions: [
            { type: 'metallb.io/AddressAssigned', ...REFUSED, lastTransitionTime: '2026-01-01T00:00:00Z' },
          ],
        },
      },
    },
    {
      name: 'no reason any more, two families',
      seen: raw({ conditions: [{ type: 'metallb.io/AddressAssigned', ...REFUSED }] }),
      want: wanted({ ingress: ['192.0.2.1', '2001:db8::1'] }),
      patch: {
        metadata: lock,
        status: {
          loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }] },
          conditions: [{ $patch: 'delete', type: 'metallb.io/AddressAssigned' }],
        },
      },
    },
  ])('$name', ({ seen, want, patch }) => {
    expect(statusPatch(seenService(seen), want, NOW)).toEqual(patch);
  });
});

test('what is seen of a Service that nobody has written yet', () => {
  expect(seenService({ metadata: { name: 'web', namespace: 'default' } })).toEqual({
    uid: '',
    resourceVersion: '',
    status: { namespace: 'default', name: 'web', ingress: [] },
  });
});
