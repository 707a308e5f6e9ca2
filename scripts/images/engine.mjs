// podman or docker, whichever is there.
import { rename, rm } from 'node:fs/promises';
import { SetupError, findProgram, must, run } from '../lib/process.mjs';

const INSTALL =
  'Install one of them (on Debian: apt-get install --no-install-recommends podman), or start docker.';

/** @typedef {{ name: 'podman' | 'docker' }} Engine */

/** @returns {Promise<Engine>} */
export async function findEngine() {
  if (await findProgram('podman')) return { name: 'podman' };
  if (!(await findProgram('docker'))) throw new SetupError('There is neither podman nor docker.', INSTALL);
  if (!(await run(['docker', 'info'], { timeoutMs: 30_000 })).ok) {
    throw new SetupError('There is no podman, and the docker daemon does not answer.', INSTALL);
  }
  return { name: 'docker' };
}

/**
 * @param {Engine} engine
 * @param {object} image
 * @param {string} image.name with its tag
 * @param {string} image.file
 * @param {string} image.context
 * @param {Readonly<Record<string, string>>} image.args
 * @param {boolean} image.fresh
 */
export async function buildImage(engine, { name, file, context, args, fresh }) {
  const options = [
    // In a container, or without privileges, podman can start no other container; what is built here needs none.
    ...(engine.name === 'podman' ? ['--isolation', 'chroot'] : []),
    ...(fresh ? ['--no-cache'] : []),
    ...Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    ...['--tag', name, '--file', file],
  ];
  await must([engine.name, 'build', ...options, context], {
    what: `${name} could not be built`,
    next: 'If a base image cannot be fetched, make one here with --make-base. Else read what the build says above.',
    timeoutMs: 1_800_000,
  });
}

/**
 * @param {Engine} engine
 * @param {string} name
 * @param {string} archive
 */
export async function importImage(engine, name, archive) {
  await must([engine.name, 'import', archive, name], {
    what: `${name} could not be made from ${archive}`,
    next: `Remove ${archive} and run the same command again.`,
  });
}

/**
 * Writes a docker-archive, as `ctr images import` reads it.
 * @param {Engine} engine
 * @param {string} name
 * @param {string} archive
 */
export async function saveImage(engine, name, archive) {
  const draft = `${archive}.tmp`;
  // podman adds to a file that is there.
  await rm(draft, { force: true });
  const format = engine.name === 'podman' ? ['--format', 'docker-archive'] : [];
  await must([engine.name, 'save', ...format, '--output', draft, name], {
    what: `${name} could not be written to ${archive}`,
    next: 'See that the folder can be written and has room, then run the same command again.',
  });
  await rename(draft, archive);
}

/**
 * @param {Engine} engine
 * @param {string} name
 * @returns {Promise<boolean>}
 */
export async function hasImage(engine, name) {
  return (await run([engine.name, 'image', 'inspect', name])).ok;
}

/**
 * @param {Engine} engine
 * @param {string} name
 * @returns {Promise<number>} bytes, unpacked, with its base
 */
export async function imageSize(engine, name) {
  const output = await must([engine.name, 'image', 'inspect', '--format', '{{.Size}}', name], {
    what: `The size of ${name} could not be read`,
    next: 'Run the same command again.',
  });
  return Number(output);
}
