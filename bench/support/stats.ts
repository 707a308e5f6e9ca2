/** What is told of a series of durations, in milliseconds. */
export interface Summary {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly min: number;
  readonly max: number;
}

/** Nearest-rank percentiles: every figure is one that was measured. */
export function summarise(durationsMs: readonly number[]): Summary {
  if (durationsMs.length === 0) throw new Error('nothing was measured');
  const sorted = [...durationsMs].sort((a, b) => a - b);
  const rank = (share: number): number =>
    round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
  return {
    count: sorted.length,
    p50: rank(0.5),
    p90: rank(0.9),
    p99: rank(0.99),
    min: rank(0),
    max: rank(1),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
