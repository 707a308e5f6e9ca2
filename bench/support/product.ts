import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { bundle } from '../../scripts/images/bundle.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
/** What the checkout's own program is found at, by whoever starts it in a lab. */
export const CHECKOUT_PROGRAM = join(ROOT, 'bin/metallb-frr');
const CONTAINERFILE = 'images/metallb-frr/Containerfile';
const START = 'images/metallb-frr/metallb-frr';
/** Where the image has it. */
const IMAGE_MAIN = '/opt/metallb-frr/dist/cli/main.mjs';
/** What it finds by its own place. */
const BESIDE = [
  'templates',
  'build/rawsock.node',
  'node_modules/raw-socket/index.js',
  'node_modules/raw-socket/package.json',
  'node_modules/raw-socket/build/Release/raw.node',
];

/**
 * Makes the product as it is in its image: one file, and Node and malloc with the settings of the image.
 * @param folder where it is put; empty
 * @returns path of the program
 */
export async function makeProduct(folder: string): Promise<string> {
  await bundle(folder);
  for (const path of BESIDE) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await cp(join(ROOT, path), join(folder, path), { recursive: true });
  }
  const [start, containerfile] = await Promise.all(
    [START, CONTAINERFILE].map((path) => readFile(join(ROOT, path), 'utf8')),
  );
  const [, command] = /^exec node (.*)$/m.exec(start ?? '') ?? [];
  const settings = [...(containerfile ?? '').matchAll(/\bMALLOC_\w+=\d+/g)].map(([setting]) => setting);
  if (command?.includes(IMAGE_MAIN) !== true || settings.length === 0) {
    throw new Error(`${START} and ${CONTAINERFILE} are not as this bench reads them`);
  }
  const words = command.replace(IMAGE_MAIN, join(folder, 'dist/cli/main.mjs'));
  const environment = [...settings, 'NODE_ENV=production', `NODE_COMPILE_CACHE=${join(folder, 'compiled')}`];
  const program = join(folder, 'metallb-frr');
  await writeFile(
    program,
    `#!/bin/sh\n${environment.map((each) => `export ${each}\n`).join('')}exec ${process.execPath} ${words}\n`,
  );
  await chmod(program, 0o755);
  return program;
}
