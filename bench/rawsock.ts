import { Command, InvalidArgumentError } from 'commander';
import { execa } from 'execa';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endOnSignals, formatTable } from '../src/cli/index.ts';
import { addVeth, createNetns, deleteNetns, inNetns } from '../src/lab/index.ts';
import type { ClientOrder, ClientReport } from './rawsock/client.ts';
import type { ResponderReport } from './rawsock/responder.ts';
import { machineText, thisMachine, type Machine } from './support/machine.ts';
import { summarise, type Summary } from './support/stats.ts';

/** The node at one end of a veth pair, the client at the other; the kernel answers for the node's own addresses. */
const LINK = 'eth0';
const NODE = {
  mac: '00:00:5e:00:53:01',
  linkLocal: 'fe80::200:5eff:fe00:5301',
  own: { ipv4: '192.0.2.1', ipv6: '2001:db8::1' },
  announced: { ipv4: '192.0.2.10', ipv6: '2001:db8::10' },
} as const;
const CLIENT = { mac: '00:00:5e:00:53:02', ip: { ipv4: '192.0.2.2', ipv6: '2001:db8::2' } } as const;

/** Microseconds, and answers per second. */
const BARS = {
  ipv4: { p50: 60, p99: 150, perSecond: 25_000 },
  ipv6: { p50: 80, p99: undefined, perSecond: undefined },
} as const;

type Family = keyof typeof BARS;

interface FamilyReport {
  readonly family: Family;
  /** Microseconds, from one request after the other. */
  readonly kernel: Summary;
  readonly ours: Summary;
  /** Requests that nobody answered. */
  readonly lost: number;
  readonly flood: {
    readonly perSecond: number;
    /** If it had a core for itself all the time: answers for each second of CPU time that it used. */
    readonly perCpuSecond: number;
    readonly framesPerBatch: number;
    readonly dropped: number;
  };
}

const program = new Command('bench:rawsock')
  .description(
    "Times from an ARP request and a Neighbor Solicitation to the answer, beside the kernel's own answer.",
  )
  .option('--trials <count>', 'requests one after the other, to the kernel and to us in turn', count, 20_000)
  .option('--pause <ms>', 'wait so long between two of them; a machine that was idle is slower', count, 0)
  .option('--flood <seconds>', 'how long to ask as fast as answers come', count, 5)
  .option('-o, --output <form>', 'table or json', 'table')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:rawsock\n  npm run bench:rawsock -- --trials 2000 --pause 1 -o json\n',
  );

const options = program.parse().opts<{ trials: number; pause: number; flood: number; output: string }>();

const signal = endOnSignals();
const names = { node: `mlf-${process.pid}-node`, client: `mlf-${process.pid}-client` };
try {
  await createNetns(names.node);
  await createNetns(names.client);
  await addVeth({
    a: { netns: names.node, interface: LINK, mac: NODE.mac, addresses: addressesOf(NODE.own) },
    b: { netns: names.client, interface: LINK, mac: CLIENT.mac, addresses: addressesOf(CLIENT.ip) },
  });
  const families: FamilyReport[] = [];
  for (const family of ['ipv4', 'ipv6'] as const) families.push(await measure(family));
  const report = { machine: thisMachine(), families };
  process.stdout.write(
    options.output === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : tableOf(report),
  );
} catch (error) {
  process.stderr.write(error instanceof Error ? `failed: ${error.message}\n` : `${String(error)}\n`);
  process.exitCode = 1;
} finally {
  await deleteNetns(names.node);
  await deleteNetns(names.client);
}

async function measure(family: Family): Promise<FamilyReport> {
  const client = { interfaceName: LINK, mac: CLIENT.mac, ip: CLIENT.ip[family] };
  const targets = [NODE.own[family], NODE.announced[family]];
  const { trials, pause: pauseMs, flood: seconds } = options;
  const asked = await withResponder(family, () => ask({ ...client, latency: { targets, trials, pauseMs } }));
  const { microseconds, lost } = asked.client;
  const flooded = await withResponder(family, () =>
    ask({ ...client, flood: { target: NODE.announced[family], seconds } }),
  );
  const { replies, seconds: took } = flooded.client;
  const { answered, cpuSeconds, batches, dropped } = flooded.responder;
  return {
    family,
    kernel: summarise(microseconds[0] ?? []),
    ours: summarise(microseconds[1] ?? []),
    lost,
    flood: {
      perSecond: Math.round(replies / took),
      perCpuSecond: Math.round(answered / cpuSeconds),
      framesPerBatch: Math.round(answered / batches),
      dropped,
    },
  };
}

/** The responder has one core and the client another, where there are two. */
async function withResponder(
  family: Family,
  action: () => Promise<ClientReport>,
): Promise<{ readonly client: ClientReport; readonly responder: ResponderReport }> {
  const words = [LINK, NODE.mac, NODE.linkLocal, NODE.announced[family]];
  const responder = start(names.node, { core: 0, file: 'responder.ts', words });
  const lines = createInterface({ input: responder.stdout });
  try {
    await once(lines, 'line', { signal });
    const client = await action();
    const last = once(lines, 'line', { signal });
    responder.stdin.end();
    return { client, responder: JSON.parse(String((await last)[0])) as ResponderReport };
  } finally {
    responder.kill();
    await responder;
  }
}

async function ask(order: ClientOrder): Promise<ClientReport> {
  const result = await start(names.client, { core: 1, file: 'client.ts', words: [JSON.stringify(order)] });
  if (result.failed) throw new Error(`the client failed: ${result.stderr}`);
  return JSON.parse(result.stdout) as ClientReport;
}

function start(
  netns: string,
  { core, file, words }: { core: number; file: string; words: readonly string[] },
) {
  const pinned = availableParallelism() > 1 ? ['taskset', '--cpu-list', String(core)] : [];
  const [command, ...rest] = [
    ...inNetns(netns),
    ...pinned,
    process.execPath,
    join(import.meta.dirname, 'rawsock', file),
  ];
  return execa(command, [...rest, ...words], {
    ...{ stdin: 'pipe', reject: false, cancelSignal: signal, timeout: 600_000 },
  });
}

function tableOf({
  machine,
  families,
}: {
  readonly machine: Machine;
  readonly families: readonly FamilyReport[];
}): string {
  const rows = families.flatMap(({ family, kernel, ours, lost, flood }) => {
    const what = family === 'ipv4' ? 'ARP request -> reply' : 'NS -> NA';
    const bar = BARS[family];
    const met = ours.p50 <= bar.p50 && (bar.p99 === undefined || ours.p99 <= bar.p99) && lost === 0;
    const bars = `p50 ${bar.p50}${bar.p99 === undefined ? '' : `, p99 ${bar.p99}`} us`;
    const row = (by: string, { count: n, p50, p90, p99, max }: Summary, ...last: string[]): string[] => [
      ...[what, by],
      ...[n, p50, p90, p99, max].map(String),
      ...last,
    ];
    const rate = [`${flood.perSecond}/s; ${flood.perCpuSecond}/s of CPU; ${flood.framesPerBatch} a batch`];
    const isFast = bar.perSecond === undefined || flood.perSecond >= bar.perSecond;
    const fast = bar.perSecond === undefined ? ['', ''] : [`${bar.perSecond}/s`, isFast ? 'yes' : 'NO'];
    return [
      row('kernel', kernel, '', ''),
      row('metallb-frr', ours, bars, met ? 'yes' : 'NO'),
      [what, ...rate, '', '', '', '', '', ...fast],
    ];
  });
  const head = ['WHAT', 'BY', 'N', 'P50 us', 'P90 us', 'P99 us', 'MAX us', 'BAR', 'MET'];
  return `${machineText(machine)}\n${formatTable(head, rows)}\n`;
}

function addressesOf(ips: { readonly ipv4: string; readonly ipv6: string }): readonly string[] {
  return [`${ips.ipv4}/24`, `${ips.ipv6}/64`];
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('Must be a whole number.');
  return value;
}
