import { readFile } from 'node:fs/promises';
import { TICKS_PER_SECOND } from '../../src/lab/index.ts';

/**
 * For how long each of this machine's CPUs was given to other machines although it had work, since the start: milliseconds
 * (proc(5), stat: steal).
 */
export async function stolenMs(): Promise<readonly number[]> {
  const lines = (await readFile('/proc/stat', 'utf8')).split('\n').filter((line) => /^cpu\d/.test(line));
  return lines.map((line) => (Number(line.split(' ')[8] ?? 0) * 1_000) / TICKS_PER_SECOND);
}

/** The most that any CPU lost between two looks. */
export function mostStolen(before: readonly number[], after: readonly number[]): number {
  return Math.max(0, ...after.map((ms, cpu) => ms - (before[cpu] ?? ms)));
}
