import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTimers } from './bgp-timers.ts';

const given = (holdTime?: string, keepaliveTime?: string): { holdTime?: string; keepaliveTime?: string } => ({
  ...(holdTime !== undefined && { holdTime }),
  ...(keepaliveTime !== undefined && { keepaliveTime }),
});

describe('parseTimers', () => {
  test('both absent: the defaults of the daemon', () => {
    expect(parseTimers({})).toEqual({ ok: true });
  });

  test.each([
    { hold: '90s', keepalive: '30s', want: [90, 30] },
    { hold: '90s', keepalive: undefined, want: [90, 30] },
    { hold: '100s', keepalive: undefined, want: [100, 33] },
    { hold: undefined, keepalive: '10s', want: [30, 10] },
    { hold: '0s', keepalive: '0s', want: [0, 0] },
    { hold: '0s', keepalive: undefined, want: [0, 0] },
    { hold: undefined, keepalive: '0s', want: [0, 0] },
    { hold: '0.5s', keepalive: undefined, want: [0, 0] },
    { hold: '3s', keepalive: undefined, want: [3, 1] },
    { hold: '3.999s', keepalive: undefined, want: [3, 1] },
    { hold: '3s', keepalive: '500ms', want: [3, 0] },
    { hold: '65535s', keepalive: '1s', want: [65_535, 1] },
    { hold: '90s', keepalive: '90s', want: [90, 30] }, // bgpd lowers it to a third
    { hold: '90s', keepalive: '31s', want: [90, 30] },
    { hold: '4s', keepalive: '2s', want: [4, 1] },
    { hold: '1m30s', keepalive: '0.5m', want: [90, 30] },
  ])('hold $hold, keepalive $keepalive', ({ hold, keepalive, want: [holdSeconds, keepaliveSeconds] }) => {
    expect(parseTimers(given(hold, keepalive))).toEqual({
      ok: true,
      timers: { holdSeconds, keepaliveSeconds },
    });
  });

  test.each([
    {
      hold: '1s',
      keepalive: undefined,
      field: 'holdTime',
      message: /^1s: the hold time must be 0 or 3s to 65535s/,
    },
    {
      hold: '2.999s',
      keepalive: undefined,
      field: 'holdTime',
      message: /^2\.999s: the hold time must be 0 or 3s/,
    },
    {
      hold: '65536s',
      keepalive: undefined,
      field: 'holdTime',
      message: /^65536s: the hold time must be 0 or 3s/,
    },
    {
      hold: undefined,
      keepalive: '0.5s',
      field: 'keepaliveTime',
      message: /^0\.5s \(three times that is the hold time\)/,
    },
    {
      hold: undefined,
      keepalive: '6h5m',
      field: 'keepaliveTime',
      message: /^6h5m \(three times that is the hold time\)/,
    },
    {
      hold: '30s',
      keepalive: '31s',
      field: 'keepaliveTime',
      message: /^31s: must not exceed the hold time \(30s\)/,
    },
    {
      hold: '0s',
      keepalive: '1s',
      field: 'keepaliveTime',
      message: /^1s: must not exceed the hold time \(0s\)/,
    },
    { hold: '-3s', keepalive: undefined, field: 'holdTime', message: /^-3s: must not be negative$/ },
    {
      hold: '90',
      keepalive: undefined,
      field: 'holdTime',
      message: /^"90": must be a duration such as "90s"/,
    },
    { hold: '', keepalive: undefined, field: 'holdTime', message: /^"": must be a duration/ },
    { hold: undefined, keepalive: 'x', field: 'keepaliveTime', message: /^"x": must be a duration/ },
  ])('refused: hold $hold, keepalive $keepalive', ({ hold, keepalive, field, message }) => {
    const matching = expect.stringMatching(message) as unknown;
    expect(parseTimers(given(hold, keepalive))).toEqual({
      ok: false,
      faults: [{ field, message: matching }],
    });
  });

  test('both wrong: both are said', () => {
    const parsed = parseTimers({ holdTime: 'a', keepaliveTime: 'b' });
    expect(parsed.ok ? [] : parsed.faults.map(({ field }) => field)).toEqual(['holdTime', 'keepaliveTime']);
  });

  test('what is accepted is what bgpd keeps', () => {
    const milliseconds = fc.option(fc.nat({ max: 70_000_000 }), { nil: undefined });
    fc.assert(
      fc.property(milliseconds, milliseconds, (hold, keepalive) => {
        const text = (value: number | undefined): string | undefined =>
          value === undefined ? undefined : `${String(value)}ms`;
        const parsed = parseTimers(given(text(hold), text(keepalive)));
        if (!parsed.ok || !parsed.timers) return;
        const { holdSeconds, keepaliveSeconds } = parsed.timers;
        expect(holdSeconds === 0 || (holdSeconds >= 3 && holdSeconds <= 65_535)).toBe(true);
        expect(keepaliveSeconds).toBeLessThanOrEqual(holdSeconds / 3);
      }),
    );
  });
});
