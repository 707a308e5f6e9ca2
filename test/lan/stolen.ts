import { readFile } from 'node:fs/promises';

/** Clock ticks a second of the kernel's interface, on every Linux (sysconf(3), _SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;

/**
 * For how long each of this machine's CPUs was given to other machines although it had work, since the start: milliseconds
 * (proc(5), stat: steal).
 */
export async function stolenMs(): Promise<readonly number[]> {
  const lines = (await readFile('/proc/stat', 'utf8')).split('\n').filter((line) => /^cpu\d/.test(line));
  return lines.map((line) => (Number(line.split(' ')[8] ?? 0) * 1_000) / TICKS_PER_SECOND);
}

/** The most that any CPU lost between two looks: nothing that was timed meanwhile took longer by more than that because of it. */
export function mostStolen(before: readonly number[], after: readonly number[]): number {
  return Math.max(0, ...after.map((ms, cpu) => ms - (before[cpu] ?? ms)));
}
