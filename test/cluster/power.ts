import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { deleteNetns } from '../../src/lab/index.ts';
import { apiClient } from './api-client.ts';
import { cgroupLayout, removeCgroup } from './cgroups.ts';
import { ClusterError } from './error.ts';
import { componentName, NODE_DAEMONS } from './kubelet.ts';
import { addNodeNetwork, removeLanLink } from './network.ts';
import { bootNode, joinNode } from './node-up.ts';
import { nodeConfigFolder, requireRunningNode } from './node.ts';
import type { NodePlan } from './plan.ts';
import { endProcessesIn } from './processes.ts';
import { provideClusterPrograms } from './programs.ts';
import { PROXY_USER } from './start-control-plane.ts';
import {
  findComponent,
  forgetComponents,
  kubeconfigFile,
  planOf,
  requireCluster,
  type ClusterState,
} from './state.ts';
import { pauseImageFile } from './up.ts';

/**
 * Takes a node's power away: all its processes, its link and everything its kernel knew are gone at once; its disk (/var)
 * stays. The cluster finds out by itself.
 */
export async function crashNode(name: string, nodeName: string): Promise<void> {
  const state = await requireCluster(name);
  const node = requireNodePlan(state, nodeName);
  await requireRunningNode(name, nodeName);
  // First of all: the kernel closes the connections of what is killed, and a machine without power says goodbye to nobody.
  await removeLanLink(planOf(state), node);
  await endProcessesIn([node.netns]);
  await deleteNetns(node.netns);
  await forgetComponents(name, [nodeName, ...NODE_DAEMONS.map((daemon) => componentName(node, daemon))]);
  // Groups of pods that are gone would keep the next kubelet busy for half a minute.
  await removeCgroup(await cgroupLayout(), node.cgroup);
}

/** Switches a node on again that lost its power; returns when it is Ready. */
export async function bootNodeAgain(name: string, nodeName: string, signal: AbortSignal): Promise<void> {
  const state = await requireCluster(name);
  const plan = planOf(state);
  const node = requireNodePlan(state, nodeName);
  if (await findComponent(name, nodeName)) {
    throw new ClusterError('ERR_CLUSTER_EXISTS', `node ${nodeName} of cluster ${name} runs already`);
  }
  const programs = await provideClusterPrograms();
  await addNodeNetwork(plan, node);
  const layout = await cgroupLayout();
  const images = [pauseImageFile(name)];
  const handle = await bootNode({ plan, node, layout, programs, images, signal });
  const client = apiClient(await readKubeconfig(kubeconfigFile(name)));
  const configs = new Map<string, string>([
    [PROXY_USER, await readFile(`${nodeConfigFolder(name, nodeName)}/kube-proxy.conf`, 'utf8')],
  ]);
  const own = await readFile(`${nodeConfigFolder(name, nodeName)}/kubelet.conf`, 'utf8');
  try {
    const kubeconfigFor = (user: string): string => configs.get(user) ?? own;
    await joinNode({ handle, programs, proxyMode: state.proxyMode, client, kubeconfigFor, signal });
  } finally {
    client.close();
  }
}

function requireNodePlan(state: ClusterState, name: string): NodePlan {
  const { nodes } = planOf(state);
  const node = nodes.find((each) => each.name === name);
  if (node) return node;
  const known = nodes.map((each) => each.name).join(', ');
  throw new ClusterError('ERR_CLUSTER_UNKNOWN', `cluster ${state.name} has no node ${name}; it has ${known}`);
}

interface KubeconfigFile {
  readonly clusters: readonly [
    {
      readonly cluster: {
        readonly server: string;
        readonly 'certificate-authority-data': string;
        readonly 'tls-server-name'?: string;
      };
    },
  ];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

/** What a client needs to know, from a kubeconfig that we wrote. */
async function readKubeconfig(file: string): Promise<Parameters<typeof apiClient>[0]> {
  const { clusters, users } = load(await readFile(file, 'utf8')) as KubeconfigFile;
  const { cluster } = clusters[0];
  const tlsServerName = cluster['tls-server-name'];
  return {
    server: cluster.server,
    caData: Buffer.from(cluster['certificate-authority-data'], 'base64').toString(),
    token: users[0].user.token,
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
  };
}
