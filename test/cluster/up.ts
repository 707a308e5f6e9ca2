import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { labPrivileges, listNetns, processRef } from '../../src/lab/index.ts';
import { cgroupLayout } from './cgroups.ts';
import { clusterDown } from './down.ts';
import { ClusterError } from './error.ts';
import { encodeImage } from './image.ts';
import { addNodeNetwork, addRouterAndClient, makeLan } from './network.ts';
import { PAUSE_IMAGE, type ProxyMode } from './node-config.ts';
import { bootNode, joinNode } from './node-up.ts';
import { namespacesOf, planCluster, type ClusterPlan } from './plan.ts';
import { provideClusterPrograms, type ClusterPrograms } from './programs.ts';
import type { RouterKind } from './router-config.ts';
import { startRouter, type RouterCommand } from './router.ts';
import { startControlPlane } from './start-control-plane.ts';
import {
  claimCluster,
  clusterNames,
  clusterFolder,
  diskFolder,
  insideKubeconfig,
  kubeconfigFile,
  writeState,
  type ClusterState,
} from './state.ts';

export interface ClusterUp {
  readonly name: string;
  readonly nodeCount: number;
  readonly proxyMode: ProxyMode;
  readonly router: RouterKind;
  /** The router's configuration, in place of one that fits every cluster. */
  readonly routerConfig?: string;
  /** docker-archives to import into every node. */
  readonly images: readonly string[];
  /** Told what is being done, one short line each. */
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
}

/** A cluster that is up, as plain data. */
export interface Cluster {
  readonly plan: ClusterPlan;
  /** For programs on the machine. */
  readonly kubeconfig: string;
  /** For programs in the cluster's namespaces. */
  readonly insideKubeconfig: string;
  /** Programs for use with them. */
  readonly kubectl: string;
  readonly helm: string;
  /** What to put in front of a command for the router: `vtysh ... ` (then `-c COMMAND`) or `birdc -s SOCKET`. */
  readonly routerCommand: RouterCommand;
}

/**
 * Brings a cluster up; returns when all nodes are Ready and kube-proxy works on them. What a failed start leaves, logs
 * above all, stays to be looked at until `clusterDown`; an aborted one leaves nothing.
 */
export async function clusterUp(options: ClusterUp): Promise<Cluster> {
  const { name, nodeCount, proxyMode, router, signal } = options;
  const privileges = await labPrivileges();
  if (!privileges.ok) throw new ClusterError('ERR_CLUSTER_PRIVILEGES', privileges.reason);
  const images = options.images.map((image) => resolve(image));
  for (const image of images) await requireReadable(image);
  const programs = await provideClusterPrograms();
  const plan = planCluster(name, nodeCount);
  await requireFreeNamespaces(plan);
  const starter = (await processRef(process.pid)) ?? { pid: process.pid, startTicks: 0 };
  const startedAt = new Date().toISOString();
  const state: ClusterState = { name, nodeCount, proxyMode, router, phase: 'starting', starter, startedAt };
  await claimCluster(state);

  try {
    return await start({ ...options, plan, state, programs, images });
  } catch (error) {
    // Who interrupts a start does not want to read logs.
    if (signal.aborted) await clusterDown(name);
    throw error;
  }
}

interface Start extends ClusterUp {
  readonly plan: ClusterPlan;
  readonly state: ClusterState;
  readonly programs: ClusterPrograms;
}

async function start(options: Start): Promise<Cluster> {
  const { plan, state, programs, name, nodeCount, proxyMode, onProgress, signal } = options;
  const { router: kind, routerConfig: configText } = options;
  const layout = await cgroupLayout();
  onProgress(`${name}: ${nodeCount} nodes, a router, a client; cgroups version ${layout.version}`);
  await mkdir(diskFolder(name), { recursive: true });
  const pause = await writePauseImage(name, programs.init);
  await makeLan(plan);
  signal.throwIfAborted();
  onProgress(`${name}: starting the control plane, the router and the nodes' containerd`);
  const bootAll = plan.nodes.map(async (node) => {
    await addNodeNetwork(plan, node);
    return bootNode({ plan, node, layout, programs, images: [pause, ...options.images], signal });
  });
  const [controlPlane, routerCommand, handles] = await all([
    startControlPlane(plan, programs, signal),
    addRouterAndClient(plan).then(() => startRouter({ plan, kind, signal, configText })),
    all(bootAll),
  ] as const);
  try {
    onProgress(`${name}: waiting for the nodes`);
    await all(handles.map((handle) => joinNode({ ...controlPlane, handle, programs, proxyMode, signal })));
  } finally {
    controlPlane.client.close();
  }
  await writeState({ ...state, phase: 'running' });
  const cluster: Cluster = {
    ...{ plan, kubeconfig: kubeconfigFile(name), insideKubeconfig: insideKubeconfig(name) },
    ...{ kubectl: programs.kubectl, helm: programs.helm, routerCommand },
  };
  await writeFile(join(clusterFolder(name), 'about.json'), `${JSON.stringify(cluster, undefined, 2)}\n`);
  return cluster;
}

/** What `up` gave, for later commands. */
export async function readCluster(name: string): Promise<Cluster> {
  const text = await readFile(join(clusterFolder(name), 'about.json'), 'utf8').catch(() => undefined);
  if (text !== undefined) return JSON.parse(text) as Cluster; // our own file
  throw new ClusterError('ERR_CLUSTER_UNKNOWN', `cluster ${name} did not finish starting`);
}

/** The image of every pod's sandbox, from the same program that is a node's first process. */
export async function writePauseImage(cluster: string, program: string): Promise<string> {
  const file = pauseImageFile(cluster);
  const files = [{ path: 'pause', content: { bytes: await readFile(program) } }];
  await writeFile(file, encodeImage({ name: PAUSE_IMAGE, files, entrypoint: ['/pause'] }));
  return file;
}

export function pauseImageFile(cluster: string): string {
  return join(diskFolder(cluster), 'pause.tar');
}

/** A namespace of someone else must not be taken for ours: removing the cluster would remove it. */
async function requireFreeNamespaces(plan: ClusterPlan): Promise<void> {
  if ((await clusterNames()).includes(plan.name)) return; // ours: claimCluster says what to do
  const there = new Set(await listNetns());
  const taken = namespacesOf(plan).filter((name) => there.has(name));
  if (taken.length === 0) return;
  throw new ClusterError(
    'ERR_CLUSTER_EXISTS',
    `network namespaces are there and belong to no cluster: ${taken.join(', ')}; choose another --name`,
  );
}

async function requireReadable(file: string): Promise<void> {
  const readable = await access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
  if (!readable) throw new ClusterError('ERR_CLUSTER_UNKNOWN', `${file}: no such image archive`);
}

/** Like Promise.all, but waits for the rest before it throws: `down` must not run while something still starts. */
async function all<T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
