import { describe, expect, test } from 'vitest';
import { countsOf, countsOfTools, summaryOf } from '../../scripts/lib/summary.mjs';

interface Assertion {
  readonly status: string;
  readonly fullName: string;
  readonly failureMessages?: readonly string[];
}

function report(
  assertionResults: readonly Assertion[],
  file: { status?: string; message?: string } = {},
): string {
  const { status = 'passed', message = '' } = file;
  return JSON.stringify({ testResults: [{ name: 'a.test.ts', status, message, assertionResults }] });
}

const passed = { status: 'passed', fullName: 'adds' };
const failed = {
  status: 'failed',
  fullName: 'subtracts',
  failureMessages: ['Error: \u001b[31mexpected 1\u001b[39m to be 2\n    at subtract (a.test.ts:3:1)'],
};

describe('countsOf', () => {
  test.each([
    { what: 'passed tests', text: report([passed, passed]), status: 0, counts: [2, 0, 0] },
    {
      what: 'a failed test',
      text: report([passed, failed], { status: 'failed' }),
      status: 1,
      counts: [1, 1, 0],
      fault: 'subtracts: Error: expected 1 to be 2',
    },
    {
      what: 'a test skipped with its reason',
      text: report([{ status: 'skipped', fullName: 'reads routes skipped: no root' }]),
      status: 0,
      counts: [0, 0, 1],
    },
    {
      what: 'a test skipped without a reason',
      text: report([passed, { status: 'skipped', fullName: 'reads routes' }]),
      status: 0,
      counts: [1, 1, 0],
      fault: 'reads routes: skipped without a reason',
    },
    {
      what: 'a test that did not run because a hook before it failed',
      text: report([{ status: 'skipped', fullName: 'reads routes' }], { status: 'failed' }),
      status: 1,
      counts: [0, 1, 0],
      fault: 'reads routes: did not run, because something before it in its file failed',
    },
    {
      what: 'a test still to be written',
      text: report([{ status: 'todo', fullName: 'reads routes' }]),
      status: 0,
      counts: [0, 1, 0],
      fault: 'reads routes: todo without a reason',
    },
    {
      what: 'a file that could not be loaded',
      text: report([], { status: 'failed', message: 'Cannot find module\nat x' }),
      status: 1,
      counts: [0, 1, 0],
      fault: 'a.test.ts: Cannot find module',
    },
    {
      what: 'a hook that failed after its tests passed',
      text: report([passed], { status: 'failed' }),
      status: 1,
      counts: [1, 1, 0],
      fault: 'a.test.ts: failed outside of its tests',
    },
    {
      what: 'no test at all',
      text: JSON.stringify({ testResults: [] }),
      status: 0,
      counts: [0, 1, 0],
      fault: 'unit tests: there was no test to run',
    },
    {
      what: 'an error outside of all tests',
      text: report([passed]),
      status: 1,
      counts: [1, 1, 0],
      fault: 'vitest ended with status 1 although no test failed',
    },
    {
      what: 'no report',
      text: '',
      status: 137,
      counts: [0, 1, 0],
      fault: 'vitest ended without a report (status 137)',
    },
  ])('$what', ({ text, status, counts, fault }) => {
    const got = countsOf({ title: 'unit tests', status, report: text });
    expect([got.passed, got.failed, got.skipped.length]).toEqual(counts);
    if (fault === undefined) expect(got.faults).toEqual([]);
    else expect(got.faults.join('\n')).toContain(fault);
  });

  test('says why a hook failed with each test that did not run for it', () => {
    const skipped = (fullName: string): Assertion => ({ status: 'skipped', fullName });
    const names = ['routes reads them', 'rules reads them', 'routes6 reads them'];
    const text = report(names.map(skipped), { status: 'failed' });
    const suiteErrors = JSON.stringify([
      { file: 'a.test.ts', suite: 'routes', message: 'no daemon\n  at x' },
      { file: 'b.test.ts', suite: 'rules', message: 'another file' },
    ]);
    expect(countsOf({ title: 'frr', status: 1, report: text, suiteErrors }).faults).toEqual([
      'routes reads them: did not run, because something before it in its file failed: no daemon',
      'rules reads them: did not run, because something before it in its file failed',
      'routes6 reads them: did not run, because something before it in its file failed',
    ]);
  });

  test('parts the reason from the name', () => {
    const text = report([{ status: 'skipped', fullName: 'reads routes skipped: needs root: use sudo' }]);
    expect(countsOf({ title: 'frr', status: 0, report: text }).skipped).toEqual([
      { test: 'reads routes', reason: 'needs root: use sudo' },
    ]);
  });
});

describe('summaryOf', () => {
  const fine = { passed: 2, failed: 0, skipped: [], faults: [] };
  const skip = { passed: 0, failed: 0, skipped: [{ test: 'reads routes', reason: 'no root' }], faults: [] };

  test('ends with one line of counts', () => {
    expect(summaryOf([fine, fine])).toEqual({ ok: true, text: '4 passed, 0 failed' });
  });

  test('names what was skipped, and why, before the counts', () => {
    expect(summaryOf([fine, skip])).toEqual({
      ok: true,
      text: 'Skipped:\n  reads routes: no root\n\n2 passed, 0 failed, 1 skipped',
    });
  });

  test('a run that executed no test is not fine', () => {
    expect(summaryOf([skip])).toMatchObject({
      ok: false,
      text: expect.stringContaining('Nothing was run') as string,
    });
    expect(summaryOf([]).ok).toBe(false);
  });

  test('a failure is not fine and is named', () => {
    const lint = { passed: 0, failed: 1, skipped: [], faults: ['lint failed'] };
    expect(summaryOf([fine, lint])).toEqual({
      ok: false,
      text: 'Failed:\n  lint failed\n\n2 passed, 1 failed',
    });
  });
});

describe('programs that could not be built', () => {
  const failed = (built: boolean, ci?: string): number =>
    countsOfTools({ built, ...(ci === undefined ? {} : { ci }) }).failed;

  test('count as a failure where CI is set, and leave tests skipped elsewhere', () => {
    expect(failed(false, 'true')).toBe(1);
    expect(failed(false, '1')).toBe(1);
    expect(failed(false)).toBe(0);
    expect(failed(false, '')).toBe(0);
    expect(failed(false, 'false')).toBe(0);
    expect(failed(true, 'true')).toBe(0);
  });

  test('are named at the end', () => {
    const all = [
      countsOfTools({ built: false, ci: 'true' }),
      { passed: 3, failed: 0, skipped: [], faults: [] },
    ];
    expect(summaryOf(all)).toMatchObject({
      ok: false,
      text: expect.stringContaining('the programs of Kubernetes could not be built') as string,
    });
  });
});
