import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { compareText } from '../core/order.ts';
import type { Problem } from '../core/problem.ts';
import { decodeManifest, documentsOf, MAX_MANIFEST_BYTES } from '../manifest/index.ts';
import { listManifests } from './list-files.ts';
import { afterDoubt, afterRead, emptyManifestFile, PATIENCE, type FileContent } from './manifest-file.ts';
import { DEFAULT_NAMESPACE } from './namespaces.ts';
import { ObjectIndex } from './object-index.ts';
import { createDocumentParser } from './parsed-document.ts';
import { readFile } from './read-file.ts';
import { withServiceStatus } from './service-status.ts';
import type { SourceState } from './source.ts';
import { statusFolderOf } from './status-folder.ts';
import { StatusReader } from './status-reader.ts';

/** How standard input is named among paths and in problems. */
export const STDIN_PATH = '-';

export interface ReadManifestsOptions {
  /** Files and folders; `-` is standard input. */
  readonly paths: readonly string[];
  /** Where metallb.io objects are read from. */
  readonly namespace: string;
  /** What standard input said; needed when `paths` has `-`. */
  readonly stdin?: Uint8Array;
}

/**
 * Reads manifests once. A Service has the status that a controller left beside its manifests, otherwise that of its own
 * manifest, which is how a dump of a cluster keeps its addresses.
 */
export function readManifests(options: ReadManifestsOptions): SourceState {
  const { paths, namespace, stdin } = options;
  const readers = paths
    .filter((path) => path !== STDIN_PATH)
    .map((path) => new StatusReader({ folder: statusFolderOf(resolve(path)), goneMs: 0 }));
  for (const reader of readers) reader.refresh('all', 0);
  const index = new ObjectIndex({
    namespace,
    completeService: (service) => {
      const status = readers.map((reader) => reader.get(service.metadata)).find((each) => each !== undefined);
      return status ? withServiceStatus(service, status) : service;
    },
  });
  const parse = createDocumentParser({ defaultNamespace: DEFAULT_NAMESPACE, metallbNamespace: namespace });
  const listing = listPaths(paths);
  const states = listing.files.map((path) => {
    const before = emptyManifestFile(path === STDIN_PATH ? '<stdin>' : path);
    // Read once: there is no later version to wait for.
    const state = afterDoubt(
      afterRead(before, contentOf(path, stdin), { now: 0, patience: PATIENCE, parse }),
    );
    index.update(before, state);
    return state;
  });
  const snapshot = index.snapshot();
  return {
    snapshot,
    problems: [
      ...listing.problems,
      ...states.flatMap(({ problems }) => problems),
      ...index.duplicateProblems((path, document) => {
        const text = states.find((state) => state.path === path)?.text;
        return (text && documentsOf(text).find(({ value }) => value === document)?.line) ?? 1;
      }),
      ...readers.flatMap(({ problems }) => problems),
    ],
    unread: states.filter(({ wasWhole }) => !wasWhole).map(({ path }) => path),
  };
}

function listPaths(paths: readonly string[]): {
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
} {
  const files = new Set<string>();
  const problems: Problem[] = [];
  for (const path of paths) {
    if (path === STDIN_PATH || !isFolder(path)) {
      files.add(path);
      continue;
    }
    const listing = listManifests(path);
    for (const file of listing.files) files.add(file);
    problems.push(
      ...listing.failures.map(({ folder, message }) => unreadable(folder, `cannot be listed: ${message}`)),
    );
  }
  return { files: [...files].sort(compareText), problems };
}

function contentOf(path: string, stdin: Uint8Array | undefined): FileContent {
  if (path === STDIN_PATH) return textOf(stdin ?? new Uint8Array(), '<stdin>');
  const read = readFile(path, MAX_MANIFEST_BYTES);
  switch (read.kind) {
    case 'missing':
      return { kind: 'unreadable', problem: unreadable(path, 'does not exist') };
    case 'changing':
      return { kind: 'unreadable', problem: unreadable(path, 'is being written') };
    case 'unreadable':
      return { kind: 'unreadable', problem: unreadable(path, read.message) };
    case 'bytes':
      return textOf(read.bytes, path);
  }
}

function textOf(bytes: Uint8Array, file: string): FileContent {
  const decoded = decodeManifest(bytes, file);
  return decoded.ok
    ? { kind: 'text', text: decoded.text, placedWhole: true }
    : { kind: 'unreadable', problem: decoded.problem };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function unreadable(file: string, message: string): Problem {
  return {
    field: '',
    reason: 'FileUnreadable',
    message,
    transient: false,
    severity: 'error',
    position: { file, line: 1, column: 1 },
  };
}
