import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { parseIp } from './ip.ts';

describe('parseIp', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:0DB8:0:0::0001', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:192.0.2.33', '1:2:3:4:5:6:c000:221'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['::fffe:192.0.2.1', '::fffe:c000:201'],
  ])('%s is %s', (text, want) => {
    expect(parseIp(text)?.text).toBe(want);
  });

  test.each([
    '',
    'localhost',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.01',
    '192.0.2.1 ',
    ' 192.0.2.1',
    '192.0.2.1/24',
    '192.0.2.1.',
    '0x7f.0.0.1',
    '3221225985',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '2001:db8::12345',
    '2001:db8::g',
    '2001:db8:::1',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '192.0.2.1::',
    '::192.0.2.1:1',
    '::192.0.2.256',
    '::192.0.2.01',
    '1:2:3:4:5:6:7:192.0.2.1',
    'fe80::1%eth0',
    '[2001:db8::1]',
    '2001:db8::1\n',
    '192.0.2.1\n',
  ])('%j is refused', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test('agrees with ipaddr.js on every form that it writes', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, (parts) => {
        const address = new ipaddr.IPv6(parts);
        const fixed = parts.map((part) => part.toString(16).toUpperCase().padStart(4, '0')).join(':');
        for (const text of [address.toString(), address.toNormalizedString(), fixed]) {
          const parsed = parseIp(text);
          const want = address.isIPv4MappedAddress()
            ? address.toIPv4Address().toString()
            : address.toRFC5952String();
          expect(parsed?.text).toBe(want);
        }
      }),
    );
  });

  test('never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('0', '1', 'f', ':', '.', '::', '255', '%', '/') }),
        (text) => {
          const parsed = parseIp(text);
          if (parsed) expect(parseIp(parsed.text)?.value).toBe(parsed.value);
        },
      ),
    );
  });
});
