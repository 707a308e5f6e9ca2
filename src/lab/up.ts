import { execa } from 'execa';
import { cp, mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { labDown } from './down.ts';
import { LabError } from './error.ts';
import type { FrrInstall } from './frr/index.ts';
import { MANIFESTS } from './images.ts';
import { createNetns, listNetns, setSysctls } from './netns.ts';
import { runInNode, startNode, waitUntilReady } from './node.ts';
import { labPrivileges } from './privileges.ts';
import { processRef } from './process-ref.ts';
import {
  claimLab,
  labFolder,
  labNames,
  namespacesOf,
  requireNode,
  writeState,
  type LabState,
  type NodeState,
  type SharedFolder,
} from './state.ts';
import type { Bind, Topology, TopologyNode } from './topology.ts';
import { addWires } from './wires.ts';

export interface LabUp {
  readonly topology: Topology;
  /** The file it was read from, absolute. */
  readonly file: string;
  /** The FRR that nodes and FRR routers run; the machine's own when absent. */
  readonly frr?: FrrInstall;
  /** Told what is being done, one short line each. */
  readonly onProgress: (text: string) => void;
  /** Aborting it removes what was made so far. */
  readonly signal: AbortSignal;
}

/**
 * Brings a lab up with network namespaces: namespaces, links, one process tree for each node, then the `exec` commands.
 * Returns when all of them have run. After a failure or an abort nothing is left.
 */
export async function labUp(options: LabUp): Promise<LabState> {
  const { topology, file, onProgress, signal } = options;
  const privileges = await labPrivileges();
  if (!privileges.ok) throw new LabError('ERR_LAB_PRIVILEGES', privileges.reason);
  await requirePrograms(topology);
  const plan = await planOf(topology, file);
  signal.throwIfAborted();
  await claimLab(plan.state);
  try {
    await copyFolders(plan.state.folders);
    onProgress(
      `${topology.name}: making ${counted(topology.nodes.length, 'node')}, ${counted(topology.links.length, 'link')}`,
    );
    await makeNetwork(topology, plan.state, signal);
    onProgress(`${topology.name}: starting ${topology.nodes.map((node) => node.name).join(', ')}`);
    const nodes = await startNodes(plan, options);
    const state: LabState = { ...plan.state, nodes };
    await writeState(state);
    await allSettled(nodes.map((node) => waitUntilReady(state.name, node, signal)));
    onProgress(`${topology.name}: running the exec commands`);
    await allSettled(topology.nodes.map((node) => runExec(state, node, signal)));
    const running: LabState = { ...state, phase: 'running' };
    await writeState(running);
    return running;
  } catch (error) {
    onProgress(`${topology.name}: removing what was made`);
    await labDown(topology.name);
    throw error;
  }
}

interface Plan {
  readonly state: LabState;
  readonly binds: ReadonlyMap<string, readonly Bind[]>;
}

/** Decides all names and paths. Fails, before anything is made, on a bind whose source is not there. */
async function planOf(topology: Topology, file: string): Promise<Plan> {
  const starter = await processRef(process.pid);
  if (!starter) throw new Error('this process is not in /proc');
  const folders: SharedFolder[] = [];
  const binds = new Map<string, readonly Bind[]>();
  for (const node of topology.nodes) {
    const resolved: Bind[] = [];
    for (const bind of node.binds) {
      const source = resolve(dirname(file), bind.source);
      await requireSource(node.name, bind, source);
      resolved.push({ ...bind, source: bind.readOnly ? source : sharedCopy(topology.name, source, folders) });
    }
    binds.set(node.name, resolved);
  }
  const nodes = topology.nodes.map((node): NodeState => ({
    name: node.name,
    image: node.image.name,
    role: node.image.role,
    netns: `${topology.name}.${node.name}`,
    processes: processesOf(node),
  }));
  const state: LabState = {
    name: topology.name,
    file,
    phase: 'starting',
    starter,
    startedAt: new Date().toISOString(),
    nodes,
    links: topology.links,
    wires: `${topology.name}..wires`,
    folders,
  };
  await requireFreeNamespaces(state);
  return { state, binds };
}

function processesOf({ image, binds }: TopologyNode): readonly string[] {
  const speaks = image.role === 'node' && binds.some((bind) => bind.target === MANIFESTS);
  return speaks ? [...image.processes, 'speaker'] : image.processes;
}

/** A namespace of someone else must not be taken for ours: removing the lab would remove it. */
async function requireFreeNamespaces(state: LabState): Promise<void> {
  if ((await labNames()).includes(state.name)) return; // ours: claimLab says what to do
  const there = new Set(await listNetns());
  const taken = namespacesOf(state).filter((name) => there.has(name));
  if (taken.length === 0) return;
  throw new LabError(
    'ERR_LAB_EXISTS',
    `network namespaces of that name are there and belong to no lab: ${taken.join(', ')}; name the lab differently`,
  );
}

async function requireSource(node: string, bind: Bind, source: string): Promise<void> {
  try {
    await stat(source);
  } catch (error) {
    throw new LabError(
      'ERR_LAB_BIND_SOURCE',
      `topology.nodes.${node}.binds: ${bind.source}: no such file: ${source}`,
      {
        cause: error,
      },
    );
  }
}

/** What nodes may write to is copied once for the whole lab: all nodes that bind it see the same copy. */
function sharedCopy(lab: string, source: string, folders: SharedFolder[]): string {
  const known = folders.find((folder) => folder.source === source);
  if (known) return known.copy;
  const name = basename(source);
  const taken = folders.some((folder) => basename(folder.copy) === name);
  const copy = join(labFolder(lab), 'shared', taken ? `${name}-${String(folders.length + 1)}` : name);
  folders.push({ source, copy });
  return copy;
}

async function copyFolders(folders: readonly SharedFolder[]): Promise<void> {
  for (const { source, copy } of folders) {
    await mkdir(dirname(copy), { recursive: true });
    await cp(source, copy, { recursive: true, dereference: true });
  }
}

async function makeNetwork(topology: Topology, state: LabState, signal: AbortSignal): Promise<void> {
  await allSettled(namespacesOf(state).map(createNetns));
  signal.throwIfAborted();
  await allSettled(
    topology.nodes.map((node) =>
      setSysctls(requireNode(state, node.name).netns, Object.fromEntries(node.sysctls)),
    ),
  );
  signal.throwIfAborted();
  await addWires({
    wires: state.wires,
    links: topology.links,
    netnsOf: (node) => requireNode(state, node).netns,
  });
}

async function startNodes(plan: Plan, { frr, signal }: LabUp): Promise<NodeState[]> {
  const starts = plan.state.nodes.map(async (node) => {
    const binds = plan.binds.get(node.name) ?? [];
    const release = node.processes.includes('bgpd') ? (frr?.root ?? '') : '';
    return { ...node, init: await startNode({ lab: plan.state.name, node, binds, release, signal }) };
  });
  return allSettled(starts);
}

/** Like Promise.all, but waits for the rest before it throws: cleaning up while something still starts would miss it. */
async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function runExec(state: LabState, { name, exec }: TopologyNode, signal: AbortSignal): Promise<void> {
  const node = requireNode(state, name);
  for (const [index, words] of exec.entries()) {
    const result = await runInNode(node, words, { signal });
    signal.throwIfAborted();
    if (!result.failed) continue;
    const said = result.stderr.trim() || result.stdout.trim() || `exit status ${String(result.exitCode)}`;
    throw new LabError(
      'ERR_LAB_EXEC_FAILED',
      `topology.nodes.${name}.exec[${String(index)}]: ${words.join(' ')}: ${said}`,
    );
  }
}

/** All that the topology's images start must be on the machine; says what is not, all at once. */
async function requirePrograms(topology: Topology): Promise<void> {
  const programs = [...new Set(topology.nodes.flatMap(({ image }) => image.programs))];
  const found = await Promise.all(programs.map(isInstalled));
  const missing = programs.filter((_, index) => found[index] !== true);
  if (missing.length === 0) return;
  throw new LabError(
    'ERR_LAB_PROGRAM_MISSING',
    `not on this machine: ${missing.join(', ')}; run \`npm run setup\``,
  );
}

async function isInstalled(program: string): Promise<boolean> {
  const { failed } = await execa('sh', ['-c', 'command -v "$1"', 'sh', program], {
    reject: false,
    timeout: 10_000,
    env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
  });
  return !failed;
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}
