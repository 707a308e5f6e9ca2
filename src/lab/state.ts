import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from './error.ts';
import type { LabRole } from './images.ts';
import { isAlive, type ProcessRef } from './process-ref.ts';
import type { TopologyLink } from './topology.ts';

/**
 * What exists of a lab. Written before anything is made, so that `down` can remove it all even when `up` was killed in
 * the middle: every namespace is listed here by name, and every process of the lab lives in one of them.
 */
export interface LabState {
  readonly name: string;
  /** The topology file, absolute. */
  readonly file: string;
  /** `starting` with a starter that is gone: an `up` that did not finish. */
  readonly phase: 'starting' | 'running';
  readonly starter: ProcessRef;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly nodes: readonly NodeState[];
  readonly links: readonly TopologyLink[];
  /** Namespace that holds the wires between the nodes. */
  readonly wires: string;
  readonly folders: readonly SharedFolder[];
}

export interface NodeState {
  readonly name: string;
  readonly image: string;
  readonly role: LabRole;
  /** Network namespace. */
  readonly netns: string;
  /** Names of the processes that run there for as long as all is well. */
  readonly processes: readonly string[];
  /** The node's first process; absent until it runs. */
  readonly init?: ProcessRef;
}

/** A run-time copy of a file or folder that nodes may write to, so that the original stays as it is. */
export interface SharedFolder {
  readonly source: string;
  readonly copy: string;
}

const ROOT = '/run/metallb-frr-lab';

export function labFolder(name: string): string {
  return join(ROOT, name);
}

/** Where a node's output goes. */
export function nodeLog(lab: string, node: string): string {
  return join(labFolder(lab), 'log', `${node}.log`);
}

/** All network namespaces of a lab. */
export function namespacesOf(state: LabState): readonly string[] {
  return [...state.nodes.map((node) => node.netns), state.wires];
}

/** Takes the name for a new lab. Throws ERR_LAB_EXISTS, with what to do, when it is taken. */
export async function claimLab(state: LabState): Promise<void> {
  await mkdir(ROOT, { recursive: true, mode: 0o755 });
  try {
    await mkdir(labFolder(state.name), { mode: 0o755 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new LabError('ERR_LAB_EXISTS', await takenMessage(state.name), { cause: error });
  }
  await writeState(state);
}

async function takenMessage(name: string): Promise<string> {
  const other = await readState(name);
  const down = `run \`metallb-frr lab down ${name}\` first`;
  if (other?.phase === 'running') return `lab ${name} is up already (${other.file}): ${down}`;
  if (other && (await isAlive(other.starter))) {
    return `lab ${name} is being started by process ${String(other.starter.pid)}`;
  }
  return `an earlier start of lab ${name} did not finish: ${down}`;
}

/** Replaces the state in one step: a reader sees the old or the new one. */
export async function writeState(state: LabState): Promise<void> {
  const file = join(labFolder(state.name), 'lab.json');
  await writeFile(`${file}.new`, `${JSON.stringify(state, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}

/** The state of a lab, or undefined when there is none of that name (or it had not made anything yet). */
export async function readState(name: string): Promise<LabState | undefined> {
  let text: string;
  try {
    text = await readFile(join(labFolder(name), 'lab.json'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text) as LabState; // our own file, replaced in one step
}

/** Names that are taken, sorted; a lab that did not finish starting is among them. */
export async function labNames(): Promise<string[]> {
  try {
    return (await readdir(ROOT)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The lab of that name. Throws ERR_LAB_UNKNOWN with the names there are. */
export async function requireLab(name: string): Promise<LabState> {
  const state = await readState(name);
  if (state) return state;
  const names = await labNames();
  const known = names.length === 0 ? 'no lab is up' : `labs there are: ${names.join(', ')}`;
  throw new LabError('ERR_LAB_UNKNOWN', `lab ${name} is not up; ${known}`);
}

/** The node of that name. Throws ERR_LAB_UNKNOWN with the names there are. */
export function requireNode(state: LabState, name: string): NodeState {
  const node = state.nodes.find((each) => each.name === name);
  if (node) return node;
  const known = state.nodes.map((each) => each.name).join(', ');
  throw new LabError('ERR_LAB_UNKNOWN', `lab ${state.name} has no node ${name}; it has ${known}`);
}
