import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ipIn, requireNode, runIn, setSysctls, setWire } from '../../src/lab/index.ts';
import {
  allWell,
  freeze,
  lanServiceText,
  learnedPorts,
  nowMs,
  signalNamed,
  takeover,
  thaw,
} from '../lan/index.ts';
import { describeWithFrr, eventually } from '../support/index.ts';
import { firstChoice, startLan, WITHIN, type TestLan } from './lan.ts';

const WEB = '192.0.2.200';
const SHOP = ['192.0.2.201', '2001:db8::c9'] as const;
const ALL = [WEB, ...SHOP];
const NEW = '192.0.2.210';
const NEW6 = '2001:db8::d2';
const NODES = ['n1', 'n2', 'n3'];

describeWithFrr('h-one-lan: one node answers for an address', (install) => {
  let lan: TestLan;

  beforeAll(async () => {
    lan = await startLan('h-one-lan', {}, install);
    lan.ask(...ALL);
  });

  afterAll(() => lan.stop());

  test('one node answers for each, both families of a Service from one node', async () => {
    await lan.expectOwner(WEB);
    const owner = await lan.expectOwner(SHOP[0]);
    await lan.expectOwner(SHOP[1], [owner]);
  });

  test('a Service that is new gets its first choice', async () => {
    // Those that were there before the speakers may be with whichever of them came up in time.
    await allWell(lan.state, NODES);
    await lan.write('new.yaml', lanServiceText({ name: 'new', ips: [NEW, NEW6], endpoints: NODES }));
    lan.ask(...ALL, NEW, NEW6);
    for (const ip of [NEW, NEW6]) await lan.expectToStay(ip, firstChoice(NEW));
    await lan.remove('new.yaml');
    for (const ip of [NEW, NEW6]) await lan.expectNobody(ip);
    lan.ask(...ALL);
  });

  test.each([`http://${WEB}/`, `http://${SHOP[0]}/`, `http://[${SHOP[1]}]/`])(
    'a client of the LAN reaches %s',
    async (url) => {
      await eventually(async () => {
        expect(await lan.run('client', ['curl', '-s', '--max-time', '2', url])).toBe('backend');
      }, WITHIN);
    },
  );

  test('it is announced unasked, in both forms of ARP and by Neighbor Advertisement, more than once', async () => {
    await eventually(() => {
      for (const ip of ALL) {
        const announced = lan.recorder.sightings.filter(
          (each) => each.ip === ip && each.what === 'announcement',
        );
        expect(announced.length).toBeGreaterThan(1);
      }
    });
  });

  test('the switch learned each node at its own port', async () => {
    const ports = await learnedPorts(lan.state, 'switch');
    expect(['n1', 'n2', 'n3'].map((node) => ports.get(lan.macOf(node)))).toEqual(['eth1', 'eth2', 'eth3']);
  });

  test('a switch that snoops on MLD brings solicitations to the owner', async () => {
    const { netns } = requireNode(lan.state, 'switch');
    const snoop = (value: '0' | '1'): Promise<string> =>
      ipIn(netns, [
        ...['link', 'set', 'br0', 'type', 'bridge'],
        ...['mcast_snooping', value, 'mcast_querier', value],
        // Hundredths of a second: it asks who is in a group each second, until it has asked often.
        ...['mcast_startup_query_interval', '100', 'mcast_startup_query_count', '20'],
      ]);
    // A querier needs an address to ask from.
    await setSysctls(netns, { 'net.ipv6.conf.br0.disable_ipv6': 0 });
    await snoop('1');
    try {
      const owner = await lan.expectOwner(SHOP[0]);
      const port = (await learnedPorts(lan.state, 'switch')).get(lan.macOf(owner)) ?? '';
      await eventually(async () => {
        const { stdout } = await runIn(netns, ['bridge', 'mdb', 'show', 'dev', 'br0']);
        const members = stdout.split('\n').filter((line) => line.includes(' grp ff02::1:ff00:c9 '));
        expect(members).toEqual([expect.stringContaining(` port ${port} `)]);
      }, WITHIN);
      await lan.expectToStay(SHOP[1], owner);
    } finally {
      await snoop('0');
    }
  });

  test.each([
    {
      name: 'a cut link',
      withinMs: 500,
      strike: (node: string) => setWire(lan.state, { node, interface: 'eth1' }, 'cut'),
      heal: (node: string) => setWire(lan.state, { node, interface: 'eth1' }, 'whole'),
    },
    {
      name: 'a pulled cable',
      withinMs: 500,
      strike: (node: string) => setWire(lan.state, { node, interface: 'eth1' }, 'unplugged'),
      heal: (node: string) => setWire(lan.state, { node, interface: 'eth1' }, 'whole'),
    },
    {
      name: 'a frozen node',
      withinMs: 500,
      strike: (node: string) => freeze(lan.state, node),
      heal: (node: string) => thaw(lan.state, node),
    },
    {
      name: 'a killed speaker',
      withinMs: 1_000,
      strike: (node: string) => signalNamed(lan.state, node, { names: ['speaker'], signal: 'SIGKILL' }),
      heal: () => Promise.resolve(),
    },
  ])('$name: another node has the address within $withinMs ms, and keeps it', async (fault) => {
    const { name, withinMs, strike, heal } = fault;
    for (const ip of ALL) await lan.expectOwner(ip);
    // One fault at a time: what the one before has left is mended.
    await allWell(lan.state, NODES);
    const before = await lan.expectOwner(WEB);
    const others = NODES.filter((node) => node !== before);
    const calledMs = nowMs();
    const struckMs = await strike(before);
    const fromMs = typeof struckMs === 'number' ? struckMs : calledMs;
    const after = await lan.expectOwner(WEB, others);
    const taken = takeover(lan.recorder.sightings, { ip: WEB, mac: lan.macOf(before), fromMs });
    const tookMs = (taken?.atMs ?? Infinity) - fromMs;
    process.stdout.write(`${name}: moved after ${tookMs.toFixed(0)} ms\n`);
    // The client had the old MAC address: the announcement has to reach its cache.
    await eventually(async () => {
      expect(await lan.run('client', ['curl', '-s', '--max-time', '2', `http://${WEB}/`])).toBe('backend');
    }, WITHIN);
    const announced = await lan.recorder.first(
      (each) =>
        each.atMs >= fromMs &&
        each.ip === WEB &&
        each.what === 'announcement' &&
        each.mac === lan.macOf(after),
      1_000,
    );
    expect(announced.ip).toBe(WEB);
    await heal(before);
    expect(tookMs).toBeLessThanOrEqual(withinMs);
    await lan.expectToStay(WEB, after);
    for (const ip of SHOP) await lan.expectOwner(ip);
    expect(await lan.expectOwner(SHOP[0])).toBe(await lan.expectOwner(SHOP[1]));
  });

  test('FRR killed under the owner: the address stays, or has one owner again', async () => {
    const before = await lan.expectOwner(WEB);
    await signalNamed(lan.state, before, { names: ['bfdd', 'zebra', 'bgpd'], signal: 'SIGKILL' });
    await lan.expectToStay(WEB, await lan.expectOwner(WEB));
  });

  test('the status names the node that answers, since when and why', async () => {
    const owner = await lan.expectOwner(WEB);
    await eventually(async () => {
      const text = await readFile(join(lan.folder, '.status', `l2-owned-${owner}.yaml`), 'utf8');
      expect(text).toContain('"web"');
      expect(text).toContain('eth1');
    }, WITHIN);
    for (const node of ['n1', 'n2', 'n3'].filter((each) => each !== owner)) {
      await eventually(async () => {
        const text = await readFile(join(lan.folder, '.status', `l2-owned-${node}.yaml`), 'utf8').catch(
          () => '',
        );
        expect(text).not.toContain('"web"');
      }, WITHIN);
    }
  });

  test('a Service that is deleted is answered for by nobody', async () => {
    await lan.remove('web.yaml');
    await lan.expectNobody(WEB);
    await lan.expectOwner(SHOP[0]);
  });

  test('nobody but the nodes ever said to have an address', () => {
    const macs = new Set(['n1', 'n2', 'n3'].map((node) => lan.macOf(node)));
    const claims = lan.recorder.sightings.filter(
      ({ ip, what }) => ALL.includes(ip) && (what === 'reply' || what === 'announcement'),
    );
    expect(claims.filter(({ mac }) => !macs.has(mac))).toEqual([]);
  });
});
