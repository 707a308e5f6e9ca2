import type { Problem } from '../core/problem.ts';

/**
 * Access to answers of unknown shape. FRR's JSON differs between releases, is sometimes not JSON at all (a message of
 * vtysh, or a `warning` put in twice), and may be cut short; so every getter gives a value or undefined.
 */
export type JsonRecord = Readonly<Record<string, unknown>>;

export type Answer =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: Problem };

/** Longest piece of an answer that a message repeats. */
const MAX_QUOTE = 120;

/** What vtysh says about its own connections, in front of an answer or instead of one. */
const VTYSH_NOTICE =
  /^(?:Warning: (?:closing connection to|connecting to) .*|success!|failed!|[a-z0-9]+ is not running|Exiting: failed to connect to any daemons\.)$/;

/**
 * Parses the text vtysh printed; a value that is no text is taken as parsed already.
 * @param what the answer's name for messages, for example `BGP neighbors`
 */
export function readAnswer(answer: unknown, what: string): Answer {
  if (typeof answer !== 'string') return { ok: true, value: answer };
  const said = withoutNotices(answer);
  try {
    return { ok: true, value: JSON.parse(said) as unknown };
  } catch {
    const message =
      said === ''
        ? `${what}: FRR gave no answer: the daemon is not running`
        : `${what}: FRR's answer is not JSON: ${quote(said)}`;
    return { ok: false, problem: answerProblem('', message) };
  }
}

/**
 * Whether the daemon asked, or all of FRR, is not there, so that its sessions have ended, as opposed to an answer that
 * cannot be read: a daemon that is there answers every `json` command, with an empty list or object at least.
 * @param output all that vtysh printed for a command that it ended; standard error may be left out
 */
export function isFrrAnswerMissing(output: string): boolean {
  return withoutNotices(output) === '';
}

function withoutNotices(output: string): string {
  let rest = output.trim();
  for (;;) {
    const end = rest.indexOf('\n');
    const line = end < 0 ? rest : rest.slice(0, end).trimEnd();
    if (!VTYSH_NOTICE.test(line)) return rest;
    if (end < 0) return '';
    rest = rest.slice(end + 1).trimStart();
  }
}

/** An answer that is wrong throughout must not fill memory with problems; the first ones say what is wrong. */
const MAX_PROBLEMS = 50;

/** Notes what is wrong at a place in the answer. */
export function addProblem(problems: Problem[], field: string, message: string): void {
  if (problems.length < MAX_PROBLEMS) problems.push(answerProblem(field, message));
}

/** Such a problem may be gone with the next answer. */
function answerProblem(field: string, message: string): Problem {
  return {
    field: field.slice(0, MAX_QUOTE),
    reason: 'InvalidValue',
    message,
    transient: true,
    severity: 'error',
  };
}

export function recordOf(value: unknown): JsonRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonRecord)
    : undefined;
}

export function recordAt(record: JsonRecord, name: string): JsonRecord | undefined {
  return recordOf(record[name]);
}

export function textAt(record: JsonRecord, name: string): string | undefined {
  const value = record[name];
  return typeof value === 'string' ? value : undefined;
}

/** A whole number from zero to 2^53 - 1. FRR prints -1 where it has no number (ports, timers). */
export function countAt(record: JsonRecord, name: string): number | undefined {
  const value = record[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

export function flagAt(record: JsonRecord, name: string): boolean {
  return record[name] === true;
}

/** A value for people: short, on one line, control characters escaped. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : describe(value);
  return text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}...` : text;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}
