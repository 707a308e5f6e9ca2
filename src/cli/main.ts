import { CommanderError } from 'commander';
import { EXIT } from './output.ts';
import { createProgram } from './program.ts';

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed what was wrong; help and version come here too, with exit code 0.
  process.exitCode = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
}
