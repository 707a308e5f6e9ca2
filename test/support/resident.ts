import { readFile } from 'node:fs/promises';

/** Resident memory of a process, KiB (proc(5), /proc/PID/status). */
export async function residentKiB(pid: number): Promise<number> {
  return fieldOf(pid, 'VmRSS');
}

/** The most that it ever was, KiB. */
export async function peakKiB(pid: number): Promise<number> {
  return fieldOf(pid, 'VmHWM');
}

async function fieldOf(pid: number, name: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
}
