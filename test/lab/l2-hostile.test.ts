import { afterAll, beforeAll, expect, test } from 'vitest';
import { ipIn, nodeProcesses, requireNode, setWire } from '../../src/lab/index.ts';
import {
  advertisement,
  arp,
  hexOf,
  lanServiceText,
  nowMs,
  question,
  sendFrames,
  solicitation,
  takeover,
  type Sighting,
} from '../lan/index.ts';
import { describeWithNetns, eventually } from '../support/index.ts';
import { startLan, WITHIN, type TestLan } from './lan.ts';

const NODES = ['n1', 'n2', 'n3'];
const WEB = '192.0.2.200';
const SHOP6 = '2001:db8::c9';
const TAKEN = '192.0.2.220';
/** The host that misbehaves; not the one that asks. */
const EVIL = { mac: '00:00:5e:00:53:f1', ip: '192.0.2.66', ip6: 'fe80::66' } as const;

describeWithNetns('h-one-lan: a hostile LAN', () => {
  let lan: TestLan;
  let netns: string;

  beforeAll(async () => {
    lan = await startLan('h-one-lan', { ignored: EVIL.mac });
    ({ netns } = requireNode(lan.state, 'client'));
    lan.ask(WEB, SHOP6, TAKEN);
    await lan.expectOwner(WEB);
    await lan.expectOwner(SHOP6);
  });

  afterAll(() => lan.stop());

  const speakers = async (): Promise<readonly number[]> => {
    const found = await Promise.all(NODES.map((node) => nodeProcesses(requireNode(lan.state, node))));
    return found.flat().flatMap(({ name, pid }) => (name === 'speaker' ? [pid] : []));
  };

  test('100,000 random and mutated frames: the same processes answer the same questions', async () => {
    const before = await speakers();
    const owners = [await lan.expectOwner(WEB), await lan.expectOwner(SHOP6)];
    const seed = Date.now() % 1_000_000;
    const evil = { mac: EVIL.mac, ip: EVIL.ip };
    const frames = [
      question(evil, WEB),
      arp({ ...evil, target: EVIL.ip, operation: 2, targetMac: EVIL.mac }),
      question({ mac: EVIL.mac, ip: EVIL.ip6 }, SHOP6),
      advertisement({ mac: EVIL.mac, ip: EVIL.ip6, target: '2001:db8::66' }),
    ];
    const order = { kind: 'mutate', frames: frames.map(hexOf), count: 100_000, seed } as const;
    expect(await sendFrames(netns, 'eth1', order), `seed ${seed}`).toBe(100_000);
    expect(await speakers(), `seed ${seed}`).toEqual(before);
    expect([await lan.expectOwner(WEB), await lan.expectOwner(SHOP6)], `seed ${seed}`).toEqual(owners);
  });

  test('a host announces the address as its own: the owner defends it and goes on answering', async () => {
    const owner = await lan.expectOwner(WEB);
    const fromMs = nowMs();
    const frames = [hexOf(arp({ mac: EVIL.mac, ip: WEB, target: WEB }))];
    // RFC 5227 section 2.4: one defence in ten seconds, and one of the random frames may have had its own.
    const sending = sendFrames(netns, 'eth1', { kind: 'repeat', frames, perSecond: 20, seconds: 12 });
    const isDefence = ({ atMs, ip, what, mac }: Sighting): boolean =>
      atMs >= fromMs && ip === WEB && what === 'announcement' && mac === lan.macOf(owner);
    await lan.recorder.first(isDefence, 15_000);
    await sending;
    await lan.expectToStay(WEB, owner);
    await eventually(async () => {
      expect(JSON.stringify(await lan.logOf(owner))).toContain('addressConflict');
    }, WITHIN);
    // Two frames each, and the announcement that is due each minute.
    expect(lan.recorder.sightings.filter(isDefence).length).toBeLessThanOrEqual(6);
  });

  test('Neighbor Discovery from beyond the link: not answered, and no claim', async () => {
    const owner = await lan.expectOwner(SHOP6);
    const before = (await lan.logOf(owner)).filter((line) =>
      JSON.stringify(line).includes('addressConflict'),
    );
    const client = await ipIn(netns, ['-json', 'link', 'show', 'dev', 'eth1']);
    const mac = (JSON.parse(client) as { address: string }[])[0]?.address ?? '';
    const fromMs = nowMs();
    const frames = [
      solicitation({ mac, ip: '2001:db8::10', target: SHOP6, hopLimit: 64 }),
      advertisement({ mac, ip: '2001:db8::10', target: SHOP6, hopLimit: 64 }),
    ].map(hexOf);
    await sendFrames(netns, 'eth1', { kind: 'repeat', frames, perSecond: 100, seconds: 2 });
    const answers = lan.recorder.sightings.filter(
      ({ atMs, ip, what, to }) => atMs >= fromMs && ip === SHOP6 && what === 'reply' && to === mac,
    );
    expect(answers).toEqual([]);
    await lan.expectToStay(SHOP6, owner);
    const after = (await lan.logOf(owner)).filter((line) => JSON.stringify(line).includes('addressConflict'));
    expect(after).toEqual(before);
    // The same with the hop limit of the link is answered: the frames were right in all else.
    const good = [hexOf(solicitation({ mac, ip: '2001:db8::10', target: SHOP6 }))];
    await sendFrames(netns, 'eth1', { kind: 'repeat', frames: good, perSecond: 20, seconds: 1 });
    await lan.recorder.first(
      ({ atMs, ip, what, to }) => atMs >= fromMs && ip === SHOP6 && what === 'reply' && to === mac,
      5_000,
    );
  });

  test('an address that another host has is not claimed, until that host gives it up', async () => {
    await ipIn(netns, ['addr', 'add', `${TAKEN}/32`, 'dev', 'eth1']);
    const mac = (await lan.run('client', ['cat', '/sys/class/net/eth1/address'])).trim();
    await eventually(() => {
      expect(lan.owners(TAKEN)).toEqual([mac]);
    }, WITHIN);
    await lan.write('taken.yaml', lanServiceText({ name: 'taken', ips: [TAKEN], endpoints: NODES }));
    await lan.expectToStay(TAKEN, mac);
    await ipIn(netns, ['addr', 'del', `${TAKEN}/32`, 'dev', 'eth1']);
    await lan.expectOwner(TAKEN, NODES);
  });

  test('50,000 requests a second: a lost owner is replaced all the same', async () => {
    const owner = await lan.expectOwner(WEB);
    const frames = [hexOf(question({ mac: EVIL.mac, ip: EVIL.ip }, WEB))];
    const flood = sendFrames(netns, 'eth1', { kind: 'repeat', frames, perSecond: 50_000, seconds: 8 });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const fromMs = nowMs();
    await setWire(lan.state, { node: owner, interface: 'eth1' }, 'cut');
    const seen = await lan.recorder.first(
      (each) => takeover([each], { ip: WEB, mac: lan.macOf(owner), fromMs }) !== undefined,
      10_000,
    );
    expect(NODES.map((node) => lan.macOf(node))).toContain(seen.mac);
    process.stdout.write(
      `moved ${(seen.atMs - fromMs).toFixed(0)} ms after the cut, under ${await flood} requests\n`,
    );
    await setWire(lan.state, { node: owner, interface: 'eth1' }, 'whole');
    await lan.expectOwner(WEB);
  });
});
