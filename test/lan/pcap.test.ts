import { expect, test } from 'vitest';
import { PcapReader, type RecordedPacket } from './pcap.ts';

const FRAME = Buffer.from('ffffffffffff00005e00530108060001', 'hex');

/** A recording of one packet, written by hand from pcap-savefile(5). */
function recording(options: { magic: number; fraction: number; big?: boolean; link?: number }): Buffer {
  const { magic, fraction, big = false, link = 1 } = options;
  const bytes = Buffer.alloc(24 + 16 + FRAME.length);
  const put = (value: number, at: number): void => {
    if (big) bytes.writeUInt32BE(value, at);
    else bytes.writeUInt32LE(value, at);
  };
  put(magic, 0);
  put(link, 20);
  put(1_700_000_000, 24);
  put(fraction, 28);
  put(FRAME.length, 32);
  put(60, 36);
  FRAME.copy(bytes, 40);
  return bytes;
}

function read(chunks: readonly Buffer[]): RecordedPacket[] {
  const packets: RecordedPacket[] = [];
  const reader = new PcapReader((packet) => packets.push(packet));
  for (const chunk of chunks) reader.take(chunk);
  return packets;
}

test.each([
  { name: 'microseconds', magic: 0xa1b2c3d4, fraction: 250_500 },
  { name: 'nanoseconds', magic: 0xa1b23c4d, fraction: 250_500_000 },
  { name: 'the other byte order', magic: 0xa1b23c4d, fraction: 250_500_000, big: true },
])('reads a packet: $name', (options) => {
  const [packet, ...more] = read([recording(options)]);
  expect(more).toEqual([]);
  expect(packet?.atMs).toBeCloseTo(1_700_000_000_250.5, 3);
  expect(packet?.wireLength).toBe(60);
  expect(Buffer.from(packet?.bytes ?? [])).toEqual(FRAME);
});

test('reads it in whatever pieces it comes', () => {
  const bytes = recording({ magic: 0xa1b23c4d, fraction: 0 });
  const two = Buffer.concat([bytes, bytes.subarray(24)]);
  const pieces = Array.from(two, (_, index) => two.subarray(index, index + 1));
  expect(read(pieces)).toEqual(read([two]));
  expect(read(pieces)).toHaveLength(2);
});

test.each([
  { name: 'something else', bytes: Buffer.alloc(40, 'x') },
  {
    name: 'a recording of another kind of link',
    bytes: recording({ magic: 0xa1b23c4d, fraction: 0, link: 113 }),
  },
])('refuses $name', ({ bytes }) => {
  expect(() => read([bytes])).toThrow(/the recording is/);
});
