import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblem, type Problem } from '../../src/core/problem.ts';
import { compileFrrConf } from '../../src/frr-render/index.ts';
import { planCluster, planNode, type RenderOptions } from '../../src/pipeline/index.ts';
import { readManifests, STDIN_PATH } from '../../src/source/index.ts';

/** One case as its folder has it. */
export interface GoldenCase {
  readonly name: string;
  readonly folder: string;
  /** Nodes whose frr.conf is written down: `n1` by `frr.conf`, any other by `frr.<node>.conf`. */
  readonly nodes: readonly string[];
}

/** `options.json`: what the speaker's command line would say. */
type CaseOptions = Pick<RenderOptions, 'logLevel' | 'ignoreExcludeLabel' | 'loadBalancerClass'>;

export interface RenderedCase {
  /** By node. */
  readonly frrConf: ReadonlyMap<string, string>;
  /** The user's part of every frr.conf. */
  readonly extras: string;
  /** One line for each problem, with its severity and without its position. */
  readonly problems: string;
}

const HERE = import.meta.dirname;
const NAMESPACE = 'metallb-system';
const DEFAULT_NODE = 'n1';
const SEPARATOR = '---\n';

const template = compileFrrConf(readFileSync(join(HERE, '../../templates/frr.conf.hbs'), 'utf8'));

/** All cases, sorted by name. */
export function goldenCases(): readonly GoldenCase[] {
  return readdirSync(HERE, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const folder = join(HERE, name);
      return { name, folder, nodes: nodesOf(folder) };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nodesOf(folder: string): readonly string[] {
  const others = readdirSync(folder).flatMap((file) => /^frr\.(.+)\.conf$/.exec(file)?.[1] ?? []);
  return [DEFAULT_NODE, ...others.sort()];
}

/** The objects of a case, one YAML document each. */
export function documentsOf({ folder }: GoldenCase): readonly string[] {
  return readFileSync(join(folder, 'in.yaml'), 'utf8').split(SEPARATOR);
}

/**
 * What the objects of a case give, without a look at what is expected. A Service without any EndpointSlice runs
 * everywhere.
 * @param documents the same in another order
 */
export function renderCase(golden: GoldenCase, documents = documentsOf(golden)): RenderedCase {
  const { folder, nodes } = golden;
  const options = optionsOf(folder);
  const stdin = Buffer.from(documents.join(SEPARATOR));
  const read = readManifests({ paths: [STDIN_PATH], namespace: NAMESPACE, stdin });
  const cluster = planCluster(read.snapshot, { ...options, endpoints: 'assumed' });
  const plans = nodes.map((nodeName) => planNode(cluster, { ...options, nodeName, template }));
  const problems = [...read.problems, ...cluster.problems, ...plans.flatMap((plan) => plan.problems)];
  return {
    frrConf: new Map(nodes.map((node, index) => [node, plans[index]?.frrConf ?? ''])),
    extras: plans[0]?.state.bgp.extras ?? '',
    problems: [...new Set(problems.map(lineOf))].join(''),
  };
}

function optionsOf(folder: string): CaseOptions {
  const file = join(folder, 'options.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as CaseOptions) : {};
}

function lineOf({ position: _, ...problem }: Problem): string {
  return `${problem.severity}: ${formatProblem(problem)}\n`;
}

/** The frr.conf that is written down for a node. */
export function expectedFrrConf({ folder }: GoldenCase, node: string): string {
  return readFileSync(join(folder, fileOf(node)), 'utf8');
}

/** The problems that are written down; no file: none. */
export function expectedProblems({ folder }: GoldenCase): string {
  return existsSync(join(folder, PROBLEMS)) ? readFileSync(join(folder, PROBLEMS), 'utf8') : '';
}

/** Writes down what is rendered now, to be read before it is committed. */
export function writeExpected({ folder }: GoldenCase, rendered: RenderedCase): void {
  for (const [node, text] of rendered.frrConf) writeFileSync(join(folder, fileOf(node)), text);
  if (rendered.problems === '') rmSync(join(folder, PROBLEMS), { force: true });
  else writeFileSync(join(folder, PROBLEMS), rendered.problems);
}

const PROBLEMS = 'problems.txt';

function fileOf(node: string): string {
  return node === DEFAULT_NODE ? 'frr.conf' : `frr.${node}.conf`;
}
