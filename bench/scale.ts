import { Command, InvalidArgumentError, Option } from 'commander';
import { once } from 'node:events';
import { endOnSignals, formatTable } from '../src/cli/index.ts';
import { measureLive, type LiveResult, type MemoryOfAll } from './scale/live.ts';
import { FULL, measurePure, type PureRow } from './scale/pure.ts';
import { scaleRigUp } from './scale/rig.ts';
import { SIMULATED, simulate, type SimulationStep } from './scale/simulation.ts';
import { mostRenewals, type SingleResult } from './cluster/measure.ts';
import { machineText, thisMachine, type Machine } from './support/machine.ts';
import type { Summary } from './support/stats.ts';

interface Report {
  readonly machine: Machine;
  readonly pure: readonly PureRow[];
  readonly simulation: readonly SimulationStep[];
  readonly live?: LiveResult;
}

const PARTS = ['pure', 'simulation', 'live'] as const;

const program = new Command('bench:scale')
  .description(
    'What ten thousand Services cost: our own code beside the least that anybody needs for the same, 5,000 nodes and 50,000 Services simulated, and the product with a real API server, three nodes with FRR and a router.',
  )
  .addOption(new Option('--only <part>', 'this part only').choices(PARTS))
  .option('--services <count>', 'how many are present', count, 10_000)
  .option('--trials <count>', 'Services, and changes of endpoints, one by one', count, 50)
  .option('--idle <seconds>', 'how long nothing happens', count, 60)
  .option('--churn <seconds>', 'how long 50 Services a second come and go; 0: not', count, 300)
  .option('-o, --output <form>', 'table or json', 'table')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:scale\n  npm run bench:scale -- --only pure\n  npm run bench:scale -- --only live --services 1000 --churn 0 -o json\n',
  );
const options = program.parse().opts<{
  only?: (typeof PARTS)[number];
  services: number;
  trials: number;
  idle: number;
  churn: number;
  output: string;
}>();

const signal = endOnSignals();
try {
  const isWanted = (part: (typeof PARTS)[number]): boolean => (options.only ?? part) === part;
  const pure = isWanted('pure') ? measurePure(FULL, say) : [];
  const simulation = isWanted('simulation') ? simulate(SIMULATED, say) : [];
  const live = isWanted('live') ? await measured() : undefined;
  const report: Report = { machine: thisMachine(), pure, simulation, ...(live ? { live } : {}) };
  process.stdout.write(
    options.output === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : tablesOf(report),
  );
} catch (error) {
  say(error instanceof Error ? `failed: ${error.message}` : String(error));
  process.exitCode = 1;
}

async function measured(): Promise<LiveResult> {
  const rig = await scaleRigUp({ signal, onProgress: say });
  try {
    const { services, trials, idle: idleSeconds, churn: churnSeconds } = options;
    const measuring = measureLive(rig, { services, trials, idleSeconds, churnSeconds, onProgress: say });
    // Nothing in it looks at the signal: what it uses is taken away, and it ends.
    return await Promise.race([measuring, whenAborted(signal)]);
  } finally {
    await rig.down();
  }
}

async function whenAborted(until: AbortSignal): Promise<never> {
  if (!until.aborted) await once(until, 'abort');
  throw new Error('interrupted');
}

function tablesOf({ machine, pure, simulation, live }: Report): string {
  return [
    `milliseconds, if nothing else is said; ${machineText(machine)}`,
    ...(pure.length > 0 ? [pureTable(pure)] : []),
    ...(simulation.length > 0 ? [simulationTable(simulation)] : []),
    ...(live ? [liveTable(live)] : []),
    '',
  ].join('\n');
}

function pureTable(pure: readonly PureRow[]): string {
  const rows = pure.map(({ what, least, bar, versus: { ours, baseline, ratio } }) => [
    ...[what, String(ours.count), String(ours.p50), String(ours.max)],
    ...[least, String(baseline.p50), String(ratio)],
    ...barCells(bar, (most) => ours.p50 <= most),
  ]);
  return formatTable(['what', 'n', 'p50', 'max', 'the least', 'p50', 'ratio', 'bar', 'met'], rows);
}

function simulationTable(steps: readonly SimulationStep[]): string {
  const rows = steps.map(({ what, ms, keptMiB }) => [what, String(ms), String(keptMiB)]);
  return formatTable(['simulated, in one process', 'ms', 'kept, MiB'], rows);
}

function barCells(bar: number | undefined, isMet: (most: number) => boolean): readonly string[] {
  return bar === undefined ? ['', ''] : [`<= ${String(bar)}`, isMet(bar) ? 'yes' : 'NO'];
}

function liveTable(live: LiveResult): string {
  const rows: string[][] = [];
  const series = (what: string, { count: n, p50, p99, max }: Summary, bar = '', isMet?: boolean): void => {
    rows.push([what, ...[n, p50, p99, max].map(String), bar, met(isMet)]);
  };
  const fact = (what: string, value: number | string, most?: number): void => {
    const isMet = most === undefined ? undefined : Number(value) <= most;
    rows.push([what, '', String(value), '', '', most === undefined ? '' : `<= ${String(most)}`, met(isMet)]);
  };
  const { services, few, many, memory, idle, churn } = live;
  const above = ({ route, floor }: SingleResult): number => route.p50 - floor.p50;
  fact('a client lists all Services, and does nothing: floor', live.adoption.floorMs);
  fact('controller start -> all adopted', live.adoption.allMs, 4_000);
  fact('as a multiple of that', (live.adoption.allMs / live.adoption.floorMs).toFixed(2));
  fact(`FRR start by itself -> ${services} routes: floor`, live.restart.floorMs);
  fact(`speaker and FRR start -> ${services} routes`, live.restart.allRoutesMs, 8_000);
  fact('as a multiple of that', (live.restart.allRoutesMs / live.restart.floorMs).toFixed(2));
  series('one more typed by hand: floor', many.floor);
  const [p50, p99] = [many.floor.p50 + 35, many.floor.p50 + 150];
  series(
    'one more Service -> route',
    many.route,
    `p50 <= ${p50.toFixed(0)}, p99 <= ${p99.toFixed(0)}`,
    many.route.p50 <= p50 && many.route.p99 <= p99,
  );
  series('the same with a hundred present', few.route);
  fact('above the floor, as a multiple of that', (above(many) / above(few)).toFixed(2), 1.5);
  fact('one EndpointSlice changes: CPU of a speaker', live.endpoints.cpuMs, 60);
  fact('memory of a speaker, MiB', Math.max(...memory.speakers), 150);
  fact('memory of the controller, MiB', memory.controller, 180);
  const largest = ({ speakers }: MemoryOfAll): number => Math.max(...speakers);
  live.growth.forEach((size, index) => {
    fact(`with ${size.services}: speaker, controller, MiB`, `${largest(size)}, ${size.controller}`);
    const before = live.growth[index - 1];
    if (!before) return;
    const each = (many: number, few: number): string =>
      (((many - few) * 1_024) / (size.services - before.services)).toFixed(1);
    const both = [each(largest(size), largest(before)), each(size.controller, before.controller)];
    fact('  each Service more, KiB', both.join(', '));
  });
  fact("memory of a node's FRR, MiB", Math.max(...memory.frr));
  const peak = (of: (each: LiveResult['peaks'][number]) => number): number => Math.max(...live.peaks.map(of));
  fact(
    'the most that the controller ever had, MiB',
    peak(({ controller }) => controller),
  );
  fact(
    'the most that a speaker ever had, MiB',
    peak(({ speakers }) => Math.max(...speakers)),
  );
  fact('idle speaker, % of a core', Math.max(...idle.cpu.speakers), 0.5);
  fact('idle controller, % of a core', idle.cpu.controller, 0.5);
  for (const [key, requests] of Object.entries(idle.requests)) {
    fact(`idle for ${String(idle.seconds)} s, requests: ${key}`, requests);
  }
  for (const [name, renewals] of Object.entries(idle.renewals)) {
    fact(`  of our Lease ${name}`, renewals, mostRenewals(name, idle));
  }
  fact('bytes from the API server at the start of a speaker', live.restart.bytesPerSpeaker);
  fact('all created, until the last status is written', live.filledMs);
  if (churn) {
    fact(`${churn.seconds * 50} changes, wanted in ${churn.seconds} s: taken, s`, churn.tookSeconds);
    series('from a create to its route, the first tenth', churn.first);
    series('the last tenth', churn.last);
    fact('memory before, MiB: controller, speakers', churn.memory.before.join(', '));
    fact('memory after', churn.memory.after.join(', '));
  }
  return formatTable(['what', 'n', 'p50', 'p99', 'max', 'bar', 'met'], rows);
}

function met(isMet: boolean | undefined): string {
  return isMet === undefined ? '' : isMet ? 'yes' : 'NO';
}

function count(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
