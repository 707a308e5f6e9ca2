import { join } from 'node:path';
import { FSWatcher } from 'chokidar';
import { lstatSync } from 'node:fs';
import type { Logger } from 'pino';
import { isManifestName } from './list-files.ts';

export interface TreeWatchOptions {
  /** Absolute path of a folder. */
  readonly root: string;
  /** Look into folders inside the root too. */
  readonly recursive: boolean;
  /** A file of this path may have changed. `modified`: its content was written to, it was not only put in place. */
  readonly onFile: (path: string, modified: boolean) => void;
  /** Something else than a manifest file may have come or gone here: a folder, a link, a file of another kind. */
  readonly onOther: (path: string) => void;
  /** What is in the tree may have changed anywhere. */
  readonly onTree: () => void;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * chokidar, asked for two things: to keep a subscription on every folder of a tree, and for what the kernel says
 * (`raw` events) at once. Its own events about files come too late for us: `change` of one path at most every 50 ms,
 * `unlink` after 100 ms. What a file's content is worth is decided elsewhere, from the file itself.
 */
class TreeWatcher extends FSWatcher {
  readonly #folders = new Set<string>();

  constructor(options: ConstructorParameters<typeof FSWatcher>[0]) {
    super(options);
    this.on('addDir', (path: string) => this.#folders.add(path));
    this.on('unlinkDir', (path: string) => this.#folders.delete(path));
  }

  /**
   * chokidar asks this before it examines a path behind an event. Files are examined by us: without this, each event
   * of a manifest costs 150 us instead of 30, and each temporary file that was renamed away a look at all its
   * neighbours. Should a later chokidar not ask any more, only that is lost.
   */
  override isUnwatched(path: string): boolean {
    return isManifestName(baseNameOf(path)) || this.#isNoFolder(path) || super.isUnwatched(path);
  }

  /** Neither a folder or link, nor a place where a folder was. */
  #isNoFolder(path: string): boolean {
    if (this.#folders.has(path)) return false;
    try {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats === undefined || !(stats.isDirectory() || stats.isSymbolicLink());
    } catch {
      return false; // Not to be seen: chokidar says why.
    }
  }
}

/** Watches a tree for as long as `signal` is not aborted; resolves when everything is closed. */
export async function watchTree(options: TreeWatchOptions): Promise<void> {
  const { root, recursive, logger, signal } = options;
  if (signal.aborted) return;
  const watcher = new TreeWatcher({
    ignoreInitial: true,
    ignorePermissionErrors: true,
    atomic: false,
    ...(recursive ? {} : { depth: 0 }),
    ignored: (path) => path.length > root.length && isIgnored(path.slice(root.length)),
  });
  watcher.on('raw', (event, name: string | null, details: unknown) => {
    const folder = watchedPathOf(details);
    if (folder === undefined || name === null) options.onTree();
    else if (isManifestName(name)) options.onFile(join(folder, name), event === 'change');
    // `..data` is the link that a kubelet exchanges to change all files of a mounted ConfigMap.
    else if (!name.startsWith('.') || name.startsWith('..')) options.onOther(join(folder, name));
  });
  // A folder is subscribed to some time after it was made: what was put into it meanwhile is found by looking.
  watcher.on('addDir', options.onTree);
  watcher.on('unlinkDir', options.onTree);
  watcher.on('ready', options.onTree);
  let complained = false;
  watcher.on('error', (error) => {
    if (!complained)
      logger.warn({ err: error, folder: root }, 'folder cannot be watched in full, looking at it regularly');
    complained = true;
  });
  watcher.add(root);
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
  await watcher.close();
}

/** Hidden at any level, or a file that is none of our business to chokidar. */
function isIgnored(inside: string): boolean {
  return /[/\\]\./.test(inside) || isManifestName(baseNameOf(inside));
}

function baseNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function watchedPathOf(details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return undefined;
  return typeof details.watchedPath === 'string' ? details.watchedPath : undefined;
}
