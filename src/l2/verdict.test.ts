import { describe, expect, test } from 'vitest';
import type { IpAddress } from '../core/ip.ts';
import { ip } from '../core/test-ip.ts';
import { announcedTable, type TableAddress } from './announced-table.ts';
import { arpAnnouncements, arpProbe, encodeArp, encodeArpReply, encodeArpRequest } from './arp.ts';
import { decodeFrame } from './frame.ts';
import { ipv4Key } from './ip-key.ts';
import { macNumber, parseMac, type MacAddress } from './mac.ts';
import { encodeNa, encodeNs } from './ndp.ts';
import { verdictFor, type Verdict } from './verdict.ts';

const mac = (last: string): MacAddress => parseMac(`00:00:5e:00:53:${last}`)!;

const OURS = mac('01');
const OUR_OTHER = mac('02');
const CLIENT = mac('99');
const RIVAL = mac('66');
const VIP = ip('198.51.100.10');
const VIP6 = ip('2001:db8::10');
const WATCHED = ip('198.51.100.20');
const WATCHED6 = ip('2001:db8::20');
const ELSEWHERE = ip('198.51.100.30');
const ELSEWHERE6 = ip('2001:db8::30');
const FREE = ip('198.51.100.40');
const FREE6 = ip('2001:db8::40');
const HOST = ip('198.51.100.1');
const HOST6 = ip('fe80::99');
const LINK_LOCAL = ip('fe80::1');

const addresses: TableAddress[] = [
  { ip: VIP, use: 'here' },
  { ip: VIP6, use: 'here' },
  { ip: WATCHED, use: 'watched' },
  { ip: WATCHED6, use: 'watched' },
  { ip: ELSEWHERE, use: 'elsewhere' },
  { ip: ELSEWHERE6, use: 'elsewhere' },
];
const table = announcedTable({ mac: OURS, nodeMacs: [OUR_OTHER], linkLocal: LINK_LOCAL, addresses });

const arpRequest = (
  targetIp: IpAddress,
  more: { senderMac?: MacAddress; senderIp?: IpAddress; destination?: MacAddress } = {},
): Uint8Array => encodeArpRequest({ senderMac: CLIENT, senderIp: HOST, targetIp, ...more });

const ns = (
  target: IpAddress,
  more: { sourceMac?: MacAddress; destination?: MacAddress; sourceIp?: IpAddress } = {},
): Uint8Array => encodeNs({ sourceMac: CLIENT, sourceIp: HOST6, target, ...more });

const dadNs = (target: IpAddress, sourceMac = CLIENT): Uint8Array => encodeNs({ sourceMac, target });

const heard = (address: IpAddress, by: MacAddress, what: string): object => ({
  kind: 'heard',
  ip: address,
  mac: by,
  source: by,
  what,
});
const drop = (reason: string): object => ({ kind: 'drop', reason });
const arpReply = (address: IpAddress, target: IpAddress): object => ({
  kind: 'answer',
  ip: address,
  frame: encodeArpReply({ senderMac: OURS, senderIp: address, targetMac: CLIENT, targetIp: target }),
  heard: undefined,
});
const advertisement = (address: IpAddress): object => ({
  kind: 'answer',
  ip: address,
  frame: encodeNa({ mac: OURS, sourceIp: LINK_LOCAL, target: address, to: { mac: CLIENT, ip: HOST6 } }),
  heard: undefined,
});

/** A request whose Ethernet source is not its sender's hardware address. */
function relayedRequest(source: MacAddress, senderMac: MacAddress): Uint8Array {
  const packet = decodeFrame(arpRequest(VIP, { senderMac }));
  if (packet.kind !== 'arp') throw new Error(packet.kind);
  return encodeArp({ ...packet, source: macNumber(source) });
}

const rows: readonly (readonly [string, Uint8Array, object])[] = [
  ['a broadcast request', arpRequest(VIP), arpReply(VIP, HOST)],
  ['a unicast request', arpRequest(VIP, { destination: OURS }), arpReply(VIP, HOST)],
  ['a request to another station', arpRequest(VIP, { destination: RIVAL }), drop('other-destination')],
  ['a request that a router relays', relayedRequest(RIVAL, CLIENT), arpReply(VIP, HOST)],
  ['a request for an address of nobody', arpRequest(FREE), drop('not-ours')],
  ['a request for an address on other interfaces', arpRequest(ELSEWHERE), drop('other-interface')],
  ['a request for a watched address', arpRequest(WATCHED), drop('not-ours')],
  ['our own request', arpRequest(VIP, { senderMac: OURS }), drop('own-frame')],
  ['a request by our other interface', arpRequest(VIP, { senderMac: OUR_OTHER }), drop('own-frame')],
  ['a request in our name', relayedRequest(RIVAL, OURS), drop('own-hardware-address')],
  [
    'a probe of our address',
    arpProbe(VIP, RIVAL),
    {
      kind: 'answer',
      ip: VIP,
      frame: encodeArpReply({ senderMac: OURS, senderIp: VIP, targetMac: RIVAL, targetIp: ip('0.0.0.0') }),
      heard: heard(VIP, RIVAL, 'probe'),
    },
  ],
  ['a probe of a watched address', arpProbe(WATCHED, RIVAL), heard(WATCHED, RIVAL, 'probe')],
  ['a probe of an address elsewhere', arpProbe(ELSEWHERE, RIVAL), drop('other-interface')],
  ['a probe of an address of nobody', arpProbe(FREE, RIVAL), drop('not-ours')],
  ['an announcement, as a request', arpAnnouncements(VIP, RIVAL)[0], heard(VIP, RIVAL, 'announcement')],
  ['an announcement, as a reply', arpAnnouncements(VIP, RIVAL)[1], heard(VIP, RIVAL, 'announcement')],
  ['an announcement, watched', arpAnnouncements(WATCHED, RIVAL)[0], heard(WATCHED, RIVAL, 'announcement')],
  ['an announcement, elsewhere', arpAnnouncements(ELSEWHERE, RIVAL)[0], drop('other-interface')],
  ['an announcement of a neighbour', arpAnnouncements(HOST, CLIENT)[0], drop('not-ours')],
  ['our own announcement', arpAnnouncements(VIP, OURS)[0], drop('own-frame')],
  ['our announcement on our other interface', arpAnnouncements(VIP, OUR_OTHER)[1], drop('own-frame')],
  [
    'a reply that claims our address',
    encodeArpReply({ senderMac: RIVAL, senderIp: VIP, targetMac: CLIENT, targetIp: HOST }),
    heard(VIP, RIVAL, 'reply'),
  ],
  [
    'a reply of a neighbour',
    encodeArpReply({ senderMac: CLIENT, senderIp: HOST, targetMac: OURS, targetIp: VIP }),
    drop('not-a-request'),
  ],
  [
    'a request for our address by one that is watched, such as a gateway',
    arpRequest(VIP, { senderIp: WATCHED }),
    { ...arpReply(VIP, WATCHED), heard: heard(WATCHED, CLIENT, 'use') },
  ],
  [
    'a request for an address of nobody by one that is watched',
    arpRequest(FREE, { senderIp: WATCHED }),
    heard(WATCHED, CLIENT, 'use'),
  ],
  [
    'a request for our address by one that claims it too',
    arpRequest(FREE, { senderIp: VIP, senderMac: RIVAL }),
    heard(VIP, RIVAL, 'use'),
  ],
  ['use of our address', arpRequest(HOST, { senderIp: VIP, senderMac: RIVAL }), heard(VIP, RIVAL, 'use')],

  ['a solicitation to the group', ns(VIP6), advertisement(VIP6)],
  [
    'a solicitation by one that is watched, such as a gateway',
    ns(VIP6, { sourceIp: WATCHED6 }),
    {
      kind: 'answer',
      ip: VIP6,
      frame: encodeNa({ mac: OURS, sourceIp: LINK_LOCAL, target: VIP6, to: { mac: CLIENT, ip: WATCHED6 } }),
      heard: heard(WATCHED6, CLIENT, 'use'),
    },
  ],
  ['a unicast solicitation', ns(VIP6, { destination: OURS }), advertisement(VIP6)],
  ['a solicitation to another station', ns(VIP6, { destination: RIVAL }), drop('other-destination')],
  ['a solicitation for an address of nobody', ns(FREE6), drop('not-ours')],
  ['a solicitation for an address on other interfaces', ns(ELSEWHERE6), drop('other-interface')],
  ['a solicitation for a watched address', ns(WATCHED6), drop('not-ours')],
  ['our own solicitation', ns(VIP6, { sourceMac: OURS }), drop('own-frame')],
  [
    'a solicitation before the address is taken',
    dadNs(VIP6, RIVAL),
    {
      kind: 'answer',
      ip: VIP6,
      frame: encodeNa({ mac: OURS, sourceIp: LINK_LOCAL, target: VIP6 }),
      heard: heard(VIP6, RIVAL, 'probe'),
    },
  ],
  ['the same of a watched address', dadNs(WATCHED6, RIVAL), heard(WATCHED6, RIVAL, 'probe')],
  ['the same of an address elsewhere', dadNs(ELSEWHERE6, RIVAL), drop('other-interface')],
  ['the same of an address of nobody', dadNs(FREE6, RIVAL), drop('not-ours')],
  ['use of our IPv6 address', ns(FREE6, { sourceIp: VIP6, sourceMac: RIVAL }), heard(VIP6, RIVAL, 'use')],
  [
    'an unsolicited advertisement of our address',
    encodeNa({ mac: RIVAL, sourceIp: HOST6, target: VIP6 }),
    heard(VIP6, RIVAL, 'announcement'),
  ],
  [
    'a solicited one of a watched address',
    encodeNa({ mac: RIVAL, sourceIp: HOST6, target: WATCHED6, to: { mac: OURS, ip: LINK_LOCAL } }),
    heard(WATCHED6, RIVAL, 'reply'),
  ],
  [
    'an advertisement elsewhere',
    encodeNa({ mac: RIVAL, sourceIp: HOST6, target: ELSEWHERE6 }),
    drop('other-interface'),
  ],
  [
    'an advertisement of a neighbour',
    encodeNa({ mac: RIVAL, sourceIp: HOST6, target: FREE6 }),
    drop('not-a-request'),
  ],
  ['our own advertisement', encodeNa({ mac: OUR_OTHER, sourceIp: HOST6, target: VIP6 }), drop('own-frame')],
];

describe('what an interface does with', () => {
  test.each(rows)('%s', (_name, frame, want) => {
    expect(verdictFor(decodeFrame(frame), table)).toEqual(want);
  });

  test('a solicitation without a Source Link-Layer Address option: the answer goes to the frame’s source', () => {
    // RFC 4861 section 4.3 lets a unicast solicitation leave it out.
    const message = decodeFrame(ns(VIP6, { destination: OURS }));
    if (message.kind !== 'ns') throw new Error(message.kind);
    expect(verdictFor({ ...message, sourceMac: undefined }, table)).toEqual(advertisement(VIP6));
  });
});

describe('a table', () => {
  const verdict = (frame: Uint8Array, other: typeof table): Verdict => verdictFor(decodeFrame(frame), other);

  test('answers no solicitation without a link-local address, and requests all the same', () => {
    const without = announcedTable({ mac: OURS, addresses });
    expect(verdict(ns(VIP6), without)).toEqual(drop('no-link-local'));
    expect(verdict(arpRequest(VIP), without)).toEqual(arpReply(VIP, HOST));
  });

  test('keeps what still holds of the one before, and nothing else', () => {
    const next = announcedTable({
      mac: OURS,
      linkLocal: LINK_LOCAL,
      addresses: [
        { ip: VIP, use: 'here' },
        { ip: WATCHED, use: 'here' },
      ],
      previous: table,
    });
    expect(next.entries.get(ipv4Key(VIP))).toBe(table.entries.get(ipv4Key(VIP)));
    expect(verdict(arpRequest(WATCHED), next)).toEqual(arpReply(WATCHED, HOST));
    expect(verdict(arpRequest(ELSEWHERE), next)).toEqual(drop('not-ours'));
  });

  test.each([
    ['MAC address', { mac: RIVAL, linkLocal: LINK_LOCAL }, RIVAL, LINK_LOCAL],
    ['link-local address', { mac: OURS, linkLocal: ip('fe80::2') }, OURS, ip('fe80::2')],
  ])('answers with the %s that the interface has now', (_name, link, sender, source) => {
    const next = announcedTable({ ...link, addresses, previous: table });
    const to = { mac: CLIENT, ip: HOST6 };
    expect(verdict(ns(VIP6), next)).toMatchObject({
      frame: encodeNa({ mac: sender, sourceIp: source, target: VIP6, to }),
    });
    expect(verdict(arpRequest(VIP), next)).toMatchObject({
      frame: encodeArpReply({ senderMac: sender, senderIp: VIP, targetMac: CLIENT, targetIp: HOST }),
    });
  });

  test('does not change with the answers that are made from it', () => {
    const first = verdict(arpRequest(VIP), table);
    verdict(arpRequest(VIP, { senderMac: RIVAL, senderIp: ip('198.51.100.2') }), table);
    expect(verdict(arpRequest(VIP), table)).toEqual(first);
    expect(first).toEqual(arpReply(VIP, HOST));
  });
});
