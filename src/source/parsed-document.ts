import { parseManifest, type ApiObject, type ManifestOptions } from '../api/index.ts';
import type { Problem, ResourceRef } from '../core/problem.ts';
import { positionOfPath, type ManifestDocument } from '../manifest/index.ts';

/** What a document means. The same object as long as the document's value is the same. */
export interface ParsedDocument {
  readonly objects: readonly ApiObject[];
  readonly rejected: readonly ResourceRef[];
  /** The piece of the file it was parsed from. */
  readonly text: string;
  /** Lines count from the start of the document's piece of the file: what stands above it may move it. */
  readonly problems: readonly Problem[];
}

export type DocumentParser = (document: ManifestDocument) => ParsedDocument;

/** Parses each document once: the result is remembered by the identity of its value. */
export function createDocumentParser(options: Omit<ManifestOptions, 'locate'>): DocumentParser {
  const known = new WeakMap<object, ParsedDocument>();
  return (document) => {
    const { value } = document;
    const key = typeof value === 'object' && value !== null ? value : undefined;
    const before = key && known.get(key);
    if (before) return before;
    const atTop = { ...document, line: document.line - document.firstLine + 1, firstLine: 1 };
    const result = parseManifest(value, { ...options, locate: (path) => positionOfPath(atTop, path) });
    const parsed = { ...result, text: document.text };
    if (key) known.set(key, parsed);
    return parsed;
  };
}

/** The problems of a document as it stands in its file now. */
export function problemsOf(document: ManifestDocument, parsed: ParsedDocument): readonly Problem[] {
  return parsed.problems.map((problem) => {
    if (!problem.position) return { ...problem, position: positionOfPath(document, []) };
    const { line, column } = problem.position;
    return { ...problem, position: { file: document.file, line: line + document.firstLine - 1, column } };
  });
}
