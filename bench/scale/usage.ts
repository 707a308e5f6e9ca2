import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { nodeProcesses, statFields, TICKS_PER_SECOND, type NodeState } from '../../src/lab/index.ts';
import { FRR_DAEMONS } from '../../test/lan/index.ts';
import { peakKiB, residentKiB } from '../../test/support/resident.ts';

/** CPU time of a process and all its threads since its start, milliseconds; in steps of 10 (proc(5), stat). */
export async function cpuMsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = statFields(text);
  const [user = 0, system = 0] = [fields[11], fields[12]].map(Number);
  return ((user + system) * 1_000) / TICKS_PER_SECOND;
}

/** Resident memory of a process, MiB. */
export async function memoryOf(pid: number): Promise<number> {
  return mebibytes(await residentKiB(pid));
}

/** The most that it ever was. */
export async function peakOf(pid: number): Promise<number> {
  return mebibytes(await peakKiB(pid));
}

/** Resident memory of FRR's processes in a node together, MiB. */
export async function memoryOfFrr(node: NodeState): Promise<number> {
  const names: readonly string[] = [...FRR_DAEMONS, 'watchfrr'];
  const daemons = (await nodeProcesses(node)).filter(({ name }) => names.includes(name));
  const sizes = await Promise.all(daemons.map(({ pid }) => residentKiB(pid)));
  return mebibytes(sizes.reduce((sum, size) => sum + size, 0));
}

function mebibytes(kibibytes: number): number {
  return Math.round((kibibytes / 1_024) * 10) / 10;
}

/** Bytes that an interface in a network namespace has received. */
export async function receivedBytes(netns: string, interfaceName: string): Promise<number> {
  const { stdout } = await execa('ip', ['-n', netns, '-j', '-s', 'link', 'show', 'dev', interfaceName]);
  const [link] = JSON.parse(stdout) as { stats64: { rx: { bytes: number } } }[];
  if (!link) throw new Error(`${netns} has no ${interfaceName}`);
  return link.stats64.rx.bytes;
}
