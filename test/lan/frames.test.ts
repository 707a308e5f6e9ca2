import { describe, expect, test } from 'vitest';
import { advertisement, arp, groupMac, question, readFrame, solicitation, solicitedNode } from './frames.ts';

const MAC = '00:00:5e:00:53:01';
const OTHER = '00:00:5e:00:53:02';

/** From here on a frame as written in the RFC: one line for each field. */
const ARP_REQUEST = [
  ...['ffffffffffff', '00005e005301', '0806'], // destination, source, EtherType
  ...['0001', '0800', '06', '04', '0001'], // Ethernet, IPv4, their lengths, request
  ...['00005e005301', 'c000020a'], // sender: 192.0.2.10
  ...['000000000000', 'c00002c8'], // target: 192.0.2.200
  '00'.repeat(18), // padding to 60 bytes
].join('');

const NEIGHBOR_SOLICITATION = [
  ...['3333ff0000c8', '00005e005301', '86dd'],
  ...['60000000', '0020', '3a', 'ff'], // version 6, 32 bytes of ICMPv6, hop limit 255
  '20010db8000000000000000000000010', // source
  'ff0200000000000000000001ff0000c8', // solicited-node group of the target
  ...['87', '00', '2a8f', '00000000'], // type 135, code 0, checksum, reserved
  '20010db80000000000000000000000c8', // target
  ...['01', '01', '00005e005301'], // Source Link-Layer Address
].join('');

describe('writes the bytes of the RFC', () => {
  test('ARP request (RFC 826)', () => {
    const bytes = question({ mac: MAC, ip: '192.0.2.10' }, '192.0.2.200');
    expect(Buffer.from(bytes).toString('hex')).toBe(ARP_REQUEST);
  });

  test('Neighbor Solicitation (RFC 4861 section 4.3)', () => {
    const bytes = question({ mac: MAC, ip: '2001:db8::10' }, '2001:db8::c8');
    const text = Buffer.from(bytes).toString('hex');
    expect(text.replace(/^(.{112}).{4}/, '$1....')).toBe(
      NEIGHBOR_SOLICITATION.replace(/^(.{112}).{4}/, '$1....'),
    );
    expect(checksumOf(bytes)).toBe(0xffff);
  });
});

/** Sum over pseudo-header and message, checksum included: all ones when it is right (RFC 1071 section 1). */
function checksumOf(frame: Uint8Array): number {
  const message = frame.subarray(54);
  const bytes = Buffer.concat([
    frame.subarray(22, 54),
    Buffer.from([0, 0, 0, message.length, 0, 0, 0, 58]),
    message,
  ]);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

describe('reads what it wrote', () => {
  test('ARP reply to one host', () => {
    const bytes = arp({
      ...{ mac: MAC, ip: '192.0.2.200', target: '192.0.2.10' },
      ...{ operation: 2, targetMac: OTHER, destination: OTHER },
    });
    expect(readFrame(bytes)).toEqual({
      source: MAC,
      destination: OTHER,
      message: {
        ...{ kind: 'arp', operation: 2, senderMac: MAC, senderIp: '192.0.2.200' },
        ...{ targetMac: OTHER, targetIp: '192.0.2.10' },
      },
    });
  });

  test('duplicate address detection', () => {
    const bytes = solicitation({ mac: MAC, ip: '::', target: '2001:db8::c8', hopLimit: 64 });
    expect(readFrame(bytes)?.message).toEqual({
      kind: 'ns',
      from: '::',
      hopLimit: 64,
      target: '2001:db8::c8',
    });
    expect(checksumOf(bytes)).toBe(0xffff);
  });

  test('Neighbor Advertisement', () => {
    const bytes = advertisement({
      ...{ mac: MAC, ip: 'fe80::1', target: '2001:db8::c8', isOverride: false },
      destination: { mac: OTHER, ip: 'fe80::2' },
    });
    expect(checksumOf(bytes)).toBe(0xffff);
    expect(readFrame(bytes)).toEqual({
      source: MAC,
      destination: OTHER,
      message: {
        ...{ kind: 'na', from: 'fe80::1', hopLimit: 255, target: '2001:db8::c8' },
        ...{ isSolicited: true, isOverride: false, linkLayer: MAC },
      },
    });
  });
});

test('groups of an address', () => {
  expect(solicitedNode('2001:db8::1:2:abcd')).toBe('ff02::1:ff02:abcd');
  expect(groupMac('ff02::1:ff02:abcd')).toBe('33:33:ff:02:ab:cd');
});

test('what is no such frame, or not whole, is none', () => {
  const whole = question({ mac: MAC, ip: '192.0.2.10' }, '192.0.2.200');
  for (let length = 0; length < 42; length += 1) expect(readFrame(whole.subarray(0, length))).toBeUndefined();
  expect(readFrame(Buffer.from(whole).fill(0x99, 12, 14))).toBeUndefined();
});
