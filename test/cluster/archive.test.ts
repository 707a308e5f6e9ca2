import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { tempDir } from '../support/index.ts';
import { encodeImage } from './image.ts';
import { encodeTar, type TarEntry } from './tar.ts';

const run = promisify(execFile);

/** Unpacks with the tar of this machine, which checks the checksums; gives the folder. */
async function unpack(archive: Uint8Array): Promise<string> {
  const folder = await tempDir();
  await writeFile(join(folder, 'a.tar'), archive);
  await mkdir(join(folder, 'out'));
  await run('tar', ['-xf', join(folder, 'a.tar'), '-C', join(folder, 'out')]);
  return join(folder, 'out');
}

const text = (words: string): TarEntry['content'] => ({ bytes: Buffer.from(words) });

test('tar unpacks files, links and folders with their modes', async () => {
  const folder = await unpack(
    encodeTar([
      { path: 'bin/tool', content: text('#!/bin/sh\n') },
      { path: 'bin/link', content: { linkTo: 'tool' } },
      { path: 'tmp', content: 'folder', mode: 0o1777 },
      { path: 'empty', content: text(''), mode: 0o600 },
      { path: 'block', content: text('x'.repeat(512)), mode: 0o644 },
    ]),
  );
  expect(await readFile(join(folder, 'bin/tool'), 'utf8')).toBe('#!/bin/sh\n');
  expect((await stat(join(folder, 'bin/tool'))).mode & 0o7777).toBe(0o755);
  expect(await readlink(join(folder, 'bin/link'))).toBe('tool');
  expect((await stat(join(folder, 'tmp'))).isDirectory()).toBe(true);
  expect(await readFile(join(folder, 'empty'), 'utf8')).toBe('');
  expect(await readFile(join(folder, 'block'), 'utf8')).toHaveLength(512);
});

test('equal input gives equal bytes', () => {
  const entries = [{ path: 'a', content: text('b') }];
  expect(encodeTar(entries).equals(encodeTar(entries))).toBe(true);
});

test('a name that the form cannot hold is refused', () => {
  expect(() => encodeTar([{ path: 'x'.repeat(101), content: 'folder' }])).toThrow('at most 100 bytes');
});

test('an image names its configuration and its layer by what they hold', async () => {
  const image = { name: 'localhost/a:1', files: [{ path: 'p', content: text('p') }], entrypoint: ['/p'] };
  const folder = await unpack(encodeImage(image));
  const read = (name: string): Promise<Buffer> => readFile(join(folder, name));
  const [entry] = JSON.parse((await read('manifest.json')).toString()) as {
    Config: string;
    RepoTags: string[];
    Layers: [string];
  }[];
  expect(entry?.RepoTags).toEqual(['localhost/a:1']);
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const config = await read(entry!.Config);
  expect(entry!.Config).toBe(`${digest(config)}.json`);
  expect(JSON.parse(config.toString())).toMatchObject({
    config: { Entrypoint: ['/p'] },
    rootfs: { diff_ids: [`sha256:${digest(await read(entry!.Layers[0]))}`] },
  });
});
