import { Command } from 'commander';
import { formatTable } from '../src/cli/index.ts';
import { FULL, measurePure, type PureRow } from './scale/pure.ts';
import { machineText, thisMachine, type Machine } from './support/machine.ts';

interface Report {
  readonly machine: Machine;
  readonly pure: readonly PureRow[];
}

const program = new Command('bench:scale')
  .description(
    'What our own code costs with ten thousand Services and more, beside the least that anybody needs for the same.',
  )
  .option('-o, --output <form>', 'table or json', 'table')
  .addHelpText('after', '\nExamples:\n  npm run bench:scale\n  npm run bench:scale -- -o json\n');
const { output } = program.parse().opts<{ output: string }>();

const report: Report = {
  machine: thisMachine(),
  pure: measurePure(FULL, (text) => {
    process.stderr.write(`${text}\n`);
  }),
};
process.stdout.write(output === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : tableOf(report));

function tableOf({ machine, pure }: Report): string {
  const rows = pure.map(({ what, least, bar, versus: { ours, baseline, ratio } }) => [
    ...[what, String(ours.count), String(ours.p50), String(ours.max)],
    ...[least, String(baseline.p50), String(ratio)],
    bar === undefined ? '' : `p50 <= ${String(bar)}`,
    bar === undefined ? '' : ours.p50 <= bar ? 'yes' : 'NO',
  ]);
  return [
    `milliseconds; ${machineText(machine)}`,
    formatTable(['what', 'n', 'p50', 'max', 'the least', 'p50', 'ratio', 'bar', 'met'], rows),
    '',
  ].join('\n');
}
