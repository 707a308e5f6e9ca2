import { loadAll, YAMLException } from 'js-yaml';
import type { Problem } from '../core/problem.ts';
import { expansionFault } from './expansion.ts';
import { MANIFEST_SCHEMA } from './schema.ts';
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
  const parse = (piece: string): ParsedPiece<T> => parsePiece(piece, file, input.interpret);
  const pieces = parsePieces(text, previous?.pieces ?? [], parse);
  const documents: ManifestDocument<T>[] = [];
  const problems: Problem[] = [];
  let firstLine = 1;
  for (const piece of pieces) {
    for (const { value, line, index } of piece.documents) {
      documents.push({ value, file, line: firstLine + line, text: piece.text, firstLine, index });
    }
    if (piece.fault) problems.push(syntaxProblem(file, firstLine, piece.fault));
    firstLine += piece.lines;
  }
  return { file, documents, problems, pieces };
}

/** An edit mostly leaves all pieces before and behind it alone: those are taken over without looking them up. */
function parsePieces<T>(
  text: string,
  previous: readonly ParsedPiece<T>[],
  parse: (piece: string) => ParsedPiece<T>,
): ParsedPiece<T>[] {
  const starts = splitDocuments(text);
  const count = starts.length - 1;
  const isSame = (index: number, piece: ParsedPiece<T> | undefined): boolean =>
    text.slice(starts[index], starts[index + 1]) === piece?.text;
  const shorter = Math.min(count, previous.length);
  let before = 0;
  while (before < shorter && isSame(before, previous[before])) before += 1;
  let behind = 0;
  while (behind < shorter - before && isSame(count - 1 - behind, previous.at(-1 - behind))) behind += 1;

  const replaced = new Map(
    previous.slice(before, previous.length - behind).map((piece) => [piece.text, piece]),
  );
  const pieces = previous.slice(0, before);
  for (let index = before; index < count - behind; index += 1) {
    const slice = text.slice(starts[index], starts[index + 1]);
    pieces.push(replaced.get(slice) ?? parse(previous.length === 0 ? slice : ownCopy(slice)));
  }
  return pieces.concat(previous.slice(previous.length - behind));
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
