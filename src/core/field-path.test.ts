import { expect, test } from 'vitest';
import { formatFieldPath } from './field-path.ts';

test.each([
  { path: [], want: '' },
  { path: ['spec', 'peerASN'], want: 'spec.peerASN' },
  { path: ['spec', 'addresses', 0], want: 'spec.addresses[0]' },
  { path: ['data', 'config', 'peers', 1, 'my-asn'], want: 'data.config.peers[1].my-asn' },
  { path: ['metadata', 'labels', 'example.com/role'], want: 'metadata.labels["example.com/role"]' },
  { path: ['spec', 'a\nb'], want: 'spec["a\\nb"]' },
  { path: ['spec', ''], want: 'spec[""]' },
])('$want', ({ path, want }) => {
  expect(formatFieldPath(path)).toBe(want);
});
