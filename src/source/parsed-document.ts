import { parseManifest, type ApiObject, type ManifestOptions } from '../api/index.ts';
import type { Problem, ResourceRef } from '../core/problem.ts';
import { positionOfPath, type DocumentPlace, type ManifestDocument } from '../manifest/index.ts';

/** What a document means. The same object as long as the document's text is the same. */
export interface ParsedDocument {
  readonly objects: readonly ApiObject[];
  readonly rejected: readonly ResourceRef[];
  /** The piece of the file it was parsed from. */
  readonly text: string;
  /** Lines count from the start of the document's piece of the file: what stands above it may move it. */
  readonly problems: readonly Problem[];
}

export type DocumentParser = (document: ManifestDocument) => ParsedDocument;

export function createDocumentParser(options: Omit<ManifestOptions, 'locate'>): DocumentParser {
  return (document) => {
    const locate: ManifestOptions['locate'] = (path) => positionOfPath(document, path);
    return { ...parseManifest(document.value, { ...options, locate }), text: document.text };
  };
}

/** The problems of a document as it stands in its file now. */
export function problemsOf(place: DocumentPlace, parsed: ParsedDocument): readonly Problem[] {
  return parsed.problems.map((problem) => {
    if (!problem.position) return { ...problem, position: positionOfPath(place, []) };
    const { line, column } = problem.position;
    return { ...problem, position: { file: place.file, line: line + place.firstLine - 1, column } };
  });
}
