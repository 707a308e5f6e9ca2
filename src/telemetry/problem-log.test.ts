import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { Problem } from '../core/problem.ts';
import { createProblemLog } from './problem-log.ts';

function problem(message: string, severity: Problem['severity'] = 'error'): Problem {
  return { field: '', reason: 'InvalidValue', message, transient: false, severity };
}

test('says each problem once for as long as it lasts', () => {
  const lines: string[] = [];
  const log = createProblemLog(
    pino({ formatters: { level: (level) => ({ level }) } }, { write: (line) => lines.push(line) }),
  );
  log([problem('a')]);
  log([problem('a'), problem('b', 'warning')]);
  log([problem('b', 'warning')]);
  log([problem('a')]);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: 'error', problem: 'a', reason: 'InvalidValue', msg: 'problem' },
    { level: 'warn', problem: 'b' },
    { level: 'error', problem: 'a' },
  ]);
});
