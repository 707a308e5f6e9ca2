import { quote } from './quote.ts';

/** Nanoseconds in each unit that Go's `time.ParseDuration` knows; both micro signs (U+00B5, U+03BC) are one unit. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

export const NANOSECONDS_PER_SECOND = 1_000_000_000n;

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_TEXT_LENGTH = 64;

/**
 * Parses a duration as Go writes it (the `metav1.Duration` of the Kubernetes API): `90s`, `1m30s`, `1.5h`, `-3s`, `0`.
 * @returns nanoseconds, cut below one nanosecond; undefined when the text is no duration or does not fit 64 bits
 */
export function parseDuration(text: string): bigint | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined;
  const [, sign = '', body = ''] = /^([-+]?)(.+)$/.exec(text) ?? [];
  if (body === '0') return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of body.matchAll(
    /(\d*)\.?(\d*)([a-z\u00b5\u03bc]+)/g,
  )) {
    const scale = UNITS[unit] ?? 0n;
    total += BigInt(whole || '0') * scale;
    total += (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length);
  }
  const value = sign === '-' ? -total : total;
  return value >= -MAX_INT64 - 1n && value <= MAX_INT64 ? value : undefined;
}

/** The message about a text that is no duration. */
export function notADuration(text: string): string {
  return `${quote(text)}: must be a duration such as "90s", "1m30s" or "500ms"`;
}
