import { describe, expect, test } from 'vitest';
import type { ObservedState } from '../../bfd-status/index.ts';
import { parseIp } from '../../core/ip.ts';
import { healthOf, type Layer2View, type Link } from '../../l2/index.ts';
import { createSights, type Sights } from './sights.ts';

function link(name: string, ...addresses: readonly string[]): Link {
  return {
    ...{ name, index: 2, mac: '00:00:5e:00:53:01', isUp: true, isBroadcast: true, hasArp: true },
    ...{ hasMaster: false, defaultRoutes: [], gateways: [] },
    addresses: addresses.map((text) => {
      const [ip = '', length = ''] = text.split('/');
      return { ip: parseIp(ip)!, length: Number(length) };
    }),
  };
}

const LINKS = [link('eth0', '192.0.2.11/24'), link('eth1', '198.51.100.11/24')];

/** Each with its addresses. */
function speakers(of: Readonly<Record<string, readonly string[]>>): Layer2View['speakers'] {
  return new Map(
    Object.entries(of).map(([node, addresses]) => [
      node,
      { record: { node, links: [{ name: 'eth0', mac: '00:00:5e:00:53:12', addresses }] }, isHeld: true },
    ]),
  );
}

const ALL = { n1: ['192.0.2.11/24'], n2: ['192.0.2.12/24', '198.51.100.12/24'], n3: ['198.51.100.13/24'] };

function sights(): Sights {
  const made = createSights();
  made.set(LINKS, speakers(ALL), 'n1');
  return made;
}

interface SessionText {
  readonly peer: string;
  readonly state: 'Up' | 'Down' | 'Init' | 'AdminDown';
  readonly vrf?: string;
  readonly multihop?: boolean;
}

function observed(...sessions: readonly SessionText[]): ObservedState {
  const bfd = sessions.map(({ peer, state, vrf = '', multihop = false }) => ({
    ...{ peer: parseIp(peer)!, state, vrf, multihop },
  }));
  // Of a session only these four are looked at.
  return {
    bgp: new Map(),
    bfd: new Map(bfd.map((each, index) => [String(index), each])),
  } as unknown as ObservedState;
}

describe('who can be seen', () => {
  test.each([
    ['n2', 'eth0', '192.0.2.12 from 192.0.2.11'],
    ['n2', 'eth1', '198.51.100.12 from 198.51.100.11'],
    ['n3', 'eth0', 'nowhere'],
    ['n3', 'eth1', '198.51.100.13 from 198.51.100.11'],
    ['n1', 'eth0', 'nowhere'],
    ['n9', 'eth0', 'nowhere'],
  ])('%s over %s: %s', (node, over, want) => {
    const sight = sights().of(node, over);
    expect(sight ? `${sight.address.text} from ${sight.localAddress.text}` : 'nowhere').toBe(want);
  });

  test.each([
    ['n2', 'eth0', true],
    ['n3', 'eth0', false],
    ['n9', 'eth1', false],
    ['n9', 'eth2', true],
  ])('%s may be on the LAN of %s: %s', (node, over, want) => {
    expect(sights().canBeSeen(node, over)).toBe(want);
  });

  test('over an interface', () => {
    expect(
      sights()
        .over('eth1')
        .map(({ node }) => node),
    ).toEqual(['n2', 'n3']);
  });
});

describe('what FRR says', () => {
  const up = { peer: '192.0.2.12', state: 'Up' } as const;
  const down = { peer: '192.0.2.12', state: 'Down' } as const;
  const health = (seen: Sights, over = 'eth0') => healthOf(seen.evidenceOf('n2', over));

  test('is news when a session comes up or goes down, and only then', () => {
    const seen = sights();
    expect(seen.observed(observed(up), 1)).toBe(true);
    expect(seen.observed(observed(up), 2)).toBe(false);
    expect(seen.observed(observed(down), 3)).toBe(true);
    expect(seen.observed(observed(down), 4)).toBe(false);
    expect(health(seen)).toBe('lost');
    expect(seen.lostAt('n2', 'eth0')).toBe(3);
    expect(health(seen, 'eth1')).toBe('well');
    expect([seen.isWell('n2'), seen.isWell('n3')]).toEqual([false, true]);
  });

  test.each([
    ['another VRF', { ...down, vrf: 'red' }],
    ['more than one hop', { ...down, multihop: true }],
    ['an address of nobody', { ...down, peer: '192.0.2.99' }],
  ])('of %s says nothing of a speaker', (_, session) => {
    const seen = sights();
    seen.observed(observed(up), 1);
    expect(seen.observed(observed(session), 2)).toBe(false);
    expect(health(seen)).toBe('well');
  });

  describe('before anybody is to be seen', () => {
    /** As after a start: FRR tells of sessions that an earlier process had, then who the speakers are is read. */
    function started(...sessions: readonly SessionText[]): Sights {
      const seen = createSights();
      seen.observed(observed(...sessions), 1);
      seen.set(LINKS, speakers(ALL), 'n1');
      seen.watching([seen.of('n2', 'eth0')!], [], 2);
      return seen;
    }
    test('counts once they are watched: it is not said again', () => {
      const seen = started(up);
      expect(seen.evidenceOf('n2', 'eth0')).toMatchObject({ bfd: 'up', bfdSince: 2 });
      seen.observed(observed(down), 3);
      expect(health(seen)).toBe('lost');
    });

    test.each<readonly [string, readonly SessionText[]]>([
      ['a session that is not up', [down]],
      ['no session', []],
      ['another VRF', [{ ...up, vrf: 'red' }]],
    ])('of %s says nothing of them', (_, sessions) => {
      expect(started(...sessions).evidenceOf('n2', 'eth0').bfd).toBe('none');
    });

    test('counts for those that are watched alone', () => {
      expect(started({ peer: '198.51.100.13', state: 'Up' }).evidenceOf('n3', 'eth1').bfd).toBe('none');
    });
  });

  test('is kept when FRR says nothing of a session any more: FRR may be away itself', () => {
    const seen = sights();
    seen.observed(observed(up), 1);
    seen.observed(observed(down), 2);
    expect(seen.observed(observed(), 3)).toBe(false);
    expect(health(seen)).toBe('lost');
  });
});

describe('questions', () => {
  test('that are not answered are news at the third, and an answer is news then', () => {
    const seen = sights();
    expect([1, 2, 3, 4].map((now) => seen.missed('n2', 'eth0', now))).toEqual([false, false, true, false]);
    expect(seen.lostAt('n2', 'eth0')).toBe(3);
    expect(seen.answered('n2', 'eth0', 5)).toBe(true);
    expect(seen.answered('n2', 'eth0', 6)).toBe(false);
  });

  test('to one that cannot be seen are no news', () => {
    expect(sights().missed('n3', 'eth0', 1)).toBe(false);
  });
});

describe('when speakers or interfaces change', () => {
  function lost(): Sights {
    const seen = sights();
    for (const now of [1, 2, 3]) seen.missed('n2', 'eth0', now);
    return seen;
  }
  test('what is known of one that stays is kept', () => {
    const seen = lost();
    seen.set(LINKS, speakers({ ...ALL, n4: ['192.0.2.14/24'] }), 'n1');
    expect([seen.isWell('n2'), seen.lostAt('n2', 'eth0')]).toEqual([false, 3]);
  });

  test.each([
    ['with another address is another', LINKS, { ...ALL, n2: ['192.0.2.22/24'] }],
    ['seen from another address is another', [link('eth0', '192.0.2.111/24')], ALL],
    ['that is no speaker any more is nobody', LINKS, { n1: ALL.n1 }],
  ])('one %s', (_, links, all) => {
    const seen = lost();
    seen.set(links, speakers(all), 'n1');
    expect(seen.isWell('n2')).toBe(true);
    expect(seen.missed('n2', 'eth0', 4)).toBe(false);
  });
});

test('of those that are not watched any more nothing speaks against', () => {
  const seen = sights();
  const session = seen.of('n2', 'eth0')!;
  for (const now of [1, 2, 3]) seen.missed('n2', 'eth0', now);
  seen.watching([session], [session], 4);
  expect(seen.isWell('n2')).toBe(false);
  seen.watching([session], [], 5);
  expect(seen.isWell('n2')).toBe(true);
});

describe('anybody was last heard of', () => {
  test.each<readonly [string, (seen: Sights) => unknown, number | undefined]>([
    ['never, when nobody was', () => undefined, undefined],
    [
      'when somebody last answered',
      (seen) => [seen.answered('n2', 'eth0', 5), seen.answered('n3', 'eth1', 7)],
      7,
    ],
    [
      'now, while a session is up',
      (seen) => seen.observed(observed({ peer: '192.0.2.12', state: 'Up' }), 5),
      9,
    ],
  ])('%s', (_, happens, want) => {
    const seen = sights();
    happens(seen);
    expect(seen.heardAt(9)).toBe(want);
  });
});
