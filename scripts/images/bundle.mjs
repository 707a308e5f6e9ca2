// All code of the product as one file: it loads in less time and half the memory that the sources and node_modules need.
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../lib/paths.mjs';
import { SetupError } from '../lib/process.mjs';

/** Packages in CommonJS ask for Node's modules with `require`, which a file in ESM has not got. */
const REQUIRE = `import { createRequire as createBundleRequire } from 'node:module';
const require = createBundleRequire(import.meta.url);`;

/** Not in the file but in the image: an addon, loaded by its path, and what is compiled into it. */
const BESIDE = ['node_modules/raw-socket/index.js', 'node_modules/nan/nan.h'];

const MAIN = 'dist/cli/main.mjs';
const NO_UNDICI = fileURLToPath(new URL('no-undici.mjs', import.meta.url));

/** The one module of client-node that is used: with its index comes all that has effects when it is loaded. */
const KUBE_CONFIG = join(ROOT, 'node_modules/@kubernetes/client-node/dist/config.js');

/** Modules inside packages whose place another file takes. */
const STAND_INS = [
  { module: /\/gen\/index\.js$/, of: /\/@kubernetes\/client-node\/dist\/config\.js$/, by: 'no-models.mjs' },
  { module: /\/locales\/index\.js$/, of: /\/zod\/v4\//, by: 'no-locales.mjs' },
];

/** @type {import('esbuild').Plugin} */
const standIns = {
  name: 'stand-ins',
  setup(build) {
    for (const { module, of, by } of STAND_INS) {
      const path = fileURLToPath(new URL(by, import.meta.url));
      build.onResolve({ filter: module }, ({ importer }) => (of.test(importer) ? { path } : undefined));
    }
  },
};

/**
 * Writes `dist/cli/main.mjs` with its source map, and the licenses of the packages inside it, into a folder. Names keep
 * their spelling: a stack trace says something without the map too.
 * @param {string} folder
 */
export async function bundle(folder) {
  const { build } = await loadEsbuild();
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/cli/main.ts'],
    // The depth of the source file, which finds the template by its own place.
    outfile: join(folder, MAIN),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // Of two forms of a package the one in ESM: what is not used of it is left out.
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE },
    alias: { undici: NO_UNDICI, '@kubernetes/client-node': KUBE_CONFIG },
    plugins: [standIns],
    // A third less text to keep in memory; names stay as they are, for the sake of stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
  }).catch((cause) => {
    throw new SetupError(
      `src/cli/main.ts could not be bundled:\n${cause.message}`,
      'Run npm run types, repair what it says, and run the same command again.',
    );
  });
  await requireOneByte(join(folder, MAIN));
  const outputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const used = outputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  await mkdir(join(folder, 'licenses'));
  await writeFile(join(folder, 'licenses/packages.txt'), await licenseTexts([...used, ...BESIDE]));
}

/**
 * V8 keeps a text in which one sign is beyond Latin-1 at two bytes each, and Node a copy of it: 7 MB more in every process.
 * @param {string} file
 */
async function requireOneByte(file) {
  const text = await readFile(file, 'utf8');
  // eslint-disable-next-line no-control-regex -- the range is the point
  const at = text.search(/[^\x00-\xff]/);
  if (at < 0) return;
  throw new SetupError(
    `the bundle holds a sign beyond Latin-1: ${text.slice(Math.max(0, at - 60), at + 20)}`,
    'Write it as \\u and its number where it stands (esbuild does so by itself, except in regular expressions).',
  );
}

/** Loaded late: the packages may have been installed a moment ago. */
async function loadEsbuild() {
  try {
    return await import('esbuild');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SetupError(`esbuild cannot be loaded: ${reason}`, 'Run npm ci, then the same command again.');
  }
}

/**
 * @param {readonly string[]} files relative to the checkout
 * @returns {Promise<string>} name, version and license of each package that one of the files belongs to, in order of names
 */
async function licenseTexts(files) {
  const folders = new Set(
    files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []),
  );
  const texts = await Promise.all([...folders].map((folder) => licenseText(join(ROOT, folder))));
  return texts.sort().join('\n');
}

/** @param {string} folder */
async function licenseText(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const title = `${name} ${version} (${license})`;
  const file = (await readdir(folder)).find((each) => /^(licen[cs]e|copying)/i.test(each));
  const text = file === undefined ? '' : await readFile(join(folder, file), 'utf8');
  return `${title}\n${'='.repeat(title.length)}\n\n${text.trim()}\n`;
}
