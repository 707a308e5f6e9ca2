import { describe, expect, test } from 'vitest';
import {
  isGroupMac,
  isStationMac,
  macFromBytes,
  macNumber,
  macOfNumber,
  macToBytes,
  parseMac,
} from './mac.ts';

describe('a MAC address', () => {
  test.each([
    ['00:00:5e:00:53:01', '00:00:5e:00:53:01', 0x5e005301],
    ['00-00-5E-00-53-FF', '00:00:5e:00:53:ff', 0x5e0053ff],
    ['fe:dc:ba:98:76:54', 'fe:dc:ba:98:76:54', 0xfedcba987654],
    ['ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff', 2 ** 48 - 1],
    ['00:00:00:00:00:00', '00:00:00:00:00:00', 0],
  ])('%s', (text, canonical, number) => {
    const mac = parseMac(text)!;
    expect(mac).toBe(canonical);
    expect(macNumber(mac)).toBe(number);
    expect(macOfNumber(macNumber(mac))).toBe(canonical);
    expect(macFromBytes(macToBytes(mac))).toBe(canonical);
  });

  test.each([
    '',
    '00:00:5e:00:53',
    '00:00:5e:00:53:01:02',
    '0:0:5e:0:53:1',
    '00:00:5e-00-53-01',
    '00:00:5e:00:53:0g',
  ])('is not %j', (text) => {
    expect(parseMac(text)).toBeUndefined();
  });

  test('has six bytes', () => {
    expect(macFromBytes(new Uint8Array(20))).toBeUndefined();
  });

  test.each([
    ['00:00:5e:00:53:01', false, true],
    ['01:00:5e:00:00:01', true, false],
    ['33:33:00:00:00:01', true, false],
    ['ff:ff:ff:ff:ff:ff', true, false],
    ['fe:dc:ba:98:76:54', false, true],
    ['00:00:00:00:00:00', false, false],
  ])('%s: a group %s, a station %s', (text, isGroup, isStation) => {
    const mac = macNumber(parseMac(text)!);
    expect(isGroupMac(mac)).toBe(isGroup);
    expect(isStationMac(mac)).toBe(isStation);
  });
});
