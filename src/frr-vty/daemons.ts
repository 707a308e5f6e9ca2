import { watch } from 'chokidar';
import { basename } from 'node:path';

/** A restarting daemon removes its socket and makes another within this time; one call for all of it. */
const QUIET_MS = 100;

/**
 * Watches the folder of FRR's sockets and calls when a daemon's socket (`bgpd.vty`) comes or goes: the daemon was
 * started, restarted or ended, and the long-lived vtysh is deaf for it.
 */
export function watchDaemons(
  socketsDir: string,
  onChange: () => void,
): { readonly close: () => Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(socketsDir, { depth: 0, ignoreInitial: true, atomic: false });
  const changed = (path: string): void => {
    if (!basename(path).endsWith('.vty')) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, QUIET_MS);
  };
  watcher.on('add', changed).on('unlink', changed);
  // The periodic full read finds what a lost event would have told.
  watcher.on('error', () => undefined);
  return {
    close: async () => {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}
