import { execa } from 'execa';
import { describe } from 'vitest';
import { labPrivileges } from '../../src/lab/index.ts';
import { atEnd } from '../support/index.ts';
import { clusterDown } from './down.ts';
import { inNode, requireRunningNode } from './node.ts';
import { netnsName } from './plan.ts';
import { missingForCluster } from './programs.ts';
import { clusterNames } from './state.ts';
import { clusterUp, type Cluster, type ClusterUp } from './up.ts';

const privileges = await labPrivileges();
const obstacle = privileges.ok ? await missingForCluster() : privileges.reason;
if (obstacle === undefined) await removeLeftovers();

/** A `describe` for tests with a cluster; skipped with the reason in its title where none can run. */
export function describeWithCluster(title: string, body: () => void): void {
  if (obstacle === undefined) {
    describe(title, body);
    return;
  }
  describe(title, (it) => {
    it.skip(`skipped: ${obstacle}`);
  });
}

export interface TestCluster {
  readonly cluster: Cluster;
  /** Runs kubectl as the administrator, with text for its standard input if given; throws with what it said. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
  /** Runs a command in the network of a host: `cp`, `n1`, `r1`, `cl` and so on. */
  readonly inHost: (host: string, command: readonly string[]) => Promise<string>;
  /** Runs a command inside a node. */
  readonly enter: (node: string, command: readonly string[]) => Promise<string>;
  /** Asks the router: `-c COMMAND` for vtysh, words for birdc. */
  readonly router: (args: readonly string[]) => Promise<string>;
  /** Removes the cluster; harmless twice. */
  readonly stop: () => Promise<void>;
}

let count = 0;

/** A name of this process's own: neither somebody's cluster nor another run of the tests is touched. */
export function testClusterName(): string {
  count += 1;
  return `t${process.pid}-${count}`;
}

/** A cluster that is removed after the last test of the file at the latest; two nodes unless said otherwise. */
export async function startTestCluster(options: Partial<Omit<ClusterUp, 'name'>> = {}): Promise<TestCluster> {
  const name = testClusterName();
  const stop = async (): Promise<void> => {
    if ((await clusterNames()).includes(name)) await clusterDown(name);
  };
  atEnd(stop);
  const cluster = await clusterUp({
    ...{ nodeCount: 2, proxyMode: 'iptables', router: 'frr', images: [] },
    ...{ onProgress: () => undefined, signal: new AbortController().signal },
    ...options,
    name,
  });
  return {
    cluster,
    kubectl: (args, input) => run([cluster.kubectl, '--kubeconfig', cluster.kubeconfig, ...args], input),
    inHost: (host, command) =>
      run(['nsenter', `--net=/run/netns/${netnsName(name, host)}`, '--', ...command]),
    enter: async (node, command) =>
      run(['nsenter', ...inNode(await requireRunningNode(name, node)), ...command]),
    router: (args) => run([...cluster.routerCommand, ...args]),
    stop,
  };
}

async function run([file = '', ...args]: readonly string[], input = ''): Promise<string> {
  const { stdout } = await execa(file, args, { timeout: 120_000, input });
  return stdout;
}

/** Clusters of test processes that were killed before they could clean up. */
async function removeLeftovers(): Promise<void> {
  for (const name of await clusterNames()) {
    const pid = /^t(\d+)-\d+$/.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    await clusterDown(name);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
