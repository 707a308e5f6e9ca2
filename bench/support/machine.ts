import { cpus, totalmem } from 'node:os';

/** Where a figure was taken. */
export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memoryGiB: number;
  /** Version of Node. */
  readonly node: string;
}

export function thisMachine(): Machine {
  const [cpu] = cpus();
  return {
    cpus: cpus().length,
    model: cpu?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}

/** In one line, for the head of a table. */
export function machineText({ cpus: count, model, memoryGiB, node }: Machine): string {
  return `Node ${node}, ${count} x ${model}, ${memoryGiB} GiB`;
}
