import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readFile } from 'node:fs/promises';
import {
  inNode,
  labDown,
  labUp,
  nodeLog,
  parseTopology,
  requireNode,
  type LabState,
} from '../../src/lab/index.ts';
import type { VtyshCommand } from '../../src/frr-vty/index.ts';
import { RouteWatch } from '../support/route-watch.ts';
import { baseManifests } from '../support/manifests.ts';
import { putFile } from '../support/folder.ts';

const TOPOLOGY = resolve(import.meta.dirname, 'bench.clab.yml');

/** Node names, with each router's address on the link to them; as in `bench.clab.yml`. */
export const NODES = [
  { name: 'n1', routers: { r1: '192.0.2.0', r2: '198.51.100.0' } },
  { name: 'n2', routers: { r1: '192.0.2.2', r2: '198.51.100.2' } },
  { name: 'n3', routers: { r1: '192.0.2.4', r2: '198.51.100.4' } },
] as const;

/** The lab with everything that measuring needs in hand. */
export interface Rig {
  readonly state: LabState;
  /** Folder of manifests that the controller and the speakers watch. */
  readonly folder: string;
  readonly routes: { readonly frr: RouteWatch; readonly bird: RouteWatch };
  /** vtysh inside each node, in the order of {@link NODES}. */
  readonly vtysh: readonly VtyshCommand[];
  readonly logOf: (node: string) => string;
  readonly down: () => Promise<void>;
}

/** Brings the lab up with the base manifests in place and waits for nothing else. */
export async function rigUp(options: {
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}): Promise<Rig> {
  await mkdir(join(dirname(TOPOLOGY), 'manifests'), { recursive: true });
  const parsed = parseTopology(await readFile(TOPOLOGY, 'utf8'), TOPOLOGY);
  if (!parsed.ok) throw new Error(`${TOPOLOGY} is not a topology we can run`);
  const state = await labUp({ topology: parsed.topology, file: TOPOLOGY, ...options });
  const folder = state.folders[0]?.copy;
  if (folder === undefined) throw new Error('the lab has no folder of manifests');
  await putFile(folder, 'base.yaml', baseManifests(NODES, ['r1']));
  const inside = async (name: string): Promise<readonly string[]> => inNode(requireNode(state, name));
  const vtysh = await Promise.all(
    NODES.map(async ({ name }): Promise<VtyshCommand> => {
      const [file, ...args] = [...(await inside(name)), 'vtysh'];
      return [file, ...args];
    }),
  );
  const routes = { frr: new RouteWatch(await inside('r1')), bird: new RouteWatch(await inside('r2')) };
  return {
    state,
    folder,
    routes,
    vtysh,
    logOf: (node) => nodeLog(state.name, node),
    down: async () => {
      await Promise.all([routes.frr.close(), routes.bird.close()]);
      await labDown(state.name);
    },
  };
}
