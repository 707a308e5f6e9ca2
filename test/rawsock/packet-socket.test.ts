import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { ipIn, runIn, setLink } from '../../src/lab/index.ts';
import { describeWithNetns, eventually } from '../support/index.ts';
import { randomFrames } from './random-frames.ts';
import {
  arpRequest,
  BROADCAST,
  canMakeVlans,
  connect,
  groupsOf,
  LINK,
  MACS,
  makePair,
  startAgent,
  type Agent,
  type Pair,
} from './support.ts';

const ARP = { interfaceName: LINK, filter: 'arp' } as const;
/** A frame whose coming shows that all before it were handled. */
const LAST = arpRequest({ target: 'c00002fe' });

const hasVlans = await canMakeVlans();

describeWithNetns('packet socket', () => {
  let pair: Pair;
  let a: Agent;
  let b: Agent;

  beforeAll(async () => {
    pair = await makePair();
    [a, b] = await Promise.all([startAgent(pair.a), startAgent(pair.b)]);
    await b.call('open', ARP);
  });

  /** Of ours, up to {@link LAST}, which is sent; the kernels of both ends may ask for each other. */
  async function framesUpToLast(): Promise<string[]> {
    await b.call('send', LAST);
    return eventually(async () => {
      const { frames } = await a.call('received');
      expect(frames).toContain(LAST);
      return frames.slice(0, frames.indexOf(LAST));
    });
  }

  describe('receives and sends', () => {
    test('whole frames, byte for byte, both ways', async () => {
      await a.call('open', ARP);
      const request = arpRequest({});
      await b.call('send', request);
      expect(await framesUpToLast()).toEqual([request]);

      await b.call('open', ARP);
      const reply = `${MACS.b}${MACS.a}08060001080006040002${MACS.a}c000020a${MACS.b}c0000202`;
      await a.call('send', reply);
      await eventually(async () => {
        expect((await b.call('received')).frames).toEqual([reply]);
      });
    });

    test('by the number of the interface', async () => {
      const [link] = JSON.parse(await ipIn(pair.a, ['-json', 'link', 'show', LINK])) as [{ ifindex: number }];
      await a.call('open', { interfaceIndex: link.ifindex, filter: 'arp' });
      await b.call('send', arpRequest({}));
      expect(await framesUpToLast()).toEqual([arpRequest({})]);
    });

    test('in batches of at most 64, in order, when they had to wait', async () => {
      await a.call('open', ARP);
      const frames = Array.from({ length: 200 }, (_, n) =>
        arpRequest({ target: `c63364${n.toString(16).padStart(2, '0')}` }),
      );
      const blocked = a.call('block', 500);
      await b.call('sendMany', frames);
      await blocked;
      expect(await framesUpToLast()).toEqual(frames);
      const { batches } = await a.call('received');
      expect(batches).toContain(64);
      expect(Math.max(...batches)).toBe(64);
      expect(await a.call('stats')).toEqual({
        ...{ received: 201, dropped: 0, tagged: 0, otherHost: 0, oversized: 0 },
      });
    });

    test('counts what came faster than it was read', async () => {
      await a.call('open', { ...ARP, receiveBufferBytes: 4_096 });
      const blocked = a.call('block', 500);
      await b.call(
        'sendMany',
        Array.from({ length: 200 }, () => arpRequest({})),
      );
      await blocked;
      const { received, dropped } = await a.call('stats');
      expect(received).toBe(200);
      expect(dropped).toBeGreaterThan(100);
      await eventually(async () => {
        expect((await a.call('received')).count).toBe(received - dropped);
      });
    });
  });

  describe('does not receive', () => {
    test('what the filter in the kernel does not let through', async () => {
      await a.call('open', ARP);
      const script = [
        'ip neigh replace 192.0.2.1 lladdr 00:00:5e:00:53:01 dev eth0',
        'ip neigh replace 2001:db8::1 lladdr 00:00:5e:00:53:01 dev eth0',
        'ping -c 3 -i 0.01 192.0.2.1',
        'ping -c 3 -i 0.01 2001:db8::1',
      ];
      await runIn(pair.b, ['sh', '-ec', script.join('\n')]);
      // What is no ARP, from b's own socket.
      await b.call('send', `${MACS.a}${MACS.b}88b5${'00'.repeat(46)}`);
      const frames = await framesUpToLast();
      // a may have asked b in the meantime, and b a; nothing else is in there.
      for (const frame of frames) expect(frame.slice(24, 28)).toBe('0806');
      // The kernel counts after the filter: what it did not let through never came near the process.
      expect((await a.call('stats')).received).toBe(frames.length + 1);
    });

    test('what this host sends itself', async () => {
      await a.call('open', ARP);
      await a.call('send', arpRequest({}).replace(MACS.b, MACS.a));
      await runIn(pair.a, ['sh', '-c', 'ip neigh flush all; ping -c 1 -W 1 192.0.2.77 || true']);
      const frames = await framesUpToLast();
      expect(frames.filter((frame) => frame.slice(12, 24) === MACS.a)).toEqual([]);
      // The other end did hear it: it was sent.
      const others = (await b.call('received')).frames;
      expect(others.filter((frame) => frame.slice(12, 24) === MACS.a)).not.toEqual([]);
    });

    test('frames of another VLAN, which it counts; priority tags are none', async () => {
      await a.call('open', ARP);
      await b.call('send', arpRequest({ tag: 5 }));
      await b.call('send', arpRequest({ tag: 5, to: MACS.a }));
      await b.call('send', arpRequest({ tag: 0x6000, target: 'c000020b' }));
      expect(await framesUpToLast()).toEqual([arpRequest({ target: 'c000020b' })]);
      const { tagged, otherHost } = await a.call('stats');
      expect(tagged + otherHost).toBe(2);
      expect(tagged).toBeGreaterThanOrEqual(1);
    });

    test('frames of another VLAN, also with a filter of its own, which sees every protocol', async () => {
      const arpOnly = [
        { code: 0x28, jt: 0, jf: 0, k: 12 },
        { code: 0x15, jt: 0, jf: 1, k: 0x0806 },
        { code: 0x06, jt: 0, jf: 0, k: 0x40000 },
        { code: 0x06, jt: 0, jf: 0, k: 0 },
      ];
      await a.call('open', { interfaceName: LINK, filter: arpOnly });
      await b.call('send', arpRequest({ tag: 5 }));
      await b.call('send', arpRequest({ tag: 5, to: MACS.a }));
      expect(await framesUpToLast()).toEqual([]);
      expect((await a.call('stats')).tagged).toBe(2);
    });

    const vlanTest = hasVlans ? test : test.skip;
    const why = hasVlans ? '' : ' skipped: this kernel has no VLAN interfaces (CONFIG_VLAN_8021Q)';
    vlanTest(`frames of a VLAN with an interface of its own: that one receives them${why}`, async () => {
      await ipIn(pair.a, ['link', 'add', 'link', LINK, 'name', 'eth0.5', 'type', 'vlan', 'id', '5']);
      await setLink(pair.a, 'eth0.5', 'up');
      try {
        const onVlan = await startAgent(pair.a);
        await onVlan.call('open', { interfaceName: 'eth0.5', filter: 'arp' });
        await a.call('open', ARP);
        await b.call('send', arpRequest({ tag: 5 }));
        expect(await framesUpToLast()).toEqual([]);
        expect((await a.call('stats')).tagged).toBe(0);
        await eventually(async () => {
          expect((await onVlan.call('received')).frames).toEqual([arpRequest({})]);
        });
      } finally {
        await ipIn(pair.a, ['link', 'delete', 'eth0.5']);
      }
    });

    test('frames for another host, which a promiscuous interface hears', async () => {
      await ipIn(pair.a, ['link', 'set', LINK, 'promisc', 'on']);
      try {
        await a.call('open', ARP);
        await b.call('send', arpRequest({ to: '00005e005309' }));
        expect(await framesUpToLast()).toEqual([]);
        expect((await a.call('stats')).otherHost).toBe(1);
      } finally {
        await ipIn(pair.a, ['link', 'set', LINK, 'promisc', 'off']);
      }
    });
  });

  test('takes another filter while it runs', async () => {
    await a.call('open', ARP);
    const requestsFor = (target: number) => [
      { code: 0x20, jt: 0, jf: 0, k: 38 },
      { code: 0x15, jt: 0, jf: 1, k: target },
      { code: 0x06, jt: 0, jf: 0, k: 0x40000 },
      { code: 0x06, jt: 0, jf: 0, k: 0 },
    ];
    await a.call('setFilter', requestsFor(0xc00002fe));
    await b.call('send', arpRequest({}));
    expect(await framesUpToLast()).toEqual([]);
    expect((await a.call('stats')).received).toBe(1);
  });

  test('a filter that the kernel refuses is an error', async () => {
    await a.call('open', ARP);
    const endless = [{ code: 0x05, jt: 0, jf: 0, k: 0xffffffff }];
    await expect(a.call('setFilter', endless)).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(a.call('open', { interfaceName: LINK, filter: endless })).rejects.toMatchObject({
      code: 'EINVAL',
      message: expect.stringContaining('eth0: could not open a packet socket: EINVAL') as string,
    });
  });

  test('Neighbor Solicitations and Advertisements are received with their Hop Limit, other ICMPv6 is not', async () => {
    await a.call('open', { interfaceName: LINK, filter: 'nd' });
    const nd = (type: string, hopLimit: string, rest: string): string =>
      [
        `3333ff00000a${MACS.b}86dd`,
        `6000000000183a${hopLimit}20010db8000000000000000000000002ff0200000000000000000001ff00000a`,
        `${type}00000000000000${rest}`,
      ].join('');
    const target = '20010db800000000000000000000000a';
    const solicitation = nd('87', 'fe', target);
    const advertisement = nd('88', '01', target);
    await a.call('join', '3333ff00000a');
    for (const type of ['80', '85', '86', '89', '8f']) await b.call('send', nd(type, 'ff', target));
    await b.call('sendMany', [solicitation, advertisement]);
    await eventually(async () => {
      const { frames } = await a.call('received');
      // The kernel of b asks too.
      const ours = frames.filter((frame) => frame.slice(38 * 2, 54 * 2).endsWith('ff00000a'));
      expect(ours).toEqual([solicitation, advertisement]);
    });
    await b.call('open', ARP);
  });

  describe('memberships', () => {
    test("are the interface's, are counted, and end with the socket", async () => {
      const text = '33:33:ff:00:00:77';
      await a.call('open', { interfaceName: LINK, filter: 'nd' });
      await a.call('join', '3333ff000077');
      await a.call('join', '3333ff000077');
      expect(await groupsOf(pair.a, 'link')).toContain(text);
      await a.call('leave', '3333ff000077');
      expect(await groupsOf(pair.a, 'link')).toContain(text);
      await a.call('leave', '3333ff000077');
      expect(await groupsOf(pair.a, 'link')).not.toContain(text);
      await a.call('join', '3333ff000077');
      await a.call('close');
      await eventually(async () => {
        expect(await groupsOf(pair.a, 'link')).not.toContain(text);
      });
    });

    test('must be of six bytes; one that is not there may be left', async () => {
      await a.call('open', { interfaceName: LINK, filter: 'nd' });
      await expect(a.call('join', '3333ff')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
      await a.call('leave', '3333ff000078');
    });
  });

  describe('errors', () => {
    test('of an interface that is not there', async () => {
      await expect(a.call('open', { ...ARP, interfaceName: 'nope' })).rejects.toMatchObject({
        code: 'ENODEV',
        message:
          'nope: could not open a packet socket: ENODEV (if_nametoindex: no such device): there is no such interface in this network namespace; `ip link` lists those there are',
      });
      const none = { filter: 'arp', interfaceIndex: 4_000 } as const;
      await expect(a.call('open', none)).rejects.toMatchObject({ code: 'ENODEV' });
      await expect(a.call('open', { ...ARP, interfaceName: 'a-name-too-long-for-it' })).rejects.toMatchObject(
        {
          code: 'ENODEV',
        },
      );
    });

    test('of a process without CAP_NET_RAW', async () => {
      const prefix = ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'];
      const powerless = await startAgent(pair.a, { prefix });
      await expect(powerless.call('open', ARP)).rejects.toMatchObject({
        code: 'EPERM',
        message: expect.stringMatching(
          /^eth0: could not open a packet socket: EPERM .*CAP_NET_RAW/,
        ) as string,
      });
      await expect(powerless.call('openIcmp6', LINK)).rejects.toMatchObject({
        code: 'EPERM',
        message: expect.stringMatching(
          /^eth0: could not open an ICMPv6 socket: EPERM .*CAP_NET_RAW/,
        ) as string,
      });
    });

    test('of frames that are too long or too short, with how many went before', async () => {
      await a.call('open', ARP);
      const huge = `${MACS.a}${MACS.b}0806${'00'.repeat(1_501)}`;
      await expect(b.call('send', huge)).rejects.toMatchObject({ code: 'EMSGSIZE', sent: 0 });
      await expect(b.call('send', '')).rejects.toMatchObject({ code: 'EINVAL' });
      const list = [...Array.from({ length: 70 }, () => arpRequest({})), huge, arpRequest({})];
      await expect(b.call('sendMany', list)).rejects.toMatchObject({ code: 'EMSGSIZE', sent: 70 });
      expect(await framesUpToLast()).toEqual(list.slice(0, 70));
    });

    test('of a socket that was closed; closing again is none', async () => {
      await a.call('open', ARP);
      await a.call('close');
      await a.call('close');
      expect(await a.call('isOpen')).toBe(false);
      for (const call of [
        a.call('send', arpRequest({})),
        a.call('join', '3333ff000077'),
        a.call('sendMany', []),
      ]) {
        await expect(call).rejects.toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
      }
      expect(await a.call('stats')).toMatchObject({ dropped: 0 });
    });
  });

  test('frames that are larger than the room for one are counted and not delivered', async () => {
    const jumbo = await makePair({ mtu: 9_000 });
    const [receiver, sender] = await Promise.all([startAgent(jumbo.a), startAgent(jumbo.b)]);
    await receiver.call('open', ARP);
    await sender.call('open', ARP);
    const frameOf = (bytes: number): string => `${BROADCAST}${MACS.b}0806${'5a'.repeat(bytes - 14)}`;
    await sender.call('sendMany', [2_047, 2_048, 2_049, 9_014].map(frameOf));
    await eventually(async () => {
      expect((await receiver.call('received')).frames).toEqual([2_047, 2_048].map(frameOf));
      expect((await receiver.call('stats')).oversized).toBe(2);
    });
  });

  describe('says that', () => {
    test('its interface went down, and opens again when it is up', async () => {
      await a.call('open', ARP);
      await setLink(pair.a, LINK, 'down');
      await eventually(async () => {
        expect((await a.call('received')).closed).toEqual([
          { code: 'ENETDOWN', message: expect.stringContaining('eth0: could not go on receiving') as string },
        ]);
      });
      expect(await a.call('isOpen')).toBe(false);
      await expect(a.call('open', ARP)).rejects.toMatchObject({ code: 'ENETDOWN' });
      await setLink(pair.a, LINK, 'up');
      await a.call('open', ARP);
      await b.call('send', arpRequest({}));
      expect(await framesUpToLast()).toContain(arpRequest({}));
    });

    test('its interface was down, also when it is up again and a send hears of it first', async () => {
      await a.call('open', ARP);
      const blocked = a.call('block', 500);
      // The kernel tells it once, and to whom it told it nobody else hears it. Both answers may come in one piece, so
      // the second is awaited from the start.
      const refused = expect(a.call('send', arpRequest({}))).rejects.toMatchObject({ code: 'ENETDOWN' });
      await setLink(pair.a, LINK, 'down');
      await setLink(pair.a, LINK, 'up');
      await Promise.all([blocked, refused]);
      await eventually(async () => {
        expect((await a.call('received')).closed).toMatchObject([{ code: 'ENETDOWN' }]);
      });
    });

    test('its interface is gone', async () => {
      await a.call('open', ARP);
      await ipIn(pair.a, ['link', 'delete', LINK]);
      await eventually(async () => {
        const [{ code } = { code: '' }, ...more] = (await a.call('received')).closed;
        // It goes down first, and that may be all that is known when it is looked at.
        expect(['ENODEV', 'ENETDOWN']).toContain(code);
        expect(more).toEqual([]);
      });
      await expect(a.call('open', ARP)).rejects.toMatchObject({ code: 'ENODEV' });
      await connect(pair);
      await b.call('open', ARP);
    });
  });

  describe('closed', () => {
    test('while frames arrive, inside of the call that delivers them, there is no further call', async () => {
      await a.call('open', ARP);
      await a.call('closeAfter', 10);
      const blocked = a.call('block', 300);
      await b.call(
        'sendMany',
        Array.from({ length: 300 }, () => arpRequest({})),
      );
      await blocked;
      await eventually(async () => {
        expect(await a.call('isOpen')).toBe(false);
      });
      const { batches, closed } = await a.call('received');
      expect(batches).toHaveLength(1);
      expect(closed).toEqual([]);
    });

    test('a thousand times, while frames arrive, it leaves no descriptor behind', async () => {
      const before = (await readdir(`/proc/${a.pid}/fd`)).length;
      for (let round = 0; round < 1_000; round += 1) {
        await a.call('open', ARP);
        if (round % 100 === 0)
          await b.call(
            'sendMany',
            Array.from({ length: 64 }, () => arpRequest({})),
          );
      }
      await a.call('close');
      await eventually(async () => {
        expect((await readdir(`/proc/${a.pid}/fd`)).length).toBeLessThanOrEqual(before);
      });
    });

    test('it lets the process end, and open it keeps it running', async () => {
      const short = await startAgent(pair.a);
      await short.call('open', ARP);
      expect(await short.end()).toEqual({ exitCode: 0, stderr: '' });

      const long = await startAgent(pair.a, { args: ['stay'] });
      await long.call('open', ARP);
      const ended = long.end().then(() => 'ended');
      expect(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500, 'runs'))])).toBe(
        'runs',
      );
      // With its interface gone there is nothing to wait for any more.
      await setLink(pair.a, LINK, 'down');
      expect(await ended).toBe('ended');
      await setLink(pair.a, LINK, 'up');
    });
  });

  test('100,000 random frames come through as they were sent', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    process.stdout.write(`seed of the random frames: ${seed}\n`);
    await a.call('open', ARP);
    await a.call('countOnly');
    const wanted = createHash('sha256');
    let count = 0;
    const chunk = 200;
    for (let sent = 0; sent < 100_000; sent += chunk) {
      const options = { seed: seed + sent, count: chunk, to: MACS.a };
      await b.call('sendRandom', options);
      for (const frame of randomFrames(options)) {
        if (frame[12] !== 0x08 || frame[13] !== 0x06) continue;
        wanted.update(frame);
        count += 1;
      }
      // No more on their way than the receive buffer holds.
      await eventually(
        async () => {
          expect((await a.call('received')).count).toBe(count);
        },
        { intervalMs: 1 },
      );
    }
    expect(count).toBe(50_000);
    expect((await a.call('received')).hash, `seed ${seed}`).toBe(wanted.digest('hex'));
    expect(await a.call('stats')).toMatchObject({ received: count, dropped: 0, oversized: 0 });
  });
});
