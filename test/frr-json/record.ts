/**
 * Records anew what real FRR answers, for every release installed: `node test/frr-json/record.ts`, as root.
 *
 * It changes files in the folders beside it and nothing else; README.md there says what they hold.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import {
  advertisedRoutesCommand,
  parseBfdPeers,
  parseBgpNeighbors,
  parseMonitorLine,
  SHOW_BFD_COUNTERS,
  SHOW_BFD_PEERS,
  SHOW_BGP_NEIGHBORS,
  MONITOR_COMMANDS,
} from '../../src/bfd-status/index.ts';
import { parseIp, type IpFamily } from '../../src/core/ip.ts';
import { frrInstalls, labPrivileges, type Frr, type FrrInstall } from '../../src/lab/index.ts';
import { eventually } from '../support/eventually.ts';
import { ask, configure, startRecordingLab, type RecordingLab } from './lab.ts';

const privileges = await labPrivileges();
if (!privileges.ok) throw new Error(`cannot record: ${privileges.reason}`);
for (const install of await frrInstalls()) await record(install);

async function record(install: FrrInstall): Promise<void> {
  const folder = join(import.meta.dirname, install.version);
  await mkdir(folder, { recursive: true });
  const write = (name: string, text: string): Promise<void> =>
    writeFile(join(folder, name), `${withoutHostName(text).trimEnd()}\n`);
  const lab = await startRecordingLab(install);
  try {
    await recordSessions(lab, write);
    await recordAdvertised(lab.node, write);
    await recordMonitor(lab, write);
    await recordEmpty(lab.node, write);
  } finally {
    await lab.close();
  }
  process.stdout.write(`${folder}: recorded\n`);
}

type Write = (name: string, text: string) => Promise<void>;

async function recordSessions(lab: RecordingLab, write: Write): Promise<void> {
  const { node, router } = lab;
  await eventually(() => expectUp(node, { bgp: 5, bfd: 4 }), { timeoutMs: 60_000, intervalMs: 200 });
  await delay(3000); // so that uptimes and counters are not 0
  await write('bgp-neighbors.json', await ask(node, SHOW_BGP_NEIGHBORS));
  await write('bgp-neighbors-default-vrf.json', await ask(node, 'show bgp vrf default neighbors json'));
  await write('bgp-neighbor.json', await ask(node, 'show bgp neighbors eth1 json'));
  await write('bgp-no-such-neighbor.json', await ask(node, 'show bgp neighbors 192.0.2.77 json'));
  await write('bfd-peers.json', await ask(node, SHOW_BFD_PEERS));
  await write('bfd-counters.json', await ask(node, SHOW_BFD_COUNTERS));

  await lab.cutRouter(true);
  await eventually(() => expectUp(node, { bgp: 2, bfd: 1 }));
  await write('bgp-neighbors-cut.json', await ask(node, SHOW_BGP_NEIGHBORS));
  await write('bfd-peers-cut.json', await ask(node, SHOW_BFD_PEERS));
  await lab.cutRouter(false);
  await eventually(() => expectUp(node, { bgp: 5, bfd: 4 }), { timeoutMs: 60_000, intervalMs: 200 });

  await configure(router, ['router bgp 64500', 'neighbor 192.0.2.1 shutdown message maintenance "window"']);
  await eventually(() => expectUp(node, { bgp: 4 }));
  await write('bgp-neighbors-peer-shutdown.json', await ask(node, SHOW_BGP_NEIGHBORS));
  await configure(router, ['router bgp 64500', 'no neighbor 192.0.2.1 shutdown']);
  await configure(node, ['bfd', 'peer 192.0.2.123', 'shutdown']);
  await configure(router, ['bfd', 'peer 203.0.113.1 multihop local-address 203.0.113.2', 'shutdown']);
  await eventually(() => expectUp(node, { bfd: 3 }));
  await write('bfd-peers-shutdown.json', await ask(node, SHOW_BFD_PEERS));
  await configure(node, ['bfd', 'no peer 192.0.2.123']);
  await configure(router, ['bfd', 'peer 203.0.113.1 multihop local-address 203.0.113.2', 'no shutdown']);
  await eventually(() => expectUp(node, { bgp: 5, bfd: 4 }), { timeoutMs: 60_000, intervalMs: 200 });
}

async function recordAdvertised(node: Frr, write: Write): Promise<void> {
  await eventually(() => expectUp(node, { bgp: 5, sent: 2 }), { timeoutMs: 60_000, intervalMs: 200 });
  const queries: readonly (readonly [name: string, peer: string, family: IpFamily])[] = [
    ['external', '192.0.2.2', 'ipv4'],
    ['internal', '192.0.2.4', 'ipv4'],
    ['unnumbered', 'eth1', 'ipv6'],
    ['down', '192.0.2.99', 'ipv4'],
    ['no-such-neighbor', '192.0.2.77', 'ipv4'],
    ['wrong-family', '192.0.2.2', 'ipv6'],
  ];
  for (const [name, peer, family] of queries) {
    for (const detail of [false, true]) {
      const command = advertisedRoutesCommand({ vrf: '', peer: endpoint(peer), family, detail });
      if (command === undefined) throw new Error(`no command for ${peer}`);
      // Not named .json: not every answer is.
      await write(`advertised-${name}${detail ? '-detail' : ''}.txt`, await ask(node, command));
    }
  }
}

/** All that a monitor prints while sessions come, go and change, in the order of FRR. */
async function recordMonitor(lab: RecordingLab, write: Write): Promise<void> {
  const { node, router } = lab;
  const lines: string[] = [];
  const [file = '', ...args] = node.vtysh;
  const monitor = execa(file, args, {
    stdout: 'ignore',
    reject: false,
    buffer: false,
    lines: true,
    timeout: 300_000,
  });
  const reading = (async () => {
    for await (const line of monitor.iterable({ from: 'stderr' })) lines.push(withoutClock(line));
  })();
  const until = (what: RegExp): Promise<void> =>
    eventually(
      () => {
        if (!lines.some((line) => what.test(line))) throw new Error(`the monitor said no ${what.source}`);
      },
      { timeoutMs: 60_000 },
    );
  monitor.stdin.write(`${MONITOR_COMMANDS.join('\n')}\n`);
  await delay(500); // the monitor is on
  const step = async (
    name: string,
    action: () => Promise<unknown>,
    ends: readonly RegExp[],
  ): Promise<void> => {
    lines.push(`# ${name}`);
    await action();
    for (const end of ends) await until(end);
    await delay(500);
    await write('monitor.txt', lines.join('\n'));
  };

  await step('the link to the router is cut', () => lab.cutRouter(true), [
    /peer:203\.0\.113\.2 .* up -> down/,
    /neighbor 203\.0\.113\.2\(host\) in vrf default Down/,
    /neighbor 2001:db8::2\(host\) in vrf default Down/,
  ]);
  await step('and mended', () => lab.cutRouter(false), [
    /neighbor 192\.0\.2\.2\(host\) in vrf default Up/,
    /neighbor 203\.0\.113\.2\(host\) in vrf default Up/,
    /neighbor 2001:db8::2\(host\) in vrf default Up/,
    /peer:203\.0\.113\.2 .* -> up/,
  ]);
  await step('clear bgp eth1', () => ask(node, 'clear bgp eth1'), [
    /neighbor eth1\(host\) in vrf default Down User reset/,
  ]);
  await step('a BFD session is added', () => configure(node, ['bfd', 'peer 192.0.2.123', 'shutdown']), [
    /session-new: mhop:no peer:192\.0\.2\.123/,
  ]);
  await step('and removed', () => configure(node, ['bfd', 'no peer 192.0.2.123']), []);
  await step(
    'the router shuts the session down with a message',
    () => configure(router, ['router bgp 64500', 'neighbor 192.0.2.1 shutdown message maintenance "window"']),
    [/%NOTIFICATION.*: received from neighbor 192\.0\.2\.2 |neighbor 192\.0\.2\.2\(host\) .* Down/],
  );
  await step(
    'the neighbor is removed here',
    () => configure(node, ['router bgp 64512', 'no neighbor 203.0.113.2']),
    [/Down Neighbor deleted/, /session-delete: mhop:yes peer:203\.0\.113\.2/],
  );
  await step('bfdd is killed', () => node.killDaemon('bfdd'), [/bfdd: log monitor connection closed/]);
  await step('bgpd is ended', () => node.killDaemon('bgpd', 'SIGTERM'), [
    /bgpd: log monitor connection closed/,
  ]);
  monitor.kill();
  await Promise.allSettled([monitor, reading]);
  if (!lines.some((line) => parseMonitorLine(line)?.kind === 'monitor-lost')) {
    throw new Error('the recorded lines do not parse');
  }
}

async function recordEmpty(node: Frr, write: Write): Promise<void> {
  await write('bgpd-not-running.txt', await ask(node, SHOW_BGP_NEIGHBORS));
  await write('bfdd-not-running.txt', await ask(node, SHOW_BFD_PEERS));
  await writeFile(node.configFile, '');
  await node.startDaemon('bfdd');
  await node.startDaemon('bgpd');
  await write('bgp-neighbors-none.json', await ask(node, SHOW_BGP_NEIGHBORS));
  await write('bfd-peers-none.json', await ask(node, SHOW_BFD_PEERS));
  await write('bfd-counters-none.json', await ask(node, SHOW_BFD_COUNTERS));
}

interface Wanted {
  /** Sessions Established. */
  readonly bgp?: number;
  /** Sessions Up. */
  readonly bfd?: number;
  /** Prefixes sent in each family of each session Established. */
  readonly sent?: number;
}

async function expectUp(node: Frr, want: Wanted): Promise<void> {
  const { sessions } = parseBgpNeighbors(await ask(node, SHOW_BGP_NEIGHBORS));
  const peers = parseBfdPeers(await ask(node, SHOW_BFD_PEERS)).sessions;
  const established = sessions.filter((session) => session.state === 'Established');
  const bgp = established.length;
  const bfd = peers.filter((session) => session.state === 'Up').length;
  const sent = new Set(established.flatMap((session) => session.prefixes.map((family) => family.sent)));
  const isSent = want.sent === undefined || (sent.size === 1 && sent.has(want.sent));
  if ((want.bgp ?? bgp) !== bgp || (want.bfd ?? bfd) !== bfd || !isSent) {
    throw new Error(`${bgp} BGP and ${bfd} BFD sessions are up, not ${JSON.stringify(want)}`);
  }
}

function endpoint(name: string): Parameters<typeof advertisedRoutesCommand>[0]['peer'] {
  const address = parseIp(name);
  return address ? { kind: 'address', address } : { kind: 'interface', interface: name };
}

/** The machine's name comes in answers (capabilities, next hops); it is nobody's business. */
function withoutHostName(text: string): string {
  const name = hostname().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replaceAll(new RegExp(`(?<![\\w-])${name}(?![\\w-])`, 'g'), 'host');
}

/** The same date on every recording, so that a new one differs only where FRR does. */
function withoutClock(line: string): string {
  return withoutHostName(line).replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} /, '2030-01-31 12:00:00.000 ');
}
