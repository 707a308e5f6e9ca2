import { readdirSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { compareText } from '../core/order.ts';

const MANIFEST_NAME = /^[^.].*\.(?:yaml|yml|json)$/;

/** What `dir:PATH` names when it is one file: that file, as if it were alone in a folder. */
export function listSingle(file: string): Listing {
  return { files: [file], folders: new Set(), failures: [] };
}

/** Visible, and with one of the endings that kubectl takes from a folder. */
export function isManifestName(name: string): boolean {
  return MANIFEST_NAME.test(name);
}

export interface Listing {
  /** Paths of manifest files, sorted. Symbolic links are followed, whatever they are named inside. */
  readonly files: readonly string[];
  /** Folders inside the root, and links to folders. */
  readonly folders: ReadonlySet<string>;
  /** Folders that could not be listed: what they hold is unknown, not gone. */
  readonly failures: readonly {
    readonly folder: string;
    readonly message: string;
    readonly missing: boolean;
  }[];
}

/**
 * Lists the manifest files of a folder and the folders in it. Hidden files and folders are left out, which covers
 * editors' swap files, `.git`, `.status`, and the `..data` folders behind mounted ConfigMaps.
 * A folder that is reached a second time on the way down (a symbolic link to a parent) is not entered again.
 */
export function listManifests(root: string): Listing {
  const files: string[] = [];
  const folders = new Set<string>();
  const failures: Listing['failures'][number][] = [];
  const visit = (folder: string, above: ReadonlySet<string>): void => {
    let entries: Dirent[];
    let identity: string;
    try {
      const stats = statSync(folder, { bigint: true });
      identity = `${stats.dev.toString()}:${stats.ino.toString()}`;
      if (above.has(identity)) return;
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      failures.push({
        folder,
        message: error.message,
        missing: error.code === 'ENOENT' || error.code === 'ENOTDIR',
      });
      return;
    }
    const inside = new Set(above).add(identity);
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (isFolder(entry, path)) {
        folders.add(path);
        visit(path, inside);
      } else if (isManifestName(entry.name)) files.push(path);
    }
  };
  visit(root, new Set());
  return { files: files.sort(compareText), folders, failures };
}

function isFolder(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // A link to nowhere is listed as a file when it is named like one, and found missing on reading.
  }
}
