import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAddressBlock } from './address-block.ts';
import { ipFromValue, lastOf } from './ip.ts';

function texts(block: string): string[] {
  const parsed = parseAddressBlock(block);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.prefixes.map(({ text }) => text);
}

describe('parseAddressBlock', () => {
  test.each([
    { block: '198.51.100.0/24', want: ['198.51.100.0/24'] },
    { block: '198.51.100.77/24', want: ['198.51.100.0/24'] },
    { block: '198.51.100.77/32', want: ['198.51.100.77/32'] },
    { block: '0.0.0.0/0', want: ['0.0.0.0/0'] },
    { block: '2001:DB8:0::1/64', want: ['2001:db8::/64'] },
    { block: '2001:db8::1/128', want: ['2001:db8::1/128'] },
    { block: '198.51.100.5-198.51.100.5', want: ['198.51.100.5/32'] },
    { block: '198.51.100.0-198.51.100.255', want: ['198.51.100.0/24'] },
    { block: '198.51.100.1-198.51.100.4', want: ['198.51.100.1/32', '198.51.100.2/31', '198.51.100.4/32'] },
    { block: '  198.51.100.2 - 198.51.100.3 ', want: ['198.51.100.2/31'] },
    {
      block: '203.0.113.2-203.0.113.254',
      want: [
        '203.0.113.2/31',
        '203.0.113.4/30',
        '203.0.113.8/29',
        '203.0.113.16/28',
        '203.0.113.32/27',
        '203.0.113.64/26',
        '203.0.113.128/26',
        '203.0.113.192/27',
        '203.0.113.224/28',
        '203.0.113.240/29',
        '203.0.113.248/30',
        '203.0.113.252/31',
        '203.0.113.254/32',
      ],
    },
    { block: '2001:db8::-2001:db8::ffff', want: ['2001:db8::/112'] },
    { block: '::ffff:192.0.2.0-192.0.2.3', want: ['192.0.2.0/30'] },
  ])('$block', ({ block, want }) => {
    expect(texts(block)).toEqual(want);
  });

  test.each([
    { block: '198.51.100.7', message: '"198.51.100.7": a single address is written "198.51.100.7/32"' },
    { block: '2001:db8::7', message: '"2001:db8::7": a single address is written "2001:db8::7/128"' },
    { block: ' 198.51.100.0/24', message: '" 198.51.100.0/24": must not have blanks around it' },
    { block: '198.51.100.0/33', message: '"198.51.100.0/33": the prefix length must be 0 to 32' },
    { block: '2001:db8::/129', message: '"2001:db8::/129": the prefix length must be 0 to 128' },
    {
      block: '::ffff:192.0.2.0/120',
      message: '"::ffff:192.0.2.0/120": an IPv4-mapped block is written as IPv4, for example "192.0.2.0/32"',
    },
    {
      block: '198.51.100.9-198.51.100.1',
      message: '"198.51.100.9-198.51.100.1": must start at its lower end: "198.51.100.1-198.51.100.9"',
    },
    {
      block: '192.0.2.1-2001:db8::1',
      message: '"192.0.2.1-2001:db8::1": both ends must be of one address family',
    },
    { block: '::1-1.2.3.4', message: '"::1-1.2.3.4": both ends must be of one address family' },
  ])('$block: the message says what would be right', ({ block, message }) => {
    expect(parseAddressBlock(block)).toEqual({ ok: false, message });
  });

  test.each([
    ...[
      '',
      '/',
      '-',
      '198.51.100.0/',
      '198.51.100.0/-1',
      '198.51.100.0/024',
      '198.51.100.0/+24',
      '198.51.100.0/24/24',
    ],
    ...[
      '198.51.100.00/24',
      '198.051.100.0/24',
      '198.51.100/24',
      '198.51.100.256/24',
      '0x1.0.0.0/8',
      '3325256704/24',
    ],
    ...[
      'fe80::1%eth0/64',
      '2001:db8:::/64',
      '198.51.100.0 /24',
      '198.51.100.1-',
      '-198.51.100.1',
      '198.51.100.1-9',
    ],
    ...[
      '198.51.100.1-198.51.100.2-198.51.100.3',
      '198.51.100.0/24-198.51.101.0/24',
      '198.51.100.0/24\n',
      'x'.repeat(10_000),
    ],
  ])('%j is refused', (block) => {
    const parsed = parseAddressBlock(block);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) {
      expect(parsed.message).toMatch(/must|written/);
      expect(parsed.message.length).toBeLessThan(400);
      expect(parsed.message).not.toContain('\n');
    }
  });

  const value = { ipv4: fc.bigInt(0n, 2n ** 32n - 1n), ipv6: fc.bigInt(2n ** 64n, 2n ** 128n - 1n) };

  test.each(['ipv4', 'ipv6'] as const)(
    'a range is covered exactly, in order, by blocks that cannot be joined: %s',
    (family) => {
      fc.assert(
        fc.property(value[family], value[family], (a, b) => {
          const [start, end] = a <= b ? [a, b] : [b, a];
          const parsed = parseAddressBlock(
            `${ipFromValue(family, start).text}-${ipFromValue(family, end).text}`,
          );
          if (!parsed.ok) throw new Error(parsed.message);
          const { prefixes } = parsed;
          expect(prefixes[0]?.first).toBe(start);
          const last = prefixes.at(-1);
          expect(last && lastOf(last)).toBe(end);
          prefixes.forEach((prefix, index) => {
            const next = prefixes[index + 1];
            if (!next) return;
            expect(next.first).toBe(lastOf(prefix) + 1n);
            const size = lastOf(prefix) - prefix.first + 1n;
            expect(next.length === prefix.length && prefix.first % (2n * size) === 0n).toBe(false);
          });
        }),
      );
    },
  );

  test('the ends the other way round are refused', () => {
    fc.assert(
      fc.property(value.ipv4, value.ipv4, (a, b) => {
        fc.pre(a > b);
        expect(parseAddressBlock(`${ipFromValue('ipv4', a).text}-${ipFromValue('ipv4', b).text}`).ok).toBe(
          false,
        );
      }),
    );
  });

  test('whatever the text, there is an answer and no exception', () => {
    const alphabet = fc.constantFrom(...'0123456789abcdef.:/-% '.split(''));
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 60 }), (text) => {
        const parsed = parseAddressBlock(text);
        expect(parsed.ok ? parsed.prefixes.length : parsed.message.length).toBeGreaterThan(0);
      }),
    );
  });
});
