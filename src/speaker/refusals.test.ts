import { describe, expect, test } from 'vitest';
import type { Peer } from '../config/index.ts';
import { Secret } from '../core/secret.ts';
import type { RefusedLine } from '../frr-vty/index.ts';
import type { BgpDesiredState } from '../reconciler/index.ts';
import { bfdProfile, peer } from '../reconciler/test-objects.ts';
import {
  NO_REFUSALS,
  refusalProblems,
  stillWanted,
  withoutRefused,
  withRefused,
  wordsOf,
} from './refusals.ts';

const TOR = peer('tor', '192.0.2.1');
const SPINE = peer('spine', '192.0.2.2');

function state(peers: readonly Peer[], rest: Partial<BgpDesiredState> = {}): BgpDesiredState {
  const routers = peers.length === 0 ? [] : [{ asn: 64496, vrf: '', neighbors: peers, originated: [] }];
  return { routers, bfdProfiles: [], extras: '', ...rest };
}

function refused(line: string, ...path: readonly string[]): RefusedLine {
  return { path, line, words: 'Not today' };
}

const AT_TOR = refused('neighbor 192.0.2.1 timers 3 9', 'router bgp 64496');

/** Names of the parts blamed. */
function blamed(
  lines: readonly RefusedLine[],
  bgp: BgpDesiredState,
  lastGood?: BgpDesiredState,
): string[] | undefined {
  const refusals = withRefused(NO_REFUSALS, lines, { bgp, namespace: 'metallb-system', lastGood });
  return (
    refusals &&
    refusalProblems(refusals).map(({ resource }) => `${resource?.kind ?? ''} ${resource?.name ?? ''}`)
  );
}

/** What of a state is left once refusals are taken out. */
function left(bgp: BgpDesiredState): { peers: string[]; profiles: string[]; extras: string } {
  return {
    peers: bgp.routers.flatMap(({ neighbors }) => neighbors.map(({ name, port }) => `${name}:${port}`)),
    profiles: bgp.bfdProfiles.map(({ name, receiveIntervalMs }) => `${name}:${receiveIntervalMs ?? ''}`),
    extras: bgp.extras,
  };
}

describe('blame', () => {
  const both = state([SPINE, TOR]);
  const extras = 'bogus extras';

  test.each<[string, RefusedLine[], BgpDesiredState, BgpDesiredState | undefined, string[] | undefined]>([
    ['a peer', [AT_TOR], both, undefined, ['BGPPeer tor']],
    [
      'two peers',
      [AT_TOR, refused('neighbor 192.0.2.2 port 1', 'router bgp 64496')],
      both,
      undefined,
      ['BGPPeer tor', 'BGPPeer spine'],
    ],
    ['extras', [refused('bogus extras')], state([TOR], { extras }), undefined, ['ConfigMap bgpextras']],
    [
      'a profile',
      [refused('receive-interval 5', 'bfd', 'profile fast')],
      state([], { bfdProfiles: [bfdProfile('fast')] }),
      undefined,
      ['BFDProfile fast'],
    ],
    ['nobody', [refused('bgp router-id 0.0.0.0', 'router bgp 64496')], both, undefined, undefined],
    [
      'new extras for what harms an old peer',
      [AT_TOR],
      state([TOR], { extras }),
      state([TOR]),
      ['ConfigMap bgpextras'],
    ],
    [
      "new extras for what is nobody's",
      [refused('', '')],
      state([TOR], { extras }),
      state([TOR]),
      ['ConfigMap bgpextras'],
    ],
    ['a new peer, not the new extras', [AT_TOR], state([TOR], { extras }), state([SPINE]), ['BGPPeer tor']],
    [
      'an old peer when nothing else is new',
      [AT_TOR],
      state([TOR], { extras }),
      state([TOR], { extras }),
      ['BGPPeer tor'],
    ],
  ])('falls on %s', (_, lines, bgp, lastGood, expected) => {
    expect(blamed(lines, bgp, lastGood)).toEqual(expected);
  });

  test("speaks in FRR's words, of the object the user wrote", () => {
    const legacy = {
      ...TOR,
      origin: { resource: { kind: 'ConfigMap', namespace: 'metallb-system', name: 'config' } },
    };
    const refusals = withRefused(NO_REFUSALS, [AT_TOR], {
      bgp: state([legacy]),
      namespace: 'metallb-system',
      lastGood: undefined,
    });
    expect(refusals && refusalProblems(refusals)).toEqual([
      {
        resource: { kind: 'ConfigMap', namespace: 'metallb-system', name: 'config' },
        field: 'spec',
        reason: 'FrrRefused',
        message: 'FRR refuses "neighbor 192.0.2.1 timers 3 9": Not today; the last good version stays in use',
        transient: false,
        severity: 'error',
      },
    ]);
  });

  test('is added to what was refused before', () => {
    const bgp = state([SPINE, TOR]);
    const where = { bgp, namespace: 'metallb-system', lastGood: undefined };
    const first = withRefused(NO_REFUSALS, [AT_TOR], where) ?? NO_REFUSALS;
    const second =
      withRefused(first, [refused('neighbor 192.0.2.2 port 1', 'router bgp 64496')], where) ?? NO_REFUSALS;
    expect([...second.peers.keys()].sort()).toEqual(['spine', 'tor']);
  });
});

test('many words are cut', () => {
  const lines = Array.from({ length: 8 }, (_, index) => refused(`line${index}`));
  expect(wordsOf(lines)).toMatch(/^"line0": Not today; .*"line4": Not today and 3 more$/);
  expect(wordsOf([refused('')])).toBe('Not today');
});

describe('a refused part', () => {
  const good = state([SPINE, TOR], {
    bfdProfiles: [bfdProfile('fast', { receiveIntervalMs: 50 })],
    extras: 'good extras',
  });
  const bad: BgpDesiredState = state([SPINE, { ...TOR, port: 1790 }], {
    bfdProfiles: [bfdProfile('fast', { receiveIntervalMs: 5 })],
    extras: 'bogus extras',
  });
  const lines = [AT_TOR, refused('receive-interval 5', 'bfd', 'profile fast'), refused('bogus extras')];
  const refusals =
    withRefused(NO_REFUSALS, lines, { bgp: bad, namespace: 'metallb-system', lastGood: good }) ?? NO_REFUSALS;

  test('is used in its last good version', () => {
    expect(left(withoutRefused(bad, refusals, good))).toEqual({
      peers: ['spine:179', 'tor:179'],
      profiles: ['fast:50'],
      extras: 'good extras',
    });
  });

  test('is left out when there never was a good one', () => {
    expect(left(withoutRefused(bad, refusals, undefined))).toEqual({
      peers: ['spine:179'],
      profiles: [],
      extras: '',
    });
  });

  test('is left out when the good one is the refused one', () => {
    expect(left(withoutRefused(bad, refusals, bad))).toEqual({
      peers: ['spine:179'],
      profiles: [],
      extras: '',
    });
  });

  test('does not come back under another ASN or VRF', () => {
    const moved = state([{ ...TOR, vrf: 'red' }]);
    expect(left(withoutRefused(bad, refusals, moved)).peers).toEqual(['spine:179']);
  });

  test('takes its router along when it was the only neighbor', () => {
    const alone = state([{ ...TOR, port: 1790 }]);
    expect(withoutRefused(alone, refusals, undefined).routers).toEqual([]);
  });

  test('stays refused while it is wanted as it was, other objects or not', () => {
    const again = state([peer('other', '192.0.2.9'), { ...TOR, port: 1790 }], {
      bfdProfiles: bad.bfdProfiles,
      extras: bad.extras,
    });
    expect(stillWanted(refusals, again)).toEqual(refusals);
  });

  test('is tried again once it was edited or gone', () => {
    const edited = state([{ ...TOR, port: 1791 }], {
      bfdProfiles: [bfdProfile('fast', { receiveIntervalMs: 6 })],
      extras: 'other',
    });
    expect(stillWanted(refusals, edited)).toEqual(NO_REFUSALS);
    expect(stillWanted(refusals, state([]))).toEqual(NO_REFUSALS);
  });

  test('is another version with another password', () => {
    const first = { ...TOR, password: new Secret('first') };
    const where = { bgp: state([first]), namespace: 'metallb-system', lastGood: undefined };
    const because = withRefused(NO_REFUSALS, [AT_TOR], where) ?? NO_REFUSALS;
    expect(stillWanted(because, state([{ ...first, password: new Secret('first') }])).peers.size).toBe(1);
    expect(stillWanted(because, state([{ ...first, password: new Secret('second') }])).peers.size).toBe(0);
    expect(JSON.stringify([...because.peers])).not.toContain('first');
  });
});

test('nothing refused leaves the state as it is', () => {
  const bgp = state([TOR]);
  expect(withoutRefused(bgp, NO_REFUSALS, undefined)).toBe(bgp);
});
