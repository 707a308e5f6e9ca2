import { Command, InvalidArgumentError, Option } from 'commander';
import { execa } from 'execa';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endOnSignals, formatTable } from '../src/cli/index.ts';
import {
  fill,
  measureBulk,
  measureIdle,
  measureRestart,
  measureSingle,
  mostRenewals,
  type BulkResult,
  type IdleResult,
  type RestartResult,
  type SingleResult,
} from './cluster/measure.ts';
import {
  clusterRigUp,
  configure,
  install,
  NODES,
  openFloor,
  type ClusterRig,
  type RouterKind,
} from './cluster/rig.ts';
import { makeEndpoints, makeService } from './cluster/services.ts';
import { machineText, thisMachine, type Machine } from './support/machine.ts';
import type { Summary } from './support/stats.ts';

const PRESENT = 1_000;
const ROOT = join(import.meta.dirname, '..');

interface RouterReport {
  readonly router: RouterKind;
  readonly installToFirstRouteMs: number;
  readonly single: SingleResult;
  readonly bulk?: BulkResult;
  readonly restart?: RestartResult;
  readonly idle?: IdleResult;
}

interface Report {
  readonly machine: Machine;
  readonly routers: readonly RouterReport[];
}

const program = new Command('bench:cluster')
  .description(
    'Times in a real cluster of three nodes: from a Service to its address, and to its route on a router.',
  )
  .addOption(
    new Option('--router <kind>', 'what the nodes peer with')
      .choices(['frr', 'bird', 'both'])
      .default('both'),
  )
  .option('--single <trials>', 'Services created one by one with 1,000 present', count, 100)
  .option(
    '--bulk <rounds>',
    'rounds of 1,000 Services created at once and 500 deleted (FRR router)',
    count,
    5,
  )
  .option(
    '--idle <seconds>',
    'how long requests of an idle system are counted (FRR router); 0: not',
    count,
    60,
  )
  .option('--images <folder>', 'folder of frr.tar and metallb-frr.tar (default: they are built)')
  .option('-o, --output <form>', 'table or json', 'table')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:cluster\n  npm run bench:cluster -- --router frr --single 20 --bulk 1 -o json\n',
  );

const options = program.parse().opts<{
  router: RouterKind | 'both';
  single: number;
  bulk: number;
  idle: number;
  images?: string;
  output: string;
}>();

const signal = endOnSignals();
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

try {
  const folder = options.images ?? (await mkdtemp(join(tmpdir(), 'mlf-images-')));
  try {
    if (options.images === undefined) await buildImages(folder);
    const images = ['frr.tar', 'metallb-frr.tar'].map((name) => join(folder, name));
    const routers: RouterReport[] = [];
    for (const router of options.router === 'both' ? (['frr', 'bird'] as const) : [options.router]) {
      routers.push(await measure(router, images));
    }
    const report = { machine: thisMachine(), routers };
    process.stdout.write(
      options.output === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : tablesOf(report),
    );
  } finally {
    if (options.images === undefined) await rm(folder, { recursive: true, force: true });
  }
} catch (error) {
  say(error instanceof Error ? `failed: ${error.message}` : String(error));
  process.exitCode = 1;
}

async function buildImages(folder: string): Promise<void> {
  say('building the images');
  await execa(process.execPath, [join(ROOT, 'scripts/images.mjs'), '--make-base', '--output', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 1_800_000,
  });
}

async function measure(router: RouterKind, images: readonly string[]): Promise<RouterReport> {
  const rig = await clusterRigUp({ router, images, signal, onProgress: say });
  try {
    return await measureIn(rig, router);
  } finally {
    await rig.down();
  }
}

async function measureIn(rig: ClusterRig, router: RouterKind): Promise<RouterReport> {
  say('helm install');
  await makeEndpoints(rig.client, 'first');
  await makeService(rig.client, 'first');
  const startedAt = performance.now();
  const installed = install(rig);
  await untilKnown(rig);
  await configure(rig);
  await installed;
  const { ips } = await rig.addresses.all(['first'], 120_000);
  const installToFirstRouteMs = Math.round((await rig.routes.until(ips, NODES.length, 120_000)) - startedAt);
  say(`filling with ${String(PRESENT)} Services`);
  await fill(rig, PRESENT);
  const floor = await openFloor(rig);
  try {
    say(
      `${String(options.single)} Services one by one (about ${String(Math.round((options.single * 3.5) / 60))} min)`,
    );
    const single = await measureSingle(rig, floor, options.single);
    if (router !== 'frr') return { router, installToFirstRouteMs, single };
    const report: { -readonly [Part in keyof RouterReport]: RouterReport[Part] } = {
      ...{ router, installToFirstRouteMs, single },
    };
    // What has been measured is shown, whatever becomes of the rest.
    try {
      say('restarting all speakers with their FRR');
      report.restart = await measureRestart(rig, PRESENT);
      if (options.idle > 0) say(`${String(options.idle)} s of nothing`);
      if (options.idle > 0) report.idle = await measureIdle(rig, options.idle);
      if (options.bulk > 0) say(`1,000 Services at once, ${String(options.bulk)} times`);
      if (options.bulk > 0) report.bulk = await measureBulk(rig, options.bulk);
    } catch (error) {
      signal.throwIfAborted();
      say(error instanceof Error ? `failed: ${error.message}` : String(error));
      process.exitCode = 1;
    }
    return report;
  } finally {
    await floor.close();
  }
}

/** Until the API server knows the chart's kinds, and the namespace is there. */
async function untilKnown(rig: ClusterRig): Promise<void> {
  for (;;) {
    const known = await rig.client
      .request({ method: 'GET', path: '/apis/metallb.io/v1beta2/namespaces/metallb-system/bgppeers' })
      .then(
        () => true,
        () => false,
      );
    const there = await rig.client.request({ method: 'GET', path: '/api/v1/namespaces/metallb-system' }).then(
      () => true,
      () => false,
    );
    if (known && there) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function tablesOf(report: Report): string {
  const rows: string[][] = [];
  const row = (what: string, { count: n, p50, p90, p99, max }: Summary, bar = '', met?: boolean): void => {
    rows.push([
      what,
      ...[n, p50, p90, p99, max].map(String),
      bar,
      met === undefined ? '' : met ? 'yes' : 'NO',
    ]);
  };
  const one = (what: string, value: string, bar: string, met?: boolean): void => {
    rows.push([what, '1', value, '', '', '', bar, met === undefined ? '' : met ? 'yes' : 'NO']);
  };
  for (const { router, installToFirstRouteMs, single, bulk, restart, idle } of report.routers) {
    const { address, addressAfterAnswer, route, floor } = single;
    const name = router === 'frr' ? 'FRR router' : 'BIRD';
    one(
      `helm install -> first route, ${name}`,
      String(installToFirstRouteMs),
      '<= 30000',
      installToFirstRouteMs <= 30_000,
    );
    row(
      `Service created -> address, ${name}`,
      address,
      'p50 <= 15, p99 <= 50',
      address.p50 <= 15 && address.p99 <= 50,
    );
    row('  of which after the API server had answered', addressAfterAnswer);
    row(`the same line typed by hand -> route, ${name}: floor`, floor);
    const [p50, p99] = [floor.p50 + 25, floor.p50 + 110];
    row(
      `Service created -> route, ${name}`,
      route,
      `p50 <= ${p50.toFixed(0)}, p99 <= ${p99.toFixed(0)}`,
      route.p50 <= p50 && route.p99 <= p99,
    );
    if (restart) {
      const { allRoutesMs, memory } = restart;
      one(
        'all speakers and FRR restarted -> all routes',
        String(allRoutesMs),
        '<= 5000',
        allRoutesMs <= 5_000,
      );
      one(
        'speaker, resident MiB',
        memory.join(', '),
        '<= 100',
        memory.every((each) => each <= 100),
      );
    }
    if (bulk) {
      row(
        '1,000 created, after the last answer -> last route',
        bulk.created,
        '<= 1500',
        bulk.created.max <= 1_500,
      );
      row(
        '500 deleted, after the last answer -> last route gone',
        bulk.deleted,
        '<= 300',
        bulk.deleted.max <= 300,
      );
    }
    if (!idle) continue;
    for (const [key, requests] of Object.entries(idle.requests)) {
      one(`idle for ${String(idle.seconds)} s, requests: ${key}`, String(requests), '');
    }
    for (const [name, renewals] of Object.entries(idle.renewals)) {
      const most = mostRenewals(name, idle);
      one(`  of our Lease ${name}`, String(renewals), `<= ${String(most)}`, renewals <= most);
    }
  }
  const { machine } = report;
  return [
    `milliseconds; ${machineText(machine)}`,
    formatTable(['what', 'n', 'p50', 'p90', 'p99', 'max', 'bar', 'met'], rows),
    '',
  ].join('\n');
}

function count(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}
