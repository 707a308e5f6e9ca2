import { Command } from 'commander';
import { execa } from 'execa';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { formatTable } from '../src/cli/index.ts';
import { compare, ratiosOf, TOLERANCE, type Compared, type Look } from './check/ratios.ts';

/** So many are always taken; */
const LOOKS = 3;
/** a row that is worse then is looked at again: a machine can be busy for some, and code that got slower is so in all. */
const MOST_LOOKS = 9;
/** No machine is so busy that the shortest time of many rounds is this many times as long. */
const BEYOND_DOUBT = 3;
const LOOK_TIMEOUT_MS = 300_000;
const LOOK = fileURLToPath(new URL('check/look.ts', import.meta.url));
const BASELINE = new URL('baseline.json', import.meta.url);
const baselineSchema = z.record(z.string(), z.number().positive());

const program = new Command('bench:check')
  .description(
    'Compares what our own code costs, as a multiple of a piece of work that never changes, with bench/baseline.json, and fails on a step back of more than 25 %.',
  )
  .option('--update', 'write what is measured to bench/baseline.json')
  .addHelpText('after', '\nExamples:\n  npm run bench:check\n  npm run bench:check -- --update\n');
const { update = false } = program.parse().opts<{ update?: boolean }>();

const looks: Look[] = [];
if (update) {
  while (looks.length < MOST_LOOKS) await lookOnce();
  await writeFile(BASELINE, `${JSON.stringify(ratiosOf(looks), undefined, 2)}\n`);
  process.stdout.write('noted in bench/baseline.json\n');
} else {
  const noted = baselineSchema.parse(JSON.parse(await readFile(BASELINE, 'utf8')));
  const compared = (): readonly Compared[] => compare(noted, ratiosOf(looks));
  while (looks.length < LOOKS || (isDoubtful(compared()) && looks.length < MOST_LOOKS)) await lookOnce();
  report(compared());
}

/** Whether something seems worse that may be as it was. */
function isDoubtful(rows: readonly Compared[]): boolean {
  const worse = rows.filter(({ isStepBack }) => isStepBack);
  const isSure = worse.some(
    ({ noted, now }) => noted === undefined || now === undefined || now > noted * BEYOND_DOUBT,
  );
  return worse.length > 0 && !isSure;
}

async function lookOnce(): Promise<void> {
  process.stderr.write(`look ${looks.length + 1}\n`);
  const { stdout } = await execa(process.execPath, [LOOK], { timeout: LOOK_TIMEOUT_MS });
  looks.push(JSON.parse(stdout) as Look);
}

function report(rows: readonly Compared[]): void {
  const shown = (ratio: number | undefined): string => (ratio === undefined ? 'missing' : String(ratio));
  const cells = rows.map(({ name, noted, now, isStepBack }) => [
    ...[name, shown(noted), shown(now)],
    isStepBack ? 'NO' : 'yes',
  ]);
  process.stdout.write(`${formatTable(['what', 'noted', 'now', 'met'], cells)}\n`);
  const bad = rows.filter(({ isStepBack }) => isStepBack).map(({ name }) => name);
  if (bad.length === 0) return;
  process.stderr.write(
    `step back of more than ${String(TOLERANCE * 100)} %: ${bad.join(', ')}. Make it faster, or say why not and run: npm run bench:check -- --update\n`,
  );
  process.exitCode = 1;
}
