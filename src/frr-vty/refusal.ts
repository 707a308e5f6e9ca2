import { withoutPassword, type TypedLine } from '../frr-config/index.ts';

/** A configuration line that FRR did not take, and what FRR said; passwords are hidden in both. */
export interface RefusedLine {
  /** Contexts it was typed in, outermost first. */
  readonly path: readonly string[];
  readonly line: string;
  readonly words: string;
}

/** Said by FRR for lines that it takes all the same. */
const NOTICES = [
  /^% Echo mode works correctly for IPv4/,
  /^Graceful restart configuration changed, reset this peer/,
  /^The route-map '.*' does not exist\.$/,
  /^Remote AS of /,
];

/** Refusals that do not begin with a percent sign. */
const REFUSALS = [
  /^%/,
  /^BGP (?:is already running|instance )/,
  /^(?:Error|Failed|Failure|Invalid|Malformed|Cannot|Can't) ?/i,
  /^Configuration failed/,
];

const NOT_RUNNING = /(?:^|\s)(zebra|bgpd|bfdd|staticd|mgmtd) is not running/;

/** What one line's output says: nothing of importance, a refusal, or that a daemon is not there. */
export type Answer =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly words: string }
  | { readonly kind: 'not-running'; readonly daemon: string };

/** Judges what the long-lived vtysh printed after one configuration line. */
export function answerOf(output: readonly string[]): Answer {
  for (const text of output) {
    const daemon = NOT_RUNNING.exec(text)?.[1];
    if (daemon !== undefined) return { kind: 'not-running', daemon };
  }
  const refusal = output.filter((text) => REFUSALS.some((form) => form.test(text)) && !isNotice(text));
  return refusal.length === 0 ? { kind: 'taken' } : { kind: 'refused', words: said(refusal.join(' ')) };
}

/**
 * The refused lines of a `vtysh -f` run, from what it printed. vtysh names them as
 * `line 7: Failure to communicate[13] to bgpd, line: ...` or `line 2: % Unknown command[25]: ...` and goes on with
 * the next; from FRR 9 each daemon's child repeats the message. The daemon's own words come on standard output,
 * without a number.
 */
export function refusedInFile(lines: readonly TypedLine[], stdout: string, stderr: string): RefusedLine[] {
  const spoken = stdout
    .split('\n')
    .map((text) => text.trim())
    .filter((text) => text.startsWith('%') && !isNotice(text));
  const refused = new Map<number, string>();
  for (const text of `${stdout}\n${stderr}`.split('\n')) {
    const match = /^line (\d+): (?:% )?([^:[]+)\[\d+\]/.exec(text.trim());
    if (match) refused.set(Number(match[1]), match[2]?.trim() ?? '');
  }
  return [...refused]
    .sort(([a], [b]) => a - b)
    .map(([number, words]) => {
      // Only refusals by a daemon have words of its own, printed in the order of the lines.
      const own = words.startsWith('Failure to communicate') ? spoken.shift() : undefined;
      const line = lines[number - 1];
      return {
        path: line?.path ?? [],
        line: withoutPassword(line?.text.trim() ?? ''),
        words: said(own ?? words),
      };
    });
}

/** True when `vtysh -f` printed that a daemon or all of them could not be reached. */
export function notRunningIn(output: string): boolean {
  return NOT_RUNNING.test(output) || output.includes('failed to connect to any daemons');
}

function said(words: string): string {
  return withoutPassword(words.replace(/^% ?/, ''));
}

function isNotice(text: string): boolean {
  return NOTICES.some((form) => form.test(text));
}
