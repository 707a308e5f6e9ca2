import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, listNetns, type ProcessRef } from '../../src/lab/index.ts';
import { cgroupLayout, cgroupMounts } from './cgroups.ts';
import { netnsName } from './plan.ts';
import { processesIn } from './processes.ts';
import { clusterFolder, diskFolder } from './state.ts';

/** Processes of a cluster that is up, or half up. */
export async function processesOf(cluster: string): Promise<ProcessRef[]> {
  const prefix = netnsName(cluster, '');
  return processesIn((await listNetns()).filter((name) => name.startsWith(prefix)));
}

/** What is left of a cluster: namespaces, mounts, cgroups, folders, and those of its processes that still run. */
export async function remainsOf(cluster: string, processes: readonly ProcessRef[]): Promise<string[]> {
  const prefix = netnsName(cluster, '');
  const folders = [clusterFolder(cluster), diskFolder(cluster)];
  const found: string[] = (await listNetns()).filter((name) => name.startsWith(prefix));
  for (const line of (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')) {
    if ([prefix, ...folders].some((text) => line.includes(text))) found.push(`mount ${line}`);
  }
  for (const mount of cgroupMounts(await cgroupLayout())) {
    const groups = (await readdir(mount)).filter((name) => name.startsWith(prefix));
    found.push(...groups.map((name) => join(mount, name)));
  }
  for (const folder of folders) {
    if (await readdir(folder).catch(() => undefined)) found.push(folder);
  }
  for (const process of processes) {
    if (await isAlive(process)) found.push(`process ${process.pid}`);
  }
  return found;
}
