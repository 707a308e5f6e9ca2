// `npm test`: lint, format, types and the tests, each in turn, and one line with the sum at the end.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { asRootWith, run, say, SUITE_ERRORS_FILE } from './process.mjs';
import { countsOf, countsOfTools, summaryOf } from './summary.mjs';

/** @typedef {import('./summary.mjs').Counts} Counts */

/**
 * A step is one check by itself, or a vitest project whose tests count. What says that it is patient does not mind another
 * program beside it: the programs of Kubernetes are built meanwhile, which is mostly waiting for downloads.
 * @typedef {{ name: string, title: string, isPatient?: boolean } & ({ command: readonly string[] } | { project: string, root: boolean, tools?: boolean })} Step
 */

const STEP_TIMEOUT_MS = 3_600_000;
const BIN = join(ROOT, 'node_modules/.bin');

/** @type {readonly Step[]} */
const STEPS = [
  { name: 'lint', title: 'lint', isPatient: true, command: [join(BIN, 'eslint'), '.'] },
  {
    name: 'format',
    title: 'format',
    isPatient: true,
    command: [join(BIN, 'prettier'), '--check', '--log-level', 'warn', '.'],
  },
  { name: 'types', title: 'types', isPatient: true, command: [join(BIN, 'tsc'), '--noEmit'] },
  { name: 'unit', title: 'unit tests', isPatient: true, project: 'unit', root: false },
  { name: 'frr', title: 'tests with real FRR', project: 'frr', root: true },
  { name: 'chart', title: 'tests of the chart', project: 'chart', root: true, tools: true },
  { name: 'bench', title: 'cost of our own code', command: ['node', join(ROOT, 'bench/check.ts')] },
  { name: 'net', title: 'tests of raw sockets', project: 'net', root: true },
  { name: 'lab', title: 'tests in network namespaces', project: 'lab', root: true },
  { name: 'api', title: 'tests with an API server', project: 'api', root: true, tools: true },
  { name: 'cluster', title: 'tests in a cluster', project: 'cluster', root: true, tools: true },
  { name: 'images', title: 'tests of the container images', project: 'images', root: true },
];

/**
 * Runs every step, also after one has failed.
 * @param {object} options
 * @param {readonly string[]} options.only names of steps; empty: all
 * @param {readonly string[]} options.args more arguments for vitest
 * @param {NodeJS.ProcessEnv} options.env
 * @param {import('./process.mjs').RootAccess} options.access
 * @returns {Promise<number>} exit status: 0 when something ran and nothing failed
 */
export async function runChecks({ only, args, env, access }) {
  const folder = await mkdtemp(join(tmpdir(), 'mlf-checks-'));
  /** @type {Counts[]} */
  const results = [];
  const steps = STEPS.filter(({ name }) => only.length === 0 || only.includes(name));
  const needTools = steps.some((step) => 'project' in step && step.tools === true);
  let building = needTools ? provideTools({ env, access }) : undefined;
  try {
    for (const step of steps) {
      if (building && step.isPatient !== true) {
        results.push(countsOfTools({ built: await building, ci: env.CI }));
        building = undefined;
      }
      say(`\n== ${step.title}`);
      const started = performance.now();
      const counts =
        'command' in step ? await runCheck(step, env) : await runProject(step, { args, env, access, folder });
      results.push(counts);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      say(`== ${step.title}: ${counts.failed === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const summary = summaryOf(results);
  say(`\n${summary.text}`);
  return summary.ok ? 0 : 1;
}

/**
 * Builds the programs of Kubernetes that are missing: minutes on a new machine, a second afterwards. Where that cannot be
 * done, it says why, and the tests that need them are skipped with that reason.
 * @param {{ env: NodeJS.ProcessEnv, access: import('./process.mjs').RootAccess }} options
 * @returns {Promise<boolean>} whether all are there
 */
async function provideTools({ env, access }) {
  if (!access.ok) return false;
  // What runs beside it comes first: it has time limits.
  const command = [
    ...asRootWith(env, access),
    ...['nice', '-n', '19', 'node', join(ROOT, 'test/cluster/main.ts'), 'tools'],
  ];
  const { ok } = await run(command, { env, cwd: ROOT, show: true, timeoutMs: STEP_TIMEOUT_MS });
  return ok;
}

/**
 * @param {Extract<Step, { command: readonly string[] }>} step
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Counts>}
 */
async function runCheck(step, env) {
  const { ok } = await run(step.command, { env, cwd: ROOT, show: true, timeoutMs: STEP_TIMEOUT_MS });
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [], faults: ok ? [] : [`${step.title} failed`] };
}

/**
 * @param {Extract<Step, { project: string }>} step
 * @param {object} options
 * @param {readonly string[]} options.args
 * @param {NodeJS.ProcessEnv} options.env
 * @param {import('./process.mjs').RootAccess} options.access
 * @param {string} options.folder for the report
 * @returns {Promise<Counts>}
 */
async function runProject(step, { args, env, access, folder }) {
  const report = join(folder, `${step.project}.json`);
  const suiteErrors = join(folder, `${step.project}-suites.json`);
  const stepEnv = { ...env, [SUITE_ERRORS_FILE]: suiteErrors };
  const prefix = step.root && access.ok ? asRootWith(stepEnv, access) : [];
  const command = [join(BIN, 'vitest'), 'run', '--project', step.project];
  const reporters = [
    ...['--reporter=default', `--reporter=${join(ROOT, 'scripts/lib/suite-errors.mjs')}`],
    ...['--reporter=json', `--outputFile.json=${report}`],
  ];
  const { status } = await run([...prefix, 'node', ...command, ...reporters, ...args], {
    ...{ env: stepEnv, cwd: ROOT, show: true, timeoutMs: STEP_TIMEOUT_MS },
  });
  // What vitest did not write is empty: the summary says that there was no report, or no reason.
  const read = (/** @type {string} */ path) => readFile(path, 'utf8').catch(() => '');
  return countsOf({
    ...{ title: step.title, status },
    ...{ report: await read(report), suiteErrors: await read(suiteErrors) },
  });
}
