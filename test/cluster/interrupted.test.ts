import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { atEnd, eventually } from '../support/index.ts';
import { clusterDown } from './down.ts';
import { clusterNames, findComponent, readComponents } from './state.ts';
import { processesOf, remainsOf } from './remains.ts';
import { describeWithCluster, testClusterName } from './test-cluster.ts';
import { clusterUp } from './up.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const SOON = { timeoutMs: 60_000, intervalMs: 5 };

/** Starts `up` as a person does; gives its process and the cluster's name. */
function startUp(): { readonly child: ReturnType<typeof spawn>; readonly name: string } {
  const name = testClusterName();
  const child = spawn(process.execPath, [MAIN, 'up', '--nodes', '1', '--name', name], { stdio: 'ignore' });
  atEnd(async () => {
    child.kill('SIGKILL');
    if ((await clusterNames()).includes(name)) await clusterDown(name);
  });
  return { child, name };
}

describeWithCluster('a start that does not come to its end', () => {
  test.for(['etcd', 'n1', 'n1.kubelet'])('killed when %s runs: down removes it all', async (component) => {
    const { child, name } = startUp();
    await eventually(async () => {
      expect(await findComponent(name, component)).toBeDefined();
    }, SOON);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const processes = await processesOf(name);
    expect(processes.length).toBeGreaterThan(0);
    await clusterDown(name);
    expect(await remainsOf(name, processes)).toEqual([]);
  });

  test('interrupted: it removes what it has made itself', async () => {
    const { child, name } = startUp();
    await eventually(async () => {
      expect(await findComponent(name, 'n1')).toBeDefined();
    }, SOON);
    const processes = await processesOf(name);
    child.kill('SIGINT');
    const [status] = (await once(child, 'exit')) as [number];
    expect(status).toBe(130);
    expect(await remainsOf(name, processes)).toEqual([]);
  });

  test('a component that dies: the error says which, and shows the end of its log', async () => {
    const name = testClusterName();
    atEnd(async () => {
      if ((await clusterNames()).includes(name)) await clusterDown(name);
    });
    const { signal } = new AbortController();
    const failure = clusterUp({
      ...{ name, nodeCount: 1, proxyMode: 'iptables', router: 'frr', images: [], signal },
      onProgress: () => undefined,
    });
    void killWhenThere(name, 'kube-apiserver');
    await expect(failure).rejects.toThrow(/kube-apiserver ended\n.*kube-apiserver\.log ends with:\n/);
    const processes = await processesOf(name);
    await clusterDown(name);
    expect(await remainsOf(name, processes)).toEqual([]);
    expect(await readComponents(name)).toEqual([]);
  });
});

async function killWhenThere(name: string, component: string): Promise<void> {
  const { pid } = await eventually(async () => {
    const found = await findComponent(name, component);
    if (found === undefined) throw new Error('not yet');
    return found.process;
  }, SOON);
  process.kill(pid, 'SIGKILL');
}
