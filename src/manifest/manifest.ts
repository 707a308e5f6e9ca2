import { loadAll, YAMLException } from 'js-yaml';
import type { Problem } from '../core/problem.ts';
import { expansionFault } from './expansion.ts';
import { MANIFEST_SCHEMA } from './schema.ts';
import { endsWithDirective, isBlankPiece, opensDocument, splitDocuments } from './split.ts';

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

/** One version of a manifest's text. Give it back with the next version, so that only what changed is parsed. */
export interface ManifestText<T = unknown> {
  readonly file: string;
  readonly documents: readonly ManifestDocument<T>[];
  /** Syntax errors, each with its position. The documents beside them are complete. */
  readonly problems: readonly Problem[];
  readonly pieces: readonly ParsedPiece<T>[];
}

interface ParsedPiece<T> {
  readonly text: string;
  /** Line breaks in `text`. */
  readonly lines: number;
  readonly documents: readonly ParsedDocument<T>[];
  readonly fault?: { readonly line: number; readonly column: number; readonly message: string };
}

interface ParsedDocument<T> {
  readonly value: T;
  /** Line breaks before its first content, inside the piece. */
  readonly line: number;
  readonly index: number;
}

export interface ManifestInput<T> {
  readonly text: string;
  readonly file: string;
  /** The version before, of the same file. */
  readonly previous?: ManifestText<T> | undefined;
}

/**
 * Parses a YAML or JSON stream of Kubernetes objects. Empty documents are left out. Costs the search for document
 * markers, and the parsing of those pieces that `previous` does not hold.
 */
export function parseManifestText(input: ManifestInput<unknown>): ManifestText {
  return readManifestText({ ...input, interpret: ({ value }) => value });
}

/**
 * As {@link parseManifestText}, and makes of each document's value what is kept of it: with many documents, the values
 * are the larger part of the memory.
 * @param input.interpret called once for each document whose text is new; lines count from the start of its piece
 */
export function readManifestText<T>(
  input: ManifestInput<T> & { readonly interpret: (document: ManifestDocument) => T },
): ManifestText<T> {
  const { text, file, previous } = input;
  const before = previous?.pieces ?? [];
  const kept = keptEnds(text, before);
  const pieces = parsePieces(text, before, {
    kept,
    parse: (piece) => parsePiece(piece, file, input.interpret),
  });
  const documents: ManifestDocument<T>[] = [];
  const problems: Problem[] = [];
  let firstLine = 1;
  for (const [at, piece] of pieces.entries()) {
    for (const { value, line, index } of piece.documents) {
      // What stands above is the same too, so its place is.
      const same = at < kept.first ? previous?.documents[documents.length] : undefined;
      documents.push(same ?? { value, file, line: firstLine + line, text: piece.text, firstLine, index });
    }
    if (piece.fault) problems.push(syntaxProblem(file, firstLine, piece.fault));
    firstLine += piece.lines;
  }
  return { file, documents, problems, pieces };
}

/** How much of a text is as in the version before: so many pieces at the start and at the end, and what is between. */
interface KeptEnds {
  readonly first: number;
  readonly last: number;
  readonly from: number;
  readonly to: number;
}

/** An edit mostly leaves all pieces before and behind it alone: those are recognised without looking for markers. */
function keptEnds<T>(text: string, previous: readonly ParsedPiece<T>[]): KeptEnds {
  let first = 0;
  let from = 0;
  for (const piece of previous) {
    const end = from + piece.text.length;
    const isWhole = end === text.length || opensDocument(text, end);
    if (!isWhole || text.slice(from, end) !== piece.text) break;
    first += 1;
    from = end;
  }
  // Only the last piece can be directives alone, and they belong to what follows them now.
  const lastPiece = previous.at(-1);
  if (lastPiece && first === previous.length && endsWithDirective(lastPiece.text)) {
    first -= 1;
    from -= lastPiece.text.length;
  }
  let last = 0;
  let to = text.length;
  while (first + last < previous.length) {
    const piece = previous[previous.length - 1 - last];
    const start = to - (piece?.text.length ?? 0);
    if (!piece || start < from || !opensDocument(text, start) || text.slice(start, to) !== piece.text) break;
    last += 1;
    to = start;
  }
  // Directives at the end of what is between belong to the piece behind them.
  return endsWithDirective(text.slice(from, to))
    ? { first, last: 0, from, to: text.length }
    : { first, last, from, to };
}

function parsePieces<T>(
  text: string,
  previous: readonly ParsedPiece<T>[],
  { kept, parse }: { readonly kept: KeptEnds; readonly parse: (piece: string) => ParsedPiece<T> },
): ParsedPiece<T>[] {
  const between = text.slice(kept.from, kept.to);
  const behind = previous.slice(previous.length - kept.last);
  const replaced = new Map(
    previous.slice(kept.first, previous.length - kept.last).map((piece) => [piece.text, piece]),
  );
  const pieces = previous.slice(0, kept.first);
  const starts = splitDocuments(between);
  for (const [index, start] of starts.slice(0, -1).entries()) {
    const slice = between.slice(start, starts[index + 1]);
    pieces.push(replaced.get(slice) ?? parse(previous.length === 0 ? slice : ownCopy(slice)));
  }
  return pieces.concat(behind);
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

function faultOf(error: YAMLException): NonNullable<ParsedPiece<unknown>['fault']> {
  const { mark } = error;
  return { line: mark?.line ?? 0, column: (mark?.column ?? 0) + 1, message: error.reason };
}

function syntaxProblem(
  file: string,
  firstLine: number,
  fault: NonNullable<ParsedPiece<unknown>['fault']>,
): Problem {
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
