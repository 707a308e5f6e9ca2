import Table from 'cli-table3';
import { Option } from 'commander';
import { dump } from 'js-yaml';
import { styleText } from 'node:util';
import { formatProblem, type Problem } from '../core/problem.ts';

/** How a command's result is printed. */
export type OutputForm = 'table' | 'json' | 'yaml';

/** Exit statuses of every command. */
export const EXIT = { fine: 0, problems: 1, usage: 2 } as const;

export function outputOption(): Option {
  return new Option('-o, --output <form>', 'form of the result')
    .choices(['table', 'json', 'yaml'])
    .default('table');
}

/** The text of a result in one of the two forms for programs. */
export function formatData(data: unknown, form: 'json' | 'yaml'): string {
  return form === 'json'
    ? `${JSON.stringify(data, undefined, 2)}\n`
    : dump(data, { noRefs: true, lineWidth: -1 });
}

/** Lines for standard error. */
export function problemLines(problems: readonly Problem[]): string {
  return problems.map((problem) => `${severityWord(problem.severity)}: ${formatProblem(problem)}\n`).join('');
}

/** `error` or `warning` for a line on standard error. */
export function severityWord(severity: Problem['severity']): string {
  const colour = severity === 'error' ? 'red' : 'yellow';
  return styleText(colour, severity, { stream: process.stderr });
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

/** The examples at the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** Columns set apart by blanks alone, so that the output of a table can be cut and sorted. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' },
      ...{ 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' },
      ...{ right: '', 'right-mid': '', middle: '  ' },
    },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
