import { loadAll, YAMLException } from 'js-yaml';
import type { Problem } from '../core/problem.ts';
import { expansionFault } from './expansion.ts';
import { MANIFEST_SCHEMA } from './schema.ts';
import { keptEnds, type KeptEnds } from './kept-ends.ts';
import { isBlankPiece, splitDocuments } from './split.ts';

/** Where a document stands. */
export interface DocumentPlace {
  readonly file: string;
  /** Line of the document's first content, from 1. */
  readonly line: number;
  /** The piece of the file that holds the document, the line it starts on, and which document of it this is. */
  readonly text: string;
  readonly firstLine: number;
  readonly index: number;
}

/** One document of a manifest. */
export interface ManifestDocument<T = unknown> extends DocumentPlace {
  /**
   * What YAML says, never null, or what was made of it. The same (`===`) as in the version before while the text of the
   * document has not changed.
   */
  readonly value: T;
}

/** The documents of a text, and its syntax errors, each with its position; the documents beside them are complete. */
export interface ManifestText {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly Problem[];
}

/** One version of a manifest. Give it back with the next one, so that only what changed is parsed. */
export interface ManifestVersion<T> {
  readonly file: string;
  readonly text: string;
  /** What was made of each document, in order. */
  readonly values: readonly T[];
  readonly problems: readonly Problem[];
  readonly pieces: readonly ParsedPiece<T>[];
  /** Where in `text` each piece begins, then the text's length. */
  readonly starts: readonly number[];
  /** Which of `values` is the first of each piece, then their number. */
  readonly valueStarts: readonly number[];
}

interface ParsedPiece<T> {
  readonly text: string;
  /** Line breaks in `text`. */
  readonly lines: number;
  readonly documents: readonly ParsedDocument<T>[];
  readonly fault?: Fault;
}

interface ParsedDocument<T> {
  readonly value: T;
  /** Line breaks before its first content, inside the piece. */
  readonly line: number;
  readonly index: number;
}

interface Fault {
  /** Line breaks before it, inside the piece. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Parses a YAML or JSON stream of Kubernetes objects once. Empty documents are left out. */
export function parseManifestText(input: { readonly text: string; readonly file: string }): ManifestText {
  const version = readManifest({ ...input, interpret: ({ value }) => value });
  return { documents: documentsOf(version), problems: version.problems };
}

/**
 * Parses a YAML or JSON stream of Kubernetes objects, and makes of each document's value what is kept of it. Empty
 * documents are left out. With `previous`, costs two comparisons of the whole text, and the parsing of those documents
 * whose text is new.
 * @param input.previous the version before, of the same file
 * @param input.interpret called once for each document whose text is new; lines count from the start of its piece
 */
export function readManifest<T>(input: {
  readonly text: string;
  readonly file: string;
  readonly previous?: ManifestVersion<T> | undefined;
  readonly interpret: (document: ManifestDocument) => T;
}): ManifestVersion<T> {
  const { text, file, previous = EMPTY, interpret } = input;
  const kept = keptEnds(text, previous);
  const total = previous.pieces.length;
  const between = text.slice(kept.from, kept.to);
  const replaced = new Map(
    previous.pieces.slice(kept.first, total - kept.last).map((piece) => [piece.text, piece]),
  );
  const isFresh = total === 0;
  const starts = splitDocuments(between);
  const pieces = starts.slice(0, -1).map((start, index) => {
    const slice = between.slice(start, starts[index + 1]);
    return replaced.get(slice) ?? parsePiece(isFresh ? slice : ownCopy(slice), file, interpret);
  });
  const version = joined(previous, kept, { text, file, pieces });
  const hadFaults = previous.problems.length > 0;
  const problems = hadFaults || pieces.some(({ fault }) => fault) ? problemsOf(file, version.pieces) : [];
  return { ...version, problems };
}

/** The documents with their places, which move with what stands above them. */
export function documentsOf<T>(version: ManifestVersion<T>): readonly ManifestDocument<T>[] {
  const { file, pieces } = version;
  const documents: ManifestDocument<T>[] = [];
  let firstLine = 1;
  for (const { text, lines, documents: parsed } of pieces) {
    for (const { value, line, index } of parsed) {
      documents.push({ value, file, line: firstLine + line, text, firstLine, index });
    }
    firstLine += lines;
  }
  return documents;
}

const EMPTY: ManifestVersion<never> = {
  file: '',
  text: '',
  values: [],
  problems: [],
  pieces: [],
  starts: [0],
  valueStarts: [0],
};

/** The version that has the kept pieces of the one before, and others between them. */
function joined<T>(
  previous: ManifestVersion<T>,
  kept: KeptEnds,
  now: { readonly text: string; readonly file: string; readonly pieces: readonly ParsedPiece<T>[] },
): Omit<ManifestVersion<T>, 'problems'> {
  const cut = previous.pieces.length - kept.last;
  const values = now.pieces.flatMap(({ documents }) => documents.map(({ value }) => value));
  const join = <U>(list: readonly U[], from: number, between: readonly U[], to: number): U[] =>
    list.slice(0, from).concat(between, list.slice(to));
  const countTo = (index: number): number => previous.valueStarts[index] ?? 0;
  return {
    file: now.file,
    text: now.text,
    pieces: join(previous.pieces, kept.first, now.pieces, cut),
    values: join(previous.values, countTo(kept.first), values, countTo(cut)),
    starts: running(
      previous.starts,
      kept,
      now.pieces.map(({ text }) => text.length),
    ),
    valueStarts: running(
      previous.valueStarts,
      kept,
      now.pieces.map(({ documents }) => documents.length),
    ),
  };
}

/** Running totals with the amounts between the kept ends exchanged. */
function running(totals: readonly number[], kept: KeptEnds, amounts: readonly number[]): number[] {
  const result = totals.slice(0, kept.first + 1);
  let total = result.at(-1) ?? 0;
  for (const amount of amounts) result.push((total += amount));
  const cut = totals.length - 1 - kept.last;
  const shift = total - (totals[cut] ?? 0);
  for (const each of totals.slice(cut + 1)) result.push(each + shift);
  return result;
}

function problemsOf<T>(file: string, pieces: readonly ParsedPiece<T>[]): readonly Problem[] {
  const problems: Problem[] = [];
  let firstLine = 1;
  for (const { fault, lines } of pieces) {
    if (fault) problems.push(syntaxProblem(file, firstLine, fault));
    firstLine += lines;
  }
  return problems;
}

/** A slice keeps the whole text alive that it was cut from: one text for each edit, for as long as its piece stays. */
function ownCopy(slice: string): string {
  return Buffer.from(slice).toString();
}

function parsePiece<T>(
  text: string,
  file: string,
  interpret: (document: ManifestDocument) => T,
): ParsedPiece<T> {
  const lines = countLineBreaks(text);
  if (isBlankPiece(text)) return { text, lines, documents: [] };
  let values: unknown[];
  try {
    values = loadAll(text, { schema: MANIFEST_SCHEMA });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return { text, lines, documents: [], fault: faultOf(error) };
  }
  const line = contentLine(text);
  const expansion = text.includes('*') ? expansionFault(values) : undefined;
  if (expansion !== undefined)
    return { text, lines, documents: [], fault: { line, column: 1, message: expansion } };
  const documents = values.flatMap((value, index) =>
    value === null || value === undefined
      ? []
      : [{ value: interpret({ value, file, line: line + 1, text, firstLine: 1, index }), line, index }],
  );
  return { text, lines, documents };
}

function faultOf(error: YAMLException): Fault {
  const { mark } = error;
  return { line: mark?.line ?? 0, column: (mark?.column ?? 0) + 1, message: error.reason };
}

function syntaxProblem(file: string, firstLine: number, fault: Fault): Problem {
  return {
    field: '',
    reason: 'InvalidSyntax',
    message: `not valid YAML: ${fault.message}`,
    transient: false,
    severity: 'error',
    position: { file, line: firstLine + fault.line, column: fault.column },
  };
}

function countLineBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/** Line breaks before the first line that is neither blank, a comment, a directive nor a bare marker. */
function contentLine(text: string): number {
  const preamble = /^(?:(?:---)?[ \t]*(?:#[^\n]*)?\r?\n|%[^\n]*\n)*/.exec(text);
  return countLineBreaks(preamble?.[0] ?? '');
}
