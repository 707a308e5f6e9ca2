import { parseManifest, type ApiObject, type ManifestOptions } from '../api/index.ts';
import { objectKey, type Problem, type ResourceRef } from '../core/problem.ts';
import { positionOfPath, type DocumentPlace, type ManifestDocument } from '../manifest/index.ts';

/** What a document says of one object. */
export interface Statement {
  /** One for each kind, namespace and name. */
  readonly key: string;
  readonly ref: ResourceRef;
  /** Absent: what is said could not be read as this object. */
  readonly object?: ApiObject;
}

/** What a document means. The same object as long as the document's text is the same. */
export interface ParsedDocument {
  readonly statements: readonly Statement[];
  /** The piece of the file it was parsed from. */
  readonly text: string;
  /** Lines count from the start of the document's piece of the file: what stands above it may move it. */
  readonly problems: readonly Problem[];
}

export type DocumentParser = (document: ManifestDocument) => ParsedDocument;

/** Shared by all that have none. */
const NO_PROBLEMS: readonly never[] = Object.freeze([]);

export function createDocumentParser(options: Omit<ManifestOptions, 'locate'>): DocumentParser {
  return (document) => {
    const locate: ManifestOptions['locate'] = (path) => positionOfPath(document, path);
    const { objects, rejected, problems } = parseManifest(document.value, { ...options, locate });
    return {
      statements: statementsOf(objects, rejected),
      text: document.text,
      problems: problems.length === 0 ? NO_PROBLEMS : problems,
    };
  };
}

export function statementsOf(
  objects: readonly ApiObject[],
  rejected: readonly ResourceRef[],
): readonly Statement[] {
  return [
    ...objects.map((object) => {
      const ref = { kind: object.kind, namespace: object.metadata.namespace, name: object.metadata.name };
      return { key: keyOf(ref), ref, object };
    }),
    ...rejected.map((ref) => ({ key: keyOf(ref), ref })),
  ];
}

export function keyOf(ref: ResourceRef): string {
  return `${ref.kind} ${objectKey(ref)}`;
}

/** The problems of a document as it stands in its file now. */
export function problemsOf(place: DocumentPlace, parsed: ParsedDocument): readonly Problem[] {
  return parsed.problems.map((problem) => {
    if (!problem.position) return { ...problem, position: positionOfPath(place, []) };
    const { line, column } = problem.position;
    return { ...problem, position: { file: place.file, line: line + place.firstLine - 1, column } };
  });
}
