import { PatchedMap } from '../core/patched-map.ts';
import { parseFrrConfig, type FrrConfig, type FrrContext } from './parse.ts';

/** A change of more lines than this is as quickly parsed as a whole. */
const FEW_LINES = 32;

/** A line of an address family as it is rendered and as FRR prints it. */
const NETWORK_LINE = /^ {2}(network \S+) route-map \S+$/;

interface Parsed {
  readonly text: string;
  readonly config: FrrConfig;
}

/** What differs between two texts: whole lines of both, and the line before and behind them. */
interface TextChange {
  readonly before: string;
  readonly removed: readonly string[];
  readonly added: readonly string[];
  readonly behind: string;
}

/**
 * Gives a function that parses as {@link parseFrrConfig} does, and remembers the text before: one that differs in a few
 * `network` lines costs those, and shares all other contexts with what was given before. Only the order of statements in
 * a context, which means nothing, may be another.
 */
export function createFrrConfigParser(): (text: string) => FrrConfig {
  let known: Parsed | undefined;
  return (text) => {
    if (known?.text === text) return known.config;
    const config = (known && withFewNetworks(known, text)) ?? parseFrrConfig(text);
    known = { text, config };
    return config;
  };
}

/** @returns undefined when the texts differ in anything that has to be parsed */
function withFewNetworks({ text: before, config }: Parsed, text: string): FrrConfig | undefined {
  const change = changeOf(before, text);
  const removed = change.removed.map(networkOf);
  const added = change.added.map(networkOf);
  if (removed.length + added.length > FEW_LINES) return undefined;
  // A prefix that stands twice, be it in two routers, is left to the parser: the last one counts.
  const areKnown = removed.every((network) => network !== undefined && countOf(before, network) === 1);
  const areNew = added.every((network) => network !== undefined && countOf(text, network) === 1);
  const context = contextAt(change, before, config);
  if (!areKnown || !areNew || !context) return undefined;

  const gone = removed.map((network) => [network ?? '', undefined] as const);
  const come = change.added.map(detached).map((line) => [networkOf(line) ?? line, line.trim()] as const);
  const statements = PatchedMap.from(context.statements, [...gone, ...come]);
  const contexts = new Map(config.contexts);
  contexts.set(context.key, { ...context, statements });
  return { ...config, contexts };
}

/**
 * The same characters in memory of their own: what is cut out of a text keeps the whole of it in memory, and every text
 * leaves a line or two here that stay for as long as their Service does.
 */
function detached(line: string): string {
  return Buffer.from(line).toString();
}

/** The context in which a change stands: a `network` line beside it that stands nowhere else is in the same one. */
function contextAt({ before, behind }: TextChange, text: string, config: FrrConfig): FrrContext | undefined {
  for (const line of [before, behind]) {
    const network = networkOf(line);
    if (network === undefined || countOf(text, network) !== 1) continue;
    const [context, ...others] = [...config.contexts.values()].filter(
      ({ statements }) => statements.get(network) === line.trim(),
    );
    if (context && others.length === 0) return context;
  }
  return undefined;
}

/** `network 198.51.100.1/32`, which is the identity of such a statement. */
function networkOf(line: string): string | undefined {
  return NETWORK_LINE.exec(line)?.[1];
}

/** How often the words stand in a text: 0, 1, or 2 for more. */
function countOf(text: string, network: string): 0 | 1 | 2 {
  const first = nextOf(text, network, 0);
  if (first < 0) return 0;
  return nextOf(text, network, first + 1) < 0 ? 1 : 2;
}

function nextOf(text: string, network: string, from: number): number {
  let at = text.indexOf(network, from);
  // `network 192.0.2.1/3` is not `network 192.0.2.1/32`.
  while (at >= 0 && /\S/.test(text.charAt(at + network.length))) at = text.indexOf(network, at + 1);
  return at;
}

function changeOf(before: string, after: string): TextChange {
  const start = lineStart(after, commonStart(before, after));
  const tail = commonEnd(before.slice(start), after.slice(start));
  // Not from the middle of a line on.
  const end = after.indexOf('\n', Math.max(start, after.length - tail - 1)) + 1;
  const common = end === 0 ? 0 : after.length - end;
  return {
    before: after.slice(lineStart(after, start - 1), Math.max(0, start - 1)),
    removed: linesIn(before.slice(start, before.length - common)),
    added: linesIn(after.slice(start, after.length - common)),
    behind: after.slice(after.length - common).split('\n', 1)[0] ?? '',
  };
}

/** Where the line begins that holds this place. */
function lineStart(text: string, at: number): number {
  return at <= 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1;
}

function linesIn(text: string): readonly string[] {
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

/** Length of what both begin with. Halving compares whole pieces, which is far quicker than sign by sign. */
function commonStart(a: string, b: string): number {
  let [same, limit] = [0, Math.min(a.length, b.length)];
  while (same < limit) {
    const middle = (same + limit + 1) >>> 1;
    if (a.slice(same, middle) === b.slice(same, middle)) same = middle;
    else limit = middle - 1;
  }
  return same;
}

/** Length of what both end with. */
function commonEnd(a: string, b: string): number {
  let [same, limit] = [0, Math.min(a.length, b.length)];
  while (same < limit) {
    const middle = (same + limit + 1) >>> 1;
    const isSame =
      a.slice(a.length - middle, a.length - same) === b.slice(b.length - middle, b.length - same);
    if (isSame) same = middle;
    else limit = middle - 1;
  }
  return same;
}
