// Sets up what a command needs, then runs it with the Node it is tested with:
//   node scripts/run.mjs COMMAND [ARGUMENT...]
import { join } from 'node:path';
import { runChecks } from './lib/checks.mjs';
import { ROOT } from './lib/paths.mjs';
import { SetupError, asRootWith, handleInterrupts, rootAccess, run, say } from './lib/process.mjs';
import { setUp } from './lib/setup.mjs';

/**
 * @typedef {{ kind: 'programs', files: readonly string[], isUnprivileged?: boolean } | { kind: 'checks', only: readonly string[] }} Command
 * @typedef {Command & { needs: import('./lib/setup.mjs').Needs }} Entry
 */
const NODE_ONLY = { daemons: false, chroots: false, images: false };
const LAB = { ...NODE_ONLY, daemons: true };
const EVERYTHING = { daemons: true, chroots: true, images: true };

/** The longest, of ten thousand Services or of layer 2, takes some two hours. */
const PROGRAM_TIMEOUT_MS = 14_400_000;

/** Each prints its own tables; together they take some hours. */
const BENCHES = ['apply', 'cluster', 'l2', 'rawsock', 'scale'].map((name) => `bench/${name}.ts`);

/** @type {Record<string, Entry>} */
const COMMANDS = {
  bench: { kind: 'programs', files: BENCHES, needs: EVERYTHING },
  demo: { kind: 'programs', files: ['src/cli/demo.ts'], needs: LAB },
  'demo:cluster': { kind: 'programs', files: ['test/e2e/demo.ts'], needs: { ...LAB, images: true } },
  cluster: { kind: 'programs', files: ['test/cluster/main.ts'], needs: LAB },
  images: { kind: 'programs', files: ['scripts/images.mjs'], needs: NODE_ONLY },
  'bench:cluster': { kind: 'programs', files: ['bench/cluster.ts'], needs: EVERYTHING },
  'bench:l2': { kind: 'programs', files: ['bench/l2.ts'], needs: LAB },
  'bench:apply': { kind: 'programs', files: ['bench/apply.ts'], needs: LAB },
  'bench:scale': { kind: 'programs', files: ['bench/scale.ts'], needs: EVERYTHING },
  crds: { kind: 'programs', files: ['scripts/crds.mjs'], isUnprivileged: true, needs: NODE_ONLY },
  'bench:check': { kind: 'programs', files: ['bench/check.ts'], isUnprivileged: true, needs: NODE_ONLY },
  'bench:rawsock': {
    kind: 'programs',
    files: ['bench/rawsock.ts'],
    needs: LAB,
  },
  test: { kind: 'checks', only: [], needs: EVERYTHING },
  'test:unit': { kind: 'checks', only: ['unit'], needs: NODE_ONLY },
  'test:frr': { kind: 'checks', only: ['frr'], needs: EVERYTHING },
  'test:lab': { kind: 'checks', only: ['net', 'lab'], needs: EVERYTHING },
  'test:cluster': { kind: 'checks', only: ['chart', 'api', 'cluster', 'images'], needs: EVERYTHING },
};

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit status
 */
async function main(name, args) {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    process.stderr.write(`Usage: node scripts/run.mjs ${Object.keys(COMMANDS).join('|')} [ARGUMENT...]\n`);
    return 2;
  }
  const access = await rootAccess();
  let { needs } = command;
  if (command.kind === 'checks' && needs.daemons && !access.ok) {
    say(`Without root nothing is installed, and tests that need namespaces are skipped: ${access.reason}.`);
    needs = NODE_ONLY;
  }
  const env = await setUp(needs);
  // Compiles the program once: lab nodes see the checkout, and what was compiled, but may not write there.
  if (needs.daemons) await run([join(ROOT, 'bin/metallb-frr'), '--version'], { env });
  if (command.kind === 'checks') return runChecks({ only: command.only, args, env, access });
  const { isUnprivileged = false } = command;
  if (!access.ok && !isUnprivileged) {
    throw new SetupError(
      `${name} starts processes in network namespaces, which needs root: ${access.reason}.`,
      'Run the same command as root.',
    );
  }
  const prefix = isUnprivileged || !access.ok ? [] : asRootWith(env, access);
  let worst = 0;
  for (const file of command.files) {
    const { status } = await run([...prefix, 'node', join(ROOT, file), ...args], {
      ...{ env, show: true, timeoutMs: PROGRAM_TIMEOUT_MS },
    });
    worst = Math.max(worst, status);
  }
  return worst;
}

handleInterrupts();
try {
  process.exitCode = await main(process.argv[2] ?? '', process.argv.slice(3));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`\n${error.message}\nNext: ${error.next}\n`);
  process.exitCode = 1;
}
