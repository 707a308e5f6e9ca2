import type { ClusterSnapshot } from '../api/index.ts';
import type { Problem } from '../core/problem.ts';

/** What a source knows at one moment. */
export interface SourceState {
  readonly snapshot: ClusterSnapshot;
  /** Of reading: syntax, fields, objects that stand twice. Rules between objects are for `config/`. */
  readonly problems: readonly Problem[];
  /**
   * Where objects may be that the snapshot does not have, because it could not be read since start: what was decided
   * about them by an earlier run should be left alone. What could be read once is in the snapshot.
   */
  readonly unread: readonly string[];
}

/**
 * Takes a state, and when the first was heard of what makes it another one than before, by `performance.now()`. What
 * made it that could not be read at once (a file being written) was heard of when it was looked at again.
 */
export type OnState = (state: SourceState, heardAtMs: number) => void;

/**
 * Calls `onState` with the first complete state, then with each new one, until `signal` is aborted; the promise
 * resolves when all is closed. `onState` is called from the event loop, never from within itself.
 */
export type ClusterSource = (onState: OnState, signal: AbortSignal) => Promise<void>;
