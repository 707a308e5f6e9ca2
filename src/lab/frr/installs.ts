import { access, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** FRR's programs of one release: the machine's own, or those in the folder of another Debian release. */
export interface FrrInstall {
  /** As `bgpd --version` prints it, for example `8.4.4`. */
  readonly version: string;
  /** Empty for the machine's own; else the folder that holds the other release's /usr and /etc. */
  readonly root: string;
}

/** Where Debian puts FRR's daemons. */
export const DAEMON_FOLDER = '/usr/lib/frr';

/**
 * The installs on this machine, one for each version, lowest first; empty when there is none. Other releases are looked for in
 * `$METALLB_FRR_TOOLS` (default `~/.cache/metallb-frr`), where `npm run setup` puts them.
 */
export async function frrInstalls(): Promise<FrrInstall[]> {
  const roots = ['', ...(await otherRoots())];
  const found = await Promise.all(roots.map(installAt));
  return found
    .filter((install) => install !== undefined)
    .filter(({ version }, index, all) => all.findIndex((other) => other.version === version) === index)
    .sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
}

async function otherRoots(): Promise<string[]> {
  const folder = toolsFolder();
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return []; // no such folder: only the machine's own FRR can be there
  }
  return names
    .filter((name) => /^debian-[a-z]+$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** The same rule as in scripts/lib/tools.mjs, which must work before any dependency is there. */
function toolsFolder(): string {
  const { METALLB_FRR_TOOLS: given, XDG_CACHE_HOME: cache } = process.env;
  if (given !== undefined && given !== '') return given;
  return join(cache !== undefined && cache !== '' ? cache : join(homedir(), '.cache'), 'metallb-frr');
}

async function installAt(root: string): Promise<FrrInstall | undefined> {
  try {
    await access(join(root, DAEMON_FOLDER, 'bgpd'));
  } catch {
    return undefined;
  }
  const [file = '', ...args] = inInstall({ root }, [`${DAEMON_FOLDER}/bgpd`, '--version']);
  const run = await execa(file, args, { timeout: 10_000, reject: false });
  const version = /^bgpd version (\d+(?:\.\d+)*)/.exec(run.stdout)?.[1];
  // Not root: the programs of another release cannot be put in place, so for this process they are not there.
  return version === undefined ? undefined : { version, root };
}

/**
 * Takes pairs of folders up to `--`, mounts the first over the second, then becomes the command behind it. Unshared
 * mounts are private to the process and its children and vanish with them, so there is nothing to clean up.
 */
const MOUNT_AND_RUN = 'while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"';

/**
 * The words that run `command` with the programs and libraries of an install and every other path as it is outside:
 * another release's /usr is mounted over this one's in a private mount namespace, so sockets, files and /proc need no
 * translation. Costs about 5 ms; free for the machine's own install.
 * @param mounts more pairs [source, target] to mount for this command alone
 */
export function inInstall(
  install: Pick<FrrInstall, 'root'>,
  command: readonly string[],
  mounts: readonly (readonly [source: string, target: string])[] = [],
): readonly string[] {
  const { root } = install;
  const all = [...mounts];
  // The linker's cache first: it is read by the very next program. /usr last: `mount` itself is in there.
  if (root !== '') all.push([join(root, 'etc/ld.so.cache'), '/etc/ld.so.cache'], [join(root, 'usr'), '/usr']);
  if (all.length === 0) return command;
  return ['unshare', '--mount', '--', 'sh', '-ec', MOUNT_AND_RUN, 'sh', ...all.flat(), '--', ...command];
}
