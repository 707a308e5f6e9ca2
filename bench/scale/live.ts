import { setTimeout as delay } from 'node:timers/promises';
import { requireNode } from '../../src/lab/index.ts';
import { FRR_DAEMONS, signalNamed } from '../../test/lan/index.ts';
import {
  fill,
  measureIdle,
  measureSingle,
  names,
  settle,
  type IdleResult,
  type SingleResult,
} from '../cluster/measure.ts';
import {
  deleteEndpoints,
  deleteService,
  inParallel,
  makeEndpoints,
  makeService,
} from '../cluster/services.ts';
import { summarise, type Summary } from '../support/stats.ts';
import { NODES, openFloor, type ScaleRig, type Started } from './rig.ts';
import { cpuMsOf, memoryOf, memoryOfFrr, peakOf, receivedBytes } from './usage.ts';

/** What is present when a few Services are measured beside which many are judged. */
const FEW = 100;
const TIMEOUT_MS = 300_000;
/** Statuses of announced Services are written at a pace of ten a second on each node. */
const STATUS_MS = 150;
const QUIET_MS = 30_000;
/** Of all Services: where the memory is looked at on the way. */
const STEPS = [0.25, 0.5, 1];
const PAGE = 500;

export interface LiveResult {
  readonly services: number;
  /** One more Service, with a hundred present and with all. */
  readonly few: SingleResult;
  readonly many: SingleResult;
  /** Creating all by eight clients, until the last route stands and everything is written. */
  readonly filledMs: number;
  readonly endpoints: EndpointsResult;
  /** Resident, MiB. */
  readonly memory: MemoryOfAll;
  /** The most that each process had: while all Services were made, and since it was started anew with all of them. */
  readonly peaks: readonly Omit<MemoryOfAll, 'frr'>[];
  /** Resident at several sizes, the last one that of all. */
  readonly growth: readonly (MemoryOfAll & { readonly services: number })[];
  readonly idle: IdleResult & {
    readonly cpu: { readonly controller: number; readonly speakers: readonly number[] };
  };
  readonly adoption: {
    readonly allMs: number;
    /** A client that lists all Services, and does nothing with them. */
    readonly floorMs: number;
  };
  readonly restart: {
    readonly allRoutesMs: number;
    /** FRR by itself, with the frr.conf that stands: the same routes without a speaker. */
    readonly floorMs: number;
    readonly bytesPerSpeaker: number;
  };
  readonly churn?: ChurnResult;
}

export interface MemoryOfAll {
  readonly controller: number;
  readonly speakers: readonly number[];
  /** FRR's processes of a node together. */
  readonly frr: readonly number[];
}

export interface EndpointsResult {
  /** CPU of one speaker for one EndpointSlice that changed, milliseconds. */
  readonly cpuMs: number;
  readonly changes: number;
}

export interface ChurnResult {
  /** How long it was to be; the machine may take longer for as many changes, and then they are fewer a second. */
  readonly seconds: number;
  readonly tookSeconds: number;
  /** From the answer to a create to its route, in the first and in the last tenth of the time. */
  readonly first: Summary;
  readonly last: Summary;
  /** MiB before, and after everything was quiet again. */
  readonly memory: { readonly before: readonly number[]; readonly after: readonly number[] };
}

export interface LiveOptions {
  readonly services: number;
  readonly trials: number;
  readonly idleSeconds: number;
  readonly churnSeconds: number;
  readonly onProgress: (text: string) => void;
}

/** Our processes of the moment. */
interface Running {
  controller: Started;
  speakers: readonly Started[];
}

export async function measureLive(rig: ScaleRig, options: LiveOptions): Promise<LiveResult> {
  const { services, trials, idleSeconds, churnSeconds, onProgress } = options;
  const running: Running = {
    controller: await rig.startController(),
    speakers: await Promise.all(NODES.map((node) => rig.startSpeaker(node))),
  };
  /** What took half an hour to measure is told at once, for whoever does not wait for the rest. */
  const told = <T>(result: T): T => {
    onProgress(`  ${JSON.stringify(result)}`);
    return result;
  };
  const settleMs = 60_000 + services * STATUS_MS;
  onProgress(`${FEW} Services, then ${trials} one by one`);
  await fill(rig, FEW, { settleMs });
  const few = told(await single(rig, trials));
  onProgress(`${services} Services (the last status is written after ${Math.round(services / 600)} min)`);
  const { growth, filledMs } = await grow(rig, running, { services, settleMs });
  onProgress(`${trials} one by one`);
  const many = told(await single(rig, trials));
  onProgress('EndpointSlices change');
  const endpoints = told(await measureEndpoints(rig, running, trials));
  onProgress(`${idleSeconds} s of nothing`);
  const idle = told(await idleFor(rig, running, idleSeconds));
  const memory = told(await memoryOfAll(rig, running));
  told(growth);
  const peaks = [told(await peaksOf(running))];
  onProgress('the controller starts anew');
  const adoption = told(await measureAdoption(rig, running));
  onProgress('speakers and FRR start anew');
  const restart = told(await measureStart(rig, running, services));
  const result = { services, few, many, filledMs, endpoints, memory, growth, idle, adoption, restart };
  if (churnSeconds === 0) return { ...result, peaks: [...peaks, await peaksOf(running)] };
  onProgress(`${churnSeconds} s of 50 changes a second`);
  const churn = told(await measureChurn(rig, running, { services, seconds: churnSeconds, settleMs }));
  return { ...result, churn, peaks: [...peaks, told(await peaksOf(running))] };
}

/** Makes all Services in steps, and looks at the memory after each. */
async function grow(
  rig: ScaleRig,
  running: Running,
  { services, settleMs }: { readonly services: number; readonly settleMs: number },
): Promise<Pick<LiveResult, 'growth' | 'filledMs'>> {
  const growth: LiveResult['growth'][number][] = [];
  let filledMs = 0;
  let present = FEW;
  const sizes = STEPS.map((share) => Math.round(services * share)).filter((size) => size > FEW);
  for (const size of [FEW, ...sizes]) {
    const startedAt = performance.now();
    await fill(rig, size, { present, settleMs });
    filledMs += Math.round(performance.now() - startedAt);
    present = size;
    await delay(QUIET_MS);
    growth.push({ services: size, ...(await memoryOfAll(rig, running)) });
  }
  return { growth, filledMs };
}

async function single(rig: ScaleRig, trials: number): Promise<SingleResult> {
  const floor = await openFloor(rig);
  try {
    return await measureSingle(rig, floor, trials);
  } finally {
    await floor.close();
  }
}

/** Endpoints come and go without a consequence: the work is to find that out. */
async function measureEndpoints(rig: ScaleRig, running: Running, changes: number): Promise<EndpointsResult> {
  const [speaker] = running.speakers;
  if (!speaker) throw new Error('no speaker runs');
  // What the Services of before have left to do would count as that of an idle speaker.
  await settle(rig, TIMEOUT_MS);
  await delay(QUIET_MS);
  const idleMs = await cpuDuring(speaker, () => delay(changes * 200));
  const busyMs = await cpuDuring(speaker, async () => {
    for (let change = 0; change < changes; change += 1) {
      const path = `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-${change}-1`;
      const addresses = [`10.244.1.${1 + (change % 250)}`];
      await rig.api.request(
        'PATCH',
        path,
        { endpoints: [{ addresses, nodeName: 'n1', conditions: { ready: true } }] },
        'application/merge-patch+json',
      );
      await delay(200);
    }
  });
  return { cpuMs: Math.round(((busyMs - idleMs) / changes) * 10) / 10, changes };
}

async function cpuDuring({ pid }: Started, action: () => Promise<unknown>): Promise<number> {
  const before = await cpuMsOf(pid);
  await action();
  return (await cpuMsOf(pid)) - before;
}

async function idleFor(rig: ScaleRig, running: Running, seconds: number): Promise<LiveResult['idle']> {
  await settle(rig, TIMEOUT_MS);
  await delay(QUIET_MS);
  const all = [running.controller, ...running.speakers];
  const before = await Promise.all(all.map(({ pid }) => cpuMsOf(pid)));
  const startedAt = performance.now();
  const idle = await measureIdle(rig, seconds);
  const tookMs = performance.now() - startedAt;
  const after = await Promise.all(all.map(({ pid }) => cpuMsOf(pid)));
  const percent = after.map((ms, index) => Math.round(((ms - (before[index] ?? 0)) / tookMs) * 10_000) / 100);
  const [controller = 0, ...speakers] = percent;
  return { ...idle, cpu: { controller, speakers } };
}

async function memoryOfAll(rig: ScaleRig, { controller, speakers }: Running): Promise<MemoryOfAll> {
  return {
    controller: await memoryOf(controller.pid),
    speakers: await Promise.all(speakers.map(({ pid }) => memoryOf(pid))),
    frr: await Promise.all(NODES.map((node) => memoryOfFrr(requireNode(rig.state, node)))),
  };
}

async function peaksOf({ controller, speakers }: Running): Promise<LiveResult['peaks'][number]> {
  return {
    controller: await peakOf(controller.pid),
    speakers: await Promise.all(speakers.map(({ pid }) => peakOf(pid))),
  };
}

/** A Service that came while no controller ran has its address after all others were adopted, and not before. */
async function measureAdoption(rig: ScaleRig, running: Running): Promise<LiveResult['adoption']> {
  await running.controller.end('SIGTERM');
  await makeEndpoints(rig.client, 'late');
  await makeService(rig.client, 'late');
  const listingAt = performance.now();
  await listServices(rig);
  const startedAt = performance.now();
  running.controller = await rig.startController();
  const { atMs } = await rig.addresses.all(['late'], TIMEOUT_MS);
  await deleteBoth(rig, 'late');
  return { allMs: Math.round(atMs - startedAt), floorMs: Math.round(startedAt - listingAt) };
}

async function listServices({ api }: ScaleRig): Promise<void> {
  let next = '';
  do {
    const page = await api.request('GET', `/api/v1/services?limit=${PAGE}&continue=${next}`);
    const { metadata } = page as { readonly metadata: { readonly continue?: string } };
    next = encodeURIComponent(metadata.continue ?? '');
  } while (next !== '');
}

/** All at once: the routes go with the sessions, and what stands again comes from what started. */
async function measureStart(
  rig: ScaleRig,
  running: Running,
  services: number,
): Promise<LiveResult['restart']> {
  const { ips } = await rig.addresses.all(names('web', services));
  await Promise.all(running.speakers.map((speaker) => speaker.end('SIGKILL')));
  const floorStartedAt = await killFrr(rig, ips);
  const floorMs = Math.round((await rig.routes.until(ips, NODES.length, TIMEOUT_MS)) - floorStartedAt);
  await killFrr(rig, ips);
  const { netns } = requireNode(rig.state, NODES[0]);
  const bytesBefore = await receivedBytes(netns, 'eth2');
  const startedAt = performance.now();
  running.speakers = await Promise.all(NODES.map((node) => rig.startSpeaker(node)));
  const allRoutesMs = Math.round((await rig.routes.until(ips, NODES.length, TIMEOUT_MS)) - startedAt);
  await delay(QUIET_MS);
  return { allRoutesMs, floorMs, bytesPerSpeaker: (await receivedBytes(netns, 'eth2')) - bytesBefore };
}

/** @returns when all routes were gone */
async function killFrr(rig: ScaleRig, ips: readonly string[]): Promise<number> {
  await Promise.all(
    NODES.map((node) => signalNamed(rig.state, node, { names: FRR_DAEMONS, signal: 'SIGKILL' })),
  );
  await rig.routes.until(ips, 0, TIMEOUT_MS);
  return performance.now();
}

/** Twenty-five Services come each second, and as many go a second later. */
async function measureChurn(
  rig: ScaleRig,
  running: Running,
  options: { readonly services: number; readonly seconds: number; readonly settleMs: number },
): Promise<ChurnResult> {
  const { services, seconds, settleMs } = options;
  const memory = async (): Promise<readonly number[]> =>
    Promise.all([running.controller, ...running.speakers].map(({ pid }) => memoryOf(pid)));
  await settle(rig, settleMs);
  await delay(QUIET_MS);
  const before = await memory();
  const latencies: Promise<number>[] = [];
  const batchOf = (second: number): readonly string[] => names(`churn${second}`, 25);
  const startedAt = performance.now();
  for (let second = 0; second < seconds; second += 1) {
    const batch = batchOf(second);
    await inParallel(batch, 8, (name) => makeEndpoints(rig.client, name));
    await inParallel(batch, 8, (name) => makeService(rig.client, name));
    latencies.push(untilRoutes(rig, batch));
    if (second > 0) await inParallel(batchOf(second - 1), 8, (name) => deleteBoth(rig, name));
    await delay(Math.max(0, startedAt + (second + 1) * 1_000 - performance.now()));
  }
  const tookSeconds = Math.round((performance.now() - startedAt) / 1_000);
  const all = await Promise.all(latencies);
  const rest = await rig.addresses.all(batchOf(seconds - 1));
  await inParallel(batchOf(seconds - 1), 8, (name) => deleteBoth(rig, name));
  await rig.routes.until(rest.ips, 0, TIMEOUT_MS);
  // Correct at the end: all that stood before stands with all its next hops.
  const { ips: lasting } = await rig.addresses.all(names('web', services));
  await rig.routes.until(lasting, NODES.length, TIMEOUT_MS);
  await settle(rig, settleMs);
  await delay(QUIET_MS);
  const tenth = Math.max(1, Math.floor(all.length / 10));
  return {
    ...{ seconds, tookSeconds },
    first: summarise(all.slice(0, tenth)),
    last: summarise(all.slice(-tenth)),
    memory: { before, after: await memory() },
  };
}

async function deleteBoth({ client }: ScaleRig, name: string): Promise<void> {
  await deleteService(client, name);
  await deleteEndpoints(client, name);
}

/** @returns how long it took from now until the last of them had its route */
async function untilRoutes(rig: ScaleRig, batch: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const { ips } = await rig.addresses.all(batch);
  return (await rig.routes.until(ips, NODES.length, TIMEOUT_MS)) - startedAt;
}
