import { beforeAll, expect, test } from 'vitest';
import { ipIn, setLink } from '../../src/lab/index.ts';
import { arp, hexOf, solicitation } from '../lan/index.ts';
import { describeWithNetns, eventually } from '../support/index.ts';
import { arpRequest, LINK, makePair, startAgent, type Agent, type Pair } from './support.ts';

/** Each frame that goes unanswered is counted with its reason, wherever it was dropped: in the kernel, the addon or `l2/`. */

const B = '00:00:5e:00:53:02';
/** More than what a socket has room for by default. */
const FLOOD = 12_000;

describeWithNetns('frames that are dropped', () => {
  let pair: Pair;
  let a: Agent;
  let b: Agent;
  let index: number;

  beforeAll(async () => {
    pair = await makePair({ mtu: 3_000 });
    [a, b] = await Promise.all([startAgent(pair.a), startAgent(pair.b)]);
    const [link] = JSON.parse(await ipIn(pair.a, ['-json', 'link', 'show', LINK])) as [{ ifindex: number }];
    index = link.ifindex;
    await b.call('open', { interfaceName: LINK, filter: 'arp' });
    await listen();
  });

  async function listen(): Promise<void> {
    const link = { name: LINK, index, mac: '00:00:5e:00:53:01', ip: 'fe80::200:5eff:fe00:5301' };
    await a.call('usePorts', [link]);
  }

  /** What the metric says of a reason. */
  async function counted(reason: string): Promise<number> {
    const text = await a.call('metrics');
    const series = `metallb_frr_l2_dropped_frames_total{interface="${LINK}",reason="${reason}"} `;
    const line = text.split('\n').find((each) => each.startsWith(series));
    return Number(line?.slice(series.length) ?? 0);
  }

  async function countsMore(reason: string, by: number, cause: () => Promise<unknown>): Promise<void> {
    const before = await counted(reason);
    await cause();
    await eventually(async () => {
      expect(await counted(reason)).toBe(before + by);
    });
  }

  const withSource = (source: string): string =>
    `${arpRequest({}).slice(0, 12)}${source}${arpRequest({}).slice(24)}`;

  test.each([
    { reason: 'vlan-tagged', frame: arpRequest({ tag: 5 }) },
    { reason: 'oversized', frame: arpRequest({}) + '00'.repeat(2_400) },
    { reason: 'truncated', frame: arpRequest({}).slice(0, 60) },
    { reason: 'broadcast-source', frame: withSource('ffffffffffff') },
    { reason: 'multicast-source', frame: withSource('01005e000001') },
    {
      reason: 'arp-operation',
      frame: hexOf(arp({ mac: B, ip: '192.0.2.2', target: '192.0.2.10', operation: 8 })),
    },
    {
      reason: 'hop-limit',
      frame: hexOf(solicitation({ mac: B, ip: '2001:db8::2', target: '2001:db8::a', hopLimit: 64 })),
    },
    { reason: 'not-ours', frame: arpRequest({ target: 'c0000263' }) },
  ])('$reason', async ({ reason, frame }) => {
    await countsMore(reason, 3, () => b.call('sendMany', [frame, frame, frame]));
  });

  test('other-destination: heard because the interface is promiscuous', async () => {
    await ipIn(pair.a, ['link', 'set', LINK, 'promisc', 'on']);
    try {
      await countsMore('other-destination', 1, () => b.call('send', arpRequest({ to: '00005e005309' })));
    } finally {
      await ipIn(pair.a, ['link', 'set', LINK, 'promisc', 'off']);
    }
  });

  /** Sends more than the socket holds while nobody reads it. */
  async function flood(): Promise<void> {
    const blocked = a.call('block', 2_000);
    for (let sent = 0; sent < FLOOD; sent += 2_000) {
      await b.call(
        'sendMany',
        Array.from({ length: 2_000 }, () => arpRequest({ target: 'c0000263' })),
      );
    }
    await blocked;
  }

  test('receive-overflow: what comes faster than it is read', async () => {
    const [lost, judged] = [await counted('receive-overflow'), await counted('not-ours')];
    await flood();
    await eventually(async () => {
      const more = [(await counted('receive-overflow')) - lost, (await counted('not-ours')) - judged];
      expect(more[0]).toBeGreaterThan(1_000);
      // The kernels of both ends may ask for each other in the meantime.
      expect(more[0]! + more[1]!).toBeGreaterThanOrEqual(FLOOD);
    });
  });

  test('a count outlives the sockets, and goes on with the next ones', async () => {
    const before = await counted('receive-overflow');
    await flood();
    // Nobody has asked for the count before they are closed.
    await a.call('usePorts', []);
    const after = await counted('receive-overflow');
    expect(after).toBeGreaterThan(before + 1_000);
    await listen();
    expect(await counted('receive-overflow')).toBe(after);
    await countsMore('vlan-tagged', 1, () => b.call('send', arpRequest({ tag: 5 })));
  });

  test('a count outlives the interface', async () => {
    const before = await counted('vlan-tagged');
    expect(before).toBeGreaterThan(0);
    await setLink(pair.a, LINK, 'down');
    await eventually(async () => {
      expect(await a.call('hasPort', LINK)).toBe(false);
    });
    expect(await counted('vlan-tagged')).toBe(before);
    await setLink(pair.a, LINK, 'up');
    // It is opened again by itself, a moment later.
    await eventually(async () => {
      await b.call('send', arpRequest({ tag: 5 }));
      expect(await counted('vlan-tagged')).toBeGreaterThan(before);
    });
  });
});
