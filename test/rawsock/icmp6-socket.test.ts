import { beforeAll, expect, test } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { ipIn, runIn, setLink } from '../../src/lab/index.ts';
import { decodeFrame, ipKey, macNumber, parseMac } from '../../src/l2/index.ts';
import { describeWithNetns, eventually } from '../support/index.ts';
import { groupsOf, LINK, MACS, makePair, startAgent, type Agent, type Pair } from './support.ts';

const GROUP = 'ff02::1:ff00:a';
const GROUP_MAC = '33:33:ff:00:00:0a';

/** An unsolicited Neighbor Advertisement with the Override flag (RFC 4861 section 4.4), its checksum not filled in. */
const ADVERTISEMENT = `880000002000000020010db800000000000000000000000a0201${MACS.a}`;

describeWithNetns('ICMPv6 socket', () => {
  let pair: Pair;
  let a: Agent;
  let b: Agent;

  beforeAll(async () => {
    pair = await makePair();
    [a, b] = await Promise.all([startAgent(pair.a), startAgent(pair.b)]);
    await a.call('openIcmp6', LINK);
  });

  test('joins groups, once for any number of joins, until the last of them is taken back', async () => {
    await a.call('joinGroup', GROUP);
    await a.call('joinGroup', GROUP);
    expect(await groupsOf(pair.a, 'inet6')).toContain(GROUP);
    expect(await groupsOf(pair.a, 'link')).toContain(GROUP_MAC);
    await a.call('leaveGroup', GROUP);
    expect(await groupsOf(pair.a, 'inet6')).toContain(GROUP);
    await a.call('leaveGroup', GROUP);
    await a.call('leaveGroup', GROUP);
    expect(await groupsOf(pair.a, 'inet6')).not.toContain(GROUP);
    expect(await groupsOf(pair.a, 'link')).not.toContain(GROUP_MAC);
  });

  test('tells the switches of the link of each group', async () => {
    const reports = [
      // EtherType IPv6, Hop-by-Hop Options first, ICMPv6 type 143 behind them: RFC 3810 section 5.2.
      { code: 0x28, jt: 0, jf: 0, k: 12 },
      { code: 0x15, jt: 0, jf: 5, k: 0x86dd },
      { code: 0x30, jt: 0, jf: 0, k: 20 },
      { code: 0x15, jt: 0, jf: 3, k: 0 },
      { code: 0x30, jt: 0, jf: 0, k: 62 },
      { code: 0x15, jt: 0, jf: 1, k: 143 },
      { code: 0x06, jt: 0, jf: 0, k: 0x40000 },
      { code: 0x06, jt: 0, jf: 0, k: 0 },
    ];
    await b.call('open', { interfaceName: LINK, filter: reports });
    await b.call('join', '333300000016');
    await a.call('joinGroup', GROUP);
    await eventually(async () => {
      const { frames } = await b.call('received');
      expect(frames.join('\n')).toContain('ff0200000000000000000001ff00000a');
    });
    await a.call('leaveGroup', GROUP);
  });

  test('joins more groups than one socket may have, and leaves all of them when it is closed', async () => {
    const ours = async (): Promise<string[]> =>
      (await groupsOf(pair.a, 'inet6')).filter((group) => group.startsWith('ff02::1:ff77:'));
    for (let number = 1; number <= 1_000; number += 1) {
      await a.call('joinGroup', `ff02::1:ff77:${number.toString(16)}`);
    }
    expect(await ours()).toHaveLength(1_000);
    await a.call('closeIcmp6');
    await eventually(async () => {
      expect(await ours()).toEqual([]);
    });
    await a.call('openIcmp6', LINK);
  });

  test('sends to all nodes of the link with Hop Limit 255, a link-local source and the right checksum', async () => {
    await b.call('open', { interfaceName: LINK, filter: 'nd' });
    const frame = await eventually(
      async () => {
        await a.call('sendIcmp6', 'ff02::1', ADVERTISEMENT);
        const { frames } = await b.call('received');
        // The link-local address is there once nobody else was found to have it.
        const isFound = (each: string): boolean => each.slice(44, 48) === 'fe80' && each.endsWith(MACS.a);
        const found = frames.find(isFound);
        expect(found).toBeDefined();
        return found!;
      },
      { timeoutMs: 10_000, intervalMs: 100 },
    );
    expect(frame.slice(0, 12)).toBe('333300000001');
    // The decoder looks at Hop Limit and checksum.
    expect(decodeFrame(Uint8Array.from(Buffer.from(frame, 'hex')))).toMatchObject({
      kind: 'na',
      target: ipKey(parseIp('2001:db8::a')!),
      targetMac: macNumber(parseMac('00:00:5e:00:53:01')!),
      isSolicited: false,
    });
  });

  test('receives nothing', async () => {
    const before = await socketQueue(pair.a);
    await b.call('openIcmp6', LINK);
    for (let n = 0; n < 20; n += 1) await b.call('sendIcmp6', 'ff02::1', ADVERTISEMENT);
    expect(await socketQueue(pair.a)).toEqual(before);
    expect(before).toEqual(['0']);
  });

  test('errors say what could not be done and why', async () => {
    await expect(a.call('openIcmp6', 'nope')).rejects.toMatchObject({
      code: 'ENODEV',
      message: expect.stringMatching(/^nope: could not open an ICMPv6 socket: ENODEV/) as string,
    });
    await expect(a.call('joinGroup', '2001:db8::1')).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(a.call('sendIcmp6', '2001:db8:1::1', ADVERTISEMENT)).rejects.toMatchObject({
      code: 'ENETUNREACH',
      message: expect.stringMatching(/^eth0: could not send to 2001:db8:1::1: ENETUNREACH/) as string,
    });
    await setLink(pair.a, LINK, 'down');
    await expect(a.call('sendIcmp6', 'ff02::1', ADVERTISEMENT)).rejects.toMatchObject({
      // The first one if the interface had a link-local address.
      code: expect.stringMatching(/^(?:EADDRNOTAVAIL|ENETUNREACH)$/) as string,
    });
    await setLink(pair.a, LINK, 'up');
    expect(await a.call('sendAndCloseIcmp6', 'ff02::1', ADVERTISEMENT)).toEqual([
      'ERR_SOCKET_CLOSED',
      'ERR_SOCKET_CLOSED',
    ]);
    await expect(a.call('joinGroup', GROUP)).rejects.toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test('of an interface that is gone, joining is an error', async () => {
    await b.call('openIcmp6', LINK);
    await ipIn(pair.b, ['link', 'delete', LINK]);
    await expect(b.call('joinGroup', GROUP)).rejects.toMatchObject({ code: 'ENODEV' });
  });
});

/** How many bytes wait in each raw ICMPv6 socket of the namespace. */
async function socketQueue(netns: string): Promise<string[]> {
  const { stdout } = await runIn(netns, ['cat', '/proc/net/raw6']);
  return stdout
    .split('\n')
    .slice(1)
    .map((line) => String(Number.parseInt(/:([0-9A-F]{8}) 00:/.exec(line)?.[1] ?? '', 16)));
}
