import { readFile } from 'node:fs/promises';

/** Clock ticks a second of the kernel's interface, on every Linux (sysconf(3), _SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;

/**
 * For how long this machine's CPUs were given to other machines although they had work, since its start: milliseconds, summed
 * over all CPUs (proc(5), stat: steal). What is timed meanwhile says nothing about what runs here.
 */
export async function stolenMs(): Promise<number> {
  const [all = ''] = (await readFile('/proc/stat', 'utf8')).split('\n', 1);
  return (Number(all.split(/ +/)[8] ?? 0) * 1_000) / TICKS_PER_SECOND;
}
