import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ipIn, requireNode, runInNode, setWire } from '../../src/lab/index.ts';
import {
  l2AdvertisementText,
  lanServiceText,
  nowMs,
  poolText,
  signalNamed,
  type Sighting,
} from '../lan/index.ts';
import { describeWithNetns, eventually } from '../support/index.ts';
import { startLan, WITHIN, type TestLan } from './lan.ts';

const NODES = ['n1', 'n2', 'n3'];
const [IP, IP6] = ['192.0.2.230', '2001:db8::e6'];
/** The first one and those that follow it. */
const BURST = 5;
const BURST_MS = 5_000;
/** The frames of one announcement, ARP in two forms, are no farther apart; two announcements are a second apart. */
const ROUND_MS = 300;
const OTHER_MAC = '00:00:5e:00:53:21';

/** When an address was announced: once for all frames that say so together. */
function roundsOf(sightings: readonly Sighting[], ip: string): readonly Sighting[] {
  const about = sightings.filter((each) => each.ip === ip && each.what === 'announcement');
  return about.filter(({ atMs }, index) => atMs - (about[index - 1]?.atMs ?? -Infinity) > ROUND_MS);
}

describeWithNetns('h-one-lan: how an address is announced', () => {
  let lan: TestLan;

  beforeAll(async () => {
    lan = await startLan('h-one-lan');
    await lan.remove('web.yaml');
    await lan.remove('shop.yaml');
    lan.ask(IP, IP6);
    await lan.expectNobody(IP);
  });

  afterAll(() => lan.stop());

  /** By the first node alone, so that what happens to it moves nothing elsewhere. */
  const advertise = (spec: Readonly<Record<string, unknown>>): Promise<void> =>
    lan.write(
      'pool.yaml',
      [
        poolText('lan', ['192.0.2.200-192.0.2.249', '2001:db8::c8-2001:db8::f9']),
        l2AdvertisementText('a', {
          nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'n1' } }],
          ...spec,
        }),
      ].join(''),
    );
  /** What was said from a time on, for so long. */
  const heard = async (fromMs: number, forMs: number): Promise<readonly Sighting[]> => {
    await delay(Math.max(0, fromMs + forMs - nowMs()));
    // What is still on its way through the recorder.
    await delay(100);
    return lan.recorder.sightings.filter(({ atMs }) => atMs >= fromMs && atMs <= fromMs + forMs);
  };
  const firstSaid = (ip: string, fromMs: number): Promise<Sighting> =>
    lan.recorder.first(
      (each) => each.atMs >= fromMs && each.ip === ip && each.what === 'announcement',
      WITHIN.timeoutMs,
    );
  /** A burst of these addresses from now on, and of this MAC. */
  async function expectBurst(fromMs: number, mac: string): Promise<void> {
    const firsts = await Promise.all([IP, IP6].map((ip) => firstSaid(ip, fromMs)));
    for (const { ip, atMs } of firsts) {
      const rounds = roundsOf(await heard(atMs, BURST_MS), ip);
      expect(rounds.length, ip).toBe(BURST);
      expect(new Set(rounds.map((each) => each.mac)), ip).toEqual(new Set([mac]));
    }
  }

  test('five times within five seconds, and with announceInterval 0s not again', async () => {
    await advertise({ announceInterval: '0s' });
    const fromMs = nowMs();
    await lan.write('one.yaml', lanServiceText({ name: 'one', ips: [IP, IP6], endpoints: NODES }));
    await expectBurst(fromMs, lan.macOf('n1'));
    const afterwards = await heard(nowMs(), 4_000);
    expect(roundsOf(afterwards, IP)).toEqual([]);
    expect(roundsOf(afterwards, IP6)).toEqual([]);
    // It is still there: silence is no loss.
    expect(lan.owners(IP)).toEqual(['n1']);
  });

  test('with announceInterval 1s again and again', async () => {
    await advertise({ announceInterval: '1s' });
    await firstSaid(IP, nowMs());
    const said = await heard(nowMs(), 6_000);
    // A second, more or less a fifth of it, and never sooner than a second after the one before.
    for (const ip of [IP, IP6]) expect(roundsOf(said, ip).length, ip).toBeGreaterThanOrEqual(4);
    await advertise({ announceInterval: '0s' });
  });

  test('anew when the link is back', async () => {
    await setWire(lan.state, { node: 'n1', interface: 'eth1' }, 'unplugged');
    await lan.expectNobody(IP);
    const fromMs = nowMs();
    await setWire(lan.state, { node: 'n1', interface: 'eth1' }, 'whole');
    await expectBurst(fromMs, lan.macOf('n1'));
  });

  test('anew, and with the new one, when the hardware address changes', async () => {
    const { netns } = requireNode(lan.state, 'n1');
    const fromMs = nowMs();
    await ipIn(netns, ['link', 'set', 'dev', 'eth1', 'address', OTHER_MAC]);
    await expectBurst(fromMs, OTHER_MAC);
    expect(lan.owners(IP)).toEqual([OTHER_MAC]);
    expect(lan.owners(IP6)).toEqual([OTHER_MAC]);
    await ipIn(netns, ['link', 'set', 'dev', 'eth1', 'address', lan.macOf('n1')]);
    await lan.expectOwner(IP, ['n1']);
  });

  test('not at all on an interface that excludel2.yaml excludes, and an Event says so', async () => {
    const exclude = async (pattern: string): Promise<void> => {
      const file = '/etc/metallb/excludel2.yaml';
      const script = `mkdir -p /etc/metallb && echo 'announcedInterfacesToExclude: ["${pattern}"]' >${file}`;
      expect(await runInNode(requireNode(lan.state, 'n1'), ['sh', '-c', script])).toMatchObject({
        failed: false,
      });
    };
    // It is read when the speaker starts; the entrypoint starts it again, however it ended.
    await exclude('(');
    await signalNamed(lan.state, 'n1', { names: ['speaker'], signal: 'SIGKILL' });
    await eventually(async () => {
      const log = await readFile(join(lan.folder, '../../log/n1.log'), 'utf8');
      expect(log).toMatch(/announcedInterfacesToExclude\[0\]: "\(": .*excludel2\.yaml/);
      expect(log).toContain('ended with status 1, starting it again');
    }, WITHIN);
    await exclude('^eth1$');
    await lan.expectNobody(IP);
    await eventually(async () => {
      const lines = await lan.logOf('n1');
      const failed = lines.filter(({ reason }) => reason === 'announceFailed');
      expect(JSON.stringify(failed)).toContain('excluded by announcedInterfacesToExclude');
    }, WITHIN);
    // Others have it if they may.
    await advertise({ nodeSelectors: [] });
    await lan.expectOwner(IP, ['n2', 'n3']);
  });
});
