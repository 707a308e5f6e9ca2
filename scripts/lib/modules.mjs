// node_modules, as package-lock.json has them.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { must, say } from './process.mjs';

const LOCK_FILE = join(ROOT, 'package-lock.json');
/** Written last, and inside the folder that npm empties first: a half-made node_modules has none. */
const STAMP = join(ROOT, 'node_modules/.installed-for');
/** npm's own record of what it installed, written when it is done. */
const NPM_RECORD = join(ROOT, 'node_modules/.package-lock.json');

/** @param {string} nodeVersion addons are built for one major version */
export async function modulesAreCurrent(nodeVersion) {
  const stamp = await readFile(STAMP, 'utf8').catch(() => '');
  if (stamp === (await stampFor(nodeVersion))) return true;
  return stamp === '' && (await installedByHand());
}

/**
 * @param {string} nodeVersion
 * @param {NodeJS.ProcessEnv} env
 */
export async function installModules(nodeVersion, env) {
  say('Installing node_modules from package-lock.json.');
  await must(['npm', 'ci', '--no-audit', '--no-fund'], {
    cwd: ROOT,
    env,
    what: 'npm ci failed',
    next: 'Read what npm says above. If it is the network, run the same command again.',
  });
  await writeFile(STAMP, await stampFor(nodeVersion));
}

/** @param {string} nodeVersion */
async function stampFor(nodeVersion) {
  const hash = createHash('sha256')
    .update(await readFile(LOCK_FILE))
    .digest('hex');
  return `${hash} ${process.arch} node ${nodeVersion.split('.')[0]}\n`;
}

/** Whether a person ran `npm install` and everything of the lock file is there; what other platforms need may be absent. */
async function installedByHand() {
  const [lock, record] = await Promise.all([LOCK_FILE, NPM_RECORD].map(packagesOf));
  if (lock === undefined || record === undefined) return false;
  return Object.entries(lock).every(
    ([path, { version, integrity, optional }]) =>
      path === '' ||
      (record[path] === undefined
        ? optional === true
        : record[path].version === version && record[path].integrity === integrity),
  );
}

/**
 * @param {string} file
 * @returns {Promise<Record<string, { version?: string, integrity?: string, optional?: boolean }> | undefined>}
 */
async function packagesOf(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8')).packages;
  } catch {
    return undefined; // no such file, or one that npm did not finish
  }
}
