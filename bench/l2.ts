import { Command, InvalidArgumentError, Option } from 'commander';
import { endOnSignals } from '../src/cli/index.ts';
import { faultRun, OBSERVER, type FaultRunResult } from '../test/lan/index.ts';
import { brokenRules } from './l2/broken.ts';
import { KEEPALIVED, startKeepalived } from './l2/keepalived.ts';
import { measureLatency, type LatencyResult } from './l2/latency.ts';
import { measureMany } from './l2/many.ts';
import { measurePlanned, PLANS, type PlannedResult } from './l2/planned.ts';
import { NODES, rigUp, type Rig } from './l2/rig.ts';
import { OURS, tableOf, TAKEOVERS, type Report, type TakeoverRow } from './l2/table.ts';
import { FAULTS, measureTakeover } from './l2/takeover.ts';
import { measureTraffic } from './l2/traffic.ts';
import { thisMachine } from './support/machine.ts';

/** The Services of examples/layer2. */
const WEB = { service: 'default/web', ip: '192.0.2.200' } as const;
const SHOP = ['192.0.2.201', '2001:db8::c9'] as const;
const IPV6 = '2001:db8::c9';
/** The same for the other family, where frames and sockets are others. */
const WEB6 = { service: 'default/shop', ip: IPV6 } as const;
const TAKEOVERS6: readonly string[] = ['link', 'power'];
const MANY = 1_000;

const ROWS = [
  ...['keepalived', 'link', 'carrier', 'frozen', 'power', 'speaker', 'frr'],
  ...['planned', 'latency', 'many', 'traffic', 'faults'],
];

interface TakeoverPlan {
  readonly by: string;
  readonly fault: keyof typeof FAULTS;
  readonly ip: string;
  readonly trials: number;
  readonly lastsMs: number;
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
    const what = `${by}: ${fault}, ${ip}, ${trials} times`;
    const result = await attempt(what, () => measureTakeover(target, order));
    if (result) takeovers.push({ by, fault, ip, result });
  }
  const planned: PlannedResult[] = [];
  for (const plan of isWanted('planned') ? PLANS : []) {
    for (const about of [WEB, WEB6]) {
      const order = { ...about, plan, trials: Math.ceil(options.trials / 5) };
      const what = `${order.trials} planned moves of ${about.ip}: ${plan}`;
      const result = await attempt(what, () => measurePlanned(target, order));
      if (result) planned.push(result);
    }
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
  for (const fault of TAKEOVERS.filter(isWanted)) {
    plans.push({ ...ours, fault });
    if (TAKEOVERS6.includes(fault)) plans.push({ ...ours, fault, ip: IPV6 });
  }
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

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}
