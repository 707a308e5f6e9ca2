// `npm run images`: the container images, built on this machine. Results go to standard output, progress to standard error.
import { constants } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BASE_IMAGE, makeBase } from './images/base.mjs';
import { bundle } from './images/bundle.mjs';
import { buildImage, findEngine, hasImage, imageSize, importImage, saveImage } from './images/engine.mjs';
import { pinnedNode } from './images/node.mjs';
import { ROOT } from './lib/paths.mjs';
import { SetupError, handleInterrupts } from './lib/process.mjs';
import { setUp } from './lib/setup.mjs';

/** Of both, unpacked: they are pulled to every node. */
const LIMIT_MB = 350;
const DEFAULT_BASE = 'debian:bookworm-slim';

const HELP = `Usage: npm run images -- [options]

Builds the container images with podman or docker and prints their sizes:
  localhost/metallb-frr:TAG      controller, speaker and command line
  localhost/metallb-frr-frr:TAG  FRR

Options:
  --tag TAG       tag of both (default: the version in package.json)
  --base IMAGE    what they are built on (default: debian:bookworm-slim)
  --make-base     make the base with debootstrap, once, for want of a registry; needs root
  --output DIR    also write metallb-frr.tar and frr.tar there, for \`ctr images import\`
  --fresh         take nothing from earlier builds: for updates of Debian's packages
  --help          this text

Examples:
  npm run images
  npm run images -- --make-base --output /tmp/images
  npm run images -- --base registry.example.com/debian:bookworm-slim --tag 0.1.0-rc1

Exit status: 0 built, 1 not built or larger than ${LIMIT_MB} MB together, 2 wrong usage.
`;

/** What scripts/lib/addons.mjs compiles. */
const ADDON_FOLDERS = ['src/rawsock/addon', 'node_modules/raw-socket', 'node_modules/nan'];

/** A call that cannot be right whatever the machine is like. */
class UsageError extends Error {}

/** @param {string} text */
function progress(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * @typedef {object} Options
 * @property {string} tag
 * @property {string} base
 * @property {boolean} makeBase
 * @property {string | undefined} output
 * @property {boolean} fresh
 *
 * @param {Options} options
 * @returns {Promise<number>} exit status
 */
async function buildImages(options) {
  const { tag, fresh } = options;
  const engine = await findEngine();
  await setUp({ daemons: false, chroots: false, images: false });
  const frr = { name: `localhost/metallb-frr-frr:${tag}`, archive: 'frr.tar' };
  const own = { name: `localhost/metallb-frr:${tag}`, archive: 'metallb-frr.tar' };

  const base = options.makeBase ? BASE_IMAGE : options.base;
  if (options.makeBase) {
    const archive = await makeBase({ fresh, progress });
    // Imported again it would be another image, and everything on it would be built again.
    if (fresh || !(await hasImage(engine, BASE_IMAGE))) await importImage(engine, BASE_IMAGE, archive);
  }

  progress(`Building ${frr.name} with ${engine.name}`);
  await buildImage(engine, {
    ...{ name: frr.name, context: join(ROOT, 'images/frr'), args: { BASE: base }, fresh },
    file: join(ROOT, 'images/frr/Containerfile'),
  });

  const context = await mkdtemp(join(tmpdir(), 'mlf-images-'));
  try {
    progress('Bundling src/cli/main.ts');
    await fillContext(context);
    progress(`Building ${own.name} with ${engine.name}`);
    await buildImage(engine, {
      ...{ name: own.name, context, args: { BASE: base, FRR: frr.name }, fresh },
      file: join(ROOT, 'images/metallb-frr/Containerfile'),
    });
  } finally {
    await rm(context, { recursive: true, force: true });
  }

  const images = [own, frr];
  if (options.output !== undefined) {
    const folder = resolve(options.output);
    await mkdir(folder, { recursive: true });
    for (const { name, archive } of images) {
      progress(`Writing ${join(folder, archive)}`);
      await saveImage(engine, name, join(folder, archive));
    }
  }
  const sizes = await Promise.all(images.map(({ name }) => imageSize(engine, name)));
  return report(images.map(({ name }, index) => ({ name, megabytes: (sizes[index] ?? 0) / 1e6 })));
}

/**
 * What images/metallb-frr/Containerfile copies.
 * @param {string} context
 */
async function fillContext(context) {
  await bundle(context);
  const node = await pinnedNode();
  await copyFile(join(node, 'bin/node'), join(context, 'node'), constants.COPYFILE_FICLONE);
  await copyFile(join(node, 'LICENSE'), join(context, 'licenses/node.txt'));
  await copyFile(join(ROOT, 'LICENSE'), join(context, 'licenses/metallb-frr.txt'));
  await copyFile(join(ROOT, 'images/metallb-frr/metallb-frr'), join(context, 'metallb-frr'));
  await cp(join(ROOT, 'templates'), join(context, 'templates'), { recursive: true });
  await fillAddons(join(context, 'addons'), node);
}

/**
 * The sources of the addons, the program that compiles them and the headers of the Node that loads them, as they lie in the
 * checkout. They are compiled in the image build, for its C library and its architecture.
 * @param {string} folder
 * @param {string} node
 */
async function fillAddons(folder, node) {
  const programs = ['addons', 'node', 'paths', 'process'].map((name) => `scripts/lib/${name}.mjs`);
  const parts = ['scripts/addons.mjs', 'scripts/node/package.json', ...programs, ...ADDON_FOLDERS];
  for (const part of parts) await cp(join(ROOT, part), join(folder, part), { recursive: true });
  await rm(join(folder, 'node_modules/raw-socket/build'), { recursive: true, force: true });
  // Beside bin/node of the image build, where they are looked for; OpenSSL's are most of them and not used.
  await cp(join(node, 'include/node'), join(folder, 'include/node'), {
    recursive: true,
    filter: (path) => !path.endsWith('/openssl'),
  });
}

/**
 * @param {readonly { name: string, megabytes: number }[]} images
 * @returns {number} exit status
 */
function report(images) {
  const total = images.reduce((sum, { megabytes }) => sum + megabytes, 0);
  const rows = [...images, { name: 'together', megabytes: total }];
  const width = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.map(
    ({ name, megabytes }) => `${name.padEnd(width)}  ${megabytes.toFixed(0).padStart(4)} MB`,
  );
  process.stdout.write(`${'IMAGE'.padEnd(width)}     SIZE\n${lines.join('\n')}\n`);
  if (total <= LIMIT_MB) return 0;
  progress(`Together they may have ${LIMIT_MB} MB: see which layer grew (podman history IMAGE).`);
  return 1;
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        tag: { type: 'string' },
        base: { type: 'string' },
        'make-base': { type: 'boolean', default: false },
        output: { type: 'string' },
        fresh: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @returns {Promise<Options | undefined>} undefined when help was asked for */
async function readOptions() {
  const values = readArguments();
  if (values.help) return undefined;
  if (values.base !== undefined && values['make-base']) {
    throw new UsageError('--base and --make-base exclude each other');
  }
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const tag = values.tag ?? version;
  // As registries have it: letters, digits, and after the first also . and -.
  if (!/^\w[\w.-]{0,127}$/.test(tag)) throw new UsageError(`--tag ${tag}: not a tag`);
  return {
    ...{ tag, output: values.output, fresh: values.fresh },
    ...{ base: values.base ?? DEFAULT_BASE, makeBase: values['make-base'] },
  };
}

handleInterrupts();
try {
  const options = await readOptions();
  if (options === undefined) process.stdout.write(HELP);
  else process.exitCode = await buildImages(options);
} catch (error) {
  if (error instanceof SetupError) {
    progress(`\n${error.message}\nNext: ${error.next}`);
    process.exitCode = 1;
  } else if (error instanceof UsageError) {
    progress(`images: ${error.message}\nSee npm run images -- --help`);
    process.exitCode = 2;
  } else {
    throw error;
  }
}
