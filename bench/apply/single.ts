import { setTimeout as delay } from 'node:timers/promises';
import { putFile, removeFile } from '../support/folder.ts';
import { benchAddress, serviceManifests } from '../support/manifests.ts';
import { summarise, type Summary } from '../support/stats.ts';
import type { FrrFloor } from './floor.ts';
import { NODES, type Rig } from './rig.ts';

const PRESENT = 1_000;
const TIMEOUT_MS = 30_000;

export interface SingleResult {
  readonly file: 'own' | 'shared';
  readonly toFrrRouter: { readonly floor: Summary; readonly ours: Summary };
  readonly toBird: { readonly floor: Summary; readonly ours: Summary };
  /** Floor trials in which a speaker's own reading of FRR took the hand-typed line away; done again. */
  readonly floorRepeats: number;
}

/**
 * One Service added with 1,000 others present: from the change of its file to the route with all next hops in each
 * router's kernel. The floor is the same line typed by hand, in turn with it.
 *
 * @param options.file `own`: the Service comes in a file of its own; `shared`: at the end of the file of all others
 */
export async function measureSingle(
  rig: Rig,
  floor: FrrFloor,
  options: { readonly file: 'own' | 'shared'; readonly trials: number },
): Promise<SingleResult> {
  const { file, trials } = options;
  const present = Array.from({ length: PRESENT }, (_, index) =>
    serviceManifests(`web-${index}`, benchAddress(index)),
  ).join('');
  const ours = { frr: [] as number[], bird: [] as number[] };
  const typed = { frr: [] as number[], bird: [] as number[] };
  let floorRepeats = 0;

  let text = present;
  for (let trial = 0; trial < trials; trial += 1) {
    const address = benchAddress(PRESENT + trial);
    const service = serviceManifests(`one-${trial}`, address);
    const startedAt =
      file === 'own'
        ? await putFile(rig.folder, `one-${trial}.yaml`, service)
        : await putFile(rig.folder, 'services.yaml', (text += service));
    const [frr, bird] = await arrival(rig, [address], NODES.length);
    ours.frr.push(frr - startedAt);
    ours.bird.push(bird - startedAt);
    // The speakers read FRR back after a second of quiet: let them, then type behind their back.
    await delay(1_600);
    const prefix = `${benchAddress(60_000 + trial)}/32`;
    const host = prefix.replace('/32', '');
    for (let attempt = 1; ; attempt += 1) {
      const typedAt = performance.now();
      await floor.type(prefix, 'add');
      try {
        const [atFrr, atBird] = await arrival(rig, [host], NODES.length, 3_000);
        typed.frr.push(atFrr - typedAt);
        typed.bird.push(atBird - typedAt);
        break;
      } catch (error) {
        if (attempt === 5) throw error;
        floorRepeats += 1;
      } finally {
        await floor.type(prefix, 'remove');
        await arrival(rig, [host], 0);
      }
    }
    await delay(Math.random() * 100);
  }
  if (file === 'shared') await putFile(rig.folder, 'services.yaml', present);
  else for (let trial = 0; trial < trials; trial += 1) await removeFile(rig.folder, `one-${trial}.yaml`);
  await arrival(
    rig,
    Array.from({ length: trials }, (_, trial) => benchAddress(PRESENT + trial)),
    0,
  );
  return {
    file,
    toFrrRouter: { floor: summarise(typed.frr), ours: summarise(ours.frr) },
    toBird: { floor: summarise(typed.bird), ours: summarise(ours.bird) },
    floorRepeats,
  };
}

/** When each router's kernel has so many next hops for all prefixes: [FRR router, BIRD]. */
export async function arrival(
  rig: Rig,
  prefixes: readonly string[],
  nextHops: number,
  timeoutMs = TIMEOUT_MS,
): Promise<[number, number]> {
  return Promise.all([
    rig.routes.frr.until(prefixes, nextHops, timeoutMs),
    rig.routes.bird.until(prefixes, nextHops, timeoutMs),
  ]);
}
