import { describe, expect, test } from 'vitest';
import { ip } from '../core/test-ip.ts';
import type { Candidate } from './election.ts';
import { createGrouping, type Layer2Service } from './group.ts';

const CANDIDATES: readonly Candidate[] = ['n1', 'n2', 'n3'].map((node) => ({ node, score: 0 }));

function service(
  name: string,
  ips: readonly string[],
  rest: Partial<Omit<Layer2Service, 'key' | 'ips'>> = {},
): Layer2Service {
  return {
    key: `default/${name}`,
    ips: ips.map((text) => ip(text)),
    pool: 'pool',
    candidates: CANDIDATES,
    interfaces: undefined,
    balance: false,
    failback: { kind: 'never' },
    announceIntervalMs: 60_000,
    ...rest,
  };
}

/** `key: services -> addresses`, in the order given. */
function shown(services: readonly Layer2Service[]): string[] {
  return createGrouping()(services).map(
    (group) =>
      `${group.key}: ${group.services.map(({ key }) => key.slice(8)).join(' ')} -> ${group.ips.map(({ text }) => text).join(' ')}`,
  );
}

describe('Services', () => {
  test.each<readonly [string, readonly Layer2Service[], readonly string[]]>([
    ['none', [], []],
    [
      'with addresses of their own stay apart, in the order of the addresses',
      [service('a', ['192.0.2.2']), service('b', ['192.0.2.1'])],
      ['192.0.2.1: b -> 192.0.2.1', '192.0.2.2: a -> 192.0.2.2'],
    ],
    [
      'with one address are one group',
      [service('b', ['192.0.2.1']), service('a', ['192.0.2.1'])],
      ['192.0.2.1: a b -> 192.0.2.1'],
    ],
    [
      'of two families move with both, under the first address',
      [service('a', ['2001:db8::1', '192.0.2.1'])],
      ['2001:db8::1: a -> 2001:db8::1 192.0.2.1'],
    ],
    [
      'are tied over a third that shares an address with each',
      [
        service('a', ['192.0.2.1']),
        service('b', ['2001:db8::1']),
        service('c', ['192.0.2.1', '2001:db8::1']),
      ],
      ['192.0.2.1: a b c -> 192.0.2.1 2001:db8::1'],
    ],
    [
      'that came first are tied by a later one as well',
      [
        service('c', ['192.0.2.1', '2001:db8::1']),
        service('d', ['192.0.2.9']),
        service('b', ['2001:db8::1']),
        service('a', ['192.0.2.1']),
      ],
      ['192.0.2.1: a b c -> 192.0.2.1 2001:db8::1', '192.0.2.9: d -> 192.0.2.9'],
    ],
    ['without an address are left out', [service('a', [])], []],
  ])('%s', (_, services, want) => {
    expect(shown(services)).toEqual(want);
  });
});

describe('a group', () => {
  const group = (...services: readonly Layer2Service[]) => {
    const groups = createGrouping()(services);
    expect(groups).toHaveLength(1);
    return groups[0]!;
  };
  const IP = ['192.0.2.1'];

  test('has the candidates that all its Services have, and the very list when they have one', () => {
    expect(group(service('a', IP), service('b', IP)).candidates).toBe(CANDIDATES);
    const some = [
      { node: 'n2', score: 3 },
      { node: 'n3', score: 0 },
      { node: 'n4', score: 0 },
    ];
    const common = group(service('a', IP), service('b', IP, { candidates: some })).candidates;
    expect(common.map(({ node }) => node)).toEqual(['n2', 'n3']);
  });

  test('has nobody when its Services have nobody in common', () => {
    const other = service('b', IP, { candidates: [{ node: 'n4', score: 0 }] });
    expect(group(service('a', IP), other).candidates).toEqual([]);
  });

  test('is balanced when one of its Services is, and goes back as the first says', () => {
    const first = service('a', IP, { failback: { kind: 'immediate' } });
    const balanced = service('b', IP, { balance: true });
    expect(group(first, balanced)).toMatchObject({ balance: true, failback: { kind: 'immediate' } });
  });

  test.each([
    [[60_000, 10_000], 10_000],
    [[0, 10_000], 10_000],
    [[10_000, 0], 10_000],
    [[0, 0], 0],
  ])('is announced again as often as %j asks for: %i', (intervals, want) => {
    const services = intervals.map((announceIntervalMs, index) =>
      service(`s${String(index)}`, IP, { announceIntervalMs }),
    );
    expect(group(...services).announceIntervalMs).toBe(want);
  });
});

describe('a grouping', () => {
  test('keeps a group while its Services stay, and makes another when one changes', () => {
    const grouping = createGrouping();
    const a = service('a', ['192.0.2.1']);
    const b = service('b', ['192.0.2.2']);
    const [first, second] = grouping([a, b]);
    expect(grouping([b, a])[0]).toBe(first);
    const changed = service('b', ['192.0.2.2'], { balance: true });
    const after = grouping([a, changed]);
    expect(after[0]).toBe(first);
    expect(after[1]).not.toBe(second);
    expect(after[1]).toMatchObject({ balance: true });
  });

  test('makes another when a Service comes to share the address', () => {
    const grouping = createGrouping();
    const a = service('a', ['192.0.2.1']);
    const [alone] = grouping([a]);
    const [both] = grouping([a, service('b', ['192.0.2.1'])]);
    expect(both).not.toBe(alone);
    expect(both?.services).toHaveLength(2);
  });
});
