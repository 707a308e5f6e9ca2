import { execa } from 'execa';
import { cp, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { frrInstalls } from '../../src/lab/index.ts';
import { atEnd, describeWithNetns, startTestFrr, tempDir } from '../support/index.ts';

/**
 * Every command of the README is run, in a copy of the folders that it would write to, and with an FRR of the test's own
 * in place of the machine's.
 */

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const README = await readFile(join(CHECKOUT, 'README.md'), 'utf8');
/** What fenced blocks without a language hold, lines ended by a backslash joined. */
const COMMANDS = [...README.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)]
  .filter(([, language]) => language === '')
  .flatMap(([, , block = '']) => block.replaceAll(/ \\\n\s*/g, ' ').split('\n'))
  .filter((line) => line !== '');

/** These are run by others: each with the file that does it, and words in which it does. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, words: string]>> = {
  'npm test': ['scripts/lib/checks.mjs', 'runChecks'],
  'npm run demo': ['test/lab/demo.test.ts', 'demo.ts'],
  'npm run demo:cluster': ['test/e2e/demo.test.ts', "describeWithCluster('npm run demo:cluster'"],
  'npm run images -- --output images.out': ['test/e2e/installed.ts', 'scripts/images.mjs'],
  'ctr -n k8s.io images import images.out/metallb-frr.tar': [
    'test/cluster/kubelet.ts',
    "'ctr', '--namespace=k8s.io', 'images', 'import'",
  ],
  'ctr -n k8s.io images import images.out/frr.tar': [
    'test/cluster/kubelet.ts',
    "'ctr', '--namespace=k8s.io', 'images', 'import'",
  ],
  'helm install metallb-frr charts/metallb-frr --namespace metallb-system --create-namespace': [
    'test/e2e/installed.ts',
    "commandOfReadme('helm install ')",
  ],
  'kubectl apply -f examples/cluster': ['test/e2e/installed.ts', "commandOfReadme('kubectl apply ')"],
  'npm run -s manifests | kubectl apply --server-side -f -': [
    'test/chart/manifests.test.ts',
    "'apply', '--server-side', '-f', '-'",
  ],
};

const NO_REGISTRY = 'tests have no registry';
const NO_KIND = 'kind is not among the tools of the tests';

/** Nothing runs these, for want of what they need. */
const NOWHERE: Readonly<Record<string, string>> = {
  'podman push localhost/metallb-frr:0.1.0 registry.example.com/metallb-frr:0.1.0': NO_REGISTRY,
  'podman push localhost/metallb-frr-frr:0.1.0 registry.example.com/metallb-frr-frr:0.1.0': NO_REGISTRY,
  'kind load image-archive images.out/metallb-frr.tar': NO_KIND,
  'kind load image-archive images.out/frr.tar': NO_KIND,
};

const HERE = COMMANDS.filter((line) => line.startsWith('bin/'));
const ENDLESS = /^bin\/metallb-frr (?:controller|speaker) /;

test('every command of the README is run by a test, or said to be run by none', () => {
  expect(HERE.length).toBeGreaterThan(5);
  const others = COMMANDS.filter((line) => !HERE.includes(line));
  expect(others.sort()).toEqual([...Object.keys(ELSEWHERE), ...Object.keys(NOWHERE)].sort());
});

test.each(Object.entries(ELSEWHERE))('%s is run by another', async (_, [file, words]) => {
  expect(await readFile(join(CHECKOUT, file), 'utf8')).toContain(words);
});

test('images have the version of this checkout', () => {
  const tags = COMMANDS.filter((line) => line.startsWith('podman push ')).flatMap((line) =>
    [...line.matchAll(/:(\d[^ ]*)/g)].map(([, tag]) => tag),
  );
  expect(new Set(tags)).toEqual(new Set([packageJson.version]));
});

describeWithNetns('the commands of the README', () => {
  for (const command of HERE) {
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
