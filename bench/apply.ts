import { Command, InvalidArgumentError } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { endOnSignals, formatTable } from '../src/cli/index.ts';
import { readRunningConfig } from '../src/frr-vty/index.ts';
import { measureBfd, type BfdResult } from './apply/bfd.ts';
import { measureBulk, type BulkResult } from './apply/bulk.ts';
import { FrrFloor } from './apply/floor.ts';
import { measureFrrReload, type FrrReloadResult } from './apply/frr-reload.ts';
import { NODES, rigUp, type Rig } from './apply/rig.ts';
import { arrival, measureSingle, type SingleResult } from './apply/single.ts';
import { putFile } from './support/folder.ts';
import { machineText, thisMachine, type Machine } from './support/machine.ts';
import { benchAddress, serviceManifests } from './support/manifests.ts';
import type { Summary } from './support/stats.ts';

/** The ASN of the nodes, as in the base manifests. */
const ASN = 64_512;
const PRESENT = 1_000;

const FILES = { own: 'file of its own', shared: 'in the file of all' } as const;

interface Report {
  readonly machine: Machine;
  readonly single: readonly SingleResult[];
  readonly bulk: readonly BulkResult[];
  readonly bfd?: BfdResult;
  readonly frrReload?: FrrReloadResult;
}

const program = new Command('bench:apply')
  .description(
    'Times from a change of a manifest to the route in a real router, beside what FRR needs by itself.',
  )
  .option(
    '--single <trials>',
    'Services added one by one with 1,000 present, in a file of their own and in the file of all',
    count,
    100,
  )
  .option('--thousand <trials>', 'rounds of 1,000 Services added and removed at once', count, 10)
  .option('--ten-thousand <trials>', 'rounds of 10,000 Services added and removed at once', count, 5)
  .option('--bfd <trials>', 'link cuts under BFD 50 ms x 3', count, 100)
  .option('--no-reload', 'leave out frr-reload.py')
  .option('-o, --output <form>', 'table or json', 'table')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:apply\n  npm run bench:apply -- --single 50 --bfd 20 -o json\n',
  );

const options = program.parse().opts<{
  single: number;
  thousand: number;
  tenThousand: number;
  bfd: number;
  reload: boolean;
  output: string;
}>();

const signal = endOnSignals();
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const rig = await rigUp({ signal, onProgress: say });
let floor: FrrFloor | undefined;
try {
  say('waiting for 1,000 Services on both routers');
  await fill(rig);
  const configs = await Promise.all(
    rig.vtysh.map((vtysh) => readRunningConfig(vtysh, { timeoutMs: 10_000 })),
  );
  const nodes = rig.vtysh.map((vtysh, index) => ({ vtysh, routeMap: routeMapIn(configs[index] ?? '') }));
  floor = new FrrFloor({ nodes, asn: ASN });
  const report = await measure(rig, floor);
  process.stdout.write(
    options.output === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : tablesOf(report),
  );
} catch (error) {
  say(error instanceof Error ? `failed: ${error.message}` : String(error));
  process.exitCode = 1;
} finally {
  await floor?.close();
  await rig.down();
}

async function fill(target: Rig): Promise<void> {
  const addresses = Array.from({ length: PRESENT }, (_, index) => benchAddress(index));
  const text = addresses.map((address, index) => serviceManifests(`web-${index}`, address)).join('');
  await putFile(target.folder, 'services.yaml', text);
  await arrival(target, addresses, NODES.length, 120_000);
  await delay(3_000);
}

async function measure(target: Rig, typed: FrrFloor): Promise<Report> {
  const bulk: BulkResult[] = [];
  const single: SingleResult[] = [];
  let bfd: BfdResult | undefined;
  for (const file of ['own', 'shared'] as const) {
    if (options.single === 0) continue;
    say(
      `${options.single} Services one by one, ${FILES[file]} (about ${Math.round((options.single * 2.3) / 60)} min)`,
    );
    single.push(await measureSingle(target, typed, { file, trials: options.single }));
  }
  for (const [services, trials] of [
    [1_000, options.thousand],
    [10_000, options.tenThousand],
  ] as const) {
    if (trials === 0) continue;
    say(`${services} Services at once, ${trials} times`);
    bulk.push(await measureBulk(target, typed, { services, trials }));
  }
  if (options.bfd > 0) {
    say(`${options.bfd} link cuts under BFD`);
    bfd = await measureBfd(target, options.bfd);
  }
  const frrReload = options.reload ? await measureFrrReload() : undefined;
  return {
    machine: thisMachine(),
    bulk,
    single,
    ...(bfd ? { bfd } : {}),
    ...(frrReload ? { frrReload } : {}),
  };
}

function tablesOf(report: Report): string {
  const rows: string[][] = [];
  const row = (what: string, summary: Summary, bar?: { text: string; met: boolean }): void => {
    const { count: n, p50, p90, p99, max } = summary;
    const met = bar === undefined ? '' : bar.met ? 'yes' : 'NO';
    rows.push([what, ...[n, p50, p90, p99, max].map(String), bar?.text ?? '', met]);
  };
  for (const { file, toFrrRouter, toBird } of report.single) {
    for (const [router, { floor: by, ours }] of [
      [`FRR router, ${FILES[file]}`, toFrrRouter],
      [`BIRD, ${FILES[file]}`, toBird],
    ] as const) {
      row(`1 Service, 1,000 present -> ${router}: floor`, by);
      const [p50, p99] = [by.p50 + 15, by.p50 + 60];
      row(`1 Service, 1,000 present -> ${router}`, ours, {
        text: `p50 <= ${p50.toFixed(0)}, p99 <= ${p99.toFixed(0)}`,
        met: ours.p50 <= p50 && ours.p99 <= p99,
      });
    }
  }
  for (const { services, add, remove } of report.bulk) {
    for (const [what, { floor: by, ours, afterParsing }] of [
      ['added', add],
      ['removed', remove],
    ] as const) {
      const most = services <= 1_000 ? 800 : 4_000;
      row(`${services} Services ${what} -> last route: floor`, by);
      row(`${services} Services ${what} -> last route`, ours, { text: `<= ${most}`, met: ours.max <= most });
      const after = by.p50 + 500;
      row(`${services} Services ${what}, after parsing`, afterParsing, {
        text: `<= ${after.toFixed(0)}`,
        met: afterParsing.max <= after,
      });
    }
  }
  if (report.bfd) {
    const { nextHopGone: gone, known } = report.bfd;
    row('link cut -> next hop gone from the router', gone, { text: 'p99 <= 260', met: gone.p99 <= 260 });
    row('link cut -> bfd-status knows', known, { text: 'p99 <= 200', met: known.p99 <= 200 });
  }
  const { machine, frrReload } = report;
  return [
    `milliseconds; ${machineText(machine)}`,
    formatTable(['what', 'n', 'p50', 'p90', 'p99', 'max', 'bar', 'met'], rows),
    ...(frrReload
      ? [
          `frr-reload.py on an FRR ${frrReload.frrVersion} of its own: one network more with 1,000 present ${frrReload.oneMs} ms, 1,000 more ${frrReload.thousandMs} ms`,
        ]
      : []),
    '',
  ].join('\n');
}

/** The class that the Services of the bench are announced with. */
function routeMapIn(config: string): string {
  const name = /^ {2}network 198\.18\.\S+ route-map (\S+)$/m.exec(config)?.[1];
  if (name === undefined)
    throw new Error('no Service of the bench is in the running configuration of a node');
  return name;
}

function count(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}
