import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

const BGPD = '/usr/lib/frr/bgpd';

/** Where a figure was taken. */
export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memoryGiB: number;
  /** Version of Node. */
  readonly node: string;
  /** Version of the FRR that is installed; undefined: none is. */
  readonly frr: string | undefined;
}

export function thisMachine(): Machine {
  const [cpu] = cpus();
  return {
    cpus: cpus().length,
    model: cpu?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    frr: installedFrr(),
  };
}

/** In one line, for the head of a table. */
export function machineText({ cpus: count, model, memoryGiB, node, frr }: Machine): string {
  return `Node ${node}, FRR ${frr ?? 'none'}, ${count} x ${model}, ${memoryGiB} GiB`;
}

function installedFrr(): string | undefined {
  const { stdout, error } = spawnSync(BGPD, ['--version'], { encoding: 'utf8', timeout: 5_000 });
  return error ? undefined : / version (\S+)/.exec(stdout)?.[1];
}
