import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const KILL_TIMEOUT_MS = 2_000;

/**
 * The process a pid file names, if it still runs and is the one that was started: a pid may have been given to another
 * process since.
 * @param mark text that must be in its command line
 */
export async function runningPid(pidFile: string, mark: string): Promise<number | undefined> {
  const text = await readOrEmpty(pidFile);
  const pid = Number(text.trim());
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  const commandLine = await readOrEmpty(`/proc/${pid}/cmdline`);
  return commandLine.includes(mark) && (await isAlive(pid)) ? pid : undefined;
}

/**
 * Sends a signal and waits until the processes are gone; those that stay get SIGKILL. A process that is gone already is fine.
 * @throws when one survives SIGKILL for 2 s (it hangs in the kernel)
 */
export async function endProcesses(
  pids: readonly number[],
  options: { readonly signal: NodeJS.Signals; readonly timeoutMs: number },
): Promise<void> {
  for (const pid of pids) send(pid, options.signal);
  let left = await waitUntilGone(pids, options.timeoutMs);
  for (const pid of left) send(pid, 'SIGKILL');
  left = await waitUntilGone(left, KILL_TIMEOUT_MS);
  if (left.length > 0) throw new Error(`processes ${left.join(', ')} did not end after SIGKILL`);
}

async function waitUntilGone(pids: readonly number[], timeoutMs: number): Promise<number[]> {
  const deadline = Date.now() + timeoutMs;
  let left = [...pids];
  for (;;) {
    const alive = await Promise.all(left.map(isAlive));
    left = left.filter((_, index) => alive[index]);
    if (left.length === 0 || Date.now() >= deadline) return left;
    await delay(10);
  }
}

/** A zombie has ended: only its parent has not looked yet. */
async function isAlive(pid: number): Promise<boolean> {
  // The name in brackets may hold anything, so the state is what follows the last bracket (proc_pid_stat(5)).
  const state = /^.*\) (\S)/s.exec(await readOrEmpty(`/proc/${pid}/stat`))?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Files under /proc and pid files come and go: absent reads as empty. */
async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}
