import { isAlive } from '../../src/lab/index.ts';
import { namespacesOf } from './plan.ts';
import { planOf, readComponents, type ClusterState } from './state.ts';

export interface ComponentStatus {
  readonly name: string;
  readonly state: 'running' | 'ended';
  readonly pid: number;
  readonly log: string;
}

export interface ClusterStatus {
  readonly name: string;
  /** `unfinished`: its start failed or was killed; only `down` helps. */
  readonly phase: 'starting' | 'running' | 'unfinished';
  readonly startedAt: string;
  readonly namespaces: readonly string[];
  readonly components: readonly ComponentStatus[];
}

/** What of a cluster runs. What the nodes themselves say, the API server tells (`kc get nodes`). */
export async function clusterStatus(state: ClusterState): Promise<ClusterStatus> {
  const { name, startedAt } = state;
  const unfinished = state.phase === 'starting' && !(await isAlive(state.starter));
  const components = await Promise.all(
    (await readComponents(name)).map(async ({ name: component, process, log }): Promise<ComponentStatus> => {
      const running = await isAlive(process);
      return { name: component, state: running ? 'running' : 'ended', pid: process.pid, log };
    }),
  );
  const phase = unfinished ? 'unfinished' : state.phase;
  return { name, phase, startedAt, namespaces: namespacesOf(planOf(state)), components };
}

/** Whether everything that was started still runs. A node that lost its power is not missed: its daemons are forgotten. */
export function isHealthy({ phase, components }: ClusterStatus): boolean {
  return phase === 'running' && components.every(({ state }) => state === 'running');
}
