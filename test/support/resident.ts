import { readFile } from 'node:fs/promises';

/** Resident memory of a process, KiB (proc(5), /proc/PID/status). */
export async function residentKiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}
