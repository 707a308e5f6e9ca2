import { expect, test } from 'vitest';
import { quote } from './quote.ts';

test.each([
  { text: '', want: '""' },
  { text: 'a b', want: '"a b"' },
  { text: 'é日本', want: '"é日本"' },
  { text: 'a"b\\', want: '"a\\"b\\\\"' },
  { text: 'a\nb\r\t', want: '"a\\nb\\r\\t"' },
  { text: '\u0000\u001b', want: '"\\u0000\\u001b"' },
  { text: '\u007f\u0085', want: '"\\u007f\\u0085"' },
  { text: '\u2028\u00a0\u200b\ufeff\u202e', want: '"\\u2028\\u00a0\\u200b\\ufeff\\u202e"' },
  { text: '\u{e0001}', want: '"\\udb40\\udc01"' },
  { text: '\ud800', want: '"\\ud800"' },
  { text: 'x'.repeat(81), want: `"${'x'.repeat(80)}..."` },
])('$want', ({ text, want }) => {
  expect(quote(text)).toBe(want);
});
