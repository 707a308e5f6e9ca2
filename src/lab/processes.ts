import { readFile } from 'node:fs/promises';
import { processName } from './images.ts';
import { netnsPids } from './netns.ts';
import type { NodeState } from './state.ts';

/** A process of a lab node. */
export interface NodeProcess {
  /** Of the machine's PID namespace. */
  readonly pid: number;
  /** `bgpd`, `speaker`, ... */
  readonly name: string;
}

/** What runs in a node at this moment. */
export async function nodeProcesses({ netns }: Pick<NodeState, 'netns'>): Promise<NodeProcess[]> {
  const pids = await netnsPids(netns);
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        return {
          pid,
          name: processName((await readFile(`/proc/${String(pid)}/cmdline`, 'utf8')).split('\0')),
        };
      } catch {
        return { pid, name: '' }; // ended since it was listed
      }
    }),
  );
  return found.filter(({ name }) => name !== '');
}

/**
 * Sends a signal to processes.
 * @returns how many there still were
 */
export function signalProcesses(processes: readonly NodeProcess[], signal: NodeJS.Signals): number {
  return processes.filter(({ pid }) => {
    try {
      return process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      return false; // it ended by itself
    }
  }).length;
}
