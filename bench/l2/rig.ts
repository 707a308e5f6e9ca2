import { execa } from 'execa';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { labDown, labUp, parseTopology, requireNode, runInNode, type LabState } from '../../src/lab/index.ts';
import {
  answerSpans,
  macOf,
  nowMs,
  recordLan,
  since,
  startAsker,
  type Asker,
  type LanRecorder,
} from '../../test/lan/index.ts';
import { CHECKOUT_PROGRAM, makeProduct } from '../support/product.ts';

const TOPOLOGY = resolve(import.meta.dirname, '../../test/containerlab/h-one-lan.clab.yml');

export const NODES = ['n1', 'n2', 'n3'] as const;
export type NodeName = (typeof NODES)[number];

/** How often the observer asks. */
const ASK_INTERVAL_MS = 10;
/** Answers further apart than this are not one span. */
export const JOIN_MS = 100;
/** One and only one owner for as long as this, and the LAN has settled. */
const SETTLED_MS = 1_000;

/** Three nodes and a client on one LAN, with a recorder on the switch and a host that asks. */
export interface Rig {
  readonly state: LabState;
  /** Folder of manifests that the controller and the speakers watch. */
  readonly folder: string;
  readonly recorder: LanRecorder;
  readonly asker: Asker;
  readonly nodeOf: (mac: string) => NodeName | undefined;
  /**
   * Asks for addresses until exactly one node has answered for each during the last second, all within `timeoutMs`.
   * @returns the owners, in the order of `ips`
   */
  readonly settle: (ips: readonly string[], timeoutMs?: number) => Promise<readonly NodeName[]>;
  /** Runs a command in a node; gives its standard output, throws when it fails. */
  readonly run: (node: string, command: readonly string[], timeoutMs?: number) => Promise<string>;
  /** Asks for a Service's addresses to go to a node, as `metallb-frr move` does. */
  readonly move: (service: string, to: NodeName) => Promise<void>;
  readonly down: () => Promise<void>;
}

export async function rigUp(options: {
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}): Promise<Rig> {
  const parsed = parseTopology(await readFile(TOPOLOGY, 'utf8'), TOPOLOGY);
  if (!parsed.ok) throw new Error(`${TOPOLOGY} is not a topology we can run`);
  const folder = await mkdtemp(join(tmpdir(), 'mlf-bench-l2-'));
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    options.onProgress('bundling the product');
    const program = await makeProduct(folder);
    // What was compiled once is kept there, and lab nodes may not write.
    await execa(program, ['--version'], { timeout: 30_000 });
    const own = { source: program, target: CHECKOUT_PROGRAM, readOnly: true };
    const nodes = parsed.topology.nodes.map((node) => ({ ...node, binds: [...node.binds, own] }));
    const topology = { ...parsed.topology, name: 'bench-l2', nodes };
    const state = await labUp({ topology, file: TOPOLOGY, ...options });
    const down = async (): Promise<void> => {
      await labDown(state.name);
      await removeFolder();
    };
    return await rigOf(state, down).catch(async (error: unknown) => {
      await labDown(state.name);
      throw error;
    });
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

async function rigOf(state: LabState, down: () => Promise<void>): Promise<Rig> {
  const folder = state.folders[0]?.copy;
  if (folder === undefined) throw new Error('the lab has no folder of manifests');
  const recorder = await recordLan(requireNode(state, 'switch').netns, 'br0');
  const asker = await startAsker(requireNode(state, 'observer').netns, 'eth1');
  const macs = new Map<string, NodeName>();
  for (const node of NODES) macs.set(await macOf(state, node), node);
  const run: Rig['run'] = async (node, command, timeoutMs = 30_000) => {
    const result = await runInNode(requireNode(state, node), command, { timeoutMs });
    if (result.failed) throw new Error(`${node}: ${command.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  return {
    ...{ state, folder, recorder, asker, run },
    nodeOf: (mac) => macs.get(mac),
    move: async (service, to) => {
      await run('controller', [CHECKOUT_PROGRAM, 'move', service, '--to', to, '--source', 'dir:/manifests']);
    },
    settle: (ips, timeoutMs = 60_000) => settle({ recorder, asker, macs, ips, timeoutMs }),
    down: async () => {
      await asker.close();
      await recorder.close();
      await down();
    },
  };
}

async function settle(options: {
  readonly recorder: LanRecorder;
  readonly asker: Asker;
  readonly macs: ReadonlyMap<string, NodeName>;
  readonly ips: readonly string[];
  readonly timeoutMs: number;
}): Promise<readonly NodeName[]> {
  const { recorder, asker, macs, ips, timeoutMs } = options;
  const startMs = nowMs();
  asker.ask({ ips, intervalMs: ASK_INTERVAL_MS });
  for (;;) {
    await delay(100);
    const fromMs = nowMs() - SETTLED_MS;
    if (fromMs < startMs) continue;
    const recent = since(recorder.sightings, fromMs);
    const owners = ips.map((ip) => {
      const spans = answerSpans(recent, { ip, asker: asker.mac, joinMs: JOIN_MS });
      const [span] = spans;
      const isWhole = span !== undefined && span.toMs - span.fromMs > SETTLED_MS - 2 * JOIN_MS;
      return spans.length === 1 && isWhole ? macs.get(span.mac) : undefined;
    });
    const known = owners.filter((owner) => owner !== undefined);
    if (known.length === ips.length) return known;
    if (nowMs() - startMs > timeoutMs) {
      const open = ips.filter((_, index) => owners[index] === undefined);
      throw new Error(
        `after ${timeoutMs} ms ${open.length} of ${ips.length} addresses do not have one owner, such as ${open[0] ?? ''}`,
      );
    }
  }
}
