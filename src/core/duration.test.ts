import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

const SECOND = 1_000_000_000n;

describe('parseDuration', () => {
  test.each([
    { text: '0', want: 0n },
    { text: '0s', want: 0n },
    { text: '-0', want: 0n },
    { text: '+5s', want: 5n * SECOND },
    { text: '90s', want: 90n * SECOND },
    { text: '1m30s', want: 90n * SECOND },
    { text: '1h1m1s1ms1us1ns', want: 3_661n * SECOND + 1_001_001n },
    { text: '1.5h', want: 5_400n * SECOND },
    { text: '.5s', want: SECOND / 2n },
    { text: '1.s', want: SECOND },
    { text: '-3s', want: -3n * SECOND },
    { text: '1s1s', want: 2n * SECOND },
    { text: '1\u00b5s', want: 1_000n },
    { text: '1\u03bcs', want: 1_000n },
    { text: '0.3333333333333333333h', want: 1_199_999_999_999n },
    { text: '0.1ns', want: 0n },
    { text: '9223372036854775807ns', want: 2n ** 63n - 1n },
    { text: '-9223372036854775808ns', want: -(2n ** 63n) },
  ])('$text', ({ text, want }) => {
    expect(parseDuration(text)).toBe(want);
  });

  test.each([
    ...[
      '',
      '-',
      '+',
      '5',
      '1.5',
      's',
      '.s',
      '-.s',
      '1 s',
      ' 1s',
      '1s ',
      '1S',
      '1d',
      '1w',
      '--1s',
      '1s-1s',
      '1,5s',
      '1e3s',
    ],
    ...['0x1s', '\u0661s', '1s\n', '9223372036854775808ns', '2562048h', `1s${'0'.repeat(70)}s`],
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('any sequence of parts is their sum, and its negative is the negative', () => {
    const scales = { ns: 1n, us: 1_000n, ms: 1_000_000n, s: SECOND, m: 60n * SECOND, h: 3_600n * SECOND };
    const part = fc.tuple(
      fc.nat({ max: 9_999 }),
      fc.constantFrom(...(Object.keys(scales) as (keyof typeof scales)[])),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.map(([count, unit]) => `${String(count)}${unit}`).join('');
        const want = parts.reduce((sum, [count, unit]) => sum + BigInt(count) * scales[unit], 0n);
        expect(parseDuration(text)).toBe(want);
        expect(parseDuration(`-${text}`)).toBe(-want);
      }),
    );
  });

  test('a fraction is cut, not rounded, below one nanosecond', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999 }), fc.stringMatching(/^\d{1,18}$/), (whole, digits) => {
        const nanoseconds = BigInt(digits.padEnd(9, '0').slice(0, 9));
        expect(parseDuration(`${String(whole)}.${digits}s`)).toBe(BigInt(whole) * SECOND + nanoseconds);
      }),
    );
  });

  test('whatever the text, there is an answer and no exception', () => {
    const alphabet = fc.constantFrom(...'0123456789.+-nuµmsh \n'.split(''));
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 80 }), (text) => {
        const value = parseDuration(text);
        expect(value === undefined || (value >= -(2n ** 63n) && value < 2n ** 63n)).toBe(true);
      }),
    );
  });
});
