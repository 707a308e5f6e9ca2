import { readFile } from 'node:fs/promises';

/**
 * A process that cannot be confused with a later one of the same id: ids are used again, a start time with them is not
 * (proc(5), /proc/PID/stat field 22, clock ticks since boot).
 */
export interface ProcessRef {
  readonly pid: number;
  readonly startTicks: number;
}

/** The process of that id, or undefined when there is none. */
export async function processRef(pid: number): Promise<ProcessRef | undefined> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  } catch {
    return undefined; // gone: that is the answer
  }
  const fields = statFields(stat);
  const startTicks = Number(fields[19]);
  return fields[0] === 'Z' || !Number.isInteger(startTicks) ? undefined : { pid, startTicks };
}

/** Of times under /proc, on every Linux (sysconf(3), _SC_CLK_TCK). */
export const TICKS_PER_SECOND = 100;

/**
 * What /proc/PID/stat, or that of a thread, says from its third field on, which is the state (proc(5)). The second is the
 * name in parentheses and may hold blanks and parentheses itself.
 */
export function statFields(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

export async function isAlive(ref: ProcessRef): Promise<boolean> {
  return (await processRef(ref.pid))?.startTicks === ref.startTicks;
}
