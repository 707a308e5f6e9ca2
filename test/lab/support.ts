import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  kernelRoutes,
  labDown,
  labNames,
  labUp,
  listNetns,
  parseTopology,
  requireNode,
  runInNode,
  type FrrInstall,
  type KernelRoutes,
  type LabState,
  type Topology,
} from '../../src/lab/index.ts';
import { atEnd } from '../support/index.ts';

/** A name of this process's own: neither somebody's lab nor another run of the tests is touched. */
export function testName(name: string): string {
  return `t${process.pid}-${name}`;
}

/** Reads a topology under a name of this process's own. */
export function testTopology(text: string, file: string): Topology {
  const parsed = parseTopology(text, file);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems, undefined, 2));
  return { ...parsed.topology, name: testName(parsed.topology.name) };
}

export interface TestLab {
  readonly state: LabState;
  /** The copy of the manifests that nodes and controller watch. */
  readonly folder: string;
  /** Runs a command in a node; gives its standard output, throws when it fails. */
  readonly run: (node: string, command: readonly string[]) => Promise<string>;
  readonly routes: (node: string) => Promise<KernelRoutes>;
  /** Puts a manifest into the watched folder in one step, as an editor or `git pull` does. */
  readonly write: (name: string, text: string) => Promise<void>;
  readonly edit: (name: string, change: (text: string) => string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  /** Removes the lab; harmless twice. */
  readonly stop: () => Promise<void>;
}

/** Brings up a topology of test/containerlab; it is removed after the last test of the file at the latest. */
export async function startLab(name: string, frr?: FrrInstall): Promise<TestLab> {
  const file = fileURLToPath(new URL(`../containerlab/${name}.clab.yml`, import.meta.url));
  return startTopology(testTopology(await readFile(file, 'utf8'), file), file, frr);
}

export async function startTopology(topology: Topology, file: string, frr?: FrrInstall): Promise<TestLab> {
  const stop = async (): Promise<void> => {
    if ((await labNames()).includes(topology.name)) await labDown(topology.name);
  };
  atEnd(stop);
  const { signal } = new AbortController();
  const release = frr === undefined ? {} : { frr };
  const state = await labUp({ topology, file, ...release, onProgress: () => undefined, signal });
  const folder = state.folders[0]?.copy ?? '';
  const write = async (name: string, text: string): Promise<void> => {
    // Beside the folder, not in it: a half-written file must not be seen.
    const draft = join(folder, '..', `${basename(name)}.draft`);
    await writeFile(draft, text);
    await rename(draft, join(folder, name));
  };
  return {
    state,
    folder,
    run: async (node, command) => {
      const result = await runInNode(requireNode(state, node), command);
      if (result.failed) throw new Error(`${node}: ${command.join(' ')}: ${result.stderr}${result.stdout}`);
      return result.stdout;
    },
    routes: (node) => kernelRoutes(requireNode(state, node).netns),
    write,
    edit: async (name, change) => {
      const before = await readFile(join(folder, name), 'utf8');
      const after = change(before);
      if (after === before) throw new Error(`${name}: the edit changes nothing`);
      await write(name, after);
    },
    remove: (name) => rm(join(folder, name)),
    stop,
  };
}

export const CLIENT = 'localhost/metallb-frr/lab-client';

/** Two hosts and a link; `exec` goes to the second. */
export function pair(name: string, exec = 'true'): string {
  return [
    `name: ${name}`,
    'topology:',
    '  nodes:',
    `    a: { kind: linux, image: ${CLIENT}, exec: ["ip addr add 192.0.2.0/31 dev eth1"] }`,
    `    b: { kind: linux, image: ${CLIENT}, exec: ["ip addr add 192.0.2.1/31 dev eth1", ${JSON.stringify(exec)}] }`,
    '  links: [{ endpoints: ["a:eth1", "b:eth1"] }]',
    '',
  ].join('\n');
}

/** What a lab leaves, or not: its name, its namespaces. */
export async function traces(name: string): Promise<string[]> {
  const labs = (await labNames()).filter((each) => each === name);
  const namespaces = (await listNetns()).filter((each) => each.startsWith(`${name}.`));
  return [...labs, ...namespaces];
}
