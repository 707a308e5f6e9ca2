import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressHash, succession } from './election.ts';
import { createKeeper, type KeeperFacts } from './keeper.ts';
import { createLan, type Lan } from './test-lan.ts';
import type { Layer2View, OwnershipRecord } from './types.ts';

const NAMES = ['n1', 'n2', 'n3'];
const IPS = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1'];

function firstOf(names: readonly string[], ip: string): string {
  return [...names].sort((a, b) => (addressHash(a, ip) < addressHash(b, ip) ? -1 : 1))[0] ?? '';
}

function started(): Lan {
  const lan = createLan({ names: NAMES, ips: IPS });
  lan.run(3_000);
  return lan;
}

function ownerOf(lan: Lan, ip: string): string {
  const owners = lan.owners(ip).map(({ name }) => name);
  expect(owners).toHaveLength(1);
  return owners[0] ?? '';
}

describe('three speakers on a LAN', () => {
  test('choose as MetalLB does, and write it down', () => {
    const lan = started();
    for (const ip of IPS) expect(ownerOf(lan, ip)).toBe(firstOf(NAMES, ip));
    const written = [...lan.records.values()].map(({ ips, node }): [string, string] => [ips[0] ?? '', node]);
    expect(new Map(written)).toEqual(new Map(IPS.map((ip) => [ip, firstOf(NAMES, ip)])));
  });

  test.each([
    ['its link is cut', (lan: Lan, owner: string) => (lan.host(owner).segment = 1), 250],
    ['it is frozen', (lan: Lan, owner: string) => (lan.host(owner).isFrozen = true), 250],
    [
      'its speaker is killed',
      (lan: Lan, owner: string) => {
        lan.kill(owner);
      },
      1_000,
    ],
  ])('take over when %s', (_, fault, withinMs) => {
    const lan = started();
    const ip = '192.0.2.1';
    const owner = ownerOf(lan, ip);
    fault(lan, owner);
    lan.run(withinMs);
    const others = lan.owners(ip).filter(({ name, segment }) => name !== owner && segment === 0);
    expect(others).toHaveLength(1);
  });

  test.each([
    ['its owner', 'owner'],
    ['another', 'other'],
  ])('keep an address on one node while %s is cut off from the LAN and not from the API', (_, who) => {
    const lan = started();
    const ip = '192.0.2.1';
    const owner = ownerOf(lan, ip);
    const away = who === 'owner' ? owner : (NAMES.find((name) => name !== owner) ?? '');
    lan.host(away).segment = 1;
    lan.run(1_000);
    const on = lan.owners(ip);
    expect(on.map(({ segment }) => segment)).toEqual([0]);
    let isMoved = false;
    lan.onStep = () => {
      if (lan.owners(ip)[0]?.name !== on[0]?.name) isMoved = true;
    };
    lan.run(30_000);
    lan.host(away).segment = 0;
    lan.run(10_000);
    expect(isMoved).toBe(false);
    if (who === 'other') expect(on[0]?.name).toBe(owner);
  });

  test('leave an address where it is when its node comes back', () => {
    const lan = started();
    const owner = ownerOf(lan, '192.0.2.1');
    lan.kill(owner);
    lan.run(2_000);
    const next = ownerOf(lan, '192.0.2.1');
    lan.start(owner);
    lan.run(20_000);
    expect(ownerOf(lan, '192.0.2.1')).toBe(next);
  });

  test.each([
    [
      'killed',
      (lan: Lan, owner: string) => {
        lan.kill(owner);
      },
    ],
    ['cut off', (lan: Lan, owner: string) => (lan.host(owner).segment = 1)],
  ])('give an address that a person wants back to its node, once %s', (_, fault) => {
    const lan = started();
    const owner = ownerOf(lan, '192.0.2.1');
    fault(lan, owner);
    lan.run(3_000);
    if (lan.host(owner).isAlive) lan.host(owner).segment = 0;
    else lan.start(owner);
    lan.run(3_000);
    lan.moves.set('default/s0', owner);
    lan.run(1_000);
    expect(ownerOf(lan, '192.0.2.1')).toBe(owner);
  });

  test('even a balanced pool out when a node comes back, each address answered for all the time', () => {
    const ips = Array.from({ length: 9 }, (_, index) => `192.0.2.${String(201 + index)}`);
    const lan = createLan({ names: NAMES, ips, balance: true, failback: { kind: 'immediate' } });
    const counts = (): readonly number[] =>
      NAMES.map((name) => ips.filter((ip) => ownerOf(lan, ip) === name).length);
    lan.run(3_000);
    expect(counts()).toEqual([3, 3, 3]);
    lan.kill('n1');
    lan.run(3_000);
    expect(counts()[0]).toBe(0);
    lan.start('n1');
    let isUnanswered = false;
    lan.onStep = () => {
      if (ips.some((ip) => lan.owners(ip).length === 0)) isUnanswered = true;
    };
    lan.run(20_000);
    expect(counts()).toEqual([3, 3, 3]);
    expect(isUnanswered).toBe(false);
  });

  describe('of which two fail, one after the other', () => {
    /** One address, so that only its owner is watched; the owner, and those that follow it. */
    function oneAddress(): readonly [lan: Lan, owner: string, first: string, second: string] {
      const lan = createLan({ names: NAMES, ips: ['192.0.2.1'] });
      lan.run(3_000);
      const owner = ownerOf(lan, '192.0.2.1');
      const candidates = NAMES.map((node) => ({ node, score: 0 }));
      const [first = '', second = ''] = succession(candidates, owner);
      return [lan, owner, first, second];
    }

    test('take over within half a second when the one that an unplugged owner names is without power', () => {
      const [lan, owner, first, second] = oneAddress();
      lan.host(first).isFrozen = true;
      lan.run(1_500);
      lan.host(owner).hasLink = false;
      lan.run(500);
      expect(ownerOf(lan, '192.0.2.1')).toBe(second);
    });

    test('wait for nobody that does not answer any more, when a speaker is killed', () => {
      const [lan, owner, first, second] = oneAddress();
      lan.host(first).segment = 1;
      lan.run(3_000);
      lan.kill(owner);
      lan.run(800);
      expect(ownerOf(lan, '192.0.2.1')).toBe(second);
    });

    test('wait for nobody that has told that it is unplugged', () => {
      const [lan, owner, first, second] = oneAddress();
      lan.host(first).hasLink = false;
      lan.run(1_500);
      lan.host(owner).isFrozen = true;
      lan.run(300);
      expect(ownerOf(lan, '192.0.2.1')).toBe(second);
    });
  });

  test('move nothing when nothing can be read or written', () => {
    const lan = started();
    const before = IPS.map((ip) => ownerOf(lan, ip));
    for (const name of NAMES) lan.host(name).hasApi = false;
    lan.run(60_000);
    expect(IPS.map((ip) => ownerOf(lan, ip))).toEqual(before);
  });

  test('take over while nothing can be read or written, twice', () => {
    const lan = started();
    for (const name of NAMES) lan.host(name).hasApi = false;
    const first = ownerOf(lan, '192.0.2.1');
    lan.host(first).isFrozen = true;
    lan.run(1_000);
    const second = ownerOf(lan, '192.0.2.1');
    lan.host(second).isFrozen = true;
    lan.run(1_500);
    expect([first, second]).not.toContain(ownerOf(lan, '192.0.2.1'));
  });

  test('hand over without a moment that nobody answers', () => {
    const lan = started();
    const ip = '192.0.2.1';
    const owner = ownerOf(lan, ip);
    let gaps = 0;
    lan.onStep = () => {
      if (lan.owners(ip).length === 0) gaps += 1;
    };
    lan.host(owner).isLeaving = true;
    lan.run(1_000);
    expect(ownerOf(lan, ip)).not.toBe(owner);
    expect(gaps).toBe(0);
    expect(lan.records.get('default/s0')).toMatchObject({ cause: 'HandOver' });
  });

  test('move an address where a person wants it', () => {
    const lan = started();
    const owner = ownerOf(lan, '192.0.2.1');
    const to = NAMES.find((name) => name !== owner) ?? '';
    lan.moves.set('default/s0', to);
    lan.run(1_000);
    expect(ownerOf(lan, '192.0.2.1')).toBe(to);
    expect(lan.records.get('default/s0')).toMatchObject({ node: to, cause: 'Requested' });
    expect(lan.moves.size).toBe(0);
  });

  test('leave an address beside the gateway when those on the other side have written that they took it', () => {
    const ip = '192.0.2.1';
    const lan = createLan({ names: NAMES, ips: [ip] });
    lan.run(3_000);
    const owner = ownerOf(lan, ip);
    for (const name of NAMES) {
      Object.assign(lan.host(name), { hasApi: false, segment: name === owner ? 0 : 1 });
    }
    lan.run(2_000);
    expect(new Set(lan.owners(ip).map(({ segment }) => segment))).toEqual(new Set([0, 1]));
    let gaps = 0;
    lan.onStep = () => {
      if (!lan.owners(ip).some(({ segment }) => segment === 0)) gaps += 1;
    };
    for (const name of NAMES) lan.host(name).hasApi = true;
    lan.run(3_000);
    expect(gaps).toBe(0);
    expect(ownerOf(lan, ip)).toBe(owner);
    for (const name of NAMES) lan.host(name).segment = 0;
    lan.run(10_000);
    expect(gaps).toBe(0);
    expect(ownerOf(lan, ip)).toBe(owner);
  });

  test('have one owner soon after a partition has healed', () => {
    const lan = started();
    const ip = '192.0.2.1';
    const owner = ownerOf(lan, ip);
    for (const name of NAMES) lan.host(name).hasApi = false;
    lan.host(owner).segment = 1;
    lan.run(5_000);
    expect(lan.owners(ip)).toHaveLength(2);
    lan.host(owner).segment = 0;
    lan.run(1_000);
    expect(lan.owners(ip)).toHaveLength(1);
  });
});

test('who is heard to have an address has it while nothing can be read, the recorded owner as well', () => {
  const lan = createLan({ names: NAMES, ips: ['192.0.2.1'] });
  lan.run(3_000);
  const owner = ownerOf(lan, '192.0.2.1');
  const [other = '', third = ''] = NAMES.filter((name) => name !== owner);
  for (const name of NAMES) lan.host(name).hasApi = false;
  lan.run(10);
  expect(lan.ownerSeenBy(third, '192.0.2.1')).toBe(owner);
  lan.claim(other, '192.0.2.1', third);
  expect(lan.ownerSeenBy(third, '192.0.2.1')).toBe(other);
  lan.claim(owner, '192.0.2.1', third);
  expect(lan.ownerSeenBy(third, '192.0.2.1')).toBe(owner);
});

describe('five speakers and one address', () => {
  const FIVE = ['n1', 'n2', 'n3', 'n4', 'n5'];
  const IP = '192.0.2.1';

  test('know whom to watch while nothing can be read or written', () => {
    const lan = createLan({ names: FIVE, ips: [IP] });
    lan.run(3_000);
    for (const name of FIVE) lan.host(name).hasApi = false;
    const had = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const owner = ownerOf(lan, IP);
      expect(had).not.toContain(owner);
      had.add(owner);
      lan.host(owner).isFrozen = true;
      lan.run(1_500);
    }
    expect(had).not.toContain(ownerOf(lan, IP));
  });

  test('know whom to watch when an address comes round to whom the last record names', () => {
    const lan = createLan({ names: FIVE, ips: [IP] });
    lan.run(3_000);
    for (const name of FIVE) lan.host(name).hasApi = false;
    const had: string[] = [];
    for (let round = 0; round < 12; round += 1) {
      const owner = ownerOf(lan, IP);
      had.push(owner);
      lan.host(owner).isFrozen = true;
      lan.run(1_500);
      lan.host(owner).isFrozen = false;
      lan.run(1_000);
    }
    expect(new Set(had).size).toBeLessThan(had.length);
  });
});

type Fault = 'cut' | 'freeze' | 'kill' | 'api' | 'leave';

test.each([
  ['nothing can be read', false],
  ['what can be read names another, which was lost before', true],
])('an owner that was only heard of is followed once it is lost, where %s', (_, isWritten) => {
  const lan = createLan({ names: NAMES, ips: ['192.0.2.1'] });
  const keeper = createKeeper();
  const group = lan.groups[0]!;
  const lost = new Map<string, number>();
  const record: OwnershipRecord = {
    ...{
      service: { namespace: 'default', name: 's0' },
      node: 'n3',
      ips: ['192.0.2.1'],
      interfaces: ['eth0'],
    },
    ...{ since: '2026-01-01T00:00:00Z', cause: 'FirstClaim', history: [] },
  };
  const view: Layer2View = {
    isFresh: isWritten,
    speakers: new Map(NAMES.map((node) => [node, { record: { node, links: [] }, isHeld: true }])),
    ownerships: new Map(isWritten ? [['default/s0', record]] : []),
    moves: new Map(),
  };
  const facts = (now: number): KeeperFacts => ({
    ...{ me: 'n1', now, view, time: new Date(now).toISOString(), groups: [group] },
    ...{ isIsolated: false, isLeaving: false, isGathering: true },
    ...{
      canServe: () => true,
      isReachable: () => true,
      hasCompany: () => true,
      hasGateway: () => false,
      balancedOrder: () => [],
      evenedTo: () => undefined,
    },
    healthOf: (node) => (lost.has(node) ? 'lost' : 'well'),
    lostAt: (node) => lost.get(node) ?? 0,
    wellSince: () => 0,
  });
  expect(keeper.decide(facts(100))).toEqual([]);
  lost.set('n3', 500);
  for (let now = 1_000; now < 5_000; now += 200) {
    keeper.hear(group.key, { what: 'claim', node: 'n2' }, facts(now));
  }
  lost.set('n2', 5_000);
  // Nothing was decided since it was heard first.
  const transitions = keeper.decide(facts(5_001));
  expect(transitions.map(({ after }) => after.kind)).toEqual([
    expect.stringMatching(/^(?:waiting|probing)$/),
  ]);
});

test('tells of a Service that comes to an address which is answered for already', () => {
  const lan = createLan({ names: ['n1'], ips: ['192.0.2.1'] });
  const keeper = createKeeper();
  const [group] = lan.groups;
  const [service] = group?.services ?? [];
  if (!group || !service) throw new Error('the LAN has an address');
  const view: Layer2View = {
    isFresh: true,
    speakers: new Map([['n1', { record: { node: 'n1', links: [] }, isHeld: true }]]),
    ownerships: new Map(),
    moves: new Map(),
  };
  const decide = (now: number, ...keys: readonly string[]): (readonly string[] | undefined)[] => {
    const services = keys.map((key) => ({ ...service, key }));
    const facts: KeeperFacts = {
      ...{ me: 'n1', now, view, time: new Date(now).toISOString(), groups: [{ ...group, services }] },
      ...{ isIsolated: false, isLeaving: false },
      ...{ canServe: () => true, isReachable: () => true, hasCompany: () => true, hasGateway: () => false },
      ...{ balancedOrder: () => [], evenedTo: () => undefined },
      ...{ healthOf: () => 'well', lostAt: () => 0, wellSince: () => 0 },
    };
    return keeper.decide(facts).map(({ joined }) => joined);
  };
  decide(100, 'default/a');
  // Both come while it is still being asked for: the claim is told of both.
  expect(decide(200, 'default/a', 'default/b')).toEqual([undefined]);
  expect(keeper.stateOf(group.key).kind).toBe('owned');
  expect(decide(300, 'default/a', 'default/b', 'default/c')).toEqual([['default/c']]);
  expect(decide(400, 'default/a', 'default/b', 'default/c')).toEqual([]);
  expect(decide(500, 'default/c')).toEqual([]);
});

interface FaultOf {
  readonly fault: Fault;
  readonly host: number;
}

interface Game {
  readonly names: readonly string[];
  readonly ips: readonly string[];
  /** For how long a rule may be broken, in milliseconds. */
  readonly withinMs: number;
}

/** Rounds of faults, each all at once: who is out of order, and how long the two rules have been broken. */
function play(
  { names, ips, withinMs }: Game,
  rounds: readonly { readonly faults: readonly FaultOf[]; readonly forMs: number }[],
): string[] {
  const lan = createLan({ names, ips });
  lan.run(3_000);
  const broken: string[] = [];
  const nobody = new Map<string, number>();
  const both = new Map<string, number>();
  lan.onStep = () => {
    for (const ip of ips) {
      const owners = lan.owners(ip).filter(({ segment }) => segment === 0);
      const main = names.filter((name) => {
        const host = lan.host(name);
        return host.segment === 0 && host.isAlive && !host.isFrozen;
      });
      const counts: [Map<string, number>, boolean, string][] = [
        [nobody, owners.length === 0 && main.length > 0, 'nobody has'],
        [both, owners.length > 1, 'two have'],
      ];
      for (const [since, isSo, what] of counts) {
        if (!isSo) since.delete(ip);
        else if (!since.has(ip)) since.set(ip, lan.now());
        else if (lan.now() - (since.get(ip) ?? 0) > withinMs) {
          broken.push(`${String(lan.now())} ${what} ${ip}`);
        }
      }
    }
  };
  for (const { faults, forMs } of rounds) {
    const killed = new Set<string>();
    for (const { fault, host: index } of faults) {
      const name = names[index % names.length] ?? '';
      const host = lan.host(name);
      // Each by its own link: two that are cut off do not hear each other either.
      if (fault === 'cut') host.segment = 1 + (index % names.length);
      else if (fault === 'freeze') host.isFrozen = true;
      else if (fault === 'kill') killed.add(name);
      else if (fault === 'leave') host.isLeaving = true;
      else for (const each of names) lan.host(each).hasApi = false;
    }
    for (const name of killed) lan.kill(name);
    lan.run(forMs);
    for (const name of killed) lan.start(name);
    for (const name of names) {
      Object.assign(lan.host(name), { segment: 0, isFrozen: false, isLeaving: false, hasApi: true });
    }
    lan.run(3_000);
  }
  return broken.slice(0, 5);
}

const fault = fc.record({
  fault: fc.constantFrom<Fault>('cut', 'freeze', 'kill', 'api', 'leave'),
  host: fc.nat(4),
});
const forMs = fc.integer({ min: 5, max: 400 }).map((tens) => tens * 10);

test(
  'whatever fails, somebody has each address within a second, and never two for longer',
  { timeout: 60_000 },
  () => {
    const round = fc.record({ faults: fc.tuple(fault), forMs });
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 6 }), (rounds) => {
        expect(play({ names: NAMES, ips: IPS, withinMs: 1_000 }, rounds)).toEqual([]);
      }),
      { numRuns: 15 },
    );
  },
);

test('the same holds of five speakers when two things fail at once', { timeout: 60_000 }, () => {
  const names = [...NAMES, 'n4', 'n5'];
  const round = fc.record({ faults: fc.tuple(fault, fault), forMs });
  fc.assert(
    fc.property(fc.array(round, { minLength: 1, maxLength: 4 }), (rounds) => {
      expect(play({ names, ips: IPS.slice(0, 2), withinMs: 1_000 }, rounds)).toEqual([]);
    }),
    { numRuns: 15 },
  );
});
