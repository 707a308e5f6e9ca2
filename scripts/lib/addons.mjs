// The addons in C and C++: our own, and the one of the package raw-socket, which ships sources only. Both are compiled here,
// with a compiler and Node's headers and nothing else, so that one error names what is missing.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ROOT } from './paths.mjs';
import { SetupError, exists, findProgram, run } from './process.mjs';

/**
 * @typedef {object} Addon
 * @property {string} folder of the sources, from the root of the checkout
 * @property {string} output
 * @property {'CC' | 'CXX'} compiler
 * @property {readonly string[]} flags
 * @property {readonly string[]} include more folders with headers
 */

const COMPILERS = { CC: 'gcc', CXX: 'g++' };

/** What Debian hardens its packages with. */
const HARDENING = ['-fstack-protector-strong', '-Wl,-z,relro', '-Wl,-z,now'];

/** @type {Addon} */
const RAWSOCK = {
  folder: 'src/rawsock/addon',
  output: 'build/rawsock.node',
  compiler: 'CC',
  flags: [
    '-std=gnu11',
    '-O2',
    '-D_GNU_SOURCE',
    '-DNAPI_VERSION=9',
    '-D_FORTIFY_SOURCE=2',
    '-Wall',
    '-Wextra',
  ],
  include: [],
};

/** @type {readonly Addon[]} */
const ADDONS = [
  RAWSOCK,
  {
    folder: 'node_modules/raw-socket/src',
    // Where the package itself looks.
    output: 'node_modules/raw-socket/build/Release/raw.node',
    compiler: 'CXX',
    // As Node's common.gypi has it; warnings are for those who can change the sources.
    flags: ['-std=gnu++20', '-O2', '-fno-rtti', '-fno-exceptions', '-DNODE_GYP_MODULE_NAME=raw', '-w'],
    include: ['node_modules/nan'],
  },
];

/** The same code, but every access outside of what it owns ends the process. Loaded only with libasan in front of Node. */
const SANITIZED = {
  ...RAWSOCK,
  output: 'build/asan/rawsock.node',
  flags: [
    ...RAWSOCK.flags.filter((flag) => !flag.startsWith('-O') && !flag.includes('FORTIFY')),
    ...[
      '-O1',
      '-g',
      '-fsanitize=address,undefined',
      '-fno-sanitize-recover=undefined',
      '-fno-omit-frame-pointer',
    ],
  ],
};

/**
 * @param {string} nodeVersion addons are built for one major version
 * @returns {Promise<boolean>} whether all were built from the sources that are here
 */
export async function addonsAreCurrent(nodeVersion) {
  const current = await Promise.all(ADDONS.map((addon) => isCurrent(addon, nodeVersion)));
  return current.every(Boolean);
}

/**
 * @param {Addon} addon
 * @param {string} nodeVersion
 */
async function isCurrent(addon, nodeVersion) {
  if (!(await exists(join(ROOT, addon.output)))) return false;
  const stamp = await readFile(join(ROOT, `${addon.output}.stamp`), 'utf8').catch(() => '');
  return stamp === (await stampFor(addon, nodeVersion));
}

/** @returns {Promise<{ name: string, why: string }[]>} Debian packages that compiling needs and that are not here */
export async function missingCompilers() {
  const found = await Promise.all(
    /** @type {const} */ (['CC', 'CXX']).map((kind) => findProgram(compilerFor(kind))),
  );
  return found.includes(undefined) ? [{ name: 'g++', why: 'compiles the addons that open raw sockets' }] : [];
}

/**
 * Compiles what is not current. Each file is replaced in one step: a process that has the old one goes on with it.
 * @param {object} options
 * @param {string} options.nodeVersion of the headers and of the Node that will load them
 * @param {readonly string[]} options.prefixes folders that may hold include/node, the best first
 * @param {boolean} [options.sanitize] our own only, in a second copy that finds errors of memory
 */
export async function buildAddons({ nodeVersion, prefixes, sanitize = false }) {
  for (const addon of sanitize ? [SANITIZED] : ADDONS) {
    if (!(await isCurrent(addon, nodeVersion))) await build(addon, nodeVersion, prefixes);
  }
}

/**
 * @param {Addon} addon
 * @param {string} nodeVersion
 * @param {readonly string[]} prefixes
 */
async function build(addon, nodeVersion, prefixes) {
  const output = join(ROOT, addon.output);
  const sources = (await filesOf(addon)).filter((file) => /\.cc?$/.test(file));
  const headers = await headersFor(nodeVersion, prefixes);
  const compiler = compilerFor(addon.compiler);
  if (!(await findProgram(compiler))) {
    throw new SetupError(
      `${addon.output} cannot be compiled: there is no ${compiler}.`,
      'Install a C++ compiler (on Debian: apt-get install --no-install-recommends g++), or name yours in CC and CXX, and run the same command again.',
    );
  }
  await mkdir(dirname(output), { recursive: true });
  const draft = `${output}.${process.pid}.tmp`;
  const folders = [headers, ...addon.include.map((folder) => join(ROOT, folder))];
  const command = [
    ...[compiler, ...addon.flags, ...HARDENING, '-fPIC', '-shared', '-fvisibility=hidden'],
    ...folders.flatMap((folder) => ['-I', folder]),
    ...['-o', draft, ...sources],
  ];
  try {
    const result = await run(command, { cwd: ROOT });
    if (!result.ok) {
      const words = result.all.trim().split('\n').slice(0, 30).join('\n');
      throw new SetupError(
        `${addon.output} could not be compiled:\n${words}`,
        'If a header of the system is missing, install libc6-dev and linux-libc-dev (on Debian, g++ brings them), then run the same command again.',
      );
    }
    await rename(draft, output);
  } finally {
    await rm(draft, { force: true });
  }
  await writeFile(`${output}.stamp`, await stampFor(addon, nodeVersion));
}

/**
 * @param {string} nodeVersion
 * @param {readonly string[]} prefixes
 * @returns {Promise<string>} folder with node_api.h
 */
async function headersFor(nodeVersion, prefixes) {
  const folder = await findHeaders(nodeVersion, prefixes);
  if (folder !== undefined) return folder;
  throw new SetupError(
    `The headers of Node ${majorOf(nodeVersion)} are missing: looked in ${prefixes.map((each) => join(each, 'include/node')).join(', ')}.`,
    'Run `npm run setup`, which fetches them, or name the folder that holds include/node in npm_config_nodedir.',
  );
}

/**
 * @param {string} nodeVersion
 * @param {readonly string[]} prefixes
 * @returns {Promise<string | undefined>} the first folder with headers of this major version
 */
export async function findHeaders(nodeVersion, prefixes) {
  for (const prefix of prefixes) {
    const folder = join(prefix, 'include/node');
    const text = await readFile(join(folder, 'node_version.h'), 'utf8').catch(() => '');
    const major = /^#define NODE_MAJOR_VERSION (\d+)$/m.exec(text)?.[1];
    if (major === majorOf(nodeVersion) && (await exists(join(folder, 'node_api.h')))) return folder;
  }
  return undefined;
}

/**
 * Of the sources, of how they are compiled and for what.
 * @param {Addon} addon
 * @param {string} nodeVersion
 */
async function stampFor(addon, nodeVersion) {
  const hash = createHash('sha256');
  for (const file of await filesOf(addon)) {
    hash
      .update(`${basename(file)}\0`)
      .update(await readFile(join(ROOT, file)))
      .update('\0');
  }
  hash.update(JSON.stringify([compilerFor(addon.compiler), addon.flags, HARDENING]));
  return `${hash.digest('hex')} ${process.arch} node ${majorOf(nodeVersion)}\n`;
}

/**
 * @param {Addon} addon
 * @returns {Promise<string[]>} sources and headers, sorted; none when the package is not installed
 */
async function filesOf({ folder }) {
  const names = await readdir(join(ROOT, folder)).catch(() => []);
  return names
    .filter((name) => /\.(?:cc?|h)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** @param {'CC' | 'CXX'} kind */
function compilerFor(kind) {
  return process.env[kind] || COMPILERS[kind];
}

/** @param {string} version */
function majorOf(version) {
  return version.split('.')[0] ?? version;
}
