// Looks at what is missing, which is quick, and installs it, one set-up at a time.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addonsAreCurrent, buildAddons, findHeaders, missingCompilers } from './addons.mjs';
import { buildRelease, missingReleases } from './chroots.mjs';
import { installPackages, missingPackages } from './debian.mjs';
import { installModules, modulesAreCurrent } from './modules.mjs';
import { chooseNode, headerPrefixes, installNode, pinnedNodeChoice } from './node.mjs';
import { ROOT, sharedTools } from './paths.mjs';
import { SetupError, exists, findProgram, run, say } from './process.mjs';
import { finishKilledSetUp, leftByKilledSetUp } from './services.mjs';

/**
 * What a command needs beside Node, node_modules and the addons.
 * @typedef {object} Needs
 * @property {boolean} daemons the Debian packages of the lab
 * @property {boolean} chroots FRR of the other Debian releases
 * @property {boolean} images what the container images are built with
 */

/** @type {readonly (keyof Needs)[]} */
export const NEEDS = ['daemons', 'chroots', 'images'];
const SETUP_PROGRAM = fileURLToPath(new URL('../setup.mjs', import.meta.url));
/** Machine-wide: a lock on this folder orders set-ups of different checkouts and users, without leaving a file. */
const MACHINE_FOLDER = '/var/lib/dpkg';
const LOCK_WAIT_SECONDS = 1_200;
const LOCK_TIMED_OUT = 75;

/**
 * Makes sure that everything is there.
 * @param {Needs} needs
 * @returns {Promise<NodeJS.ProcessEnv>} the environment for the commands that use it
 */
export async function setUp(needs) {
  if (await isComplete(needs)) return environment();
  const command = [process.execPath, SETUP_PROGRAM, '--locked', ...flagsFor(needs)];
  const folders = await lockFolders();
  if (!(await run([...locked(folders, ['-n']), 'true'])).ok) say('Waiting for another set-up to finish.');
  const lock = locked(folders, ['-w', `${LOCK_WAIT_SECONDS}`, '-E', `${LOCK_TIMED_OUT}`]);
  const { status } = await run([...lock, ...command], { show: true, timeoutMs: 3_600_000 });
  if (status === LOCK_TIMED_OUT) {
    throw new SetupError(
      `Another set-up has been running for ${LOCK_WAIT_SECONDS / 60} minutes.`,
      'See what it waits for (ps -ef | grep setup.mjs), end it, and run the same command again.',
    );
  }
  // It has said what was wrong.
  if (status !== 0) process.exit(status);
  return environment();
}

/**
 * Installs what is missing. Only the holder of the lock may call it.
 * @param {Needs} needs
 */
export async function installMissing(needs) {
  const node = await chooseNode();
  const compilers = (await addonsAreCurrent(node.version)) ? [] : await missingCompilers();
  const packages = [...(await missingPackages(needs)), ...compilers];
  if (packages.length > 0) await installPackages(packages);
  else if (needs.daemons) await finishKilledSetUp();
  if (!node.installed) await installNode(node);
  const prefixes = await prefixesFor(node);
  // npm compiles the addons too; with the wrong headers, if it were not told.
  if (!(await modulesAreCurrent(node.version))) {
    await installModules(node.version, { ...(await environment()), npm_config_nodedir: prefixes[0] });
  }
  if (!(await addonsAreCurrent(node.version))) {
    say('Compiling the addons that open raw sockets.');
    await buildAddons({ nodeVersion: node.version, prefixes });
  }
  if (needs.chroots) {
    for (const release of await missingReleases()) await buildRelease(release);
  }
}

/**
 * A Node can come without headers; those of the pinned one, of the same major version, fit it.
 * @param {import('./node.mjs').NodeChoice} node
 * @returns {Promise<string[]>} folders that may hold include/node; the first does
 */
async function prefixesFor(node) {
  const prefixes = [node.prefix, ...(await headerPrefixes())];
  const folder = await findHeaders(node.version, prefixes);
  if (folder !== undefined) return [dirname(dirname(folder)), ...prefixes];
  const pinned = await pinnedNodeChoice();
  await installNode(pinned);
  return [pinned.prefix, ...prefixes];
}

/** @param {Needs} needs */
async function isComplete(needs) {
  const node = await chooseNode();
  const [packages, modules, addons, releases, halfDone] = await Promise.all([
    missingPackages(needs),
    modulesAreCurrent(node.version),
    addonsAreCurrent(node.version),
    needs.chroots ? missingReleases() : [],
    needs.daemons ? leftByKilledSetUp() : undefined,
  ]);
  return (
    packages.length === 0 &&
    node.installed &&
    modules &&
    addons &&
    releases.length === 0 &&
    halfDone === undefined
  );
}

/** @returns {Promise<NodeJS.ProcessEnv>} */
async function environment() {
  const { binFolder, prefix } = await chooseNode();
  return {
    ...process.env,
    PATH: `${binFolder}:${process.env.PATH ?? ''}`,
    // Native addons are built with the headers of the Node that will load them.
    npm_config_nodedir: prefix,
    // The same folder even when a command changes to root and with it to another home.
    METALLB_FRR_TOOLS: sharedTools(),
  };
}

/** @param {Needs} needs */
export function flagsFor(needs) {
  return NEEDS.filter((need) => needs[need]).map((need) => `--${need}`);
}

/**
 * Words that run a command while nobody else sets up this checkout or this machine. The kernel frees the locks when the
 * command and everything it started has ended, so one that was killed leaves no stale lock, and one whose parent was killed
 * is waited for.
 * @param {readonly string[]} folders
 * @param {readonly string[]} wait flock's options
 */
function locked(folders, wait) {
  return folders.flatMap((folder) => ['flock', ...wait, folder]);
}

/** @returns {Promise<readonly string[]>} always in this order, so that two set-ups never wait for each other; none without flock(1) */
async function lockFolders() {
  if (!(await findProgram('flock'))) return [];
  return (await exists(MACHINE_FOLDER)) ? [ROOT, MACHINE_FOLDER] : [ROOT];
}
