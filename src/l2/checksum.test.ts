import { expect, test } from 'vitest';
import { icmpv6Checksum, internetChecksum } from './checksum.ts';
import { edited, packet } from './test-packets.ts';

const whole = (...bytes: readonly number[]): number =>
  internetChecksum({ bytes: Uint8Array.from(bytes), from: 0, to: bytes.length });

test.each<readonly [string, readonly number[], number]>([
  // RFC 1071 section 3: these bytes sum up to ddf2.
  ['the example of the RFC', [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7], 0xffff - 0xddf2],
  ['nothing', [], 0xffff],
  ['an odd byte, padded behind', [0x12], 0xffff - 0x1200],
  ['a carry that carries again', [0xff, 0xff, 0xff, 0xff, 0x00, 0x01], 0xfffe],
])('%s', (_name, bytes, want) => {
  expect(whole(...bytes)).toBe(want);
});

test('of the longest message', () => {
  const bytes = new Uint8Array(65_536).fill(0xff);
  expect(internetChecksum({ bytes, from: 0, to: bytes.length })).toBe(0);
});

test.each(['ns-multicast', 'ns-dad-nonce', 'na-solicited', 'na-solicited-no-option'])(
  'of the captured %s',
  (name) => {
    const frame = packet(name);
    const length = frame.length - 54;
    expect(icmpv6Checksum(frame, 14, length)).toBe(0);
    const value = (frame[56]! << 8) | frame[57]!;
    expect(icmpv6Checksum(edited(frame, 56, 0, 0), 14, length)).toBe(value);
  },
);
