import { readFile } from 'node:fs/promises';

/** One JSON line of a speaker's log. */
export interface LogLine {
  readonly msg: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly [field: string]: unknown;
}

/** The JSON lines of a node's log; what FRR and the entrypoint print in between is left out. */
export async function readLog(path: string): Promise<LogLine[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine);
}

/** `performance.now()` as the logs' clock. */
export function epochOf(performanceMs: number): number {
  return performance.timeOrigin + performanceMs;
}
