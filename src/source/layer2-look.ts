import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareText } from '../core/order.ts';
import { objectKey, type Problem } from '../core/problem.ts';
import { ownershipsOf, type OwnershipRecord, type WrittenLayer2, type WrittenSpeaker } from '../l2/index.ts';
import { MAX_MANIFEST_BYTES } from '../manifest/index.ts';
import { contentOf } from './layer2-content.ts';
import { layer2FileOf, moveFileName, type MoveRequest } from './layer2-files.ts';
import { readFile } from './read-file.ts';
import { removeStatusFile } from './status-folder.ts';

/** Layer 2 in a status folder, for somebody who is no speaker. */

/**
 * Reads once what speakers wrote for each other.
 * @returns nothing at all where no speaker ever ran; a file that cannot be read is a Problem, and the others count
 */
export function readFolderLayer2(folder: string): WrittenLayer2 & { readonly problems: readonly Problem[] } {
  const speakers = new Map<string, WrittenSpeaker>();
  const moves = new Map<string, string>();
  const seen: [string, OwnershipRecord][] = [];
  const problems: Problem[] = [];
  for (const name of namesIn(folder)) {
    const file = layer2FileOf(name);
    if (!file) continue;
    const path = join(folder, name);
    const read = readFile(path, MAX_MANIFEST_BYTES);
    if (read.kind === 'missing') continue; // removed since it was listed
    if (read.kind !== 'bytes') {
      problems.push(unreadable(path, read.kind === 'changing' ? 'is being written' : read.message));
      continue;
    }
    const content = contentOf(read.bytes, { path, file, before: undefined });
    if (typeof content === 'string') {
      problems.push(unreadable(path, content));
      continue;
    }
    switch (content.kind) {
      case 'speaker':
        speakers.set(content.file.record.node, content.file);
        break;
      case 'owned':
        for (const [key, { record }] of content.owned) seen.push([key, record]);
        break;
      case 'move':
        moves.set(objectKey(content.request.service), content.request.node);
    }
  }
  return { speakers, ownerships: ownershipsOf({ node: '', seen, own: undefined }), moves, problems };
}

/** Takes a request back, unless somebody has asked for something else since. */
export function withdrawFolderMove(folder: string, request: MoveRequest): void {
  if (readFolderLayer2(folder).moves.get(objectKey(request.service)) !== request.node) return;
  removeStatusFile(folder, moveFileName(request.service));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort(compareText);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []; // nothing ran here yet
    throw error;
  }
}

function unreadable(path: string, message: string): Problem {
  return {
    ...{ field: '', reason: 'FileUnreadable', message, transient: true, severity: 'error' },
    position: { file: path, line: 1, column: 1 },
  };
}
