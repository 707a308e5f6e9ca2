import { beforeAll, expect, test } from 'vitest';
import { addVeth, ipIn, setLink } from '../../src/lab/index.ts';
import {
  answerSpans,
  hexOf,
  longest,
  nowMs,
  question,
  questionSpans,
  recordLan,
  sendFrames,
  startAsker,
  startCapture,
  takeover,
  type Asker,
  type LanRecorder,
} from '../lan/index.ts';
import { atEnd, describeWithNetns, eventually, testNetns } from '../support/index.ts';

const OWN = ['192.0.2.1', '2001:db8::1'];
const MAC = '00:00:5e:00:53:01';
const JOIN_MS = 150;

/** The product is nowhere in this file: kernels answer. */
describeWithNetns('recorder, asker and sender between two hosts', () => {
  let host: string;
  let other: string;
  let recorder: LanRecorder;
  let asker: Asker;

  beforeAll(async () => {
    [host, other] = [await testNetns(), await testNetns()];
    await addVeth({
      a: { netns: host, interface: 'eth1', mac: MAC, addresses: ['192.0.2.1/24', '2001:db8::1/64'] },
      b: { netns: other, interface: 'eth1', addresses: ['192.0.2.2/24', '2001:db8::2/64'] },
    });
    recorder = await recordLan(host, 'eth1', '00:00:5e:00:53:f1');
    atEnd(() => recorder.close());
    asker = await startAsker(other, 'eth1');
    atEnd(() => asker.close());
  });

  test.each(OWN)('the kernel answers for %s, question by question', async (ip) => {
    asker.ask({ ips: OWN, intervalMs: 20 });
    const about = { ip, asker: asker.mac, joinMs: JOIN_MS };
    const fromMs = nowMs();
    await recorder.first(
      (each) => each.atMs > fromMs + 1_000 && each.what === 'reply' && each.ip === ip,
      10_000,
    );
    const recent = recorder.sightings.filter(({ atMs }) => atMs >= fromMs);
    const spans = answerSpans(recent, about);
    expect([...new Set(spans.map(({ mac }) => mac))]).toEqual([MAC]);
    const asked = questionSpans(recent, about);
    expect(longest(asked)).toBeGreaterThan(0);
  });

  test('another MAC address for the same host is a takeover', async () => {
    const [ip = ''] = OWN;
    asker.ask({ ips: [ip], intervalMs: 20 });
    await setLink(host, 'eth1', 'down');
    await ipIn(host, ['link', 'set', 'dev', 'eth1', 'address', '00:00:5e:00:53:03']);
    const fromMs = nowMs();
    await setLink(host, 'eth1', 'up');
    const seen = await recorder.first(
      (each) => takeover([each], { ip, mac: MAC, fromMs }) !== undefined,
      10_000,
    );
    expect(seen.mac).toBe('00:00:5e:00:53:03');
    expect(takeover(recorder.sightings, { ip, mac: MAC, fromMs })).toEqual(seen);
  });

  test('frames are sent as given, and changed ones in their number; those of the ignored host are not recorded', async () => {
    // Of some changed frames the header is another one, and with it their sender: whoever is neither of the hosts sent them.
    const seen = { all: 0, unchanged: 0 };
    const count = (what: keyof typeof seen, filter: string): ReturnType<typeof startCapture> =>
      startCapture({
        ...{ netns: host, interfaceName: 'eth1', filter },
        onPacket: () => {
          seen[what] += 1;
        },
      });
    const ignored = '00:00:5e:00:53:f1';
    const captures = [
      await count('all', `not ether src 00:00:5e:00:53:03 and not ether src ${asker.mac}`),
      await count('unchanged', `ether src ${ignored}`),
    ];
    const frames = [hexOf(question({ mac: ignored, ip: '192.0.2.66' }, '192.0.2.1'))];
    const recorded = (): number => recorder.sightings.filter(({ mac }) => mac === ignored).length;
    const repeated = await sendFrames(other, 'eth1', { kind: 'repeat', frames, perSecond: 500, seconds: 1 });
    expect(repeated).toBeGreaterThan(100);
    await eventually(() => {
      expect(seen).toEqual({ all: repeated, unchanged: repeated });
    });
    expect(recorded()).toBe(0);
    const mutated = await sendFrames(other, 'eth1', { kind: 'mutate', frames, count: 2_000, seed: 1 });
    expect(mutated).toBe(2_000);
    // The kernel drops the few that say they are of a VLAN and end before they say of which.
    await eventually(() => {
      expect(seen.all).toBeGreaterThanOrEqual(0.99 * mutated + repeated);
    });
    expect(seen.all).toBeLessThanOrEqual(mutated + repeated);
    for (const capture of captures) await capture.close();
    expect(recorded()).toBeLessThanOrEqual(seen.all - seen.unchanged);
  });
});
