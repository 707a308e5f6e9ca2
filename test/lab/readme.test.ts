import { execa } from 'execa';
import { cp, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { frrInstalls } from '../../src/lab/index.ts';
import { atEnd, describeWithNetns, startTestFrr, tempDir } from '../support/index.ts';

/**
 * Every command of the README is run, in a copy of the folders that it would write to, and with an FRR of the test's own
 * in place of the machine's.
 */

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const README = await readFile(join(CHECKOUT, 'README.md'), 'utf8');
/** What a fenced block without a language holds, lines ended by a backslash joined. */
const COMMANDS = [...README.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)]
  .filter(([, language]) => language === '')
  .flatMap(([, , block = '']) => block.replaceAll(/ \\\n\s*/g, ' ').split('\n'))
  .filter((line) => /^(?:bin\/|npm )/.test(line));

/** These run everything, this test included, or are run by a step of `npm test` of their own. */
const ELSEWHERE = new Set([
  'npm test',
  'npm run demo',
  'npm run demo:cluster',
  'npm run images -- --output images.out',
]);
const ENDLESS = /^bin\/metallb-frr (?:controller|speaker) /;

test('the README has commands', () => {
  expect(COMMANDS.length).toBeGreaterThan(5);
});

describeWithNetns('the commands of the README', () => {
  for (const command of COMMANDS.filter((line) => !ELSEWHERE.has(line))) {
    test(command, async () => {
      const words = await inCopies(command.split(' '));
      if (ENDLESS.test(command)) await startAndEnd(words);
      else await runToEnd(words);
    });
  }
});

async function runToEnd([file = '', ...args]: readonly string[]): Promise<void> {
  const run = await execa(file, args, { cwd: CHECKOUT, reject: false, timeout: 60_000 });
  if (args[0] === 'lab' && args[1] === 'up') {
    await execa(file, ['lab', 'down', args[2] ?? ''], { cwd: CHECKOUT, timeout: 60_000 });
  }
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stdout).not.toBe('');
}

/** Controllers and speakers say that they started, and end with 0 when told to. */
async function startAndEnd([file = '', ...args]: readonly string[]): Promise<void> {
  const child = execa(file, args, { cwd: CHECKOUT, reject: false, timeout: 60_000, buffer: false });
  let said = '';
  for await (const line of createInterface({ input: child.stdout })) {
    said += `${line}\n`;
    if (line.includes('started')) child.kill('SIGTERM');
  }
  const { exitCode } = await child;
  expect(exitCode, said).toBe(0);
  expect(said).toContain('started');
}

/** The words with a copy of the examples, and with the sockets and the file of an FRR of ours. */
async function inCopies(words: readonly string[]): Promise<string[]> {
  const folder = await tempDir();
  await cp(join(CHECKOUT, 'examples'), join(folder, 'examples'), { recursive: true });
  const needsFrr = words.includes('--frr-sockets');
  const [install] = needsFrr ? await frrInstalls() : [];
  const frr = install && (await startTestFrr({ install }));
  if (frr) atEnd(() => frr.stop());
  return words.map((word) => {
    if (frr && word === '/var/run/frr') return frr.socketsDir;
    if (frr && word === '/etc/frr/frr.conf') return frr.configFile;
    return word.replace(/^(dir:)?examples\//, `$1${folder}/examples/`);
  });
}
