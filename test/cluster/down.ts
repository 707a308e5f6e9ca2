import { readFile, rm } from 'node:fs/promises';
import { deleteNetns, isAlive } from '../../src/lab/index.ts';
import { cgroupLayout, removeCgroup } from './cgroups.ts';
import { ClusterError } from './error.ts';
import { namespacesOf } from './plan.ts';
import { endProcessesIn } from './processes.ts';
import { clusterFolder, clusterNames, diskFolder, planOf, readState, requireCluster } from './state.ts';

/**
 * Ends every process of a cluster and removes its namespaces, cgroups and folders, whether it runs, half of it does or none.
 * Doing it twice is an error the second time: ERR_CLUSTER_UNKNOWN.
 */
export async function clusterDown(name: string): Promise<void> {
  const state = await readState(name);
  if (!state) {
    // A start that was killed between taking the name and writing the first state made nothing else.
    if (!(await clusterNames()).includes(name)) await requireCluster(name);
  } else {
    if (state.phase === 'starting' && state.starter.pid !== process.pid && (await isAlive(state.starter))) {
      throw new ClusterError(
        'ERR_CLUSTER_BUSY',
        `cluster ${name} is being started by process ${state.starter.pid}: interrupt that one (kill -INT)`,
      );
    }
    const plan = planOf(state);
    await endProcessesIn(namespacesOf(plan));
    await Promise.all(namespacesOf(plan).map(deleteNetns));
    const layout = await cgroupLayout();
    for (const { cgroup } of plan.nodes) await removeCgroup(layout, cgroup);
  }
  for (const folder of [diskFolder(name), clusterFolder(name)]) await removeFolder(folder);
}

/** Removing through a mount would remove what is mounted: nothing may be mounted below. */
async function removeFolder(folder: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  if (mounts.includes(` ${folder}/`)) {
    throw new ClusterError(
      'ERR_CLUSTER_BUSY',
      `something is mounted below ${folder}: unmount it first (findmnt)`,
    );
  }
  await rm(folder, { recursive: true, force: true });
}
