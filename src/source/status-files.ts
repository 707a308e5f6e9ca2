import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareText } from '../core/order.ts';
import { objectKey, type Problem } from '../core/problem.ts';
import { decodeManifest, MAX_MANIFEST_BYTES } from '../manifest/index.ts';
import { isUnchanged, readFile, statIfThere, type FileStamp } from './read-file.ts';
import { parseServiceStatuses, type ServiceStatus } from './service-status.ts';

/**
 * Service statuses are spread over this many files by a hash of their key. Fewer files make a single change dearer (it
 * rewrites its whole file), more make a change of everything dearer (each file costs a rename and an event for each
 * reader). Measured on ext4 with 10,000 Services, one change and all of them: 16 files 0.5 and 8 ms, 64 files 0.24 and
 * 17 ms, 256 files 0.2 and 57 ms.
 */
const FILE_COUNT = 32;
const STATUS_FILE = /^services-[0-9a-f]{2}\.yaml$/;

export function isStatusFileName(name: string): boolean {
  return STATUS_FILE.test(name);
}

/** The file that holds the status of a Service. */
export function statusFileNameFor(service: { readonly namespace: string; readonly name: string }): string {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(objectKey(service))) hash = Math.imul(hash ^ byte, 0x01000193);
  return `services-${((hash >>> 0) % FILE_COUNT).toString(16).padStart(2, '0')}.yaml`;
}

export interface StatusFile {
  readonly stamp?: FileStamp;
  readonly statuses: ReadonlyMap<string, ServiceStatus>;
  readonly problem?: Problem;
}

/** The status files there are, sorted; none when the folder is not there. */
export function listStatusFiles(folder: string): {
  readonly names: readonly string[];
  readonly problem?: Problem;
} {
  try {
    return { names: readdirSync(folder).filter(isStatusFileName).sort(compareText) };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (error.code === 'ENOENT') return { names: [] };
    return { names: [], problem: unreadable(folder, `folder cannot be listed: ${error.message}`) };
  }
}

/**
 * Reads one status file.
 * @param before what was read last: kept when the file is the same, or cannot be read as statuses
 * @returns undefined when it is not there
 */
export function readStatusFile(folder: string, name: string, before?: StatusFile): StatusFile | undefined {
  const path = join(folder, name);
  if (before?.stamp && isUnchanged(path, before.stamp)) return before;
  const read = readFile(path, MAX_MANIFEST_BYTES);
  switch (read.kind) {
    case 'missing':
      return undefined;
    case 'changing':
      return withProblem(
        before,
        path,
        'is being written by something other than metallb-frr, which replaces it whole',
      );
    case 'unreadable':
      return withProblem(before, path, read.message);
    case 'bytes': {
      const decoded = decodeManifest(read.bytes, path);
      if (!decoded.ok) return { ...withProblem(before, path, decoded.problem.message), stamp: read.stamp };
      const parsed = parseServiceStatuses(decoded.text, path);
      if (!parsed.ok) return { ...withProblem(before, path, parsed.message), stamp: read.stamp };
      return {
        stamp: read.stamp,
        statuses: new Map(parsed.statuses.map((status) => [objectKey(status), status])),
      };
    }
  }
}

/** Identifies one version of a file; undefined when it is not there. */
export function versionOf(path: string): string | undefined {
  const stats = statIfThere(path);
  return stats && `${stats.ino.toString()}:${stats.mtimeNs.toString()}:${stats.size.toString()}`;
}

function withProblem(before: StatusFile | undefined, path: string, message: string): StatusFile {
  return {
    statuses: before?.statuses ?? new Map<string, ServiceStatus>(),
    problem: unreadable(path, `file ${message}`),
  };
}

function unreadable(path: string, what: string): Problem {
  return {
    field: '',
    reason: 'FileUnreadable',
    message: `status ${what}; what it said before stays`,
    transient: true,
    severity: 'error',
    position: { file: path, line: 1, column: 1 },
  };
}
