import { expect, test } from 'vitest';
import { LAB_IMAGES, labImage, processName } from './images.ts';

test.each([
  { argv: ['/usr/lib/frr/bgpd', '-d', '-A', '127.0.0.1'], want: 'bgpd' },
  { argv: ['bird', '-f', ''], want: 'bird' },
  {
    argv: ['/opt/node/bin/node', '/x/src/cli/main.ts', 'speaker', '--source', 'dir:/manifests'],
    want: 'speaker',
  },
  { argv: ['node', '--enable-source-maps', '/x/main.js', 'controller'], want: 'controller' },
  { argv: ['node', '/x/src/lab/vip-server.ts', '80'], want: 'vip-server' },
  { argv: ['node'], want: '' },
  { argv: [], want: '' },
])('calls $argv $want', ({ argv, want }) => {
  expect(processName(argv)).toBe(want);
});

test('finds an image with and without its tag', () => {
  const [image] = LAB_IMAGES;
  expect(labImage(image?.name ?? '')).toBe(image);
  expect(labImage(`${image?.name ?? ''}:latest`)).toBe(image);
  expect(labImage(`${image?.name ?? ''}:1.0`)).toBeUndefined();
  expect(labImage('lab-node')).toBeUndefined();
});
