import { Command, InvalidArgumentError, Option } from 'commander';
import { endOnSignals, formatTable } from '../src/cli/index.ts';
import { faultRun, OBSERVER, type FaultRunResult } from '../test/lan/index.ts';
import { brokenRules } from './l2/broken.ts';
import { KEEPALIVED, startKeepalived } from './l2/keepalived.ts';
import { measureLatency, type LatencyResult } from './l2/latency.ts';
import { measureMany, type ManyResult } from './l2/many.ts';
import { measurePlanned, PLANS, type PlannedResult } from './l2/planned.ts';
import { NODES, rigUp, type Rig } from './l2/rig.ts';
import { FAULTS, measureTakeover, type TakeoverResult } from './l2/takeover.ts';
import { measureTraffic, type TrafficResult } from './l2/traffic.ts';
import { machineText, thisMachine, type Machine } from './support/machine.ts';
import type { Summary } from './support/stats.ts';

/** The Services of examples/layer2. */
const WEB = { service: 'default/web', ip: '192.0.2.200' } as const;
const SHOP = ['192.0.2.201', '2001:db8::c9'] as const;
const IPV6 = '2001:db8::c9';
const MANY = 1_000;
const OURS = 'metallb-frr';

const TAKEOVERS = ['link', 'carrier', 'frozen', 'power', 'speaker', 'frr'] as const;
const ROWS = [
  ...['keepalived', 'link', 'carrier', 'frozen', 'power', 'speaker', 'frr'],
  ...['planned', 'latency', 'many', 'traffic', 'faults'],
];

/** What the rows are called, with the bars for them in milliseconds. */
const TITLES: Readonly<Record<(typeof TAKEOVERS)[number], { what: string; p50?: number; p99: number }>> = {
  link: { what: "owner's link cut, carrier stays", p50: 250, p99: 500 },
  carrier: { what: "owner's cable pulled", p50: 250, p99: 500 },
  frozen: { what: "owner's processes frozen", p50: 250, p99: 500 },
  power: { what: 'owner without power', p50: 250, p99: 500 },
  speaker: { what: "owner's speaker killed", p99: 1_000 },
  frr: { what: 'FRR killed under the owner', p99: 1_000 },
};

interface TakeoverPlan {
  readonly by: string;
  readonly fault: keyof typeof FAULTS;
  readonly ip: string;
  readonly trials: number;
  readonly lastsMs: number;
}

interface TakeoverRow {
  readonly by: string;
  readonly fault: string;
  readonly result: TakeoverResult;
}

interface Report {
  readonly machine: Machine;
  readonly takeovers: readonly TakeoverRow[];
  readonly planned: readonly PlannedResult[];
  readonly latency: readonly LatencyResult[];
  readonly many?: ManyResult;
  readonly traffic?: TrafficResult;
  readonly faults?: FaultRunResult;
  /** Rows that could not be measured, and why. */
  readonly failures: readonly string[];
  /** Rules that were broken, which is a failure of the run as well. */
  readonly broken: readonly string[];
}

const program = new Command('bench:l2')
  .description(
    'Layer 2 on three nodes and one LAN: failover, planned moves, answers, many addresses, random faults; keepalived beside it.',
  )
  .option('--trials <count>', 'faults of each kind, and planned moves of each kind', count, 50)
  .option('--baseline-trials <count>', 'faults of each kind for keepalived', count, 10)
  .option('--faults <count>', 'random faults of the long run', count, 500)
  .option('--seed <number>', 'of the random faults; another one each time when absent', count)
  .addOption(new Option('--only <row...>', 'these rows only').choices(ROWS))
  .option('-o, --output <form>', 'table or json', 'table')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:l2\n  npm run bench:l2 -- --only link speaker --trials 10\n  npm run bench:l2 -- --only faults --faults 100 --seed 7 -o json\n',
  );

const options = program.parse().opts<{
  trials: number;
  baselineTrials: number;
  faults: number;
  seed?: number;
  only?: readonly string[];
  output: string;
}>();

const signal = endOnSignals();
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const isWanted = (row: string): boolean => options.only === undefined || options.only.includes(row);

const rig = await rigUp({ signal, onProgress: say });
try {
  const report = await measure(rig);
  process.stdout.write(
    options.output === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : tableOf(report),
  );
} catch (error) {
  say(error instanceof Error ? `failed: ${error.message}` : String(error));
  process.exitCode = 1;
} finally {
  await rig.down();
}

/** Every row on its own: one that fails takes no other with it. */
async function measure(target: Rig): Promise<Report> {
  const failures: string[] = [];
  const attempt = async <T>(what: string, action: () => Promise<T>): Promise<T | undefined> => {
    say(what);
    try {
      return await action();
    } catch (error) {
      signal.throwIfAborted();
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      say(`  failed: ${failures.at(-1) ?? ''}`);
      process.exitCode = 1;
      return undefined;
    }
  };
  const takeovers: TakeoverRow[] = [];
  for (const { by, fault, ip, trials, lastsMs } of await plannedTakeovers(target)) {
    const order = { ip, trials, lastsMs, fault: FAULTS[fault] };
    const result = await attempt(`${by}: ${fault}, ${trials} times`, () => measureTakeover(target, order));
    if (result) takeovers.push({ by, fault, result });
  }
  const planned: PlannedResult[] = [];
  for (const plan of isWanted('planned') ? PLANS : []) {
    const trials = Math.ceil(options.trials / 5);
    const order = { ...WEB, plan, trials };
    const result = await attempt(`${trials} planned moves: ${plan}`, () => measurePlanned(target, order));
    if (result) planned.push(result);
  }
  const latency: LatencyResult[] = [];
  for (const ip of isWanted('latency') ? [WEB.ip, IPV6] : []) {
    const order = { ip, trials: options.trials * 200 };
    const result = await attempt(`answers for ${ip}`, () => measureLatency(target, order));
    if (result) latency.push(result);
  }
  const ips = [WEB.ip, ...SHOP];
  const traffic = isWanted('traffic')
    ? await attempt('traffic between speakers', () => measureTraffic(target, ips))
    : undefined;
  const order = { addresses: MANY, trials: Math.ceil(options.trials / 10) };
  const many = isWanted('many')
    ? await attempt(`${MANY} addresses, ${order.trials} times`, () => measureMany(target, order))
    : undefined;
  const faults = isWanted('faults')
    ? await attempt(`${options.faults} random faults`, () => measureFaults(target))
    : undefined;
  const broken = brokenRules({ planned, ...(faults ? { faults } : {}) });
  if (broken.length > 0) process.exitCode = 1;
  return {
    ...{ machine: thisMachine(), takeovers, planned, latency, failures, broken },
    ...(traffic ? { traffic } : {}),
    ...(many ? { many } : {}),
    ...(faults ? { faults } : {}),
  };
}

async function plannedTakeovers(target: Rig): Promise<TakeoverPlan[]> {
  const plans: TakeoverPlan[] = [];
  if (isWanted('keepalived') && options.baselineTrials > 0) {
    await startKeepalived(target.state);
    for (const { ip, advertInt } of KEEPALIVED) {
      const by = `keepalived, advert_int ${advertInt}`;
      const order = { by, ip, trials: options.baselineTrials, lastsMs: 10_000 };
      for (const fault of ['link', 'frozen', 'power', 'keepalived'] as const) plans.push({ ...order, fault });
    }
  }
  const ours = { by: OURS, ip: WEB.ip, trials: options.trials, lastsMs: 5_000 };
  for (const fault of TAKEOVERS) if (isWanted(fault)) plans.push({ ...ours, fault });
  return plans;
}

async function measureFaults(target: Rig): Promise<FaultRunResult> {
  const seed = options.seed ?? Date.now() % 1_000_000;
  const ips = [WEB.ip, ...SHOP];
  await target.settle(ips);
  say(`${options.faults} random faults, seed ${seed}`);
  return faultRun(
    {
      ...{ state: target.state, recorder: target.recorder, asker: target.asker },
      ...{ switchNode: 'switch', ips, gateways: Object.values(OBSERVER) },
      nodes: new Map(NODES.map((node, index) => [node, `eth${index + 1}`])),
    },
    { seed, faults: options.faults, onStep: say, signal },
  );
}

function tableOf(report: Report): string {
  const { machine, takeovers, planned, latency, many, traffic, faults } = report;
  const rows: string[][] = [];
  const row = (what: string, by: string, summary: Summary, bar = '', isMet?: boolean): void => {
    const { count: n, p50, p90, p99, max } = summary;
    const met = isMet === undefined ? '' : isMet ? 'yes' : 'NO';
    rows.push([what, by, ...[n, p50, p90, p99, max].map(String), bar, met]);
  };
  const fact = (what: string, by: string, value: string, bar = '', isMet?: boolean): void => {
    rows.push([what, by, value, '', '', '', '', bar, isMet === undefined ? '' : isMet ? 'yes' : 'NO']);
  };
  for (const { by, fault, result } of takeovers) {
    const isOurs = by === OURS;
    const title = isTakeover(fault) ? TITLES[fault] : undefined;
    const what = `${title?.what ?? 'its daemon killed'} -> announced by another`;
    const { moved } = result;
    if (moved === undefined) {
      fact(
        what,
        by,
        `stayed ${result.stayed} of ${result.trials}`,
        '',
        isOurs && title ? fault === 'frr' : undefined,
      );
      continue;
    }
    if (!isOurs || title === undefined) {
      row(what, by, moved);
      continue;
    }
    const isMet =
      moved.p99 <= title.p99 &&
      (title.p50 === undefined || moved.p50 <= title.p50) &&
      (fault === 'frr' || result.stayed === 0);
    row(
      what,
      by,
      moved,
      `${title.p50 === undefined ? '' : `p50 <= ${title.p50}, `}p99 <= ${title.p99}`,
      isMet,
    );
    if (result.stayed > 0) fact(what, by, `stayed ${result.stayed} of ${result.trials}`);
  }
  for (const { plan, moved, trials, pings, lost, transfers, broken, longestGapMs } of planned) {
    const value = `${lost} of ${pings} pings lost, ${broken} of ${transfers} transfers broken, moved ${moved} of ${trials}`;
    fact(
      `${plan}: ping each 1 ms, upload`,
      OURS,
      `${value}, ARP gap ${longestGapMs}`,
      '0, 0',
      lost + broken === 0,
    );
  }
  for (const { family, kernel, ours, lost, perSecond } of latency) {
    const { what, p50, p99 } =
      family === 'ipv4' ? { what: 'ARP', p50: 60, p99: 150 } : { what: 'NS', p50: 80, p99: undefined };
    row(`${what} -> answer, us`, "the node's kernel", kernel);
    const isMet = ours.p50 <= p50 && (p99 === undefined || ours.p99 <= p99) && lost === 0;
    row(
      `${what} -> answer, us`,
      OURS,
      ours,
      `p50 <= ${p50}${p99 === undefined ? '' : `, p99 <= ${p99}`}`,
      isMet,
    );
    const isFast = family === 'ipv4' ? perSecond >= 25_000 : undefined;
    fact(`${what} answers a second`, OURS, String(perSecond), family === 'ipv4' ? '>= 25000' : '', isFast);
  }
  if (many) {
    row(`${many.addresses} Services added -> all announced`, OURS, many.added);
    row(
      `all speakers start, ${many.addresses} addresses -> all announced`,
      OURS,
      many.claimed,
      '<= 2000',
      many.claimed.max <= 2_000,
    );
    row(
      `owner of ${many.ofThem.join(', ')} without power -> all moved`,
      OURS,
      many.moved,
      '<= 1500',
      many.moved.max <= 1_500,
    );
  }
  if (traffic) {
    const { bfd, questions, announcements, other } = traffic.perNode;
    fact(
      'sent by a node of 3, bytes/s',
      OURS,
      `BFD ${bfd}, ARP and ND ${questions}, announcements ${announcements}, other ${other}`,
    );
    const { nodes, addresses, bytesPerSecond } = traffic.computed;
    fact(
      `sent by a node of ${nodes}, ${addresses} addresses, bytes/s, computed`,
      OURS,
      String(bytesPerSecond),
      '<= 5000',
      bytesPerSecond <= 5_000,
    );
  }
  if (faults) {
    const { seed, violations, longestOverlapMs, longestGapMs } = faults;
    const value = `${violations.length} violations; two owners for at most ${longestOverlapMs}, none for ${longestGapMs}`;
    fact(`${faults.faults} random faults, seed ${seed}`, OURS, value, '0', violations.length === 0);
  }
  return [
    `milliseconds, if nothing else is said; ${machineText(machine)}`,
    formatTable(['what', 'by', 'n', 'p50', 'p90', 'p99', 'max', 'bar', 'met'], rows),
    ...report.failures.map((failure) => `failed: ${failure}`),
    ...report.broken.map((rule) => `broken: ${rule}`),
    '',
  ].join('\n');
}

function isTakeover(fault: string): fault is (typeof TAKEOVERS)[number] {
  return TAKEOVERS.some((each) => each === fault);
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}
