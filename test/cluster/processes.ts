import { readdir, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, netnsPids, processRef, type ProcessRef } from '../../src/lab/index.ts';
import { ClusterError } from './error.ts';

const END_TIMEOUT_MS = 20_000;

/**
 * The processes of hosts: those in the given network namespaces, and those that share a PID namespace with one of them. Pods
 * have network namespaces of their own, but are in their node's PID namespace or in one below it, which they end with.
 */
export async function processesIn(namespaces: readonly string[]): Promise<ProcessRef[]> {
  const direct = (await Promise.all(namespaces.map(netnsPids))).flat();
  const machine = await pidNamespace('self');
  const nodes = new Set((await Promise.all(direct.map(pidNamespace))).filter((space) => space !== machine));
  nodes.delete(''); // of a process that has ended meanwhile
  const all = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const spaces = await Promise.all(all.map(pidNamespace));
  const inside = all.filter((_, index) => nodes.has(spaces[index] ?? ''));
  const refs = await Promise.all([...new Set([...direct, ...inside])].map(processRef));
  return refs.filter((ref) => ref !== undefined);
}

/** Ends all processes of hosts; returns when they are gone. Throws ERR_CLUSTER_BUSY when they do not go. */
export async function endProcessesIn(namespaces: readonly string[]): Promise<void> {
  const deadline = Date.now() + END_TIMEOUT_MS;
  let left: readonly ProcessRef[] = [];
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 50)) {
    // A namespace whose first process is ending does not show the others any more: those seen before are kept in mind.
    const known = new Map([...left, ...(await processesIn(namespaces))].map((ref) => [ref.pid, ref]));
    const alive = await Promise.all(
      [...known.values()].map(async (ref) => ((await isAlive(ref)) ? [ref] : [])),
    );
    left = alive.flat();
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      const pids = left.map(({ pid }) => pid).join(', ');
      const message = `processes ${pids} of ${namespaces.join(', ')} did not end within ${END_TIMEOUT_MS / 1000} s`;
      throw new ClusterError('ERR_CLUSTER_BUSY', message);
    }
    for (const { pid } of left) kill(pid);
    await sleep(waitMs);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: it ended by itself
  }
}

/** Empty when the process is gone. */
function pidNamespace(pid: number | 'self'): Promise<string> {
  return readlink(`/proc/${pid}/ns/pid`).catch(() => '');
}
