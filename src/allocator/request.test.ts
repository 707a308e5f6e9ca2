import { describe, expect, test } from 'vitest';
import { addressRequestOf, requestedIpsOf } from './request.ts';
import { service } from './test-objects.ts';

describe('addressRequestOf', () => {
  const backendKey = (
    selector: Record<string, string>,
    externalTrafficPolicy: 'Local' | 'Cluster' = 'Local',
  ) => addressRequestOf(service('s', { spec: { selector, externalTrafficPolicy } })).backendKey;

  test('selectors are equal whatever the order of their labels', () => {
    expect(backendKey({ app: 'web', tier: 'front' })).toBe(backendKey({ tier: 'front', app: 'web' }));
    expect(backendKey({ app: 'web' })).not.toBe(backendKey({ app: 'api' }));
    expect(backendKey({ a: 'b,c=d' })).not.toBe(backendKey({ a: 'b', c: 'd' }));
  });

  test('policy Cluster has no backend key, and Local always has one', () => {
    expect(backendKey({ app: 'web' }, 'Cluster')).toBe('');
    expect(backendKey({})).not.toBe('');
  });

  test('ports are distinct and sorted', () => {
    const { ports } = addressRequestOf(service('s', { ports: 'tcp/80,udp/53,tcp/443,tcp/80' }));
    expect(ports).toEqual(['tcp/443', 'tcp/80', 'udp/53']);
  });
});

test.each([
  [
    'both forms',
    '192.0.2.1',
    '192.0.2.2',
    'metallb.io/loadBalancerIPs "192.0.2.1" and spec.loadBalancerIP "192.0.2.2" are both set; keep one, preferably the annotation',
  ],
  ['a name', '', 'localhost', 'spec.loadBalancerIP "localhost": must be one IP address'],
  [
    'an empty item',
    '192.0.2.1,',
    '',
    'metallb.io/loadBalancerIPs "192.0.2.1,": "" is not an IP address; must be one address, or one of each family separated by a comma',
  ],
  [
    'two of one family',
    '192.0.2.1,192.0.2.2',
    '',
    'metallb.io/loadBalancerIPs "192.0.2.1,192.0.2.2": must be one address, or one of each family',
  ],
  [
    'three',
    '192.0.2.1,2001:db8::1,2001:db8::2',
    '',
    'metallb.io/loadBalancerIPs "192.0.2.1,2001:db8::1,2001:db8::2": must be one address, or one of each family',
  ],
])('a request that cannot be read: %s', (_name, annotation, loadBalancerIP, message) => {
  const object = service('s', {
    annotations: { 'metallb.io/loadBalancerIPs': annotation },
    spec: { loadBalancerIP },
  });
  expect(requestedIpsOf(object)).toMatchObject({ ok: false, reason: { message } });
});
