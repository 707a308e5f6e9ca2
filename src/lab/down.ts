import { ExecaError } from 'execa';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from './error.ts';
import { deleteNetns, netnsPids } from './netns.ts';
import { isAlive } from './process-ref.ts';
import { labFolder, labNames, namespacesOf, readState, requireLab } from './state.ts';

const END_TIMEOUT_MS = 10_000;
const MAX_INTERRUPTIONS = 20;

/**
 * Ends every process of a lab, and removes its namespaces and its folder. Works on a lab that runs, on one whose start
 * was interrupted and on one whose processes died. Doing it twice is an error the second time: ERR_LAB_UNKNOWN.
 */
export async function labDown(name: string): Promise<void> {
  const state = await readState(name);
  if (!state) {
    // A start that was killed between taking the name and writing the first state made nothing else.
    if (!(await labNames()).includes(name)) await requireLab(name);
  } else {
    if (state.phase === 'starting' && state.starter.pid !== process.pid && (await isAlive(state.starter))) {
      throw new LabError(
        'ERR_LAB_BUSY',
        `lab ${name} is being started by process ${String(state.starter.pid)}: interrupt that one (kill -INT)`,
      );
    }
    await Promise.all(namespacesOf(state).map((netns) => insisting(() => removeNamespace(netns))));
  }
  await removeFolder(labFolder(name));
}

/**
 * Ctrl-C on a terminal goes to every process in the foreground, so an impatient one ends the very commands that clean
 * up: those are run again.
 */
async function insisting(action: () => Promise<void>): Promise<void> {
  for (let left = MAX_INTERRUPTIONS; ; left -= 1) {
    try {
      await action();
      return;
    } catch (error) {
      if (left === 0 || !(error instanceof ExecaError) || error.signal !== 'SIGINT') throw error;
    }
  }
}

/** A process belongs to the lab when it is in one of its network namespaces, whoever started it. */
async function removeNamespace(netns: string): Promise<void> {
  const deadline = Date.now() + END_TIMEOUT_MS;
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 200)) {
    const pids = await netnsPids(netns);
    if (pids.length === 0) break;
    if (Date.now() > deadline) {
      throw new LabError(
        'ERR_LAB_BUSY',
        `namespace ${netns}: processes ${pids.join(', ')} did not end within ${String(END_TIMEOUT_MS / 1000)} s`,
      );
    }
    for (const pid of pids) endProcess(pid);
    await sleep(waitMs);
  }
  await deleteNetns(netns);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: it ended by itself
  }
}

/** Removing through a mount would remove what is mounted: nothing may be mounted below. */
async function removeFolder(folder: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  if (mounts.includes(` ${folder}/`)) {
    throw new LabError('ERR_LAB_BUSY', `something is mounted below ${folder}: unmount it first (findmnt)`);
  }
  await rm(folder, { recursive: true, force: true });
}
