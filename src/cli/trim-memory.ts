/**
 * V8 keeps the pages of what it has collected for the next burst, and gives them back to the system only when it is told
 * that memory is short: after a thousand Services at once a speaker whose objects take 35 MB stays at 250. Once it is quiet
 * that is said. It takes as long as collecting what lives, in which nobody is answered: 60 ms with a thousand Services, and
 * 200 with ten thousand.
 */

/** What a process has used, when it was looked at. */
export interface MemoryUse {
  readonly atMs: number;
  /** Of all its threads, since the start. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** JavaScript's objects. */
  readonly heapBytes: number;
}

const LOOK_EVERY_MS = 5_000;
/** It is quiet when it has used less than this part of a core since it was looked at before. */
const QUIET = 0.05;
const MIB = 2 ** 20;
/** What has to have come on top of what was left the last time: when quiet, */
const QUIET_GROWTH_BYTES = 16 * MIB;
/** and when it never is. */
const BUSY_GROWTH_BYTES = 96 * MIB;
const BUSY_EVERY_MS = 60_000;
/**
 * More takes longer to be collected than a tenth of a second. Who answers for addresses must not stand still for so long:
 * other nodes take one that does not answer three times, in 300 ms, to be gone.
 */
const ANSWERING_HEAP_BYTES = 48 * MIB;

/**
 * Whether memory should be given back.
 * @param trimmed what was left the last time; before the first: nothing, at the start
 * @param before of the look before this one
 */
export function isTrimDue(trimmed: MemoryUse, before: MemoryUse, now: MemoryUse): boolean {
  const growth = now.rssBytes - trimmed.rssBytes;
  const isQuiet = now.cpuMs - before.cpuMs < QUIET * (now.atMs - before.atMs);
  if (isQuiet) return growth >= QUIET_GROWTH_BYTES;
  return growth >= BUSY_GROWTH_BYTES && now.atMs - trimmed.atMs >= BUSY_EVERY_MS;
}

/**
 * Whether nobody minds when this process stands still for as long as it takes.
 * @param isAnswering whether others on a LAN wait for its answers; asked only when it matters
 */
export function mayStandStill({ heapBytes }: MemoryUse, isAnswering: () => boolean): boolean {
  return heapBytes <= ANSWERING_HEAP_BYTES || !isAnswering();
}

/** What `node --expose-gc` gives, with the option that it understands beside the documented ones. */
type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/**
 * Gives memory back from now on; does nothing in a Node that was started without `--expose-gc`.
 * @param isAnswering see {@link mayStandStill}
 */
export function trimMemory(signal: AbortSignal, isAnswering: () => boolean = () => false): void {
  const collect = globalThis.gc as Collect | undefined;
  if (!collect) return;
  let trimmed: MemoryUse = { ...memoryUse(), rssBytes: 0 };
  let before = trimmed;
  const look = (): void => {
    const now = memoryUse();
    if (isTrimDue(trimmed, before, now) && mayStandStill(now, isAnswering)) {
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
      trimmed = memoryUse();
      before = trimmed;
    } else before = now;
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  signal.addEventListener('abort', () => {
    clearInterval(timer);
  });
}

function memoryUse(): MemoryUse {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    atMs: performance.now(),
    cpuMs: (user + system) / 1_000,
    rssBytes: rss,
    heapBytes: heapUsed,
  };
}
