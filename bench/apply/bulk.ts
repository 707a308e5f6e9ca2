import { setTimeout as delay } from 'node:timers/promises';
import { putFile, removeFile } from '../support/folder.ts';
import { benchAddress, serviceManifests } from '../support/manifests.ts';
import { summarise, type Summary } from '../support/stats.ts';
import type { FrrFloor } from './floor.ts';
import { epochOf, readLog } from './log.ts';
import { NODES, type Rig } from './rig.ts';
import { arrival } from './single.ts';

export interface BulkResult {
  readonly services: number;
  readonly add: BulkFigures;
  readonly remove: BulkFigures;
}

/** Milliseconds to the last change in the FRR router's kernel. */
export interface BulkFigures {
  readonly floor: Summary;
  readonly ours: Summary;
  /** Of `ours`, what follows the moment when the last speaker had the parsed input. */
  readonly afterParsing: Summary;
}

const FIRST = 20_000;

/** So many Services added at once and removed at once, in a file of their own; the floor is `vtysh -f` on all nodes. */
export async function measureBulk(
  rig: Rig,
  floor: FrrFloor,
  options: { readonly services: number; readonly trials: number },
): Promise<BulkResult> {
  const addresses = Array.from({ length: options.services }, (_, index) => benchAddress(FIRST + index));
  const text = addresses.map((address, index) => serviceManifests(`bulk-${index}`, address)).join('');
  const result = { add: figures(), remove: figures() };
  for (let trial = 0; trial < options.trials; trial += 1) {
    await record(rig, result.add, NODES.length, addresses, () => putFile(rig.folder, 'bulk.yaml', text));
    await delay(2_000);
    await record(rig, result.remove, 0, addresses, () => removeFile(rig.folder, 'bulk.yaml'));
    await delay(2_000);
    const prefixes = addresses.map((address) => `${address}/32`);
    for (const [action, into, nextHops] of [
      ['add', result.add.floor, NODES.length],
      ['remove', result.remove.floor, 0],
    ] as const) {
      const [startedAt, [frr]] = await Promise.all([
        floor.typeFile(prefixes, action, '/tmp'),
        arrival(rig, addresses, nextHops, 60_000),
      ]);
      into.push(frr - startedAt);
      await delay(500);
    }
  }
  return { services: options.services, add: summary(result.add), remove: summary(result.remove) };
}

interface Series {
  readonly floor: number[];
  readonly ours: number[];
  readonly afterParsing: number[];
}

function figures(): Series {
  return { floor: [], ours: [], afterParsing: [] };
}

function summary(series: Series): BulkFigures {
  return {
    floor: summarise(series.floor),
    ours: summarise(series.ours),
    afterParsing: summarise(series.afterParsing),
  };
}

async function record(
  rig: Rig,
  series: Series,
  nextHops: number,
  addresses: readonly string[],
  change: () => Promise<number>,
): Promise<void> {
  const startedAt = await change();
  const [frr] = await arrival(rig, addresses, nextHops, 60_000);
  series.ours.push(frr - startedAt);
  series.afterParsing.push(epochOf(frr) - (await lastInput(rig, epochOf(startedAt), epochOf(frr))));
}

/** When the last speaker was handed the input of its last change of FRR before `toMs`. */
async function lastInput(rig: Rig, fromMs: number, toMs: number): Promise<number> {
  const inputs = await Promise.all(
    NODES.map(async ({ name }) => {
      const applied = (await readLog(rig.logOf(name))).filter(
        (line) => line.msg === 'configuration applied' && typeof line.inputAt === 'number',
      );
      const times = applied.map((line) => line.inputAt as number).filter((at) => at >= fromMs && at <= toMs);
      return Math.max(fromMs, ...times);
    }),
  );
  return Math.max(...inputs);
}
