import { execa } from 'execa';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LabError } from './error.ts';
import { isAlive, processRef, type ProcessRef } from './process-ref.ts';
import { labFolder, nodeLog, type NodeState } from './state.ts';

/** The folder that holds package.json: nodes run the programs of this checkout. */
const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const START_TIMEOUT_MS = 20_000;
const READY_TIMEOUT_MS = 30_000;

export interface NodeStart {
  readonly lab: string;
  readonly node: NodeState;
  /** Sources are absolute and exist. */
  readonly binds: readonly { readonly source: string; readonly target: string; readonly readOnly: boolean }[];
  /** Folder of the Debian release whose /usr the node gets; the machine's own when empty. */
  readonly release: string;
  readonly signal: AbortSignal;
}

/**
 * Starts a node: its first process, in mount, PID, UTS and IPC namespaces of its own inside its network namespace. It
 * outlives this process. Resolves when the entrypoint is about to run; the entrypoint's own failures show up in
 * {@link waitUntilReady}.
 */
export async function startNode({ lab, node, binds, release, signal }: NodeStart): Promise<ProcessRef> {
  signal.throwIfAborted();
  const root = join(labFolder(lab), 'root', node.name);
  await mkdir(root, { recursive: true });
  await mkdir(dirname(nodeLog(lab, node.name)), { recursive: true });
  const log = await open(nodeLog(lab, node.name), 'a');
  try {
    const child = spawn('nsenter', startWords({ root, node, binds, release }), {
      detached: true,
      stdio: ['ignore', 'pipe', log.fd],
    });
    const { stdout } = child;
    if (stdout === null) throw new Error('the standard output of a child with a pipe is missing');
    const lines = createInterface({ input: stdout });
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
    const close = (): void => {
      lines.close();
      stdout.destroy();
    };
    deadline.addEventListener('abort', close, { once: true });
    try {
      await once(child, 'spawn');
      const init = await handshake(lines);
      signal.throwIfAborted();
      if (init === undefined) throw await nodeFailure(lab, node, 'did not start');
      return init;
    } finally {
      deadline.removeEventListener('abort', close);
      close();
      child.unref();
    }
  } finally {
    await log.close();
  }
}

/** Waits until the node's daemons can be asked. Throws ERR_LAB_NODE_FAILED with the end of its log when they cannot. */
export async function waitUntilReady(lab: string, node: NodeState, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    if (node.init === undefined || !(await isAlive(node.init)))
      throw await nodeFailure(lab, node, 'ended at once');
    if (await exists(`/proc/${String(node.init.pid)}/root/run/lab-ready`)) return;
    if (Date.now() > deadline) {
      throw await nodeFailure(lab, node, `was not ready after ${String(READY_TIMEOUT_MS / 1000)} s`);
    }
    await sleep(20, undefined, { signal });
  }
}

/**
 * The words that, in front of a command, run it inside a node, as `docker exec` would. Throws ERR_LAB_NODE_FAILED when
 * the node's first process is gone.
 */
export async function inNode(node: NodeState): Promise<readonly string[]> {
  if (node.init === undefined || !(await isAlive(node.init))) {
    throw new LabError('ERR_LAB_NODE_FAILED', `node ${node.name} does not run any more`);
  }
  return [
    ...[
      'nsenter',
      '--target',
      String(node.init.pid),
      '--mount',
      '--uts',
      '--ipc',
      '--net',
      '--pid',
      '--root',
      '--wd',
    ],
    ...['--', ...environment(node)],
  ];
}

export interface NodeRun {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined when a signal or the time limit ended it. */
  readonly exitCode: number | undefined;
  readonly failed: boolean;
}

/** Runs a command inside a node to its end, by default for at most 30 seconds. Does not throw when it fails. */
export async function runInNode(
  node: NodeState,
  command: readonly string[],
  options: { readonly timeoutMs?: number; readonly input?: string; readonly signal?: AbortSignal } = {},
): Promise<NodeRun> {
  const [file = '', ...args] = [...(await inNode(node)), ...command];
  const { stdout, stderr, exitCode, failed } = await execa(file, args, {
    reject: false,
    timeout: options.timeoutMs ?? 30_000,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  return { stdout, stderr, exitCode, failed };
}

function startWords(
  options: Pick<NodeStart, 'node' | 'binds' | 'release'> & { readonly root: string },
): string[] {
  const { root, node, binds, release } = options;
  const all = [
    { source: CHECKOUT, target: CHECKOUT, readOnly: true },
    // The Node.js that runs this, which need not be the machine's or in the checkout.
    { source: process.execPath, target: process.execPath, readOnly: true },
    ...binds,
  ];
  return [
    `--net=/run/netns/${node.netns}`,
    ...[
      '--',
      'unshare',
      '--mount',
      '--propagation',
      'slave',
      '--pid',
      '--uts',
      '--ipc',
      '--fork',
      '--kill-child',
    ],
    ...['--', 'sh', join(CHECKOUT, 'src/lab/node-root.sh'), root, node.name],
    ...(release === '' ? [] : ['--release', release]),
    ...all.flatMap(({ source, target, readOnly }) => ['--bind', source, target, readOnly ? 'ro' : 'rw']),
    ...['--', ...environment(node), join(CHECKOUT, 'images/lab/entrypoint'), node.role],
  ];
}

/** A container's environment: nothing of the user's shell comes through. */
function environment(node: NodeState): string[] {
  const path = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  return [
    ...['env', '-i', `PATH=${path}`, 'HOME=/root', `HOSTNAME=${node.name}`, 'LANG=C.UTF-8'],
    ...['TERM=xterm', 'VTYSH_HISTFILE=/dev/null'],
  ];
}

/** Reads `pid N` and `ready`; undefined when the pipe closes before. */
async function handshake(lines: AsyncIterable<string>): Promise<ProcessRef | undefined> {
  let init: ProcessRef | undefined;
  for await (const line of lines) {
    if (line === 'ready') return init;
    const pid = /^pid (\d+)$/.exec(line)?.[1];
    if (pid !== undefined) init = await processRef(Number(pid));
  }
  return undefined;
}

async function nodeFailure(lab: string, node: NodeState, what: string): Promise<LabError> {
  const file = nodeLog(lab, node.name);
  const log = await readFile(file, 'utf8').catch(() => '');
  const end = log.trimEnd().split('\n').slice(-8).join('\n  ');
  return new LabError(
    'ERR_LAB_NODE_FAILED',
    `node ${node.name} ${what}${end === '' ? '' : `; its last words:\n  ${end}`}`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
