import { CommanderError } from 'commander';
import { EXIT, severityWord } from './output.ts';
import { createProgram } from './program.ts';
import { UserError } from './user-error.ts';

// Who reads has read enough (`| head`): no fault, and nothing more to say.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.fine);
});

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof UserError) {
    process.stderr.write(`${severityWord('error')}: ${error.message}\n`);
    process.exitCode = EXIT.problems;
  } else if (error instanceof CommanderError) {
    // Commander has printed what was wrong; help and version come here too, with exit code 0.
    process.exitCode = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
  } else {
    throw error;
  }
}
