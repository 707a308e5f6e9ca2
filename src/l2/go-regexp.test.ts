import { describe, expect, test } from 'vitest';
import { parseGoRegExp } from './go-regexp.ts';

describe('finds', () => {
  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['^docker.*', ['docker0', 'docker'], ['mydocker', 'Docker0']],
    ['^lo$', ['lo'], ['lo0', 'slo']],
    ['eth', ['eth0', 'veth1'], ['ens3']],
    ['^(br|virbr)[0-9]+$', ['br0', 'virbr12'], ['br', 'xbr0', 'br0x']],
    ['(?i)^ETH', ['eth0', 'Eth1'], ['xeth']],
    ['^e(?:th|n)\\d{1,2}$', ['eth0', 'en12'], ['eth123']],
    ['^br\\-[a-f0-9]{4}$', ['br-00ff'], ['br_00ff']],
    ['\\Aeth\\z', ['eth'], ['eth0', 'Aethz']],
    ['^\\Qa.b*\\E$', ['a.b*'], ['axb', 'a.bb']],
    ['\\Qa.b', ['xa.b'], ['axb']],
    ['^[[:alpha:]]+[[:digit:]]$', ['eth0'], ['e', ':0', '00']],
    ['^[^[:digit:]]$', ['e'], ['0']],
    ['^[]x]$', [']', 'x'], ['a']],
    ['^[^]x]$', ['a'], [']', 'x']],
    ['^[\\]x]$', [']', 'x'], ['\\']],
    ['^[\\w.]+$', ['a_0.9'], ['a-b']],
    ['^[[]$', ['['], ['a']],
    ['^(?P<kind>eth)0$', ['eth0'], ['P0']],
    ['^ü', ['üb0'], ['ub0']],
  ])('%s', (text, found, others) => {
    const parsed = parseGoRegExp(text);
    if (!parsed.ok) throw new Error(parsed.message);
    const matches = (name: string): boolean => parsed.pattern.test(name);
    expect(found.filter((name) => !matches(name))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });
});

describe('does not take', () => {
  test.each([
    ['(', 'is not a regular expression'],
    ['a**', 'is not a regular expression'],
    ['[b-a]', 'is not a regular expression'],
    ['[a', '"[a": is not understood here'],
    ['x\\', '"\\\\": is not understood here'],
    ['\\pL', '"\\\\pL": is not understood here'],
    ['a\\1', '"\\\\1": is not understood here'],
    ['\\x{41}', 'is not understood here'],
    ['\\C', 'is not understood here'],
    ['[\\z]', 'is not understood here'],
    ['[[:nobody:]]', 'is not understood here'],
    ['[[:^alpha:]]', 'is not understood here'],
  ])('%s', (text, message) => {
    expect(parseGoRegExp(text)).toEqual({ ok: false, message: expect.stringContaining(message) as string });
  });
});
