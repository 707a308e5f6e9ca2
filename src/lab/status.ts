import { runInNode } from './node.ts';
import { isAlive } from './process-ref.ts';
import { nodeProcesses } from './processes.ts';
import { sessionQuery, type Session } from './sessions.ts';
import { nodeLog, type LabState, type NodeState, type SharedFolder } from './state.ts';
import { cutLinks } from './wires.ts';

export interface LabStatus {
  readonly name: string;
  readonly file: string;
  /** `unfinished`: an `up` that was killed; only `down` helps. */
  readonly phase: 'starting' | 'unfinished' | 'running';
  readonly startedAt: string;
  readonly nodes: readonly NodeStatus[];
  /** Link ends `NODE:INTERFACE` whose link is cut. */
  readonly cut: readonly string[];
  readonly folders: readonly SharedFolder[];
}

export interface NodeStatus {
  readonly name: string;
  readonly image: string;
  readonly netns: string;
  /** `degraded`: some of its processes are missing. */
  readonly state: 'running' | 'degraded' | 'dead';
  readonly processes: readonly string[];
  readonly missing: readonly string[];
  readonly sessions: readonly Session[];
  /** Why the sessions could not be read. */
  readonly sessionsError?: string;
  readonly log: string;
}

export async function labStatus(state: LabState): Promise<LabStatus> {
  const { name, file, startedAt, folders } = state;
  const phase =
    state.phase === 'running' ? 'running' : (await isAlive(state.starter)) ? 'starting' : 'unfinished';
  const nodes = await Promise.all(state.nodes.map((node) => nodeStatus(name, node)));
  return {
    name,
    file,
    phase,
    startedAt,
    nodes,
    cut: phase === 'running' ? await cutLinks(state) : [],
    folders,
  };
}

async function nodeStatus(lab: string, node: NodeState): Promise<NodeStatus> {
  const { name, image, netns } = node;
  const about = { name, image, netns, log: nodeLog(lab, name) };
  if (node.init === undefined || !(await isAlive(node.init))) {
    return { ...about, state: 'dead', processes: [], missing: node.processes, sessions: [] };
  }
  const running = (await nodeProcesses(node)).map((process) => process.name);
  const missing = node.processes.filter((process) => !running.includes(process));
  return {
    ...about,
    state: missing.length === 0 ? 'running' : 'degraded',
    processes: node.processes.filter((process) => running.includes(process)),
    missing,
    ...(await sessionsOf(node)),
  };
}

async function sessionsOf(node: NodeState): Promise<Pick<NodeStatus, 'sessions' | 'sessionsError'>> {
  const query = sessionQuery(node.role);
  if (!query) return { sessions: [] };
  const answer = await runInNode(node, query.command, { timeoutMs: 5_000 });
  if (answer.failed) {
    const reason = answer.stderr.trim() || answer.stdout.trim() || 'no answer';
    return { sessions: [], sessionsError: `${query.command.join(' ')}: ${reason}` };
  }
  try {
    return { sessions: query.parse(answer.stdout, Date.now()) };
  } catch (error) {
    return { sessions: [], sessionsError: `${query.command.join(' ')}: ${String(error)}` };
  }
}
