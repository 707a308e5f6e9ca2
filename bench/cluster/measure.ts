import { setTimeout as delay } from 'node:timers/promises';
import type { FrrFloor } from '../apply/floor.ts';
import { benchAddress } from '../support/manifests.ts';
import { summarise, type Summary } from '../support/stats.ts';
import { NODES, deleteSpeakers, speakerMemory, type ClusterRig, type MeasuredCluster } from './rig.ts';
import { deleteEndpoints, deleteService, inParallel, makeEndpoints, makeService } from './services.ts';

const CLIENTS = 8;
const TIMEOUT_MS = 60_000;

export function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index)}`);
}

/** Makes the Services that are missing of so many; returns when all routes stand and everything is written. */
export async function fill(
  rig: MeasuredCluster,
  count: number,
  { present = 0, settleMs }: { readonly present?: number; readonly settleMs?: number } = {},
): Promise<void> {
  const all = names('web', count);
  await inParallel(all.slice(present), CLIENTS, async (name) => {
    await makeEndpoints(rig.client, name);
    await makeService(rig.client, name);
  });
  const { ips } = await rig.addresses.all(all, 120_000);
  await rig.routes.until(ips, NODES.length, 120_000);
  await settle(rig, settleMs);
}

export interface SingleResult {
  /** From the request for the Service being sent. */
  readonly address: Summary;
  readonly route: Summary;
  /** From the API server's answer to that request. */
  readonly addressAfterAnswer: Summary;
  readonly floor: Summary;
}

/** Services one by one, in turn with the same line typed by hand. */
export async function measureSingle(
  rig: MeasuredCluster,
  floor: FrrFloor,
  trials: number,
): Promise<SingleResult> {
  const series = {
    address: [] as number[],
    after: [] as number[],
    route: [] as number[],
    floor: [] as number[],
  };
  for (let trial = 0; trial < trials; trial += 1) {
    const name = `one-${String(trial)}`;
    await makeEndpoints(rig.client, name);
    await delay(1_500 + Math.random() * 100);
    const startedAt = performance.now();
    const answeredAt = await makeService(rig.client, name);
    const { atMs, ips } = await rig.addresses.all([name]);
    const routeAt = await rig.routes.until(ips, NODES.length, TIMEOUT_MS);
    series.address.push(atMs - startedAt);
    series.after.push(Math.max(0, atMs - answeredAt));
    series.route.push(routeAt - startedAt);
    // The speakers read FRR back after a second of quiet: let them, then type behind their back.
    await delay(1_600);
    series.floor.push(await typedOnce(rig, floor, 60_000 + trial));
  }
  await inParallel(names('one', trials), CLIENTS, async (name) => {
    await deleteService(rig.client, name);
    await deleteEndpoints(rig.client, name);
  });
  return {
    address: summarise(series.address),
    addressAfterAnswer: summarise(series.after),
    route: summarise(series.route),
    floor: summarise(series.floor),
  };
}

async function typedOnce(rig: MeasuredCluster, floor: FrrFloor, index: number): Promise<number> {
  const host = benchAddress(index);
  for (let attempt = 1; ; attempt += 1) {
    const typedAt = performance.now();
    await floor.type(`${host}/32`, 'add');
    try {
      return (await rig.routes.until([host], NODES.length, 3_000)) - typedAt;
    } catch (error) {
      if (attempt === 5) throw error; // a speaker's own reading of FRR took the line away
    } finally {
      await floor.type(`${host}/32`, 'remove');
      await rig.routes.until([host], 0, TIMEOUT_MS);
    }
  }
}

export interface BulkResult {
  /** After the last create returned, to the last route. */
  readonly created: Summary;
  /** After the last of 500 deletes returned, to the last route gone. */
  readonly deleted: Summary;
}

/** 1,000 Services created by 8 clients, then half of them deleted, then the rest. */
export async function measureBulk(rig: ClusterRig, rounds: number): Promise<BulkResult> {
  const created: number[] = [];
  const deleted: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const all = names(`bulk${String(round)}`, 1_000);
    await inParallel(all, CLIENTS, (name) => makeEndpoints(rig.client, name));
    await delay(3_000);
    await inParallel(all, CLIENTS, (name) => makeService(rig.client, name));
    const answeredAt = performance.now();
    const { ips } = await rig.addresses.all(all);
    created.push(Math.max(0, (await rig.routes.until(ips, NODES.length, TIMEOUT_MS)) - answeredAt));
    await delay(5_000);
    const half = all.slice(0, 500);
    const { ips: gone } = await rig.addresses.all(half);
    await inParallel(half, CLIENTS, (name) => deleteService(rig.client, name));
    const deletedAt = performance.now();
    deleted.push(Math.max(0, (await rig.routes.until(gone, 0, TIMEOUT_MS)) - deletedAt));
    await inParallel(all.slice(500), CLIENTS, (name) => deleteService(rig.client, name));
    await rig.routes.until(ips, 0, TIMEOUT_MS);
    await settle(rig);
  }
  return { created: summarise(created), deleted: summarise(deleted) };
}

export interface RestartResult {
  /** From the deletion of every speaker pod being through, to all routes on the router. */
  readonly allRoutesMs: number;
  /** MiB, each speaker. */
  readonly memory: readonly number[];
}

export async function measureRestart(rig: ClusterRig, present: number): Promise<RestartResult> {
  const { ips } = await rig.addresses.all(names('web', present));
  await deleteSpeakers(rig);
  const deletedAt = performance.now();
  // Their routes end with their sessions; what stands again has come from the new pods.
  await rig.routes.until(ips, NODES.length, 120_000);
  const allRoutesMs = Math.round(performance.now() - deletedAt);
  await settle(rig);
  return { allRoutesMs, memory: await speakerMemory(rig) };
}

/** Waits until nobody writes status or Events any more: they follow the routes at a pace of their own. */
export async function settle(rig: MeasuredCluster, timeoutMs = 600_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let before = await requestCounts(rig); ;) {
    await delay(5_000);
    const now = await requestCounts(rig);
    const written = [...now].filter(([key, count]) => isStatus(key) && count !== before.get(key));
    if (written.length === 0) return;
    if (performance.now() > deadline) {
      const what = written.map(([key]) => key).join(', ');
      throw new Error(`after ${Math.round(timeoutMs / 1_000)} s there is still being written: ${what}`);
    }
    before = now;
  }
}

/** Leases are renewed for ever. */
function isStatus(key: string): boolean {
  return /^(?:POST|PATCH|DELETE|APPLY) /.test(key) && !key.endsWith(' leases');
}

export interface IdleResult {
  readonly seconds: number;
  /** Requests of the API server by verb and resource while nothing happened, those that are ours or may be. */
  readonly requests: Readonly<Record<string, number>>;
  /** Our own Leases by name: how often each was written. */
  readonly renewals: Readonly<Record<string, number>>;
}

/** What the API server was asked for while nothing happened. */
export async function measureIdle(rig: MeasuredCluster, seconds: number): Promise<IdleResult> {
  await settle(rig);
  const before = await requestCounts(rig);
  const renewals = await renewalsFor(rig, seconds);
  const after = await requestCounts(rig);
  const requests = Object.fromEntries(
    [...after]
      .map(([key, count]) => [key, count - (before.get(key) ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
  return { seconds, requests, renewals };
}

/** How often one of our Leases may be written in that time: once in two seconds by the leader, every ten seconds by a speaker. */
export function mostRenewals(name: string, { seconds }: IdleResult): number {
  return seconds * (name.startsWith('metallb-frr-speaker-') ? 0.1 : 0.5);
}

/** Watches our Leases for so long. */
async function renewalsFor({ client }: MeasuredCluster, seconds: number): Promise<IdleResult['renewals']> {
  const renewals: Record<string, number> = {};
  await client.stream({
    path: '/apis/coordination.k8s.io/v1/namespaces/metallb-system/leases',
    query: { watch: 'true', timeoutSeconds: String(seconds) },
    onLine: (line) => {
      const { type, object } = JSON.parse(line) as { type: string; object: { metadata: { name: string } } };
      const { name } = object.metadata;
      // Those that stand are told first.
      renewals[name] = (renewals[name] ?? 0) + (type === 'MODIFIED' ? 1 : 0);
    },
    silenceMs: (seconds + 30) * 1_000,
    signal: AbortSignal.timeout((seconds + 30) * 1_000),
  });
  return renewals;
}

/** Of other groups, what we write or may write. */
const OURS = /^(?:services|events|leases)$/;

async function requestCounts(rig: MeasuredCluster): Promise<ReadonlyMap<string, number>> {
  const text = await rig.apiMetrics();
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue;
    const label = (name: string): string => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? '';
    const key = `${label('verb')} ${label('group')} ${label('resource')}${label('subresource') === '' ? '' : `/${label('subresource')}`}`;
    if (label('group') !== 'metallb.io' && !OURS.test(label('resource'))) continue;
    counts.set(key, (counts.get(key) ?? 0) + Number(line.slice(line.lastIndexOf(' '))));
  }
  return counts;
}
