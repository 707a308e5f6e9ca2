import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../../test/support/index.ts';
import { NOTHING_EXCLUDED } from '../l2/index.ts';
import { readLinkExclusion } from './link-exclusion.ts';
import { UserError } from './user-error.ts';

async function fileWith(text: string): Promise<string> {
  const file = join(await tempDir(), 'excludel2.yaml');
  writeFileSync(file, text);
  return file;
}

test('without the file nothing is excluded', async () => {
  expect(readLinkExclusion(join(await tempDir(), 'excludel2.yaml'))).toBe(NOTHING_EXCLUDED);
});

test('what the file names is excluded', async () => {
  const { patterns } = readLinkExclusion(await fileWith('announcedInterfacesToExclude: ["^veth.*"]\n'));
  expect(['veth0', 'eth0'].map((name) => patterns.some((each) => each.test(name)))).toEqual([true, false]);
});

test.each([
  { name: 'no YAML', text: 'announcedInterfacesToExclude: [', says: /excludel2\.yaml/ },
  {
    name: 'no list',
    text: 'announcedInterfacesToExclude: veth',
    says: /must be a list of regular expressions/,
  },
  { name: 'no regular expression', text: 'announcedInterfacesToExclude: ["("]', says: /"\("/ },
])('a file that is $name is an error that says so', async ({ text, says }) => {
  const file = await fileWith(text);
  expect(() => readLinkExclusion(file)).toThrow(UserError);
  expect(() => readLinkExclusion(file)).toThrow(says);
});

test('a file that is there and cannot be read is an error', async () => {
  const folder = await tempDir();
  expect(() => readLinkExclusion(folder)).toThrow(/cannot be read: EISDIR/);
});
