import { describe, expect, test } from 'vitest';
import { ip } from '../../core/test-ip.ts';
import { runnersUp, type GroupState, type Layer2Group, type MoveCause } from '../../l2/index.ts';
import type { Sight, Sights } from './sights.ts';
import { watchListOf } from './watch-list.ts';

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];
const CANDIDATES = NODES.map((node) => ({ node, score: 0 }));
const ME = 'n1';
const NEIGHBORS = [...runnersUp(CANDIDATES, ME)].sort();
/** The nodes that this one follows first, and second, */
const NEXT = NEIGHBORS.find((node) => runnersUp(CANDIDATES, node)[0] === ME) ?? '';
const LATER = NEIGHBORS.find((node) => runnersUp(CANDIDATES, node)[1] === ME) ?? '';
/** and the node that follows that one before it. */
const [FELLOW = ''] = runnersUp(CANDIDATES, LATER);
const FAR = NODES.find((node) => node !== ME && !runnersUp(CANDIDATES, node).includes(ME)) ?? '';

function group(key: string, candidates: Layer2Group['candidates']): Layer2Group {
  const of = {
    ...{ ips: [ip(key)], pool: 'pool', candidates, balance: false },
    ...{ failback: { kind: 'never' as const }, announceIntervalMs: 0 },
  };
  return { ...of, key, services: [{ ...of, key: `default/${key}`, interfaces: undefined }] };
}

const sight = (node: string, link: string): Sight => ({
  ...{ node, link, mac: '00:00:5e:00:53:12' },
  ...{ address: ip('192.0.2.12'), localAddress: ip('192.0.2.11') },
});

interface Row {
  readonly owner: string | undefined;
  readonly link?: string | undefined;
  /** Of this node, with its claim. */
  readonly owned?: readonly [MoveCause, string | undefined];
}

/** One group for each row; the node `unseen` can be seen over no interface. */
function watch(rows: readonly Row[], unseen?: string, candidates = CANDIDATES) {
  const groups = rows.map((_, index) => group(`203.0.113.${String(index + 1)}`, candidates));
  const rowOf = ({ key }: { readonly key: string }): Row =>
    rows[groups.findIndex((each) => each.key === key)]!;
  const sights: Pick<Sights, 'of'> = {
    of: (node, link) => (node === unseen ? undefined : sight(node, link)),
  };
  const list = watchListOf({
    me: ME,
    groups,
    ownerOf: (each) => rowOf(each).owner,
    stateOf: (key): GroupState => {
      const { owned } = rowOf({ key });
      if (!owned) return { kind: 'idle' };
      const [cause, from] = owned;
      const claim = from === undefined ? { cause } : { cause, from };
      return { kind: 'owned', claim, since: '', claimedAt: 0, superseded: undefined };
    },
    linkOf: (each) => ('link' in rowOf(each) ? rowOf(each).link : 'eth0'),
    sights: sights as Sights,
  });
  const watched = (all: typeof list.owners) =>
    all.map(
      ({ sight: { node, link }, groups: of }) =>
        `${node} over ${link} for ${of.map(({ key }) => key.split('.')[3]).join(' ')}`,
    );
  return {
    sessions: list.sessions.map(({ node, link }) => `${node} over ${link}`).sort(),
    owners: watched(list.owners),
    fellows: list.fellows.map(({ node, link }) => `${node} over ${link}`),
    rivals: watched(list.rivals),
  };
}

const NOBODY = { sessions: [], owners: [], fellows: [], rivals: [] };
const BOTH = NEIGHBORS.map((node) => `${node} over eth0`);

describe('this node watches', () => {
  const mine: Row = { owner: ME, owned: ['FirstClaim', undefined] };
  test.each<readonly [string, readonly Row[], ReturnType<typeof watch>]>([
    ['nobody without an address', [], NOBODY],
    ['nobody for an address that nobody has', [{ owner: undefined }], NOBODY],
    ['its two runners-up for what it has', [mine], { ...NOBODY, sessions: BOTH }],
    ['the same two however much it has', [mine, mine, mine], { ...NOBODY, sessions: BOTH }],
    [
      'an owner that it follows, whom it asks',
      [{ owner: NEXT }],
      { ...NOBODY, sessions: [`${NEXT} over eth0`], owners: [`${NEXT} over eth0 for 1`] },
    ],
    [
      'an owner once for all that it has',
      [{ owner: NEXT }, { owner: NEXT }],
      { ...NOBODY, sessions: [`${NEXT} over eth0`], owners: [`${NEXT} over eth0 for 1 2`] },
    ],
    [
      'an owner over each interface that serves its addresses',
      [{ owner: NEXT }, { owner: NEXT, link: 'eth1' }],
      {
        ...NOBODY,
        sessions: [`${NEXT} over eth0`, `${NEXT} over eth1`],
        owners: [`${NEXT} over eth0 for 1`, `${NEXT} over eth1 for 2`],
      },
    ],
    [
      'whoever follows an owner before it does',
      [{ owner: LATER }],
      {
        ...{ ...NOBODY, sessions: [`${LATER} over eth0`], owners: [`${LATER} over eth0 for 1`] },
        fellows: [`${FELLOW} over eth0`],
      },
    ],
    ['no owner that two others follow before it', [{ owner: FAR }], NOBODY],
    [
      'nobody for what it has no interface for',
      [
        { owner: NEXT, link: undefined },
        { ...mine, link: undefined },
      ],
      NOBODY,
    ],
    [
      'whom it took an address from that could not be asked',
      [
        { owner: ME, owned: ['OwnerLost', FAR] },
        { owner: ME, owned: ['SpeakerLost', FAR] },
        { owner: ME, owned: ['OwnerGone', FAR] },
      ],
      { ...NOBODY, sessions: BOTH, rivals: [`${FAR} over eth0 for 1 2 3`] },
    ],
    [
      'nobody that handed an address over',
      (['HandOver', 'Requested', 'Preferred', 'Failback'] as const).map((cause) => ({
        owner: ME,
        owned: [cause, FAR] as const,
      })),
      { ...NOBODY, sessions: BOTH },
    ],
  ])('%s', (_, rows, want) => {
    expect(watch(rows)).toEqual(want);
  });

  test('nobody a second time that it asks for an address already', () => {
    const three = ['n1', 'n2', 'n3'].map((node) => ({ node, score: 0 }));
    const [first = '', second = ''] = runnersUp(three, ME);
    const list = watch([{ owner: first }, { owner: second }], undefined, three);
    expect(list.owners).toEqual([`${first} over eth0 for 1`, `${second} over eth0 for 2`]);
    expect(list.fellows).toEqual([]);
    expect([first, second].flatMap((owner) => watch([{ owner }], undefined, three).fellows)).toHaveLength(1);
  });

  test('nobody that it cannot see', () => {
    expect(watch([{ owner: NEXT }, mine], NEXT)).toEqual({
      ...NOBODY,
      sessions: BOTH.filter((text) => !text.startsWith(NEXT)),
    });
  });
});
