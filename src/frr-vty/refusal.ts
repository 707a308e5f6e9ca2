import { withoutPassword, type TypedLine } from '../frr-config/index.ts';

/** A configuration line that FRR did not take, and what FRR said; passwords are hidden in both. */
export interface RefusedLine {
  /** Contexts it was typed in, outermost first. */
  readonly path: readonly string[];
  /** Empty when FRR did not say which line of several it was. */
  readonly line: string;
  readonly words: string;
}

/** Said by FRR for lines that it takes all the same, or on top of a refusal in other words. */
const NOTICES = [
  /^% Echo mode works correctly for IPv4/,
  /^Graceful restart configuration changed, reset this peer/,
  /^The route-map '.*' does not exist\.$/,
  /^BGP instance name and AS number mismatch$/,
];

/** Refusals that do not begin with a percent sign. */
const REFUSALS = [
  /^%/,
  /^BGP (?:is already running|instance )/,
  /^(?:Error|Failed|Failure|Invalid|Malformed|Cannot|Can't) ?/i,
];

/** A daemon that is gone: vtysh says so once, and is silent about lines for it from then on. */
const NOT_RUNNING = [
  /(?:^|\s)(zebra|bgpd|bfdd|staticd|mgmtd) is not running/,
  /^Warning: closing connection to (\w+) because of/,
  /vtysh: error reading from (\w+): /,
];

/** What one line's output says: nothing of importance, a refusal, or that a daemon is not there. */
export type Answer =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly words: string }
  | { readonly kind: 'not-running'; readonly daemon: string };

/** Judges what the long-lived vtysh printed after one configuration line. */
export function answerOf(output: readonly string[]): Answer {
  const daemon = daemonGone(output);
  if (daemon !== undefined) return { kind: 'not-running', daemon };
  const refusal = output.filter(isRefusal);
  return refusal.length === 0 ? { kind: 'taken' } : { kind: 'refused', words: said(refusal.join(' ')) };
}

/**
 * The refused lines of a `vtysh -f` run, from what it printed. vtysh names them as
 * `line 7: Failure to communicate[13] to bgpd, line: ...` or `line 2: % Unknown command[25]: ...` and goes on with
 * the next; from FRR 9 each daemon's child repeats the message. The daemon's own words come on standard output,
 * without a number. A transaction that fails as a whole (`% Configuration failed.`) names no line at all.
 */
export function refusedInFile(lines: readonly TypedLine[], stdout: string, stderr: string): RefusedLine[] {
  const { rest, failures } = splitTransactions(stdout);
  const numbered = new Map<number, string>();
  for (const text of [...rest, ...stderr.split('\n')]) {
    const match = /^line (\d+): (?:% )?([^:[]+)\[\d+\]/.exec(text.trim());
    if (match) numbered.set(Number(match[1]), match[2]?.trim() ?? '');
  }
  const spoken = rest.filter((text) => isRefusal(text) && !text.startsWith('line '));
  const fromDaemons = [...numbered.values()].filter((words) => words.startsWith('Failure to communicate'));
  // The daemons' own words come in the order of the lines; when they do not add up, whose is whose is not known.
  const words = spoken.length === fromDaemons.length ? spoken : [];
  const refused = [...numbered]
    .sort(([a], [b]) => a - b)
    .map(([number, generic]) => {
      const own = generic.startsWith('Failure to communicate') ? words.shift() : undefined;
      const line = lines[number - 1];
      return {
        path: line?.path ?? [],
        line: withoutPassword(line?.text.trim() ?? ''),
        words: said(own ?? generic),
      };
    });
  return [
    ...refused,
    ...[...new Set(failures)].map((failure) => ({ path: [], line: '', words: said(failure) })),
  ];
}

/** The daemon that vtysh says is gone, or `FRR` when it reached none at all. */
export function daemonGone(output: readonly string[]): string | undefined {
  for (const text of output) {
    for (const form of NOT_RUNNING) {
      const daemon = form.exec(text.trim())?.[1];
      if (daemon !== undefined) return daemon;
    }
    if (text.includes('failed to connect to any daemons')) return 'FRR';
  }
  return undefined;
}

/** Takes failed northbound transactions out of the output: a headline, and indented or prefixed lines of reasons. */
function splitTransactions(stdout: string): { readonly rest: string[]; readonly failures: string[] } {
  const rest: string[] = [];
  const failures: string[] = [];
  let open = false;
  for (const raw of stdout.split('\n')) {
    const text = raw.trim();
    if (text === '% Configuration failed.') {
      open = true;
      failures.push(text);
    } else if (open && text !== '' && !/^(?:%|\[\d+\||line \d+:)/.test(text)) {
      // One line of reason in FRR 10; type, description and the commands of the transaction in FRR 8.
      const reason = /^(?:Error description: )?((?!Error type|The following|- ).*)$/.exec(text)?.[1];
      if (reason !== undefined) failures.push(`${failures.pop() ?? ''} ${reason}`);
      if (reason !== undefined && !text.startsWith('Error description: ')) open = false;
    } else if (text !== '') {
      open = false;
      rest.push(text);
    }
  }
  return { rest, failures };
}

function isRefusal(text: string): boolean {
  return REFUSALS.some((form) => form.test(text)) && !NOTICES.some((form) => form.test(text));
}

function said(words: string): string {
  return withoutPassword(words.replace(/^% ?/, ''));
}
