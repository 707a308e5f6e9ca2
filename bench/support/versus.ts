import { summarise, type Summary } from './stats.ts';

/** Something of ours beside the least that anybody would need for the same, measured in turns. */
export interface Versus {
  /** Milliseconds. */
  readonly ours: Summary;
  readonly baseline: Summary;
  /** Of ours: what else the machine did makes it longer, never shorter. */
  readonly shortestMs: number;
  /** Of the shortest of each. */
  readonly ratio: number;
}

export interface VersusOptions {
  /** Gives what is timed, prepared anew for each round. */
  readonly ours: () => () => unknown;
  readonly baseline: () => () => unknown;
  readonly rounds: number;
}

export function versus({ ours, baseline, rounds }: VersusOptions): Versus {
  const times = { ours: [] as number[], baseline: [] as number[] };
  // One round more: in the first the code is still being compiled.
  for (let round = 0; round <= rounds; round += 1) {
    const pair = { ours: timed(ours()), baseline: timed(baseline()) };
    if (round === 0) continue;
    times.ours.push(pair.ours);
    times.baseline.push(pair.baseline);
  }
  const shortestMs = Math.min(...times.ours);
  return {
    ...{ ours: summarise(times.ours), baseline: summarise(times.baseline), shortestMs },
    ratio: Math.round((shortestMs / Math.min(...times.baseline)) * 100) / 100,
  };
}

function timed(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}
