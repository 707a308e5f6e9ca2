import { execa } from 'execa';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { labDown, labNames, readState } from '../../src/lab/index.ts';
import { atEnd, describeWithNetns, eventually, tempDir } from '../support/index.ts';
import { pair, testName, traces } from './support.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/metallb-frr', import.meta.url));

describeWithNetns('lab up and down', () => {
  test.each([
    { signal: 'SIGINT' as const, exitCode: 130 },
    { signal: 'SIGTERM' as const, exitCode: 143 },
  ])('$signal in the middle of `lab up` leaves nothing', async ({ signal, exitCode }) => {
    const end = await startUp('cli-signal');
    expect(await end(signal)).toBe(exitCode);
    expect(await traces(testName('cli-signal'))).toEqual([]);
  });

  test('`lab down` cleans up after a `lab up` that was killed', async () => {
    const end = await startUp('cli-killed');
    await end('SIGKILL');
    expect((await readState(testName('cli-killed')))?.phase).toBe('starting');
    const again = await execa(PROGRAM, ['lab', 'up', await pairFile('cli-killed')], { reject: false });
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain(
      `did not finish: run \`metallb-frr lab down ${testName('cli-killed')}\` first`,
    );
    const down = await execa(PROGRAM, ['lab', 'down', testName('cli-killed')], { reject: false });
    expect(down.exitCode).toBe(0);
    expect(await traces(testName('cli-killed'))).toEqual([]);
  });
});

test('a topology with problems: status 1, each on a line', async () => {
  const file = join(await tempDir(), 'bad.clab.yml');
  await writeFile(file, `${pair('bad')}mgmt: {}\nprefix: x\n`);
  const { exitCode, stderr, stdout } = await execa(PROGRAM, ['lab', 'up', file], { reject: false });
  expect(exitCode).toBe(1);
  expect(stdout).toBe('');
  expect(stderr.split('\n')).toEqual([
    expect.stringMatching(/^error: mgmt: the lab does not support this key; .* \(.*bad\.clab\.yml:7:1\)$/),
    expect.stringMatching(/^error: prefix: the lab does not support this key/),
  ]);
});

test.each([
  { words: 'lab up' },
  { words: 'lab up /no/such/file' },
  { words: 'lab down x --all' },
  { words: 'lab cut n1' },
  { words: 'lab status -o xml' },
])('wrong usage: status 2: $words', async ({ words }) => {
  const { exitCode, stderr } = await execa(PROGRAM, words.split(' '), { reject: false });
  expect(exitCode).toBe(2);
  expect(stderr).not.toBe('');
});

/** Starts `lab up` and waits until it has made something; it stays in its last step until it is ended by what this gives. */
async function startUp(name: string): Promise<(signal: NodeJS.Signals) => Promise<number | undefined>> {
  const child = execa(PROGRAM, ['lab', 'up', await pairFile(name, 'sleep 60')], { reject: false });
  atEnd(async () => {
    if ((await labNames()).includes(testName(name))) await labDown(testName(name));
  });
  await eventually(async () => {
    expect((await readState(testName(name)))?.nodes.every((node) => node.init !== undefined)).toBe(true);
  });
  return async (signal) => {
    child.kill(signal);
    return (await child).exitCode;
  };
}

async function pairFile(name: string, exec?: string): Promise<string> {
  const file = join(await tempDir(), 'pair.clab.yml');
  await writeFile(file, pair(testName(name), exec));
  return file;
}
