import { dirname } from 'node:path';
import { execa } from 'execa';
import { ApiStatusError, type ApiClient, type Json } from './api-client.ts';
import type { CgroupLayout } from './cgroups.ts';
import { makeCgroup } from './cgroups.ts';
import { COMPONENT_ENV, waitUntil, type Component } from './component.ts';
import { startContainerd, startKubelet, startKubeProxy, type NodeHandle } from './kubelet.ts';
import type { ProxyMode } from './node-config.ts';
import { startNode } from './node.ts';
import type { ClusterPlan, NodePlan } from './plan.ts';
import { nodeUser, PROXY_USER } from './start-control-plane.ts';

const READY_TIMEOUT_MS = 120_000;
/** kube-proxy's default for `healthzBindAddress`. */
const PROXY_HEALTH = 'http://127.0.0.1:10256/healthz';

export interface NodePrograms {
  readonly kubelet: string;
  readonly 'kube-proxy': string;
  /** First process of a node. */
  readonly init: string;
}

export interface NodeBoot {
  readonly plan: ClusterPlan;
  readonly node: NodePlan;
  readonly layout: CgroupLayout;
  readonly programs: NodePrograms;
  /** docker-archives. */
  readonly images: readonly string[];
  readonly signal: AbortSignal;
}

/** Everything of a node that needs no API server: its root, its cgroup, containerd with images. */
export async function bootNode({
  plan,
  node,
  layout,
  programs,
  images,
  signal,
}: NodeBoot): Promise<NodeHandle> {
  await makeCgroup(layout, node.cgroup);
  const programFolders = [dirname(programs.kubelet), dirname(programs['kube-proxy'])];
  const init = await startNode({ ...{ plan, node, layout, programFolders, signal }, init: programs.init });
  const handle: NodeHandle = { plan, node, init };
  await startContainerd(handle, images, signal);
  return handle;
}

export interface NodeJoin {
  readonly handle: NodeHandle;
  readonly programs: NodePrograms;
  readonly proxyMode: ProxyMode;
  readonly client: ApiClient;
  readonly kubeconfigFor: (user: string) => string;
  readonly signal: AbortSignal;
}

/** Starts kubelet and kube-proxy, and waits until the node is Ready and Services work on it. */
export async function joinNode(join: NodeJoin): Promise<void> {
  const { handle, programs, proxyMode, client, kubeconfigFor, signal } = join;
  const { node } = handle;
  const started = Date.now();
  const kubelet = await startKubelet(handle, programs.kubelet, kubeconfigFor(nodeUser(node.name)));
  const proxy = { program: programs['kube-proxy'], mode: proxyMode, kubeconfig: kubeconfigFor(PROXY_USER) };
  const kubeProxy = await startKubeProxy(handle, proxy);
  await givePodRanges(client, node, kubelet, signal);
  const ready = { what: `node ${node.name} to be Ready`, timeoutMs: READY_TIMEOUT_MS, components: [kubelet] };
  await waitUntil({ ...ready, signal }, async () =>
    isReady(await client.request('GET', `/api/v1/nodes/${node.name}`), started) ? true : undefined,
  );
  const synced = { what: `kube-proxy of ${node.name} to be in step`, timeoutMs: READY_TIMEOUT_MS };
  await waitUntil({ ...synced, signal, components: [kubeProxy] }, async () => {
    const words = [`--net=/run/netns/${node.netns}`, '--', 'curl', '--fail', '--silent', PROXY_HEALTH];
    const { failed } = await execa('nsenter', words, { reject: false, timeout: 5_000, env: COMPONENT_ENV });
    return failed ? undefined : true;
  });
}

/**
 * Writes a node's pod ranges into its object as soon as kubelet has made it. A controller would hand them out in the order in
 * which nodes come; here they follow from the plan, with the routes.
 */
async function givePodRanges(
  client: ApiClient,
  node: NodePlan,
  kubelet: Component,
  signal: AbortSignal,
): Promise<void> {
  const podCIDRs = [node.podRangeV4, node.podRangeV6];
  const patch = { spec: { podCIDR: node.podRangeV4, podCIDRs } };
  const what = `kubelet of ${node.name} to register the node`;
  await waitUntil({ what, timeoutMs: READY_TIMEOUT_MS, signal, components: [kubelet] }, async () => {
    try {
      return await client.request(
        'PATCH',
        `/api/v1/nodes/${node.name}`,
        patch,
        'application/merge-patch+json',
      );
    } catch (error) {
      if (error instanceof ApiStatusError && error.status === 404) return undefined;
      throw error;
    }
  });
}

/**
 * Whether a Node's condition Ready holds, and was said at or after a moment: the object of a node that boots again still has
 * what the kubelet before said.
 */
export function isReady(node: Json, sinceMs = 0): boolean {
  const { conditions = [] } = (node.status ?? {}) as { conditions?: readonly Json[] };
  return conditions.some(
    ({ type, status, lastHeartbeatTime }) =>
      type === 'Ready' &&
      status === 'True' &&
      // The API gives whole seconds.
      Date.parse(String(lastHeartbeatTime)) >= Math.floor(sinceMs / 1000) * 1000,
  );
}
