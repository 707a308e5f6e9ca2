import type { Logger } from 'pino';
import {
  applyEvent,
  applyFullRead,
  EMPTY_OBSERVED,
  isFrrAnswerMissing,
  parseBfdCounters,
  parseBfdPeers,
  parseBgpNeighbors,
  parseMonitorLine,
  peerText,
  SHOW_BFD_COUNTERS,
  SHOW_BFD_PEERS,
  SHOW_BGP_NEIGHBORS,
  vrfLabel,
  type FullRead,
  type Observation,
  type ObservedChange,
  type ObservedState,
} from '../bfd-status/index.ts';
import { openMonitor, VtyError, type Monitor, VtyshShell, type VtyshCommand } from '../frr-vty/index.ts';
import { createWorkLoop } from './work-loop.ts';

/** A burst of events is followed by one read. */
const READ_AFTER_MS = 300;
/** The safety net under the monitor. */
const SAFETY_READ_MS = 60_000;
const READ_TIMEOUT_MS = 10_000;
const REOPEN_AFTER_MS = 250;
/** What was read within this time is as of now for those who ask. */
const FRESH_MS = 500;
/** Who asks gets what was read last when FRR needs longer than this. */
const REFRESH_TIMEOUT_MS = 2_000;
const BACKOFF_MS = [250, 500, 1_000, 2_000, 5_000] as const;

export interface ObserverOptions {
  readonly vtysh: VtyshCommand;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onObserved: (state: ObservedState) => void;
}

export interface Observer {
  readonly state: () => ObservedState;
  /** The state after a read of now, or the last one known when FRR does not answer soon: counters change unheard. */
  readonly refreshed: () => Promise<ObservedState>;
  /** A daemon was restarted: listen and read anew. */
  readonly frrRestarted: () => void;
  readonly idle: () => Promise<void>;
}

/**
 * Knows what FRR's sessions do: told of each change by FRR's monitor, with a full read after changes and now and then
 * without cause.
 */
export function startObserver(options: ObserverOptions): Observer {
  const { vtysh, logger, signal } = options;
  let state = EMPTY_OBSERVED;
  let shell: VtyshShell | undefined;
  let readTimer: NodeJS.Timeout | undefined;
  let reopenTimer: NodeJS.Timeout | undefined;
  let complaint: string | undefined;
  let readAtMs = -Infinity;
  /** How often in a row vtysh ended in the place of an answer. */
  let exits = 0;

  const take = (observation: Observation): void => {
    state = observation.state;
    for (const change of observation.changes) logChange(logger, change);
    if (observation.readWanted) readSoon();
    if (observation.changes.length > 0) options.onObserved(state);
  };
  const readSoon = (): void => {
    readTimer ??= setTimeout(() => {
      readTimer = undefined;
      loop.request();
    }, READ_AFTER_MS);
  };

  const listen = (): Monitor => {
    const opened = openMonitor(vtysh, (line) => {
      const event = parseMonitorLine(line);
      if (!event || signal.aborted) return;
      take(applyEvent(state, event, Date.now()));
      if (event.kind === 'monitor-lost') reopenSoon();
    });
    void opened.ended.then(() => {
      if (opened === monitor) reopenSoon();
    });
    return opened;
  };
  const reopenSoon = (): void => {
    if (signal.aborted) return;
    reopenTimer ??= setTimeout(() => {
      reopenTimer = undefined;
      const former = monitor;
      monitor = listen();
      former.close();
      loop.request();
    }, REOPEN_AFTER_MS);
  };
  let monitor = listen();

  const read = async (): Promise<void> => {
    if (!shell?.isOpen) shell = new VtyshShell(vtysh);
    const startedAtMs = Date.now();
    const answers = await shell.run([SHOW_BGP_NEIGHBORS, SHOW_BFD_PEERS, SHOW_BFD_COUNTERS], {
      timeoutMs: READ_TIMEOUT_MS,
    });
    const [neighbors = '', peers = '', counters = ''] = answers.map((lines) => lines.join('\n'));
    take(applyFullRead(state, fullRead(startedAtMs, { neighbors, peers, counters }, logger), Date.now()));
    readAtMs = performance.now();
    options.onObserved(state);
  };
  const loop = createWorkLoop({
    signal,
    backoffMs: (attempt) => BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length) - 1] ?? 5_000,
    work: async () => {
      try {
        await read();
        complaint = undefined;
        exits = 0;
        return 'done';
      } catch (error) {
        if (!(error instanceof VtyError)) throw error;
        await shell?.close();
        exits = error.code === 'VTYSH_EXITED' ? exits + 1 : 0;
        // A new vtysh ends at once when no daemon takes its connection: then there are no sessions either.
        if (exits === 2)
          take(applyFullRead(state, { startedAtMs: Date.now(), bgp: [], bfd: [] }, Date.now()));
        if (complaint !== error.message && !signal.aborted) {
          complaint = error.message;
          logger.warn({ err: error }, 'sessions cannot be read, trying again');
        }
        return 'retry';
      }
    },
  });
  const safety = setInterval(loop.request, SAFETY_READ_MS);
  signal.addEventListener('abort', () => {
    clearInterval(safety);
    clearTimeout(readTimer);
    clearTimeout(reopenTimer);
    monitor.close();
  });
  loop.request();

  return {
    state: () => state,
    refreshed: async () => {
      if (performance.now() - readAtMs < FRESH_MS) return state;
      loop.request();
      await settledWithin(loop.idle(), REFRESH_TIMEOUT_MS);
      return state;
    },
    frrRestarted: () => {
      void shell?.close();
      reopenSoon();
    },
    idle: async () => {
      await loop.idle();
      await shell?.close();
    },
  };
}

async function settledWithin(work: Promise<void>, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, timeoutMs, undefined);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}

/** The daemon is not there, and so none of its sessions. */
const NOTHING = { sessions: [], problems: [] };

function fullRead(
  startedAtMs: number,
  answers: { readonly neighbors: string; readonly peers: string; readonly counters: string },
  logger: Logger,
): FullRead {
  const bgp = isFrrAnswerMissing(answers.neighbors) ? NOTHING : parseBgpNeighbors(answers.neighbors);
  const { counters } = parseBfdCounters(answers.counters);
  const bfd = isFrrAnswerMissing(answers.peers) ? NOTHING : parseBfdPeers(answers.peers, counters);
  for (const problem of [...bgp.problems, ...bfd.problems])
    logger.warn({ problem }, "an answer of FRR's cannot be read");
  return {
    startedAtMs,
    ...(bgp.problems.length === 0 || bgp.sessions.length > 0 ? { bgp: bgp.sessions } : {}),
    ...(bfd.problems.length === 0 || bfd.sessions.length > 0 ? { bfd: bfd.sessions } : {}),
  };
}

function logChange(logger: Logger, change: ObservedChange): void {
  if (change.kind === 'bgp') {
    const { peer, vrf, from, to, reason } = change;
    logger.info({ peer: peerText(peer), vrf: vrfLabel(vrf), from, to, reason }, 'BGP state changed');
    return;
  }
  const { session, from, to, diagnostic } = change;
  logger.info(
    { peer: session.peer.text, vrf: vrfLabel(session.vrf), from, to, diagnostic },
    'BFD state changed',
  );
}
