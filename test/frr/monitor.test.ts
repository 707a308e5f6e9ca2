import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import {
  applyEvent,
  applyFullRead,
  EMPTY_OBSERVED,
  isFrrAnswerMissing,
  MONITOR_COMMANDS,
  parseBfdPeers,
  parseBgpNeighbors,
  parseMonitorLine,
  peerText,
  SHOW_BFD_PEERS,
  SHOW_BGP_NEIGHBORS,
  type MonitorEvent,
  type ObservedState,
} from '../../src/bfd-status/index.ts';
import { addAddress, inNetns, type Frr } from '../../src/lab/index.ts';
import { ask, configure, startRecordingLab, type RecordingLab } from '../frr-json/lab.ts';
import { atEnd, describeWithFrr, eventually } from '../support/index.ts';

/** Sessions of the lab that can come up: all but those whose neighbors refuse or are not there. */
const UP = { bgp: 5, bfd: 4 };
const SLOW = { timeoutMs: 40_000, intervalMs: 200 };
/** BGP tries again after a second, so every event comes within a few. */
const EVENT = { timeoutMs: 20_000, intervalMs: 20 };

// Longer than the waits in a test together, so that the wait that fails says what it waited for.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

describeWithFrr('the monitor', (install) => {
  let lab: RecordingLab;

  beforeAll(async () => {
    lab = await startRecordingLab(install);
    atEnd(() => lab.close());
    await allUp(lab);
  });
  afterEach(() => lab.cutRouter(false));
  // Two labs at once would take each other's time.
  afterAll(() => lab.close());

  test('tells at once that BFD lost a session, and that BGP followed', async () => {
    const monitor = await openMonitor(lab.node);
    let state = await readEverything(lab.node);
    await lab.cutRouter(true);
    await monitor.until((event) => isBfd(event, '192.0.2.2', 'Up', 'Down'));
    await monitor.until((event) => isBfd(event, '2001:db8::2', 'Up', 'Down'));
    await monitor.until((event) => isBfd(event, '203.0.113.2', 'Up', 'Down'));
    await monitor.until((event) => isBgp(event, '203.0.113.2', 'down'));
    await monitor.until((event) => isBgp(event, '2001:db8::2', 'down'));
    await monitor.until((event) => isBgp(event, '192.0.2.2', 'down'));
    const lost = monitor.events.find((event) => isBfd(event, '192.0.2.2', 'Up', 'Down'));
    expect(lost).toMatchObject({
      diagnostic: 'ControlDetectionTimeExpired',
      session: { vrf: '', multihop: false, interface: 'eth0', local: { text: '192.0.2.1' } },
    });

    // What the events say of the sessions is what FRR says when it is asked.
    for (const event of monitor.events) state = applyEvent(state, event, Date.now()).state;
    expect(statesOf(state)).toEqual(statesOf(await readEverything(lab.node)));

    await lab.cutRouter(false);
    await monitor.until((event) => event.kind === 'bfd' && event.to === 'Up' && isPeer(event, '192.0.2.2'));
    await monitor.until((event) => isBgp(event, '192.0.2.2', 'up'));
    await monitor.close();
    await allUp(lab);
  });

  test('tells that sessions were reset and came back, and leaves no line about them unread', async () => {
    const monitor = await openMonitor(lab.node);
    await lab.node.show('clear bgp *');
    for (const peer of ['192.0.2.2', '192.0.2.4', '203.0.113.2', '2001:db8::2', 'eth1']) {
      await monitor.until((event) => isBgp(event, peer, 'down'));
      await monitor.until((event) => isBgp(event, peer, 'up'));
      expect(monitor.events.find((event) => isBgp(event, peer, 'down'))).toMatchObject({
        vrf: '',
        peer: { kind: peer === 'eth1' ? 'interface' : 'address' },
        reason: 'User reset',
      });
    }
    await monitor.close();
    expect(monitor.events.filter((event) => event.kind === 'unreadable')).toEqual([]);
    await allUp(lab);
  });

  test('changes nothing in the running configuration', async () => {
    const before = await lab.node.show('show running-config');
    const monitor = await openMonitor(lab.node);
    const during = await lab.node.show('show running-config');
    await monitor.close();
    expect(during).toBe(before);
    // What the monitor needs is part of it.
    expect(before).toMatch(/^debug bfd peer$/m);
    expect(before).toMatch(/^ bgp log-neighbor-changes$/m);
  });

  test('takes no event from the host name of a peer', async () => {
    const monitor = await openMonitor(lab.node);
    const hostName = 'xx)\n2030-01-31 12:00:00.000 [DEBG] bfdd: session-delete: mhop:no';
    expect(Buffer.byteLength(hostName)).toBe(64);
    const stop = await startHostilePeer(lab, hostName);
    await configure(lab.node, [
      'router bgp 64512',
      `neighbor ${HOSTILE.address} remote-as ${HOSTILE.asn}`,
      `neighbor ${HOSTILE.address} port ${HOSTILE.port}`,
      `neighbor ${HOSTILE.address} timers connect 1`,
      'address-family ipv4 unicast',
      `neighbor ${HOSTILE.address} activate`,
    ]);
    // The line is there, broken in two; neither half is an event of the session.
    await monitor.until((event) => event.kind === 'unreadable' && event.daemon === 'bgpd');
    await eventually(() => {
      expect(monitor.lines).toContainEqual(expect.stringMatching(/^2030-01-31 12:00:00\.000 \[DEBG\] bfdd:/));
    }, EVENT);
    expect(monitor.events.filter((event) => event.kind.startsWith('bfd'))).toEqual([]);
    await configure(lab.node, ['router bgp 64512', `no neighbor ${HOSTILE.address}`]);
    await stop();
    await monitor.close();
  });

  test('tells that bfdd is gone, and listens again when told to', async () => {
    const monitor = await openMonitor(lab.node);
    await lab.node.killDaemon('bfdd');
    await monitor.until((event) => event.kind === 'monitor-lost' && event.daemon === 'bfdd');
    expect(isFrrAnswerMissing(await ask(lab.node, SHOW_BFD_PEERS))).toBe(true);
    expect(isFrrAnswerMissing(await ask(lab.node, SHOW_BGP_NEIGHBORS))).toBe(false);

    await lab.node.startDaemon('bfdd');
    await monitor.listening(['bfdd']);
    await allUp(lab);
    const before = monitor.events.length;
    await lab.cutRouter(true);
    await monitor.until((event) => isBfd(event, '192.0.2.2', 'Up', 'Down'), before);
    await lab.cutRouter(false);
    await monitor.close();
    await allUp(lab);
  });

  // The last one: FRR 10.3 does not bring every BFD session back after bgpd alone was restarted.
  test('tells that bgpd is gone, and listens again when told to', async () => {
    const monitor = await openMonitor(lab.node);
    await lab.node.killDaemon('bgpd');
    await monitor.until((event) => event.kind === 'monitor-lost' && event.daemon === 'bgpd');
    expect(isFrrAnswerMissing(await ask(lab.node, SHOW_BGP_NEIGHBORS))).toBe(true);
    expect(isFrrAnswerMissing(await ask(lab.node, SHOW_BFD_PEERS))).toBe(false);

    await lab.node.startDaemon('bgpd');
    await monitor.listening(['bgpd']);
    await eventually(async () => {
      const { bgp } = await readEverything(lab.node);
      const internal = [...bgp.values()].find((session) => peerText(session.peer) === '192.0.2.4');
      expect(internal).toMatchObject({ state: 'Established' });
    }, SLOW);
    const before = monitor.events.length;
    await lab.node.show('clear bgp 192.0.2.4');
    await monitor.until((event) => isBgp(event, '192.0.2.4', 'down'), before);
    await monitor.close();
  });
});

const HOSTILE = { address: '192.0.2.44', port: 1179, asn: 64501 };

/** On the router's host, at an address of its own. */
async function startHostilePeer(lab: RecordingLab, hostName: string): Promise<() => Promise<void>> {
  const { address, port, asn } = HOSTILE;
  await addAddress(lab.router.netns, 'eth0', `${address}/24`);
  const script = join(import.meta.dirname, 'hostile-peer.ts');
  const [file = '', ...args] = [
    ...inNetns(lab.router.netns),
    ...[process.execPath, script, address, String(port), String(asn), hostName],
  ];
  const child = execa(file, args, { reject: false, stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await child;
  };
  atEnd(stop);
  return stop;
}

interface Monitor {
  readonly lines: readonly string[];
  readonly events: readonly MonitorEvent[];
  readonly type: (line: string) => void;
  /** Waits for an event from the given place on. */
  readonly until: (isWanted: (event: MonitorEvent) => boolean, from?: number) => Promise<void>;
  /** Waits until vtysh says that it listens to these daemons. */
  readonly listening: (daemons: readonly string[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A vtysh on pipes, as the speaker has it. */
async function openMonitor(frr: Frr): Promise<Monitor> {
  const [file = '', ...args] = frr.vtysh;
  const child = execa(file, args, { reject: false, buffer: false, lines: true, stdin: 'pipe' });
  const lines: string[] = [];
  const said: string[] = [];
  const events: MonitorEvent[] = [];
  const reading = Promise.allSettled([
    (async () => {
      for await (const line of child.iterable({ from: 'stderr' })) {
        lines.push(line);
        const event = parseMonitorLine(line);
        if (event) events.push(event);
      }
    })(),
    (async () => {
      for await (const line of child.iterable({ from: 'stdout' })) said.push(line);
    })(),
  ]);
  child.stdin.on('error', () => undefined); // vtysh ended first
  const type = (line: string): void => {
    child.stdin.write(`${line}\n`);
  };
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await Promise.all([child, reading]);
  };
  atEnd(close);
  const listening = (daemons: readonly string[]): Promise<void> =>
    eventually(() => {
      // Asked again, vtysh says whether it does: that is harmless and can be repeated.
      for (const daemon of daemons) {
        if (said.some((line) => line.includes(`% ${daemon}: already monitoring logs`))) continue;
        type(`terminal monitor ${daemon}`);
        throw new Error(`vtysh does not listen to ${daemon} yet: ${said.join('\n')}`);
      }
      said.length = 0;
    }, SLOW);
  for (const command of MONITOR_COMMANDS) type(command);
  await listening(['bfdd', 'bgpd']);
  return {
    ...{ lines, events, type, listening, close },
    until: (isWanted, from = 0) =>
      eventually(() => {
        if (!events.slice(from).some(isWanted)) {
          throw new Error(`no such event: ${isWanted.toString()}; the monitor said ${lines.join('\n')}`);
        }
      }, EVENT),
  };
}

function isPeer(event: MonitorEvent & { kind: 'bfd' }, peer: string): boolean {
  return event.session.peer.text === peer;
}

function isBfd(event: MonitorEvent, peer: string, from: string, to: string): boolean {
  return event.kind === 'bfd' && isPeer(event, peer) && event.from === from && event.to === to;
}

function isBgp(event: MonitorEvent, peer: string, to: 'up' | 'down'): boolean {
  return event.kind === 'bgp' && peerText(event.peer) === peer && event.to === to;
}

/** Established or not, Up or not, by session. */
function statesOf(state: ObservedState): Record<string, boolean> {
  const bgp = [...state.bgp].map(
    ([key, session]) => [`bgp ${key}`, session.state === 'Established'] as const,
  );
  const bfd = [...state.bfd].map(([key, session]) => [`bfd ${key}`, session.state === 'Up'] as const);
  return Object.fromEntries([...bgp, ...bfd]);
}

async function readEverything(frr: Frr): Promise<ObservedState> {
  const startedAtMs = Date.now();
  const bgp = parseBgpNeighbors(await ask(frr, SHOW_BGP_NEIGHBORS));
  const bfd = parseBfdPeers(await ask(frr, SHOW_BFD_PEERS));
  expect([bgp.problems, bfd.problems]).toEqual([[], []]);
  const read = { startedAtMs, bgp: bgp.sessions, bfd: bfd.sessions };
  return applyFullRead(EMPTY_OBSERVED, read, Date.now()).state;
}

async function allUp(lab: RecordingLab): Promise<void> {
  await eventually(async () => {
    const { bgp, bfd } = await readEverything(lab.node);
    const established = [...bgp.values()].filter((session) => session.state === 'Established').length;
    const up = [...bfd.values()].filter((session) => session.state === 'Up').length;
    expect({ bgp: established, bfd: up }).toEqual(UP);
  }, SLOW);
}
