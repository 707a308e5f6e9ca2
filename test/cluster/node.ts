import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { processRef, type ProcessRef } from '../../src/lab/index.ts';
import { cgroupMounts, type CgroupLayout } from './cgroups.ts';
import { COMPONENT_ENV, tails } from './component.ts';
import { ClusterError } from './error.ts';
import { CNI_FOLDER, KERNEL_TUNABLES, renderCniConfig } from './node-config.ts';
import type { ClusterPlan, NodePlan } from './plan.ts';
import { clusterFolder, diskFolder, findComponent, logFile, recordComponent } from './state.ts';

/** The lab's: it gives a process a root of its own, in which all that is written is the process's own. */
const ROOT_SCRIPT = fileURLToPath(new URL('../../src/lab/node-root.sh', import.meta.url));
const START_TIMEOUT_MS = 20_000;

/** Where a node finds its configuration. */
export const NODE_CONFIG = '/etc/kubernetes';

export interface NodeStart {
  readonly plan: ClusterPlan;
  readonly node: NodePlan;
  readonly layout: CgroupLayout;
  /** Static program that the node runs as its first process. */
  readonly init: string;
  /** Folders of programs that the node must see under the same path. */
  readonly programFolders: readonly string[];
  readonly signal: AbortSignal;
}

/** Folder on the machine that a node sees as {@link NODE_CONFIG}. */
export function nodeConfigFolder(cluster: string, node: string): string {
  return join(clusterFolder(cluster), 'etc', node);
}

/**
 * Starts a node: a first process with mount, PID, UTS and IPC namespaces of its own in the node's network namespace. What
 * the node writes below /var stays when it loses power; all else is gone then. It outlives this process.
 */
export async function startNode(start: NodeStart): Promise<ProcessRef> {
  const { plan, node, signal } = start;
  const log = logFile(plan.name, node.name);
  const binds = await prepareFolders(start);
  const root = join(clusterFolder(plan.name), 'root', node.name);
  await mkdir(root, { recursive: true });
  const file = await open(log, 'a');
  try {
    const child = spawn('nsenter', startWords(start, root, binds), {
      detached: true,
      cwd: '/',
      env: COMPONENT_ENV,
      stdio: ['ignore', 'pipe', file.fd],
    });
    await once(child, 'spawn');
    child.unref();
    if (child.stdout === null) throw new Error('the standard output of a child with a pipe is missing');
    const init = await handshake(
      child.stdout,
      AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]),
    );
    signal.throwIfAborted();
    if (!init) {
      const message = `node ${node.name} did not start${await tails([{ log }])}`;
      throw new ClusterError('ERR_CLUSTER_COMPONENT', message);
    }
    await recordComponent(plan.name, { name: node.name, pid: init.pid, log });
    return init;
  } finally {
    await file.close();
  }
}

/**
 * Arguments of nsenter(1) that, in front of a command, run it inside a node. Unlike `ip netns exec` they leave /sys as the node has it, with
 * the cgroups in it.
 */
export function inNode(init: ProcessRef): string[] {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--root', '--wd'];
  return ['--target', String(init.pid), ...namespaces, '--'];
}

/** The first process of a node that runs. Throws ERR_CLUSTER_UNKNOWN when it does not. */
export async function requireRunningNode(cluster: string, node: string): Promise<ProcessRef> {
  const component = await findComponent(cluster, node);
  if (component) return component.process;
  throw new ClusterError('ERR_CLUSTER_UNKNOWN', `node ${node} of cluster ${cluster} does not run`);
}

interface Bind {
  readonly source: string;
  readonly target: string;
  readonly mode: 'ro' | 'rw';
}

async function prepareFolders({ plan, node, layout, programFolders, init }: NodeStart): Promise<Bind[]> {
  const disk = join(diskFolder(plan.name), node.name, 'var');
  const config = nodeConfigFolder(plan.name, node.name);
  for (const folder of ['lib', 'log', 'cache', 'spool', 'tmp'])
    await mkdir(join(disk, folder), { recursive: true });
  await mkdir(join(config, 'cni'), { recursive: true });
  await writeFile(join(config, 'cni', '10-pods.conflist'), renderCniConfig(node));
  const tunables: Bind[] = [];
  for (const [name, value] of KERNEL_TUNABLES) {
    const source = join(config, 'tunables', name);
    await mkdir(dirname(source), { recursive: true });
    await writeFile(source, `${value}\n`);
    // Writable: kubelet's attempts to set what is set already must not fail.
    tunables.push({ source, target: `/proc/sys/${name}`, mode: 'rw' });
  }
  const programs = new Set([...programFolders, dirname(init)]);
  return [
    { source: disk, target: '/var', mode: 'rw' },
    { source: config, target: NODE_CONFIG, mode: 'ro' },
    { source: join(config, 'cni'), target: CNI_FOLDER, mode: 'rw' },
    ...[...programs].map((folder): Bind => ({ source: folder, target: folder, mode: 'ro' })),
    ...cgroupMounts(layout).map((mount): Bind => ({ source: mount, target: mount, mode: 'rw' })),
    ...tunables,
  ];
}

function startWords({ node, init }: NodeStart, root: string, binds: readonly Bind[]): string[] {
  const own = ['--mount', '--propagation', 'slave', '--pid', '--uts', '--ipc', '--fork', '--kill-child'];
  // Kubernetes hands mounts on between the node and its pods, as systemd sets a machine up for.
  const first = ['sh', '-ec', 'mount --make-rshared /; exec "$1"', 'sh', init];
  return [
    ...[`--net=/run/netns/${node.netns}`, '--', 'unshare', ...own, '--', 'sh', ROOT_SCRIPT, root, node.name],
    ...binds.flatMap(({ source, target, mode }) => ['--bind', source, target, mode]),
    ...['--', ...first],
  ];
}

/** Reads `pid N` and `ready` of the script; undefined when it ends, or the signal comes, before both. */
async function handshake(output: Readable, signal: AbortSignal): Promise<ProcessRef | undefined> {
  const lines = createInterface({ input: output });
  const close = (): void => {
    lines.close();
  };
  signal.addEventListener('abort', close, { once: true });
  try {
    let init: ProcessRef | undefined;
    for await (const line of lines) {
      if (line === 'ready') return init;
      const pid = /^pid (\d+)$/.exec(line)?.[1];
      if (pid !== undefined) init = await processRef(Number(pid));
    }
    return undefined;
  } finally {
    signal.removeEventListener('abort', close);
    lines.close();
    output.destroy();
  }
}

/** Whether containers can have overlay file systems on a folder: not on one that is itself an overlay. */
export async function canOverlay(folder: string): Promise<boolean> {
  const { stdout } = await execa('stat', ['--file-system', '--format=%T', folder], { timeout: 10_000 });
  return stdout.trim() !== 'overlayfs';
}
