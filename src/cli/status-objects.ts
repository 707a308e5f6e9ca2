import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compareText } from '../core/order.ts';
import type { Problem } from '../core/problem.ts';
import { decodeManifest, parseManifestText } from '../manifest/index.ts';
import { statusFolderOf } from '../source/index.ts';

/**
 * The objects that a controller and speakers left in the status folder of a source, as they stand in the files; without
 * what speakers tell each other about layer 2.
 */
export function readStatusObjects(source: string): {
  readonly objects: readonly unknown[];
  readonly problems: readonly Problem[];
} {
  const folder = statusFolderOf(resolve(source));
  const objects: unknown[] = [];
  const problems: Problem[] = [];
  for (const name of statusFiles(folder)) {
    const path = join(folder, name);
    const decoded = decodeManifest(readFileSync(path), path);
    if (!decoded.ok) {
      problems.push(decoded.problem);
      continue;
    }
    const text = parseManifestText({ text: decoded.text, file: path });
    objects.push(...text.documents.map(({ value }) => value));
    problems.push(...text.problems);
  }
  return { objects, problems };
}

function statusFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.yaml') && !name.startsWith('.') && !name.startsWith('l2-'))
      .sort(compareText);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []; // nothing ran here yet
    throw error;
  }
}
