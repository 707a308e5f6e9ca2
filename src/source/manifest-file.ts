import { changedMiddle } from '../core/changed-middle.ts';
import { formatProblem, type Problem } from '../core/problem.ts';
import { documentsOf, readManifest, type ManifestVersion } from '../manifest/index.ts';
import { problemsOf, type DocumentParser, type ParsedDocument } from './parsed-document.ts';

/**
 * How long a loss is doubted before it counts, in milliseconds. A writer that truncates a file and writes it anew
 * shows, in between, a file that is empty or cut off: well-formed YAML with fewer objects in it.
 */
export interface Patience {
  /** A file that is not there. Editors move the old file away before they write the new one. */
  readonly goneMs: number;
  /** A file that holds fewer objects than before, counted from its last change. */
  readonly fewerMs: number;
  /** The same for a file that was put in place whole (by a rename): nobody is writing it. */
  readonly fewerWholeMs: number;
  /** A file without any object. `helm template > file` leaves it empty for as long as helm takes. */
  readonly emptyMs: number;
  /** A file that never comes to rest is believed after this long. */
  readonly restlessMs: number;
}

export const PATIENCE: Patience = {
  goneMs: 100,
  fewerMs: 100,
  fewerWholeMs: 5,
  emptyMs: 2_000,
  restlessMs: 5_000,
};

/** What is in use of a file, and what is doubted. Times are milliseconds of a monotonic clock. */
export interface ManifestFile {
  readonly path: string;
  /** The text read last, whether in use or not. */
  readonly text: ManifestVersion<ParsedDocument> | undefined;
  /** Of the documents of `text`, those with problems. */
  readonly wrong: ReadonlySet<ParsedDocument>;
  /** In use, in the order of the file; what was lost and is doubted stands at the end. */
  readonly documents: readonly ParsedDocument[];
  /** Part of `documents`: no longer in the file, and kept for now. */
  readonly leaving: ReadonlySet<ParsedDocument>;
  readonly problems: readonly Problem[];
  /** Some version of the file was read whole since start. */
  readonly wasWhole: boolean;
  /** Set while what the file says is doubted. */
  readonly doubt?: Doubt;
}

interface Doubt {
  readonly since: number;
  /** When it counts, unless the file says something else by then. */
  readonly until: number;
  /** What counts then. */
  readonly then: Pick<ManifestFile, 'documents' | 'problems'>;
}

export type FileContent =
  | { readonly kind: 'text'; readonly text: string; readonly placedWhole: boolean }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly problem: Problem };

export interface ReadContext {
  readonly now: number;
  readonly patience: Patience;
  readonly parse: DocumentParser;
}

export function emptyManifestFile(path: string): ManifestFile {
  return {
    path,
    text: undefined,
    wrong: new Set(),
    documents: [],
    leaving: new Set(),
    problems: [],
    wasWhole: false,
  };
}

/**
 * What is in use of a file after it was read. The rules, in this order:
 * - It cannot be read, or is not YAML throughout: what was in use stays. Only when nothing was in use yet are the
 *   well-formed documents of a broken file used. That it is broken is said when it has been left alone for a while.
 * - Objects that are new or changed are used at once.
 * - Objects that are gone stay until the file has been left alone for a while ({@link Patience}), and so does one that
 *   is cut off: the last of the file, with a text that the old one begins with.
 */
export function afterRead(file: ManifestFile, content: FileContent, context: ReadContext): ManifestFile {
  switch (content.kind) {
    case 'missing':
      return afterMissing(file, context);
    case 'unreadable':
      return { ...withoutDoubt(file), problems: keptIfSame(file.problems, [content.problem]) };
    case 'text':
      return afterText(file, content, context);
  }
}

/** The same after `until` of the doubt has passed without another change. */
export function afterDoubt(file: ManifestFile): ManifestFile {
  return file.doubt ? { ...withoutDoubt(file), ...file.doubt.then } : file;
}

function afterMissing(file: ManifestFile, context: ReadContext): ManifestFile {
  const empty = { text: undefined, wrong: new Set<ParsedDocument>(), wasWhole: true };
  const then = { documents: [], problems: [] };
  if (file.documents.length === 0) return { ...withoutDoubt(file), ...empty, ...then };
  const doubt = doubtFor(file, then, { ms: context.patience.goneMs, context });
  return { ...file, ...empty, leaving: new Set(file.documents), doubt };
}

function afterText(
  file: ManifestFile,
  content: Extract<FileContent, { kind: 'text' }>,
  context: ReadContext,
): ManifestFile {
  const { patience, parse } = context;
  const text = readManifest({
    text: content.text,
    file: file.path,
    previous: file.text,
    interpret: parse,
  });
  const quietMs = content.placedWhole ? patience.fewerWholeMs : patience.fewerMs;
  const parsed = text.values;
  const wrong = wrongDocuments(file, parsed);
  const problems = keptIfSame(file.problems, problemsOfText(text, wrong));
  const base = { ...withoutDoubt(file), text, wrong };
  if (text.problems.length > 0) {
    const documents = file.documents.length > 0 ? file.documents : parsed;
    return { ...base, documents, doubt: doubtFor(file, { documents, problems }, { ms: quietMs, context }) };
  }
  const whole = { ...base, wasWhole: true };
  const lost = lossesOf(file, parsed);
  if (lost.leaving.size === 0) return { ...whole, documents: parsed, problems };
  const ms = parsed.length === 0 ? patience.emptyMs : quietMs;
  return { ...whole, ...lost, doubt: doubtFor(file, { documents: parsed, problems }, { ms, context }) };
}

/** Looks at those that differ from the text before: nearly always a few of many. */
function wrongDocuments(file: ManifestFile, parsed: readonly ParsedDocument[]): ReadonlySet<ParsedDocument> {
  const isWrong = (document: ParsedDocument): boolean => document.problems.length > 0;
  const { removed, added } = changedMiddle(file.text?.values ?? [], parsed);
  if (!removed.some(isWrong))
    return added.some(isWrong) ? new Set([...file.wrong, ...added.filter(isWrong)]) : file.wrong;
  return new Set(parsed.filter(isWrong));
}

function problemsOfText(
  text: ManifestVersion<ParsedDocument>,
  wrong: ReadonlySet<ParsedDocument>,
): readonly Problem[] {
  if (wrong.size === 0) return text.problems;
  const documents = documentsOf(text).filter(({ value }) => wrong.has(value));
  return [...text.problems, ...documents.flatMap((document) => problemsOf(document, document.value))];
}

/** What `documents` lacks of what was in use, added to them. */
function lossesOf(
  file: ManifestFile,
  documents: readonly ParsedDocument[],
): Pick<ManifestFile, 'documents' | 'leaving'> {
  const { removed, added } = changedMiddle(file.documents, documents);
  if (removed.length === 0) return { documents, leaving: new Set() };
  const keys = new Set(added.flatMap(({ statements }) => statements.map(({ key }) => key)));
  const lost = removed.filter(({ statements }) => !statements.every(({ key }) => keys.has(key)));
  const last = documents.at(-1);
  const whole = last && added.includes(last) ? wholeFormOf(last, removed) : undefined;
  if (!whole) return { documents: [...documents, ...lost], leaving: new Set(lost) };
  const leaving = new Set([...lost, whole]);
  return { documents: [...documents.slice(0, -1), ...leaving], leaving };
}

/** The old form of a document that is the beginning of that old form's text and of the same object. */
function wholeFormOf(
  document: ParsedDocument,
  removed: readonly ParsedDocument[],
): ParsedDocument | undefined {
  const text = document.text.trimEnd();
  const keys = new Set(document.statements.map(({ key }) => key));
  return removed.find(
    (old) =>
      old.text.startsWith(text) &&
      old.text.trimEnd() !== text &&
      old.statements.some(({ key }) => keys.has(key)),
  );
}

/** The list from before when it says the same, so that it can be compared by identity. */
function keptIfSame(before: readonly Problem[], now: readonly Problem[]): readonly Problem[] {
  return sameProblems(before, now) ? before : now;
}

/** Equal to a reader. */
export function sameProblems(a: readonly Problem[], b: readonly Problem[]): boolean {
  return (
    a.length === b.length &&
    a.every((problem, index) => {
      const other = b[index];
      return problem === other || (other !== undefined && formatProblem(problem) === formatProblem(other));
    })
  );
}

function doubtFor(
  file: ManifestFile,
  then: Doubt['then'],
  { ms, context: { now, patience } }: { readonly ms: number; readonly context: ReadContext },
): Doubt {
  const since = file.doubt?.since ?? now;
  return { since, until: Math.min(now + ms, since + patience.restlessMs), then };
}

function withoutDoubt(file: ManifestFile): ManifestFile {
  const { doubt: _doubt, ...rest } = file;
  return { ...rest, leaving: new Set() };
}
