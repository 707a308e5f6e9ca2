import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from './program.ts';

/** The help of a command as `--help` prints it on a terminal of 100 columns. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text;
}

function withNames(command: Command, above: readonly string[] = []): [string, Command][] {
  const names = [...above, command.name()];
  return [[names.join(' '), command], ...command.commands.flatMap((each) => withNames(each, names))];
}

const commands = withNames(createProgram());

test.each(commands)('%s --help', (_name, command) => {
  expect(helpOf(command)).toMatchSnapshot();
});

test.each(commands.filter(([, command]) => command.commands.length === 0))(
  '%s has examples that it understands',
  (name, command) => {
    const lines = helpOf(command).split('Examples:\n')[1]?.trim().split('\n') ?? [];
    expect(lines.length).toBeGreaterThan(0);
    const known = new Set(command.options.flatMap(({ short, long }) => [short, long]));
    for (const line of lines) {
      const own = line
        .trim()
        .split(' | ')
        .find((part) => part.includes(name));
      expect(own, line).toBeDefined();
      // What follows belongs to another program.
      const passesOn = command.registeredArguments.some(({ variadic }) => variadic);
      const flags = (passesOn ? '' : own!).split(' ').filter((word) => /^--?[a-z]/.test(word));
      expect(flags.filter((flag) => !known.has(flag))).toEqual([]);
    }
  },
);
