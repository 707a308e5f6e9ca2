import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { addVeth, type Frr, type FrrInstall } from '../../src/lab/index.ts';
import { createNodeReconciler, type BgpDesiredState } from '../../src/reconciler/index.ts';
import {
  advertisement,
  bfdProfile,
  labelSelector,
  node,
  nodeInput,
  peer,
  service,
  slice,
} from '../../src/reconciler/test-objects.ts';
import { describeWithFrr, eventually, startTestFrr, testNetns } from '../support/index.ts';
import { driveFrr, missing, render, type DrivenFrr } from './node.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const UP = { timeoutMs: 40_000, intervalMs: 100 };
const FAST = bfdProfile('fast', { receiveIntervalMs: 300, transmitIntervalMs: 300 });
const TIMERS = { timers: { keepaliveSeconds: 3, holdSeconds: 9 }, connectSeconds: 1 };
const TOR1 = peer('tor1', '192.0.2.1', { ...TIMERS, bfdProfile: 'fast', password: new Secret('first') });
const TOR2 = peer('tor2', '192.0.2.5', {
  ...TIMERS,
  remoteAs: 64498,
  password: new Secret('second'),
});
const BLUE = { serviceSelectors: [labelSelector({ app: 'blue' })] };

type Input = NonNullable<Parameters<typeof nodeInput>[0]>;

/** Services `s1`, `s2`, ... at 198.51.100.1, .2, ...; the even ones are blue. */
function state(numbers: readonly number[], rest: Input = {}, extras = ''): BgpDesiredState {
  const services = numbers.map((number) =>
    service(`s${number}`, [`198.51.100.${number}`], { labels: { app: number % 2 === 0 ? 'blue' : 'red' } }),
  );
  const endpointSlices = services.map(({ metadata }) => slice(metadata.name, [{}]));
  const { config = {}, ...others } = rest;
  const input = nodeInput({
    services,
    endpointSlices,
    peers: [TOR1, TOR2],
    ...others,
    config: { bfdProfiles: [FAST], ...config },
  });
  return { ...createNodeReconciler()(input).bgp, extras };
}

const BASE = state([1, 2, 3]);

interface Lab {
  readonly node: Frr;
  readonly tor1: Frr;
  readonly tor2: Frr;
  readonly driven: DrivenFrr;
}

async function startLab(install: FrrInstall): Promise<Lab> {
  const [n, a, b] = [await testNetns(), await testNetns(), await testNetns()];
  await addVeth({
    a: { netns: n, interface: 'eth1', addresses: ['192.0.2.2/30'] },
    b: { netns: a, interface: 'eth0', addresses: ['192.0.2.1/30'] },
  });
  await addVeth({
    a: { netns: n, interface: 'eth2', addresses: ['192.0.2.6/30'] },
    b: { netns: b, interface: 'eth0', addresses: ['192.0.2.5/30'] },
  });
  const router = (asn: number, neighbor: string, password: string, more: readonly string[]): string =>
    [
      `router bgp ${asn}`,
      ' no bgp ebgp-requires-policy',
      ` neighbor ${neighbor} remote-as 64496`,
      ` neighbor ${neighbor} password ${password}`,
      ` neighbor ${neighbor} passive`,
      ...more,
      'exit\n',
    ].join('\n');
  const tor1 = await startTestFrr({
    ...{ install, netns: a, bgpPort: 179 },
    configText: router(64497, '192.0.2.2', 'first', [' neighbor 192.0.2.2 bfd']),
  });
  const tor2 = await startTestFrr({
    ...{ install, netns: b, bgpPort: 179 },
    configText: router(64498, '192.0.2.6', 'second', []),
  });
  const frr = await startTestFrr({ install, netns: n });
  return { node: frr, tor1, tor2, driven: driveFrr(frr) };
}

interface Session {
  readonly state: string;
  /** How often it was established, and lost. */
  readonly established: number;
  readonly dropped: number;
}

async function session(router: Frr, neighbor: string): Promise<Session> {
  const answer = JSON.parse(await router.show(`show bgp neighbors ${neighbor} json`)) as Record<
    string,
    { bgpState: string; connectionsEstablished: number; connectionsDropped: number }
  >;
  const { bgpState = '', connectionsEstablished = 0, connectionsDropped = 0 } = answer[neighbor] ?? {};
  return { state: bgpState, established: connectionsEstablished, dropped: connectionsDropped };
}

interface Route {
  readonly communities: string;
  /** Of the router's table when the route last changed in it. */
  readonly version: number;
}

/** Routes the router has, by prefix. */
async function routes(router: Frr): Promise<ReadonlyMap<string, Route>> {
  const table = JSON.parse(await router.show('show bgp ipv4 unicast json')) as {
    routes?: Record<string, unknown>;
  };
  const found = new Map<string, Route>();
  for (const prefix of Object.keys(table.routes ?? {})) {
    const { paths = [], version = 0 } = JSON.parse(
      await router.show(`show bgp ipv4 unicast ${prefix} json`),
    ) as {
      version?: number;
      paths?: { community?: { string: string } }[];
    };
    const [path] = paths;
    if (path) found.set(prefix, { communities: path.community?.string ?? '', version });
  }
  return found;
}

const host = (number: number): string => `198.51.100.${number}/32`;

describeWithFrr('what did not change does not move', (install) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab(install);
    lab.driven.want(BASE);
    await eventually(async () => {
      expect((await session(lab.tor1, '192.0.2.2')).state).toBe('Established');
      expect((await session(lab.tor2, '192.0.2.6')).state).toBe('Established');
      expect([...(await routes(lab.tor1)).keys()]).toEqual([1, 2, 3].map(host));
      expect([...(await routes(lab.tor2)).keys()]).toEqual([1, 2, 3].map(host));
      expect(await bfdState(lab.tor1)).toBe('up');
    }, UP);
  });

  interface Change {
    readonly to: BgpDesiredState;
    /** What tor1 has then: communities by number of the Service. */
    readonly then: Readonly<Record<number, string>>;
    /** Services whose routes may be learnt anew. */
    readonly touched: readonly number[];
  }
  const plain = { 1: '', 2: '', 3: '' };

  test.each<[string, Change]>([
    ['a Service more', { to: state([1, 2, 3, 4]), then: { ...plain, 4: '' }, touched: [] }],
    ['a Service less', { to: state([1, 3]), then: { 1: '', 3: '' }, touched: [] }],
    ['the Service again', { to: BASE, then: plain, touched: [2] }],
    [
      'a community for some',
      {
        to: state([1, 2, 3], {
          advertisements: [
            advertisement('all'),
            advertisement('blue', { ...BLUE, communities: ['64496:7'] }),
          ],
        }),
        then: { 1: '', 2: '64496:7', 3: '' },
        touched: [2],
      },
    ],
    [
      'another community for these',
      {
        to: state([1, 2, 3], {
          advertisements: [
            advertisement('all'),
            advertisement('blue', { ...BLUE, communities: ['64496:8'] }),
          ],
        }),
        then: { 1: '', 2: '64496:8', 3: '' },
        touched: [2],
      },
    ],
    ['no community', { to: BASE, then: plain, touched: [2] }],
    [
      'an aggregate besides',
      {
        to: state([1, 2, 3], {
          advertisements: [advertisement('all'), advertisement('wide', { aggregationLengthV4: 24 })],
        }),
        then: { ...plain, 0: '' },
        touched: [],
      },
    ],
    ['no aggregate', { to: BASE, then: plain, touched: [] }],
    [
      'values of the BFD profile in use',
      {
        to: state([1, 2, 3], {
          config: {
            bfdProfiles: [{ ...FAST, receiveIntervalMs: 250, transmitIntervalMs: 200, detectMultiplier: 5 }],
          },
        }),
        then: plain,
        touched: [],
      },
    ],
    [
      'another BFD profile',
      {
        to: state([1, 2, 3], { config: { bfdProfiles: [FAST, bfdProfile('other')] } }),
        then: plain,
        touched: [],
      },
    ],
    ['the profiles again', { to: BASE, then: plain, touched: [] }],
    [
      'a peer more, in the VRF and out of it',
      {
        to: state([1, 2, 3], {
          peers: [
            TOR1,
            TOR2,
            peer('new', '192.0.2.99', { bfdProfile: 'fast' }),
            peer('red', '192.0.2.98', { vrf: 'red', myAsn: 64500 }),
          ],
        }),
        then: plain,
        // The treatment names the peers, so every prefix has another class; what it sends to tor1 is the same.
        touched: [],
      },
    ],
    ['these peers gone', { to: BASE, then: plain, touched: [] }],
    [
      'extras',
      {
        to: state(
          [1, 2, 3],
          {},
          'ip prefix-list users permit 203.0.113.0/24\nroute-map 192.0.2.1-in permit 10\n match ip address prefix-list users\n',
        ),
        then: plain,
        touched: [],
      },
    ],
    [
      'other extras',
      {
        to: state(
          [1, 2, 3],
          {},
          'ip prefix-list users permit 203.0.113.0/25\nroute-map 192.0.2.1-in permit 10\n match ip address prefix-list users\n',
        ),
        then: plain,
        touched: [],
      },
    ],
    ['junk in the extras', { to: state([1, 2, 3], {}, 'junk\n'), then: plain, touched: [] }],
    ['no extras', { to: BASE, then: plain, touched: [] }],
    [
      'everything withdrawn: the node is excluded',
      {
        to: state([1, 2, 3], {
          node: node('n1', { labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } }),
        }),
        then: {},
        touched: [],
      },
    ],
    ['and back', { to: BASE, then: plain, touched: [1, 2, 3] }],
  ])('%s', async (_, { to, then, touched }) => {
    const before = await observe(lab);
    lab.driven.want(to);
    await eventually(async () => {
      const now = await routes(lab.tor1);
      const wanted = Object.entries(then).map(([number, communities]) => [
        number === '0' ? '198.51.100.0/24' : host(Number(number)),
        communities,
      ]);
      expect(Object.fromEntries([...now].map(([prefix, { communities }]) => [prefix, communities]))).toEqual(
        Object.fromEntries(wanted),
      );
    }, UP);
    // Whatever comes late comes with the read-back.
    await eventually(async () => {
      await lab.driven.idle();
      expect(lab.driven.last()?.applied).toBe(true);
      if (to.extras === '') expect(await missing(lab.node, render(to))).toEqual([]);
    });
    const after = await observe(lab);
    expect(after.sessions).toEqual(before.sessions);
    expect(after.bfd).toEqual(before.bfd);
    const moved = [...after.routes].filter(
      ([prefix, { version }]) => (before.routes.get(prefix)?.version ?? version) !== version,
    );
    expect(moved.map(([prefix]) => prefix).filter((prefix) => !touched.map(host).includes(prefix))).toEqual(
      [],
    );
  });

  test('another password: that session alone begins again', async () => {
    const before = await observe(lab);
    await change(lab.tor2, ['router bgp 64498', 'neighbor 192.0.2.6 password third']);
    const changed = { ...TOR2, password: new Secret('third') };
    lab.driven.want(state([1, 2, 3], { peers: [TOR1, changed] }));
    const { established, dropped } = before.sessions.tor2;
    const again = { state: 'Established', established: established + 1, dropped: dropped + 1 };
    await eventually(async () => {
      expect(await session(lab.tor2, '192.0.2.6')).toEqual(again);
    }, UP);
    // What would reset it once more comes with the read-back.
    await lab.driven.idle();
    await delay(3_000);
    const after = await observe(lab);
    expect(after.sessions).toEqual({ tor1: before.sessions.tor1, tor2: again });
    expect(after.bfd).toEqual(before.bfd);
    expect(after.routes).toEqual(before.routes);
  });
});

interface Observed {
  readonly sessions: { readonly tor1: Session; readonly tor2: Session };
  /** State of tor1's BFD session, and how often it went down. */
  readonly bfd: { readonly state: string; readonly downs: number };
  readonly routes: ReadonlyMap<string, Route>;
}

async function observe(lab: Lab): Promise<Observed> {
  const counters = JSON.parse(await lab.tor1.show('show bfd peer 192.0.2.2 counters json')) as {
    'session-down': number;
  };
  return {
    sessions: { tor1: await session(lab.tor1, '192.0.2.2'), tor2: await session(lab.tor2, '192.0.2.6') },
    bfd: { state: await bfdState(lab.tor1), downs: counters['session-down'] },
    routes: await routes(lab.tor1),
  };
}

async function bfdState(router: Frr): Promise<string> {
  const peers = JSON.parse(await router.show('show bfd peers json')) as { status: string }[];
  return peers[0]?.status ?? 'none';
}

async function change(frr: Frr, lines: readonly string[]): Promise<void> {
  await frr.show(['configure terminal', ...lines].join('\n'));
}
