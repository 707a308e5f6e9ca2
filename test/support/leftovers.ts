import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { deleteNetns, endProcesses, frrInstance, listNetns, netnsPids } from '../../src/lab/index.ts';

/** Folder for what tests make, when they run as root; user frr can reach it and its path is short. */
export const RUN_FOLDER = '/run';

/** Begins the name of every folder and namespace that a test makes; the process that made it is in there. */
export function ownName(suffix: string): string {
  return `mlf-${process.pid}-${suffix}`;
}

/**
 * Ends what is left of test processes that were killed before they could clean up: daemons, namespaces and folders whose
 * names carry the id of a process that is gone.
 */
export async function removeLeftovers(): Promise<void> {
  for (const name of (await readdir(RUN_FOLDER)).filter(isLeftover)) {
    const dir = join(RUN_FOLDER, name);
    // The daemons are found by the pid files of the folder, whatever release they are of.
    await frrInstance({ install: { version: '', root: '' }, dir }).stop();
    await rm(dir, { recursive: true, force: true });
  }
  for (const name of (await listNetns()).filter(isLeftover)) {
    await endProcesses(await netnsPids(name), { signal: 'SIGTERM', timeoutMs: 5_000 });
    await deleteNetns(name);
  }
}

function isLeftover(name: string): boolean {
  const pid = /^mlf-(\d+)-/.exec(name)?.[1];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
