// The Node that commands run with.
import { rmSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ROOT, TOOLS } from './paths.mjs';
import { SetupError, exists, must, onInterrupt, say } from './process.mjs';

/** The one place where the version is pinned, with the checksums of its packages. */
const PACKAGE_FOLDER = join(ROOT, 'scripts/node');
const PACKAGE = `node-${process.platform}-${process.arch}`;

/**
 * The sources run with their types stripped by Node itself, and what is tested is what runs: the Node at hand when it has
 * the major version that is pinned, else exactly the pinned one, from npm.
 * @typedef {object} NodeChoice
 * @property {string} version
 * @property {string} binFolder to go first on PATH
 * @property {string} prefix the folder above binFolder, which holds include/node if anything does
 * @property {boolean} installed
 * @returns {Promise<NodeChoice>}
 */
export async function chooseNode() {
  const version = await pinnedVersion();
  const running = process.versions.node;
  if (running.split('.')[0] === version.split('.')[0]) {
    const binFolder = dirname(process.execPath);
    return { version: running, binFolder, prefix: dirname(binFolder), installed: true };
  }
  return pinnedNodeChoice();
}

/** @param {NodeChoice} choice */
export async function installNode({ version, binFolder }) {
  const running = process.versions.node;
  say(
    `Installing Node ${version} into .tools: the commands are tested with it, and this is Node ${running}.`,
  );
  const target = join(TOOLS, `node-${version}`);
  const folder = `${target}.tmp`;
  const done = onInterrupt(() => rmSync(folder, { recursive: true, force: true }));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    await cp(join(PACKAGE_FOLDER, file), join(folder, file));
  await must(['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: folder,
    what: `npm could not install ${PACKAGE} ${version}`,
    next: 'Check that npm can reach its registry (npm ping), then run the same command again.',
  });
  await rm(target, { recursive: true, force: true });
  await rename(folder, target);
  done();
  // For npm the package is optional, since there is one for each architecture.
  if (!(await exists(join(binFolder, 'node')))) {
    throw new SetupError(
      `There is no ${PACKAGE} ${version} to be had from npm.`,
      `Install Node ${version} in another way, put it first on PATH, and run the same command again.`,
    );
  }
  for (const entry of await readdir(TOOLS)) {
    const stale = entry.startsWith('node-') && join(TOOLS, entry) !== target;
    if (stale) await rm(join(TOOLS, entry), { recursive: true, force: true });
  }
}

/**
 * Where headers of this Node may be: what npm was told, beside the program, and in what set-up installed.
 * @returns {Promise<string[]>} folders that may hold include/node
 */
export async function headerPrefixes() {
  const { npm_config_nodedir: given } = process.env;
  const own = dirname(dirname(process.execPath));
  const fetched = join(TOOLS, `node-${await pinnedVersion()}`, 'node_modules', PACKAGE);
  return [...(given ? [given] : []), own, '/usr', fetched];
}

/** @returns {Promise<NodeChoice>} the pinned Node, whatever Node is at hand */
export async function pinnedNodeChoice() {
  const version = await pinnedVersion();
  const prefix = join(TOOLS, `node-${version}`, 'node_modules', PACKAGE);
  const binFolder = join(prefix, 'bin');
  return { version, binFolder, prefix, installed: await exists(join(binFolder, 'node')) };
}

/** @returns {Promise<string>} three numbers with dots */
async function pinnedVersion() {
  const { optionalDependencies } = JSON.parse(await readFile(join(PACKAGE_FOLDER, 'package.json'), 'utf8'));
  return optionalDependencies[PACKAGE] ?? Object.values(optionalDependencies)[0];
}
