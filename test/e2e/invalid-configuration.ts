import { describe, expect, test } from 'vitest';
import type { TestCluster } from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { isReachedThrough, SOON } from './router-view.ts';
import { apply, metallb, remove, secret, speakerMetric, statesOf, type TestObject } from './suite-objects.ts';

const STALE = 'metallb_k8s_client_config_stale_bool';
const NOBODY = { myASN: 64501, peerASN: 64500, peerAddress: '198.51.100.77' };
const ON_N1 = { nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'n1' } }] };

type Who = 'controller' | 'speaker-n1' | 'speaker-n2';

/** What makes a configuration invalid, who says so with which words, and what mends it. */
interface Row {
  readonly name: string;
  readonly bad: readonly TestObject[];
  readonly says: Partial<Record<Who, RegExp>>;
  /** Taken away first. Without both, what is bad goes. */
  readonly mendsWithout?: readonly TestObject[];
  readonly mends?: readonly TestObject[];
}

function bySpeakers(words: RegExp): Row['says'] {
  return { 'speaker-n1': words, 'speaker-n2': words };
}

const ROWS: readonly Row[] = [
  {
    name: 'a peer of one node, its Secret of another type',
    bad: [
      secret('tor', 'Opaque', { password: 'one' }),
      metallb('BGPPeer', 'bad', { ...NOBODY, ...ON_N1, passwordSecret: { name: 'tor' } }),
    ],
    says: { 'speaker-n1': /BGPPeer .*bad.*tor/ },
    mendsWithout: [secret('tor', 'Opaque', {})],
    mends: [secret('tor', 'kubernetes.io/basic-auth', { username: '', password: 'one' })],
  },
  {
    name: 'a peer whose BFD profile is missing',
    bad: [metallb('BGPPeer', 'bad', { ...NOBODY, bfdProfile: 'slow' })],
    says: bySpeakers(/BGPPeer .*bad.*slow/),
    mends: [metallb('BFDProfile', 'slow', { receiveInterval: 1_000 })],
  },
  {
    name: 'an alias of a community that nobody defines',
    bad: [metallb('BGPAdvertisement', 'bad', { communities: ['edge'], ipAddressPools: ['first'] })],
    says: bySpeakers(/BGPAdvertisement .*bad.*edge/),
    mends: [metallb('Community', 'names', { communities: [{ name: 'edge', value: '64501:7' }] })],
  },
  {
    name: 'pools that overlap',
    bad: [metallb('IPAddressPool', 'second', { addresses: ['192.0.2.128/25'] })],
    says: { controller: /192\.0\.2\.128\/25/, ...bySpeakers(/192\.0\.2\.128\/25/) },
  },
  {
    name: 'an alias that is defined twice',
    bad: ['one', 'two'].map((name, index) =>
      metallb('Community', name, { communities: [{ name: 'edge', value: `64501:${String(index)}` }] }),
    ),
    says: { controller: /edge/, ...bySpeakers(/edge/) },
  },
  {
    name: 'an aggregate wider than its pool',
    bad: [
      metallb('IPAddressPool', 'narrow', { addresses: ['2001:db8:98::/124'], autoAssign: false }),
      metallb('BGPAdvertisement', 'bad', { ipAddressPools: ['narrow'], aggregationLengthV6: 120 }),
    ],
    says: bySpeakers(/BGPAdvertisement .*bad.*120/),
  },
];

/** The cluster has two nodes and is as `basics` leaves it; so it is afterwards. */
export function invalidConfiguration(lab: () => TestCluster): void {
  describe('a configuration that is not valid', () => {
    /** All that is said; where nothing is wrong, that. */
    async function isSaid(says: Row['says']): Promise<void> {
      const line = (who: Who): unknown => (says[who] ? expect.stringMatching(says[who]) : 'Valid');
      await eventually(async () => {
        expect(await statesOf(lab())).toEqual({
          controller: line('controller'),
          'speaker-n1': line('speaker-n1'),
          'speaker-n2': line('speaker-n2'),
        });
        for (const node of ['n1', 'n2'] as const) {
          const isStale = says[`speaker-${node}`] === undefined ? 0 : 1;
          expect(await speakerMetric(lab(), node, STALE), node).toBe(isStale);
        }
      }, SOON);
    }

    test.each(ROWS)('$name: it is said, nothing else is touched, and it heals', async (row) => {
      const { bad, says, mendsWithout = [], mends = [] } = row;
      await isSaid({});
      await apply(lab(), ...bad);
      await isSaid(says);
      await isReachedThrough(lab(), '192.0.2.1', ['n1', 'n2']);
      if (mendsWithout.length + mends.length === 0) await remove(lab(), ...bad);
      await remove(lab(), ...mendsWithout);
      await apply(lab(), ...mends);
      await isSaid({});
      await remove(lab(), ...bad, ...mends);
      await isSaid({});
      await isReachedThrough(lab(), '192.0.2.1', ['n1', 'n2']);
    });
  });
}
