import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, processRef, type ProcessRef } from '../../src/lab/index.ts';
import { sharedTools } from '../../scripts/lib/paths.mjs';
import { ClusterError } from './error.ts';
import type { ProxyMode } from './node-config.ts';
import { planCluster, type ClusterPlan } from './plan.ts';
import type { RouterKind } from './router-config.ts';

/**
 * What exists of a cluster. Written before anything is made: names of namespaces and cgroups follow from it
 * ({@link planCluster}), and every process is in one of the namespaces, so that `down` can remove an `up` of which half was
 * done.
 */
export interface ClusterState {
  readonly name: string;
  readonly nodeCount: number;
  readonly proxyMode: ProxyMode;
  readonly router: RouterKind;
  /** `starting` with a starter that is gone: an `up` that did not finish. */
  readonly phase: 'starting' | 'running';
  readonly starter: ProcessRef;
  /** RFC 3339. */
  readonly startedAt: string;
}

/** A daemon of a cluster, as later commands find it. */
export interface RunningComponent {
  readonly name: string;
  readonly process: ProcessRef;
  readonly log: string;
}

const RUN_FOLDER = '/run/metallb-frr-cluster';

/** Everything small: configuration, logs, sockets. */
export function clusterFolder(name: string): string {
  return join(RUN_FOLDER, name);
}

/** Everything large: images, containers, etcd. Not in /run, which may be memory. */
export function diskFolder(name: string): string {
  return join(sharedTools(), 'clusters', name);
}

export function logFile(cluster: string, component: string): string {
  return join(clusterFolder(cluster), 'log', `${component}.log`);
}

/** Kubeconfig of the administrator for programs in the cluster's namespaces. */
export function insideKubeconfig(cluster: string): string {
  return join(clusterFolder(cluster), 'inside.conf');
}

/** Kubeconfig of the administrator for programs on the machine itself. */
export function kubeconfigFile(cluster: string): string {
  return join(clusterFolder(cluster), 'kubeconfig');
}

export function planOf(state: Pick<ClusterState, 'name' | 'nodeCount'>): ClusterPlan {
  return planCluster(state.name, state.nodeCount);
}

/** Takes the name. Throws ERR_CLUSTER_EXISTS, with what to do, when it is taken. */
export async function claimCluster(state: ClusterState): Promise<void> {
  await mkdir(RUN_FOLDER, { recursive: true, mode: 0o755 });
  try {
    await mkdir(clusterFolder(state.name), { mode: 0o755 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const other = await readState(state.name);
    const running = other?.phase === 'running' ? 'is up already' : 'was left by a start that did not finish';
    throw new ClusterError(
      'ERR_CLUSTER_EXISTS',
      `cluster ${state.name} ${running}: run \`npm run cluster -- down --name ${state.name}\` first`,
      { cause: error },
    );
  }
  await writeState(state);
}

export async function writeState(state: ClusterState): Promise<void> {
  await replaceFile(join(clusterFolder(state.name), 'cluster.json'), state);
}

/** The state of a cluster; undefined when there is none of that name, or it had not made anything yet. */
export async function readState(name: string): Promise<ClusterState | undefined> {
  return readJson<ClusterState>(join(clusterFolder(name), 'cluster.json'));
}

/** Names that are taken, sorted; a cluster that did not finish starting is among them. */
export async function clusterNames(): Promise<string[]> {
  const names = await readdir(RUN_FOLDER).catch((): string[] => []);
  return names.sort();
}

export async function requireCluster(name: string): Promise<ClusterState> {
  const state = await readState(name);
  if (state) return state;
  const names = await clusterNames();
  const known = names.length === 0 ? 'no cluster is up' : `clusters there are: ${names.join(', ')}`;
  throw new ClusterError('ERR_CLUSTER_UNKNOWN', `cluster ${name} is not up; ${known}`);
}

/** Notes a daemon's process, under its name: a later one of that name replaces it. */
export async function recordComponent(
  cluster: string,
  component: { readonly name: string; readonly pid: number; readonly log: string },
): Promise<void> {
  const process = await processRef(component.pid);
  if (!process) return; // gone already: whoever waits for it will say so
  const folder = join(clusterFolder(cluster), 'process');
  await mkdir(folder, { recursive: true });
  const { name, log } = component;
  await replaceFile(join(folder, `${name}.json`), { name, process, log } satisfies RunningComponent);
}

/** Daemons that were started, sorted by name, whether they still run or not. */
export async function readComponents(cluster: string): Promise<RunningComponent[]> {
  const folder = join(clusterFolder(cluster), 'process');
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  const components = await Promise.all(files.map((file) => readJson<RunningComponent>(join(folder, file))));
  return components.filter((component) => component !== undefined);
}

/** The daemon of that name if it runs. */
export async function findComponent(cluster: string, name: string): Promise<RunningComponent | undefined> {
  const component = (await readComponents(cluster)).find((each) => each.name === name);
  return component && (await isAlive(component.process)) ? component : undefined;
}

export async function forgetComponents(cluster: string, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map((name) => rm(join(clusterFolder(cluster), 'process', `${name}.json`), { force: true })),
  );
}

/** In one step: a reader sees the old or the new text. */
async function replaceFile(file: string, value: unknown): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(value, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T; // our own file, replaced in one step
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
