import { describe, expect, test } from 'vitest';
import { ip } from '../../core/test-ip.ts';
import { parseMac, type Layer2Group } from '../../l2/index.ts';
import { createInquiry, type Inquiry } from './inquiry.ts';
import type { Port } from './port.ts';
import { createSights, type Sight, type Sights } from './sights.ts';
import type { WatchList } from './watch-list.ts';

const OWNER = { name: 'eth1', mac: '00:00:5e:00:53:02', addresses: ['192.0.2.12/24'] };

function group(key: string): Layer2Group {
  return {
    ...{ key, services: [], ips: [ip(key)], pool: 'lan', candidates: [], balance: false },
    ...{ failback: { kind: 'never' }, announceIntervalMs: 60_000 },
  };
}

/** A node that watches n2, with what it sent. */
function watching(options: { readonly owned?: readonly string[]; readonly startedAt?: number } = {}): {
  readonly inquiry: Inquiry;
  readonly sights: Sights;
  readonly sight: Sight;
  /** The interface that each question went over. */
  readonly sentOver: string[];
  readonly sent: Uint8Array[];
} {
  const sights = createSights();
  const link = {
    ...{ name: 'eth1', index: 2, mac: '00:00:5e:00:53:01', isUp: true, isBroadcast: true, hasArp: true },
    ...{ hasMaster: false, defaultRoutes: [], gateways: [] },
    addresses: [{ ip: ip('192.0.2.11'), length: 24 }],
  };
  sights.set([link], new Map([['n2', { record: { node: 'n2', links: [OWNER] }, isHeld: true }]]), 'n1');
  const sight = sights.of('n2', 'eth1');
  if (!sight) throw new Error('n2 is not seen');
  const sentOver: string[] = [];
  const sent: Uint8Array[] = [];
  const inquiry = createInquiry({
    sights,
    ports: {
      send: (name, frames) => {
        sentOver.push(name);
        sent.push(...frames({ mac: parseMac(link.mac), linkLocal: undefined } as unknown as Port));
      },
    },
    startedAt: options.startedAt ?? -60_000,
    stateOf: (key) =>
      options.owned?.includes(key) === true
        ? {
            ...{ kind: 'owned', since: '2026-01-01T00:00:00Z', claimedAt: 0, superseded: undefined },
            claim: { cause: 'OwnerLost', from: 'n2' },
          }
        : { kind: 'idle' },
  });
  return { inquiry, sights, sight, sentOver, sent };
}

function ownerOf(sight: Sight): WatchList {
  return { sessions: [], owners: [{ sight, groups: [group('192.0.2.200')] }], fellows: [], rivals: [] };
}

describe('an owner that this node watches', () => {
  test('is asked again after 100 ms when it misses an answer, and is silent after three', () => {
    const { inquiry, sight, sentOver } = watching();
    inquiry.watch(ownerOf(sight));
    const news: number[] = [];
    const asked: number[] = [];
    for (let now = 0; now <= 500; now += 50) {
      const before = sentOver.length;
      if (inquiry.ask(now)) news.push(now);
      if (sentOver.length > before) asked.push(now);
    }
    expect(asked).toEqual([0, 100, 200, 300, 450]);
    expect(news).toEqual([300]);
  });

  test('is asked each 150 ms while it answers', () => {
    const { inquiry, sight, sentOver } = watching();
    inquiry.watch(ownerOf(sight));
    for (let now = 0; now < 1_500; now += 50) {
      inquiry.ask(now);
      inquiry.answered('n2', 'eth1', now + 1);
    }
    expect(sentOver).toHaveLength(10);
  });

  test('may be starting when this speaker is: until it has answered once, it has three seconds', () => {
    const late = watching({ startedAt: 0 });
    late.inquiry.watch(ownerOf(late.sight));
    const news: number[] = [];
    for (let now = 0; now <= 4_000; now += 50) if (late.inquiry.ask(now)) news.push(now);
    expect(news).toEqual([3_200]);

    const back = watching({ startedAt: 0 });
    back.inquiry.watch(ownerOf(back.sight));
    back.inquiry.ask(0);
    back.inquiry.answered('n2', 'eth1', 1);
    for (let now = 200; now <= 2_000; now += 50) if (back.inquiry.ask(now)) news.push(now);
    expect(news).toEqual([3_200, 500]);
  });

  test('is well for as long as it answers', () => {
    const { inquiry, sights, sight } = watching();
    inquiry.watch(ownerOf(sight));
    for (let now = 0; now <= 2_000; now += 50) {
      expect(inquiry.ask(now)).toBe(false);
      inquiry.answered('n2', 'eth1', now + 1);
    }
    expect(sights.evidenceOf('n2', 'eth1')).toMatchObject({ missed: 0, answeredAt: 2_001 });
  });

  test('is forgiven what this process slept through', () => {
    const { inquiry, sights, sight } = watching();
    inquiry.watch(ownerOf(sight));
    inquiry.ask(0);
    inquiry.forgive();
    inquiry.ask(60_000);
    expect(sights.evidenceOf('n2', 'eth1').missed).toBe(0);
  });
});

describe('a runner-up that this node waits for', () => {
  test('is asked twice a second, and is silent once it misses three answers', () => {
    const { inquiry, sight, sent, sentOver } = watching();
    inquiry.watch({ sessions: [], owners: [], fellows: [sight], rivals: [] });
    const news: number[] = [];
    const asked: number[] = [];
    for (let now = 0; now <= 1_800; now += 50) {
      const before = sentOver.length;
      if (inquiry.ask(now)) news.push(now);
      if (sentOver.length > before) asked.push(now);
      if (now < 500) inquiry.answered('n2', 'eth1', now + 1);
    }
    expect(asked).toEqual([0, 500, 600, 700, 800, 1_300, 1_800]);
    expect(news).toEqual([800]);
    // The target of an ARP request is its last field: the node's own address.
    expect([...(sent[0] ?? [])].slice(38, 42)).toEqual([192, 0, 2, 12]);
  });

  test('is no worse for an answer that it never gives', () => {
    const { inquiry, sights, sight, sentOver } = watching();
    inquiry.watch({ sessions: [], owners: [], fellows: [sight], rivals: [] });
    for (let now = 0; now < 3_000; now += 50) expect(inquiry.ask(now)).toBe(false);
    expect(sights.evidenceOf('n2', 'eth1').missed).toBe(0);
    expect(sentOver).toHaveLength(6);
  });
});

describe('somebody that addresses were taken from', () => {
  const groups = ['192.0.2.200', '192.0.2.201', '192.0.2.202'].map(group);

  test('is asked four times a second until its session has been up for 5 s', () => {
    const { inquiry, sights, sight, sentOver } = watching({ owned: ['192.0.2.200'] });
    inquiry.watch({ sessions: [sight], owners: [], fellows: [], rivals: [{ sight, groups }] });
    for (let now = 0; now < 1_000; now += 50) inquiry.ask(now);
    expect(sentOver).toHaveLength(4);
    const session = { peer: ip('192.0.2.12'), state: 'Up', vrf: '', multihop: false };
    sights.observed(
      { bfd: new Map([['n2', session]]) } as unknown as Parameters<Sights['observed']>[0],
      1_000,
    );
    for (let now = 1_000; now < 10_000; now += 50) inquiry.ask(now);
    expect(sentOver).toHaveLength(4 + 21);
  });

  test('is asked for all that is owned now when one of it is disputed', () => {
    const { inquiry, sight, sent } = watching({ owned: ['192.0.2.200', '192.0.2.202'] });
    inquiry.watch({ sessions: [], owners: [], fellows: [], rivals: [{ sight, groups }] });
    inquiry.askRival('n3', 1_000);
    expect(sent).toHaveLength(0);
    inquiry.askRival('n2', 1_000);
    expect(sent).toHaveLength(2);
    // A thousand disputes do not ask for a thousand addresses each.
    inquiry.askRival('n2', 1_499);
    expect(sent).toHaveLength(2);
    inquiry.askRival('n2', 1_500);
    expect(sent).toHaveLength(4);
  });
});
