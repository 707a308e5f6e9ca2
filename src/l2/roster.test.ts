import { describe, expect, test } from 'vitest';
import { parseIp } from '../core/ip.ts';
import { macOwners, neighborOn } from './roster.ts';
import type { Link, SpeakerRecord } from './types.ts';

function link(...addresses: readonly string[]): Link {
  return {
    ...{ name: 'eth0', index: 2, mac: '00:00:5e:00:53:01' },
    ...{ isUp: true, isBroadcast: true, hasArp: true, hasMaster: false, defaultRoutes: [], gateways: [] },
    addresses: addresses.map((text) => {
      const [ip = '', length = ''] = text.split('/');
      return { ip: parseIp(ip)!, length: Number(length) };
    }),
  };
}

function speaker(node: string, ...links: readonly (readonly string[])[]): SpeakerRecord {
  return {
    node,
    links: links.map((addresses, index) => ({
      name: `eth${String(index)}`,
      mac: `00:00:5e:00:53:1${String(index)}`,
      addresses,
    })),
  };
}

describe('another speaker on the LAN of an interface', () => {
  test.each<readonly [string, Link, SpeakerRecord, string]>([
    [
      'in its subnet',
      link('192.0.2.11/24'),
      speaker('n2', ['192.0.2.12/24']),
      '192.0.2.12 00:00:5e:00:53:10 from 192.0.2.11',
    ],
    [
      'with an interface in another LAN as well',
      link('192.0.2.11/24'),
      speaker('n2', ['198.51.100.12/24'], ['192.0.2.12/24']),
      '192.0.2.12 00:00:5e:00:53:11 from 192.0.2.11',
    ],
    [
      'over IPv4 where both families would do, whatever comes first',
      link('2001:db8::11/64', '192.0.2.11/24'),
      speaker('n2', ['2001:db8::12/64', '192.0.2.12/24']),
      '192.0.2.12 00:00:5e:00:53:10 from 192.0.2.11',
    ],
    [
      'over IPv6 alone',
      link('2001:db8::11/64'),
      speaker('n2', ['2001:db8::12/64']),
      '2001:db8::12 00:00:5e:00:53:10 from 2001:db8::11',
    ],
    [
      'in the second subnet of the interface',
      link('198.51.100.11/24', '192.0.2.11/24'),
      speaker('n2', ['192.0.2.12/24']),
      '192.0.2.12 00:00:5e:00:53:10 from 192.0.2.11',
    ],
    ['in another subnet: none', link('192.0.2.11/25'), speaker('n2', ['192.0.2.212/25']), 'none'],
    ['with link-local addresses alone: none', link('fe80::11/64'), speaker('n2', ['fe80::12/64']), 'none'],
    [
      'with RFC 3927 addresses alone: none',
      link('169.254.0.11/16'),
      speaker('n2', ['169.254.0.12/16']),
      'none',
    ],
    [
      'with the very address of this node: none',
      link('192.0.2.11/24'),
      speaker('n2', ['192.0.2.11/24']),
      'none',
    ],
    ['with what is no address: none', link('192.0.2.11/24'), speaker('n2', ['', 'x/24']), 'none'],
    ['without interfaces: none', link('192.0.2.11/24'), speaker('n2'), 'none'],
    ['seen from an interface without addresses: none', link(), speaker('n2', ['192.0.2.12/24']), 'none'],
  ])('%s', (_, own, record, want) => {
    const found = neighborOn(own, record);
    expect(found ? `${found.address.text} ${found.mac} from ${found.localAddress.text}` : 'none').toBe(want);
    if (found) expect(found.node).toBe('n2');
  });
});

test('each hardware address leads to its speaker', () => {
  const speakers = new Map(
    [
      speaker('n1', ['192.0.2.11/24']),
      { ...speaker('n2'), links: [{ name: 'b', mac: '00:00:5e:00:53:99', addresses: [] }] },
    ].map((record) => [record.node, { record, isHeld: true }]),
  );
  expect([...macOwners(speakers)]).toEqual([
    ['00:00:5e:00:53:10', 'n1'],
    ['00:00:5e:00:53:99', 'n2'],
  ]);
});
