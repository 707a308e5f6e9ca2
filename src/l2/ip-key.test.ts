import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ipFromValue } from '../core/ip.ts';
import { ip } from '../core/test-ip.ts';
import {
  ALL_NODES,
  ipKey,
  ipOfKey,
  ipv4Key,
  ipv6Key,
  isMulticastIpv6,
  isSolicitedNodeGroup,
  NO_IPV4,
  NO_IPV6,
  solicitedNodeGroup,
} from './ip-key.ts';

const key6 = (text: string) => ipv6Key(ip(text));

describe('the key of an address', () => {
  test('stands for it, and for no other', () => {
    const v4 = fc.bigInt(0n, 2n ** 32n - 1n).map((value) => ipFromValue('ipv4', value));
    const v6 = fc.bigInt(0n, 2n ** 128n - 1n).map((value) => ipFromValue('ipv6', value));
    fc.assert(
      fc.property(fc.oneof(v4, v6), (ip) => {
        expect(ipOfKey(ipKey(ip))).toEqual(ip);
      }),
    );
  });

  test('constants', () => {
    expect(NO_IPV4).toBe(ipv4Key(ip('0.0.0.0')));
    expect(NO_IPV6).toBe(key6('::'));
    expect(ALL_NODES).toBe(key6('ff02::1'));
  });
});

test.each([
  ['2001:db8::10', 'ff02::1:ff00:10'],
  ['2001:db8::abcd:ef12:3456', 'ff02::1:ff12:3456'],
  ['fe80::', 'ff02::1:ff00:0'],
  ['2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', 'ff02::1:ffff:ffff'],
])('the solicited-node group of %s is %s (RFC 4291 section 2.7.1)', (address, group) => {
  expect(ipOfKey(solicitedNodeGroup(key6(address))).text).toBe(group);
  expect(isSolicitedNodeGroup(key6(group))).toBe(true);
  expect(isMulticastIpv6(key6(group))).toBe(true);
  expect(isMulticastIpv6(key6(address))).toBe(false);
});

test.each([
  'ff02::1',
  'ff02::2:ff00:10',
  'ff02::1:fe00:10',
  'ff05::1:ff00:10',
  'ff02::1:1:ff00:10',
  '2001:db8::1',
])('%s is no solicited-node group', (text) => {
  expect(isSolicitedNodeGroup(key6(text))).toBe(false);
});
