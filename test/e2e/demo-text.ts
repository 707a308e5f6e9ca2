import { styleText } from 'node:util';

/** What the demo prints, all of it on standard output. */

let steps = 0;

/** A command as a person types it, and what it printed. */
export function output(command: string, text: string): void {
  print(command);
  process.stdout.write(`${text.trimEnd().replaceAll(/^/gm, '     ')}\n`);
}

/** The headline of the next step. */
export function step(text: string): void {
  steps += 1;
  process.stdout.write(`\n${styleText('bold', `${String(steps)}. ${text}`)}\n`);
}

export function print(text: string): void {
  process.stdout.write(`   ${text}\n`);
}

/** The time since, as of `performance.now()`. */
export function seconds(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
}
