import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ip } from '../core/test-ip.ts';
import { announcedTable } from './announced-table.ts';
import { arpAnnouncements, arpProbe, encodeArp, encodeArpReply, encodeArpRequest } from './arp.ts';
import { icmpv6Checksum } from './checksum.ts';
import { DROP_REASONS } from './drop.ts';
import { decodeFrame, type Decoded } from './frame.ts';
import { ipv4Key, ipv6Key } from './ip-key.ts';
import { macNumber, parseMac, type MacAddress, type MacNumber } from './mac.ts';
import { encodeAdvertisement, encodeNa, encodeNs, encodeSolicitation } from './ndp.ts';
import { edited, packet, packetNames, padded } from './test-packets.ts';
import { verdictFor } from './verdict.ts';

const v4 = (text: string) => ipv4Key(ip(text));
const v6 = (text: string) => ipv6Key(ip(text));
const mac = (text: string): MacAddress => parseMac(text)!;
const num = (text: string): MacNumber => macNumber(mac(text));

const ONE = '00:00:5e:00:53:01';
const CLIENT = '00:00:5e:00:53:99';
const EVERYBODY = 'ff:ff:ff:ff:ff:ff';
const NOT_KNOWN = '00:00:00:00:00:00';
const GROUP_10 = '33:33:ff:00:00:10';

interface Row {
  readonly name: string;
  readonly want: Decoded;
  /** The frame from what a caller knows; absent where no function of ours makes such a frame. */
  readonly encoded?: Uint8Array;
}

const arp = (
  [destination, source]: readonly [string, string],
  operation: 'request' | 'reply',
  [senderMac, senderIp]: readonly [string, string],
  [targetMac, targetIp]: readonly [string, string],
): Decoded => ({
  kind: 'arp',
  destination: num(destination),
  source: num(source),
  operation,
  senderMac: num(senderMac),
  senderIp: v4(senderIp),
  targetMac: num(targetMac),
  targetIp: v4(targetIp),
});

const CASES: readonly Row[] = [
  {
    name: 'arp-request',
    want: arp([EVERYBODY, CLIENT], 'request', [CLIENT, '192.0.2.99'], [NOT_KNOWN, '192.0.2.1']),
    encoded: encodeArpRequest({
      senderMac: mac(CLIENT),
      senderIp: ip('192.0.2.99'),
      targetIp: ip('192.0.2.1'),
    }),
  },
  {
    name: 'arp-request-unicast',
    want: arp([CLIENT, ONE], 'request', [ONE, '192.0.2.1'], [NOT_KNOWN, '192.0.2.99']),
    encoded: encodeArpRequest({
      senderMac: mac(ONE),
      senderIp: ip('192.0.2.1'),
      targetIp: ip('192.0.2.99'),
      destination: mac(CLIENT),
    }),
  },
  {
    name: 'arp-reply',
    want: arp([CLIENT, ONE], 'reply', [ONE, '192.0.2.1'], [CLIENT, '192.0.2.99']),
    encoded: encodeArpReply({
      senderMac: mac(ONE),
      senderIp: ip('192.0.2.1'),
      targetMac: mac(CLIENT),
      targetIp: ip('192.0.2.99'),
    }),
  },
  {
    name: 'arp-probe',
    want: arp([EVERYBODY, ONE], 'request', [ONE, '0.0.0.0'], [NOT_KNOWN, '198.51.100.10']),
    encoded: arpProbe(ip('198.51.100.10'), mac(ONE)),
  },
  {
    name: 'arp-announcement-request',
    want: arp([EVERYBODY, ONE], 'request', [ONE, '198.51.100.10'], [NOT_KNOWN, '198.51.100.10']),
    encoded: arpAnnouncements(ip('198.51.100.10'), mac(ONE))[0],
  },
  {
    name: 'arp-announcement-reply',
    want: arp([EVERYBODY, ONE], 'reply', [ONE, '198.51.100.10'], [EVERYBODY, '198.51.100.10']),
    encoded: arpAnnouncements(ip('198.51.100.10'), mac(ONE))[1],
  },
  {
    name: 'ns-multicast',
    want: {
      kind: 'ns',
      destination: num(GROUP_10),
      source: num(CLIENT),
      sourceIp: v6('2001:db8::99'),
      destinationIp: v6('ff02::1:ff00:10'),
      target: v6('2001:db8::10'),
      sourceMac: num(CLIENT),
    },
    encoded: encodeNs({
      sourceMac: mac(CLIENT),
      sourceIp: ip('2001:db8::99'),
      target: ip('2001:db8::10'),
    }),
  },
  {
    name: 'ns-unicast',
    want: {
      kind: 'ns',
      destination: num(CLIENT),
      source: num(ONE),
      sourceIp: v6('fe80::1'),
      destinationIp: v6('2001:db8::99'),
      target: v6('2001:db8::99'),
      sourceMac: num(ONE),
    },
    encoded: encodeNs({
      sourceMac: mac(ONE),
      sourceIp: ip('fe80::1'),
      target: ip('2001:db8::99'),
      destination: mac(CLIENT),
    }),
  },
  {
    name: 'ns-unicast-no-option',
    want: {
      kind: 'ns',
      destination: num(ONE),
      source: num(CLIENT),
      sourceIp: v6('fe80::99'),
      destinationIp: v6('2001:db8::10'),
      target: v6('2001:db8::10'),
      sourceMac: undefined,
    },
  },
  {
    name: 'ns-dad',
    want: {
      kind: 'ns',
      destination: num(GROUP_10),
      source: num(CLIENT),
      sourceIp: v6('::'),
      destinationIp: v6('ff02::1:ff00:10'),
      target: v6('2001:db8::10'),
      sourceMac: undefined,
    },
    encoded: encodeNs({ sourceMac: mac(CLIENT), target: ip('2001:db8::10') }),
  },
  {
    name: 'ns-dad-nonce',
    want: {
      kind: 'ns',
      destination: num('33:33:ff:00:00:99'),
      source: num(CLIENT),
      sourceIp: v6('::'),
      destinationIp: v6('ff02::1:ff00:99'),
      target: v6('2001:db8::99'),
      sourceMac: undefined,
    },
  },
  {
    name: 'na-solicited',
    want: {
      kind: 'na',
      destination: num(CLIENT),
      source: num(ONE),
      sourceIp: v6('2001:db8::10'),
      destinationIp: v6('2001:db8::99'),
      target: v6('2001:db8::10'),
      isRouter: false,
      isSolicited: true,
      isOverride: true,
      targetMac: num(ONE),
    },
    encoded: encodeNa({
      mac: mac(ONE),
      sourceIp: ip('2001:db8::10'),
      target: ip('2001:db8::10'),
      to: { mac: mac(CLIENT), ip: ip('2001:db8::99') },
    }),
  },
  {
    name: 'na-solicited-no-option',
    want: {
      kind: 'na',
      destination: num(ONE),
      source: num(CLIENT),
      sourceIp: v6('2001:db8::99'),
      destinationIp: v6('fe80::1'),
      target: v6('2001:db8::99'),
      isRouter: false,
      isSolicited: true,
      isOverride: false,
      targetMac: undefined,
    },
  },
  {
    name: 'na-unsolicited',
    want: {
      kind: 'na',
      destination: num('33:33:00:00:00:01'),
      source: num(ONE),
      sourceIp: v6('fe80::1'),
      destinationIp: v6('ff02::1'),
      target: v6('2001:db8::10'),
      isRouter: false,
      isSolicited: false,
      isOverride: true,
      targetMac: num(ONE),
    },
    encoded: encodeNa({ mac: mac(ONE), sourceIp: ip('fe80::1'), target: ip('2001:db8::10') }),
  },
  { name: 'bad-vlan-tagged', want: { kind: 'drop', reason: 'vlan-tagged' } },
  { name: 'bad-broadcast-source', want: { kind: 'drop', reason: 'broadcast-source' } },
  { name: 'bad-multicast-sender', want: { kind: 'drop', reason: 'arp-sender-not-station' } },
  { name: 'bad-hop-limit', want: { kind: 'drop', reason: 'hop-limit' } },
  { name: 'bad-dad-option', want: { kind: 'drop', reason: 'dad-with-link-layer-address' } },
  { name: 'bad-dad-destination', want: { kind: 'drop', reason: 'dad-destination' } },
  { name: 'bad-solicited-to-group', want: { kind: 'drop', reason: 'solicited-to-group' } },
  { name: 'bad-fragment', want: { kind: 'drop', reason: 'not-icmpv6' } },
];

/** The frame of a decoded value. */
function encode(value: Exclude<Decoded, { kind: 'drop' }>): Uint8Array {
  switch (value.kind) {
    case 'arp':
      return encodeArp(value);
    case 'ns':
      return encodeSolicitation(value);
    case 'na':
      return encodeAdvertisement(value);
  }
}

describe('the packets of test/packets', () => {
  test('each have a row', () => {
    expect(packetNames()).toEqual(CASES.map(({ name }) => name).sort());
  });

  test.each(CASES)('$name is decoded', ({ name, want }) => {
    expect(decodeFrame(packet(name))).toEqual(want);
  });

  test.each(CASES.filter(({ encoded }) => encoded))('$name is made', ({ name, encoded }) => {
    expect(Buffer.from(encoded!).toString('hex')).toBe(Buffer.from(padded(packet(name))).toString('hex'));
  });

  // Options that are not known are not kept, and so this one is not the same again.
  const same = CASES.filter(({ name, want }) => want.kind !== 'drop' && name !== 'ns-dad-nonce');
  test.each(same)('$name is the same when encoded again', ({ name, want }) => {
    if (want.kind === 'drop') throw new Error(want.reason);
    expect(Buffer.from(encode(want)).toString('hex')).toBe(Buffer.from(padded(packet(name))).toString('hex'));
  });

  test('the answer to the captured solicitation is the one captured, but for its source', () => {
    const table = announcedTable({
      mac: mac(ONE),
      linkLocal: ip('2001:db8::10'),
      addresses: [{ ip: ip('2001:db8::10'), use: 'here' }],
    });
    const verdict = verdictFor(decodeFrame(packet('ns-multicast')), table);
    expect(verdict).toMatchObject({ kind: 'answer', frame: packet('na-solicited') });
  });

  test('the answer to the captured request is the one captured', () => {
    const table = announcedTable({
      mac: mac(ONE),
      addresses: [{ ip: ip('192.0.2.1'), use: 'here' }],
    });
    const verdict = verdictFor(decodeFrame(packet('arp-request')), table);
    expect(verdict).toMatchObject({ kind: 'answer', frame: padded(packet('arp-reply')) });
  });
});

/** Where fields are in a frame. */
const AT = { source: 6, etherType: 12, arp: 14, ip6: 14, icmp: 54, options: 78 } as const;

/** With the checksum that it should have then. */
function checked(frame: Uint8Array): Uint8Array {
  const length = (frame[AT.ip6 + 4]! << 8) | frame[AT.ip6 + 5]!;
  const zeroed = edited(frame, AT.icmp + 2, 0, 0);
  const sum = icmpv6Checksum(zeroed, AT.ip6, length);
  return edited(zeroed, AT.icmp + 2, sum >>> 8, sum & 0xff);
}

/** A solicitation with this many bytes of message, of which those behind the target address are given. */
function withOptions(name: string, ...options: readonly number[]): Uint8Array {
  const frame = new Uint8Array(AT.options + options.length);
  frame.set(packet(name).subarray(0, AT.options));
  frame.set(options, AT.options);
  return checked(edited(frame, AT.ip6 + 4, 0, 24 + options.length));
}

const request = packet('arp-request');
const solicitation = packet('ns-multicast');
const advertisement = packet('na-unsolicited');

describe('drops', () => {
  test.each<readonly [string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(0), 'truncated'],
    ['half an Ethernet header', request.subarray(0, 13), 'truncated'],
    ['an ARP packet that ends early', request.subarray(0, 41), 'truncated'],
    ['an IPv6 header that ends early', solicitation.subarray(0, 53), 'truncated'],
    ['an ICMPv6 message that ends early', solicitation.subarray(0, 85), 'truncated'],
    ['a payload length beyond the frame', edited(solicitation, AT.ip6 + 4, 0, 33), 'truncated'],
    ['the longest payload length', edited(solicitation, AT.ip6 + 4, 0xff, 0xff), 'truncated'],

    ['a tag of 802.1Q', edited(request, AT.etherType, 0x81, 0x00), 'vlan-tagged'],
    ['a tag of 802.1ad', edited(request, AT.etherType, 0x88, 0xa8), 'vlan-tagged'],
    ['a stacked tag', edited(request, AT.etherType, 0x91, 0x00), 'vlan-tagged'],
    ['a multicast source', edited(request, AT.source, 0x01), 'multicast-source'],
    ['a source of zeros', edited(request, AT.source, 0, 0, 0, 0, 0, 0), 'zero-source'],
    ['IPv4', edited(request, AT.etherType, 0x08, 0x00), 'other-ethertype'],
    ['the length of an 802.3 frame', edited(request, AT.etherType, 0x00, 0x2e), 'other-ethertype'],

    ['another hardware type', edited(request, AT.arp, 0, 6), 'arp-not-ethernet-ipv4'],
    ['another protocol type', edited(request, AT.arp + 2, 0x86, 0xdd), 'arp-not-ethernet-ipv4'],
    ['a hardware address of 5 bytes', edited(request, AT.arp + 4, 5), 'arp-not-ethernet-ipv4'],
    ['a hardware address of 255 bytes', edited(request, AT.arp + 4, 255), 'arp-not-ethernet-ipv4'],
    ['a protocol address of 16 bytes', edited(request, AT.arp + 5, 16), 'arp-not-ethernet-ipv4'],
    ['a protocol address of no bytes', edited(request, AT.arp + 5, 0), 'arp-not-ethernet-ipv4'],
    ['operation 0', edited(request, AT.arp + 6, 0, 0), 'arp-operation'],
    ['RARP', edited(request, AT.arp + 6, 0, 3), 'arp-operation'],
    ['an operation of which the low byte is a request', edited(request, AT.arp + 6, 1, 1), 'arp-operation'],
    ['a sender of zeros', edited(request, AT.arp + 8, 0, 0, 0, 0, 0, 0), 'arp-sender-not-station'],
    [
      'a broadcast sender',
      edited(request, AT.arp + 8, 255, 255, 255, 255, 255, 255),
      'arp-sender-not-station',
    ],
    ['a sender of 127.0.0.1', edited(request, AT.arp + 14, 127, 0, 0, 1), 'arp-sender-ip'],
    ['a sender of 224.0.0.1', edited(request, AT.arp + 14, 224, 0, 0, 1), 'arp-sender-ip'],
    ['a sender of 255.255.255.255', edited(request, AT.arp + 14, 255, 255, 255, 255), 'arp-sender-ip'],

    ['IP version 4', edited(solicitation, AT.ip6, 0x45), 'ip-version'],
    ['UDP', edited(solicitation, AT.ip6 + 6, 17), 'not-icmpv6'],
    ['a Hop-by-Hop header', edited(solicitation, AT.ip6 + 6, 0), 'not-icmpv6'],
    ['no message', edited(solicitation, AT.ip6 + 4, 0, 0), 'icmp-length'],
    ['a ping', checked(edited(solicitation, AT.icmp, 128)), 'not-neighbor-discovery'],
    ['a Router Advertisement', checked(edited(solicitation, AT.icmp, 134)), 'not-neighbor-discovery'],
    ['a Redirect', checked(edited(solicitation, AT.icmp, 137)), 'not-neighbor-discovery'],
    ['an advertisement with hop limit 254', edited(advertisement, AT.ip6 + 7, 254), 'hop-limit'],
    ['hop limit 0', edited(solicitation, AT.ip6 + 7, 0), 'hop-limit'],
    ['a message of 23 bytes', checked(edited(solicitation, AT.ip6 + 4, 0, 23)), 'icmp-length'],
    ['a wrong checksum', edited(solicitation, AT.icmp + 3, solicitation[AT.icmp + 3]! ^ 1), 'checksum'],
    ['a checksum of zeros', edited(solicitation, AT.icmp + 2, 0, 0), 'checksum'],
    ['another source than was summed up', edited(solicitation, AT.ip6 + 23, 0x98), 'checksum'],
    ['a code', checked(edited(solicitation, AT.icmp + 1, 1)), 'icmp-code'],
    ['a code in an advertisement', checked(edited(advertisement, AT.icmp + 1, 255)), 'icmp-code'],
    ['a multicast IP source', checked(edited(solicitation, AT.ip6 + 8, 0xff)), 'ip-source-multicast'],
    ['a multicast target', checked(edited(solicitation, AT.icmp + 8, 0xff)), 'target-multicast'],
    ['the same advertised', checked(edited(advertisement, AT.icmp + 8, 0xff)), 'target-multicast'],

    [
      'an option of length zero',
      withOptions('ns-multicast', 1, 0, 0, 0, 0x5e, 0, 0x53, 0x99),
      'option-length',
    ],
    ['an option of no type and length', withOptions('ns-multicast', 0, 0, 0, 0, 0, 0, 0, 0), 'option-length'],
    [
      'an option beyond the message',
      withOptions('ns-multicast', 1, 2, 0, 0, 0x5e, 0, 0x53, 0x99),
      'option-length',
    ],
    ['the longest option', withOptions('ns-multicast', 1, 255, 0, 0, 0x5e, 0, 0x53, 0x99), 'option-length'],
    ['a lone option type', withOptions('ns-multicast', 1), 'option-length'],
    ['an option that is cut', withOptions('ns-multicast', 1, 1, 0, 0, 0x5e, 0, 0x53), 'option-length'],
    [
      'an address of 14 bytes',
      withOptions('ns-multicast', 1, 2, 0, 0, 0x5e, 0, 0x53, 0x99, 0, 0, 0, 0, 0, 0, 0, 0),
      'option-length',
    ],
    [
      'an option of length zero behind a good one',
      withOptions('ns-multicast', 1, 1, 0, 0, 0x5e, 0, 0x53, 0x99, 14, 0, 0, 0, 0, 0, 0, 0),
      'option-length',
    ],
    [
      'a link-layer address that is a group',
      withOptions('ns-multicast', 1, 1, 0x33, 0x33, 0, 0, 0, 1),
      'option-not-station',
    ],
    ['one of zeros', withOptions('na-unsolicited', 2, 1, 0, 0, 0, 0, 0, 0), 'option-not-station'],
  ])('%s', (_name, frame, reason) => {
    expect(decodeFrame(frame)).toEqual({ kind: 'drop', reason });
  });
});

describe('takes', () => {
  test.each<readonly [string, Uint8Array, string]>([
    [
      'whatever pads an ARP packet',
      Uint8Array.from([...request, ...Array.from({ length: 18 }, () => 0xaa)]),
      'arp-request',
    ],
    ['whatever pads an IPv6 packet', Uint8Array.from([...solicitation, 0xaa, 0xaa]), 'ns-multicast'],
    [
      'a packet with a traffic class and a flow label',
      edited(solicitation, AT.ip6, 0x6e, 0x01, 0x23, 0x45),
      'ns-multicast',
    ],
    ['reserved bits', checked(edited(solicitation, AT.icmp + 4, 0xff, 0xff, 0xff, 0xff)), 'ns-multicast'],
    [
      'an unknown option before the known one',
      withOptions('ns-multicast', 200, 1, 9, 9, 9, 9, 9, 9, 1, 1, 0, 0, 0x5e, 0, 0x53, 0x99),
      'ns-multicast',
    ],
    [
      'a second link-layer address, which is passed over',
      withOptions('ns-multicast', 1, 1, 0, 0, 0x5e, 0, 0x53, 0x99, 1, 1, 0, 0, 0x5e, 0, 0x53, 0x66),
      'ns-multicast',
    ],
    [
      'an option that belongs to advertisements, which is passed over',
      withOptions('ns-unicast-no-option', 2, 1, 0, 0, 0x5e, 0, 0x53, 0x66),
      'ns-unicast-no-option',
    ],
  ])('%s', (_name, frame, as) => {
    expect(decodeFrame(frame)).toEqual(decodeFrame(packet(as)));
  });

  test('a frame that begins somewhere in a larger buffer', () => {
    const ring = new Uint8Array(4096).fill(0xee);
    ring.set(solicitation, 2049);
    expect(decodeFrame(ring.subarray(2049, 2049 + solicitation.length))).toEqual(
      decodeFrame(packet('ns-multicast')),
    );
  });

  test('a sender hardware address that is not the source of the frame', () => {
    expect(decodeFrame(edited(request, AT.source + 5, 0x66))).toMatchObject({
      kind: 'arp',
      source: num('00:00:5e:00:53:66'),
      senderMac: num(CLIENT),
    });
  });
});

// Random frames. A failing one is printed with its seed.

const packets = packetNames().map(packet);

/** What a forger would write over a field. */
const overwrite = fc.record({
  at: fc.constantFrom(0, AT.source, AT.arp + 8, AT.arp + 14, AT.ip6 + 8, AT.icmp + 8, AT.options + 2),
  bytes: fc.constantFrom(
    [0, 0, 0, 0, 0, 0],
    [255, 255, 255, 255, 255, 255],
    [0, 0, 0x5e, 0, 0x53, 1],
    [0, 0, 0x5e, 0, 0x53, 2],
    [192, 0, 2, 1],
    [198, 51, 100, 10],
    [0xff, 2],
  ),
});

const change = fc.oneof(
  fc.record({ at: fc.nat(130), bytes: fc.array(fc.nat(255), { minLength: 1, maxLength: 1 }) }),
  overwrite,
);

/** A packet of test/packets with some bytes changed, cut or extended, half of the time with a right checksum. */
const mutated = fc
  .record({
    base: fc.constantFrom(...packets),
    changes: fc.array(change, { maxLength: 4 }),
    length: fc.option(fc.nat(130), { freq: 3, nil: undefined }),
    isChecked: fc.boolean(),
  })
  .map(({ base, changes, length = base.length, isChecked }) => {
    const frame = new Uint8Array(length);
    frame.set(base.subarray(0, length));
    for (const { at, bytes } of changes)
      frame.set(bytes.slice(0, Math.max(0, length - at)), Math.min(at, length));
    const isWhole =
      length >= AT.options && length >= AT.icmp + ((frame[AT.ip6 + 4]! << 8) | frame[AT.ip6 + 5]!);
    return isChecked && isWhole ? checked(frame) : frame;
  });

const random = fc.uint8Array({ maxLength: 200 });

/** Random behind a header that leads further in. */
const headed = fc
  .tuple(fc.constantFrom(...packets), fc.nat(60), random)
  .map(([base, keep, rest]) => Uint8Array.from([...base.subarray(0, keep), ...rest]));

const table = announcedTable({
  mac: mac(ONE),
  nodeMacs: [mac('00:00:5e:00:53:02')],
  linkLocal: ip('fe80::1'),
  addresses: [
    { ip: ip('192.0.2.1'), use: 'here' },
    { ip: ip('2001:db8::10'), use: 'here' },
    { ip: ip('198.51.100.10'), use: 'watched' },
    { ip: ip('2001:db8::99'), use: 'elsewhere' },
  ],
});

test('100,000 random and mutated frames: each gives a value that encodes again, or a reason; none throws', () => {
  const seen = new Map<string, number>();
  const known = new Set<string>(DROP_REASONS);
  fc.assert(
    fc.property(fc.oneof({ weight: 8, arbitrary: mutated }, random, headed), (frame) => {
      const before = Buffer.from(frame);
      const decoded = decodeFrame(frame);
      const verdict = verdictFor(decoded, table);
      if (!before.equals(frame)) throw new Error('the frame was changed');
      const what = verdict.kind === 'drop' ? verdict.reason : verdict.kind;
      seen.set(what, (seen.get(what) ?? 0) + 1);
      if (verdict.kind === 'answer') {
        const answer = decodeFrame(verdict.frame);
        if (answer.kind === 'drop') throw new Error(`our own answer is dropped: ${answer.reason}`);
      }
      if (decoded.kind === 'drop') return known.has(decoded.reason);
      return isDeepStrictEqual(decodeFrame(encode(decoded)), decoded);
    }),
    { numRuns: 100_000 },
  );
  // The frames reach far: answers, claims, and every reason but the one that this table has no cause for.
  const missed = ['answer', 'heard', ...DROP_REASONS].filter((what) => !seen.has(what));
  expect(missed).toEqual(['no-link-local']);
}, 120_000);
