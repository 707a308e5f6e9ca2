import { watch, type FSWatcher } from 'node:fs';
import { basename } from 'node:path';
import type { Logger } from 'pino';
import { statIfThere } from './read-file.ts';

/** How often everything is looked at without an event: events are lost when the kernel's queue overflows. */
const SAFETY_INTERVAL_MS = 2_000;

export interface FlatFolderWatchOptions {
  readonly folder: string;
  /** Names whose files may have changed, once for all events of one turn; `all`: look at each. */
  readonly onTouched: (names: ReadonlySet<string> | 'all') => void;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Watches one folder without those in it, for as long as `signal` is not aborted. The folder may come and go.
 *
 * This is for the status folder, where chokidar's care about trees and editors is not needed: each event costs 20 us
 * here and 150 us there, and with many Services changed at once there are events by the dozen, in every speaker.
 */
export function watchFlatFolder(options: FlatFolderWatchOptions): void {
  const { folder, logger, signal } = options;
  const self = basename(folder);
  let watcher: FSWatcher | undefined;
  let watched: string | undefined;
  let touched: Set<string> | 'all' | undefined;
  let complained = false;

  const touch = (name: string | null): void => {
    if (touched === undefined) {
      setImmediate(() => {
        const names = touched ?? 'all';
        touched = undefined;
        if (!signal.aborted) options.onTouched(names);
      });
      touched = new Set();
    }
    if (name === null || name === self) touched = 'all';
    else if (touched !== 'all') touched.add(name);
  };
  const detach = (): void => {
    watcher?.close();
    watcher = undefined;
    watched = undefined;
  };
  const attach = (): void => {
    const identity = identityOf(folder);
    if (identity === watched) return;
    detach();
    if (identity === undefined) return;
    try {
      watcher = watch(folder, (_event, name) => {
        touch(name);
        // The folder itself is reported under its own name when it is deleted.
        if (name === self) attach();
      });
      watcher.on('error', detach);
      watched = identity;
    } catch (error) {
      if (!complained)
        logger.warn({ err: error, folder }, 'folder cannot be watched, looking at it regularly');
      complained = true;
    }
  };

  attach();
  const timer = setInterval(() => {
    attach();
    touch(null);
  }, SAFETY_INTERVAL_MS);
  signal.addEventListener('abort', () => {
    clearInterval(timer);
    detach();
  });
}

function identityOf(folder: string): string | undefined {
  const stats = statIfThere(folder);
  return stats && `${stats.dev.toString()}:${stats.ino.toString()}`;
}
