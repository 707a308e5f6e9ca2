import { watch, type FSWatcher } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

/** A restarting daemon removes its socket and makes another within this time; one call for all of it. */
const QUIET_MS = 100;
/** How often the folder is looked for without any event: it may not be there yet, or be another one. */
const LOOK_MS = 1_000;
/** And so many times less often the sockets in it, of which the kernel tells: the safety net. */
const LOOKS_A_READ = 10;

/** What happened to the daemons since the call before. */
export interface DaemonsChange {
  /** Daemons that have another socket than the one they were seen with: `bgpd`; one that was only started is not. */
  readonly restarted: readonly string[];
}

/**
 * Watches the folder of FRR's sockets and calls when a daemon's socket (`bgpd.vty`) comes, goes or is another one: the
 * daemon was started, restarted or ended, and the long-lived vtysh is deaf for it. A folder that is not there yet is
 * waited for.
 */
export function watchDaemons(
  socketsDir: string,
  onChange: (change: DaemonsChange) => void,
): { readonly close: () => Promise<void> } {
  let closed = false;
  let known: string | undefined;
  /** The last socket of each daemon, also of those that are gone. */
  const births = new Map<string, string>();
  let restarted: string[] = [];
  let looking: Promise<void> = Promise.resolve();
  let quiet: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  let watchedFolder: number | undefined;

  const unwatch = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  const look = async (): Promise<void> => {
    const sockets = await socketsIn(socketsDir);
    const now = sockets.map(({ daemon, mark }) => `${daemon} ${mark}`).join('\n');
    if (closed || now === known) return;
    const isFirst = known === undefined;
    known = now;
    for (const { daemon, birth } of sockets) {
      const before = births.get(daemon);
      if (before !== undefined && before !== birth) restarted.push(daemon);
      births.set(daemon, birth);
    }
    if (isFirst) return;
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      const change = { restarted };
      restarted = [];
      onChange(change);
    }, QUIET_MS);
  };
  let asked = false;
  const lookSoon = (): void => {
    // One at a time, and once more for all that happened meanwhile.
    if (asked) return;
    asked = true;
    looking = looking.then(() => {
      asked = false;
      return look();
    });
  };
  /** @returns whether there is another folder than before, or none to listen to */
  const listen = async (): Promise<boolean> => {
    // Events follow the folder, not its name.
    const folder = await stat(socketsDir).then(
      ({ ino }) => ino,
      () => undefined,
    );
    if (closed || (watcher && folder === watchedFolder)) return false;
    unwatch();
    watchedFolder = folder;
    if (folder === undefined) return true;
    try {
      watcher = watch(socketsDir, { persistent: false }, lookSoon).on('error', unwatch);
    } catch {
      unwatch(); // gone again: the next look tries again
    }
    return true;
  };
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    const isReadDue = looks % LOOKS_A_READ === 0;
    looking = looking.then(listen).then((isNews) => (isNews || isReadDue ? look() : undefined));
  }, LOOK_MS);
  looking = listen().then(look);
  return {
    close: async () => {
      closed = true;
      clearInterval(timer);
      clearTimeout(quiet);
      unwatch();
      await looking;
    },
  };
}

/** The daemons without which nothing can be announced, and what is not announced cannot be noticed. */
export const NEEDED_DAEMONS = ['zebra', 'bgpd', 'bfdd'] as const;
const CONNECT_TIMEOUT_MS = 1_000;

/** Names of the needed daemons that do not take a connection on their vty socket. */
export async function missingDaemons(socketsDir: string): Promise<readonly string[]> {
  const answers = await Promise.all(
    NEEDED_DAEMONS.map((name) => takesConnection(join(socketsDir, `${name}.vty`))),
  );
  return NEEDED_DAEMONS.filter((_name, index) => answers[index] !== true);
}

function takesConnection(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      end(false);
    });
    socket.on('connect', () => {
      end(true);
    });
    socket.on('error', () => {
      end(false);
    });
  });
}

interface DaemonSocket {
  readonly daemon: string;
  /** Another one whenever something about the socket changed. */
  readonly mark: string;
  /** Another one when it is another socket: its owner and mode, which FRR sets after it made it, are not in it. */
  readonly birth: string;
}

/** By name. A folder or socket that went away meanwhile is not there. */
async function socketsIn(folder: string): Promise<readonly DaemonSocket[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const files = names.filter((name) => name.endsWith('.vty')).sort();
  const sockets = await Promise.all(
    files.map((name) =>
      stat(join(folder, name)).then(
        ({ ino, ctimeMs, mtimeMs }) => ({
          daemon: name.slice(0, -'.vty'.length),
          mark: `${ino} ${ctimeMs}`,
          birth: `${ino} ${mtimeMs}`,
        }),
        () => undefined,
      ),
    ),
  );
  return sockets.filter((socket) => socket !== undefined);
}
