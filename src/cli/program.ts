import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { controllerCommand } from './controller.ts';
import { convertCommand } from './convert.ts';
import { labCommand } from './lab.ts';
import { moveCommand } from './move.ts';
import { examples } from './output.ts';
import { renderCommand } from './render.ts';
import { speakerCommand } from './speaker.ts';
import { statusCommand } from './status.ts';
import { validateCommand } from './validate.ts';

/** The whole command line; nothing runs before it is parsed. */
export function createProgram(): Command {
  const program = new Command('metallb-frr')
    .description('LoadBalancer Services for bare-metal Kubernetes clusters, with FRR on every node.')
    .version(packageJson.version)
    .showHelpAfterError('(add --help for all options)')
    .addHelpText(
      'after',
      `\nExit status: 0 fine, 1 problems found, 2 wrong usage.\n${examples(
        'metallb-frr validate -f examples/custom-resources',
        'metallb-frr render -f examples/custom-resources --node n1',
        'metallb-frr lab up test/containerlab/a-listen-range.clab.yml',
      )}`,
    );
  for (const command of [
    controllerCommand(),
    speakerCommand(),
    renderCommand(),
    validateCommand(),
    convertCommand(),
    statusCommand(),
    moveCommand(),
    labCommand(),
  ]) {
    program.addCommand(command);
  }
  for (const command of everyCommand(program)) command.exitOverride();
  return program;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
