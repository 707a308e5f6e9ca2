import { readFile } from 'node:fs/promises';
import { COMPONENT_ENV, startComponent } from './component.ts';
import { ClusterError } from './error.ts';
import { findComponent, forgetComponents, planOf, recordComponent, requireCluster } from './state.ts';

const API_SERVER = 'kube-apiserver';

/**
 * Kills the API server; what it stored stays with etcd.
 * @returns what starts it again, as it was; it is not ready yet when that returns
 */
export async function crashApiServer(name: string): Promise<() => Promise<void>> {
  const { controlPlane } = planOf(await requireCluster(name));
  const running = await findComponent(name, API_SERVER);
  if (!running) throw new ClusterError('ERR_CLUSTER_UNKNOWN', `cluster ${name} has no API server that runs`);
  const { pid } = running.process;
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1);
  process.kill(pid, 'SIGKILL');
  await forgetComponents(name, [API_SERVER]);
  return async () => {
    const component = await startComponent({
      ...{ name: API_SERVER, log: running.log, env: COMPONENT_ENV, detached: true },
      command: ['nsenter', `--net=/run/netns/${controlPlane.netns}`, '--', ...words],
    });
    await recordComponent(name, component);
  };
}
