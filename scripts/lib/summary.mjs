// From vitest's JSON reports to the one line at the end of `npm test`. No I/O.
import { stripVTControlCharacters } from 'node:util';

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {readonly { test: string, reason: string }[]} skipped
 * @property {readonly string[]} faults what failed: a test, a check, a file that could not be loaded
 */

/**
 * A test that cannot run says why in its title, or in the title of its `describe`: `skipped: REASON`. One that is skipped
 * without a reason was switched off and forgotten, and counts as failed; so does a `todo`.
 */
const REASON = /\bskipped: (.+)$/;
const NO_REASON = 'without a reason; give one as "skipped: REASON" in its title, or make it run';
const NOT_RUN = 'did not run, because something before it in its file failed';

/**
 * @param {object} run
 * @param {string} run.title of the step
 * @param {number} run.status vitest's exit status
 * @param {string} run.report text of its JSON report; empty when it wrote none
 * @param {string} [run.suiteErrors] text of what `suite-errors.mjs` wrote; empty when it wrote nothing
 * @returns {Counts}
 */
export function countsOf({ title, status, report, suiteErrors = '' }) {
  /** @type {ReportFile[] | undefined} */
  const files = parsed(report)?.testResults;
  /** @type {import('./suite-errors.mjs').SuiteError[]} */
  const hooks = parsed(suiteErrors) ?? [];
  if (files === undefined) {
    return {
      passed: 0,
      failed: 1,
      skipped: [],
      faults: [`${title}: vitest ended without a report (status ${status})`],
    };
  }
  let passed = 0;
  let failed = 0;
  const skipped = [];
  const faults = [];
  for (const file of files) {
    const before = failed;
    for (const { status: state, fullName, failureMessages = [] } of file.assertionResults) {
      const reason = REASON.exec(fullName)?.[1];
      if (state === 'passed') {
        passed += 1;
      } else if (state === 'failed') {
        failed += 1;
        // Of a long log only the end may be at hand.
        faults.push(`${fullName}: ${firstLine(failureMessages[0])}`);
      } else if (reason === undefined) {
        failed += 1;
        const hook = hooks.find(
          (error) => error.file === file.name && fullName.startsWith(`${error.suite} `),
        );
        const notRun = hook ? `${NOT_RUN}: ${firstLine(hook.message)}` : NOT_RUN;
        faults.push(`${fullName}: ${file.status === 'failed' ? notRun : `${state} ${NO_REASON}`}`);
      } else {
        skipped.push({ test: fullName.replace(REASON, '').trim(), reason });
      }
    }
    if (file.status === 'failed' && failed === before) {
      failed += 1;
      faults.push(`${file.name}: ${firstLine(file.message) || 'failed outside of its tests'}`);
    }
  }
  if (passed + failed + skipped.length === 0) {
    failed += 1;
    faults.push(`${title}: there was no test to run`);
  } else if (status !== 0 && failed === 0) {
    failed += 1;
    faults.push(
      `${title}: vitest ended with status ${status} although no test failed; its output above says why`,
    );
  }
  return { passed, failed, skipped, faults };
}

/**
 * What it means that programs which tests need could not be built. On somebody's machine those tests are skipped, and the
 * end of the output says why; where `CI` is set nobody reads that, and they count as failed.
 * @param {object} tools
 * @param {boolean} tools.built
 * @param {string} [tools.ci] the variable CI
 * @returns {Counts}
 */
export function countsOfTools({ built, ci = '' }) {
  const counts = { passed: 0, failed: 0, skipped: [], faults: [] };
  if (built || ci === '' || ci === 'false') return counts;
  const fault = 'the programs of Kubernetes could not be built, and CI is set: the output above says why';
  return { ...counts, failed: 1, faults: [fault] };
}

/**
 * @param {readonly Counts[]} results
 * @returns {{ ok: boolean, text: string }} lines for the terminal; the last is `N passed, N failed`, with `, N skipped` if any
 */
export function summaryOf(results) {
  const passed = sum(results.map((counts) => counts.passed));
  const failed = sum(results.map((counts) => counts.failed));
  const skipped = results.flatMap((counts) => counts.skipped);
  const faults = results.flatMap((counts) => counts.faults);
  const lines = [];
  if (skipped.length > 0) {
    lines.push('Skipped:', ...skipped.map(({ test, reason }) => `  ${test}: ${reason}`), '');
  }
  if (faults.length > 0) lines.push('Failed:', ...faults.map((fault) => `  ${fault}`), '');
  if (passed + failed === 0) lines.push('Nothing was run, which counts as a failure.', '');
  lines.push(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
  return { ok: failed === 0 && passed > 0, text: lines.join('\n') };
}

/** @typedef {{ name: string, status: string, message: string, assertionResults: { status: string, fullName: string, failureMessages?: string[] }[] }} ReportFile */

/**
 * @param {string} text
 * @returns {any} undefined: vitest was killed, or failed before it could write
 */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {string} [text] */
function firstLine(text = '') {
  return stripVTControlCharacters(text.split('\n')[0] ?? '');
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
