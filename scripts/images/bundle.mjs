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

const NO_UNDICI = fileURLToPath(new URL('no-undici.mjs', import.meta.url));

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
    outfile: join(folder, 'dist/cli/main.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // Of two forms of a package the one in ESM: what is not used of it is left out.
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE },
    alias: { undici: NO_UNDICI },
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
  const outputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const used = outputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  await mkdir(join(folder, 'licenses'));
  await writeFile(join(folder, 'licenses/packages.txt'), await licenseTexts([...used, ...BESIDE]));
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
