import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError } from './error.ts';

/**
 * How this machine has its cgroups (cgroups(7)): one hierarchy for all controllers, or one for each (version 1, often with
 * an empty version 2 hierarchy beside them).
 */
export type CgroupLayout =
  | { readonly version: 2; readonly root: string }
  | {
      readonly version: 1;
      /** Mount points of the version 1 hierarchies. */
      readonly hierarchies: readonly string[];
      /** Mount point of the version 2 hierarchy beside them; runc makes groups there too. */
      readonly unified?: string;
    };

const ROOT = '/sys/fs/cgroup';
const REMOVE_TIMEOUT_MS = 10_000;
/** Those that kubelet asks for. */
const CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids'];

/**
 * Reads the layout from /proc/self/mountinfo (proc_pid_mountinfo(5)).
 * @returns undefined when no cgroups are mounted where kubelet looks for them
 */
export function parseCgroupLayout(mountinfo: string): CgroupLayout | undefined {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [point, type] = [before.split(' ')[4], after.split(' ')[0]];
    return point?.startsWith(ROOT) && type !== undefined ? [{ point, type }] : [];
  });
  if (mounts.some(({ point, type }) => point === ROOT && type === 'cgroup2'))
    return { version: 2, root: ROOT };
  // A hierarchy of two controllers is mounted once and linked to, so that a mount point stands for each.
  const hierarchies = mounts.filter(({ type }) => type === 'cgroup').map(({ point }) => point);
  if (hierarchies.length === 0) return undefined;
  const unified = mounts.find(({ type }) => type === 'cgroup2')?.point;
  return { version: 1, hierarchies, ...(unified === undefined ? {} : { unified }) };
}

/** Where cgroups are mounted, outermost first. */
export function cgroupMounts(layout: CgroupLayout): string[] {
  if (layout.version === 2) return [layout.root];
  return [ROOT, ...layout.hierarchies, ...(layout.unified === undefined ? [] : [layout.unified])];
}

export async function cgroupLayout(): Promise<CgroupLayout> {
  const layout = parseCgroupLayout(await readFile('/proc/self/mountinfo', 'utf8'));
  if (layout) return layout;
  throw new ClusterError(
    'ERR_CLUSTER_PRIVILEGES',
    `no cgroups are mounted below ${ROOT}, and kubelet needs them`,
  );
}

/** Makes a group that kubelet can make its own groups in. */
export async function makeCgroup(layout: CgroupLayout, name: string): Promise<void> {
  if (layout.version === 2) {
    await delegate(layout.root);
    await mkdir(join(layout.root, name), { recursive: true });
    await delegate(join(layout.root, name));
    return;
  }
  for (const hierarchy of layout.hierarchies) {
    const folder = join(hierarchy, name);
    await mkdir(folder, { recursive: true });
    if (!(await readdir(folder)).includes('cpuset.cpus')) continue;
    // A new cpuset is empty, and no process may enter an empty one (cpuset(7)).
    for (const file of ['cpuset.mems', 'cpuset.cpus']) {
      await writeFile(join(folder, file), await readFile(join(hierarchy, file)));
    }
  }
}

/** Removes a group with all groups in it. Its processes have ended, or are about to. */
export async function removeCgroup(layout: CgroupLayout, name: string): Promise<void> {
  const deadline = Date.now() + REMOVE_TIMEOUT_MS;
  for (const mount of cgroupMounts(layout)) {
    const folder = join(mount, name);
    while (!(await removeTree(folder))) {
      if (Date.now() > deadline) {
        throw new ClusterError('ERR_CLUSTER_BUSY', `cgroup ${folder} still holds processes (cgroup.procs)`);
      }
      await sleep(20);
    }
  }
}

/** Groups are removed as folders, innermost first; the files in them cannot be. False: some are still in use. */
async function removeTree(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const inner = entries.filter((entry) => entry.isDirectory());
  const removed = await Promise.all(inner.map((entry) => removeTree(join(folder, entry.name))));
  try {
    await rmdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EBUSY') return false;
    if (code !== 'ENOENT') throw error;
  }
  return !removed.includes(false);
}

/** Lets the groups below a version 2 group have the controllers it has itself. */
async function delegate(folder: string): Promise<void> {
  const control = join(folder, 'cgroup.subtree_control');
  const available = (await readFile(join(folder, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const wanted = CONTROLLERS.filter((controller) => available.includes(controller));
  const words = wanted.map((controller) => `+${controller}`).join(' ');
  try {
    await writeFile(control, words);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    // "No internal processes" (cgroups(7)): in a container this group is not the machine's root, and holds processes.
    await moveProcesses(folder, join(folder, 'processes'));
    await writeFile(control, words);
  }
}

async function moveProcesses(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const pids = (await readFile(join(from, 'cgroup.procs'), 'utf8')).split('\n').filter((pid) => pid !== '');
  for (const pid of pids) {
    await writeFile(join(to, 'cgroup.procs'), pid).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: it has ended
    });
  }
}
