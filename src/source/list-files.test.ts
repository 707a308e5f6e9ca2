import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../../test/support/index.ts';
import { isManifestName, listManifests } from './list-files.ts';

test.each([
  { name: 'a.yaml', want: true },
  { name: 'a.b.yml', want: true },
  { name: 'a.json', want: true },
  { name: '.a.yaml', want: false },
  { name: '.yaml', want: false },
  { name: 'a.yaml~', want: false },
  { name: 'a.yaml.tmp', want: false },
  { name: 'yaml', want: false },
  { name: 'a.YAML', want: false },
])('$name: $want', ({ name, want }) => {
  expect(isManifestName(name)).toBe(want);
});

test('lists what is in the folder and below, and nothing hidden', async () => {
  const root = await tempDir();
  const other = await tempDir();
  for (const folder of ['b/c', '.git', '..2026_01', 'd']) mkdirSync(join(root, folder), { recursive: true });
  for (const file of [
    'z.yaml',
    'a.yaml',
    'b/c/x.json',
    '.git/g.yaml',
    '..2026_01/p.yaml',
    'b/note.txt',
    '.h.yaml',
  ]) {
    writeFileSync(join(root, file), '');
  }
  writeFileSync(join(other, 'o.yaml'), '');
  symlinkSync('..2026_01', join(root, '..data'));
  symlinkSync('..data/p.yaml', join(root, 'p.yaml'));
  symlinkSync(other, join(root, 'linked'));
  symlinkSync(root, join(root, 'd', 'up'));
  symlinkSync('nowhere', join(root, 'lost.yaml'));
  const { files, folders, failures } = listManifests(root);
  expect(files.map((file) => relative(root, file))).toEqual([
    'a.yaml',
    'b/c/x.json',
    'linked/o.yaml',
    'lost.yaml',
    'p.yaml',
    'z.yaml',
  ]);
  expect([...folders].map((folder) => relative(root, folder)).sort()).toEqual([
    'b',
    'b/c',
    'd',
    'd/up',
    'linked',
  ]);
  expect(failures).toEqual([]);
});

test('says which folder is not there', async () => {
  const root = join(await tempDir(), 'none');
  expect(listManifests(root)).toMatchObject({ files: [], failures: [{ folder: root, missing: true }] });
});
