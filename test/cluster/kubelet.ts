import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { ProcessRef } from '../../src/lab/index.ts';
import { COMPONENT_ENV, startComponent, waitUntil, type Component } from './component.ts';
import { ClusterError } from './error.ts';
import {
  kubeletArgs,
  renderContainerdToml,
  renderKubeletConfig,
  renderKubeProxyConfig,
  type ProxyMode,
} from './node-config.ts';
import { canOverlay, inNode, NODE_CONFIG, nodeConfigFolder } from './node.ts';
import type { ClusterPlan, NodePlan } from './plan.ts';
import { diskFolder, logFile, recordComponent } from './state.ts';

/** What runs on a node, by the name that `status` and the logs use behind the node's own. */
export const NODE_DAEMONS = ['containerd', 'kubelet', 'kube-proxy'] as const;
type NodeDaemon = (typeof NODE_DAEMONS)[number];

const CONTAINERD_TIMEOUT_MS = 30_000;
const IMPORT_TIMEOUT_MS = 300_000;

/** A node whose first process runs. */
export interface NodeHandle {
  readonly plan: ClusterPlan;
  readonly node: NodePlan;
  readonly init: ProcessRef;
}

export function componentName(node: NodePlan, daemon: NodeDaemon): string {
  return `${node.name}.${daemon}`;
}

/** Starts containerd and waits until it answers; then imports images, docker-archives on the machine. */
export async function startContainerd(
  handle: NodeHandle,
  images: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { plan, node, init } = handle;
  const snapshotter = (await canOverlay(diskFolder(plan.name))) ? 'overlayfs' : 'native';
  await writeConfig(handle, 'containerd.toml', renderContainerdToml(snapshotter));
  const command = ['containerd', '--config', join(NODE_CONFIG, 'containerd.toml')];
  const containerd = await startDaemon(handle, 'containerd', command);
  const what = `containerd of ${node.name} to answer`;
  const components = [containerd];
  await waitUntil({ what, timeoutMs: CONTAINERD_TIMEOUT_MS, signal, components }, async () => {
    const words = [...inNode(init), 'ctr', 'version'];
    const { failed } = await execa('nsenter', words, { reject: false, timeout: 5_000, env: COMPONENT_ENV });
    return failed ? undefined : true;
  });
  // A node that boots again has them on its disk; importing them once more costs little.
  for (const image of images) await importImage(handle, image, signal);
}

/** Imports the images of a docker-archive into a node. The node need not see the file. */
export async function importImage(
  { node, init }: NodeHandle,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const words = ['nsenter', ...inNode(init), 'ctr', '--namespace=k8s.io', 'images', 'import', '-'];
  const run = await execa('sh', ['-c', 'exec "$@" <"$0"', file, ...words], {
    reject: false,
    timeout: IMPORT_TIMEOUT_MS,
    env: COMPONENT_ENV,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (!run.failed) return;
  const said = run.stderr === '' ? run.shortMessage : run.stderr;
  throw new ClusterError('ERR_CLUSTER_COMPONENT', `${node.name}: importing ${file}: ${said}`);
}

export async function startKubelet(
  handle: NodeHandle,
  kubelet: string,
  kubeconfig: string,
): Promise<Component> {
  await writeConfig(handle, 'kubelet.yaml', renderKubeletConfig(handle.node));
  await writeConfig(handle, 'kubelet.conf', kubeconfig);
  const files = {
    configFile: join(NODE_CONFIG, 'kubelet.yaml'),
    kubeconfig: join(NODE_CONFIG, 'kubelet.conf'),
  };
  return startDaemon(handle, 'kubelet', [kubelet, ...kubeletArgs(handle.node, files)]);
}

export async function startKubeProxy(
  handle: NodeHandle,
  options: { readonly program: string; readonly mode: ProxyMode; readonly kubeconfig: string },
): Promise<Component> {
  const file = join(NODE_CONFIG, 'kube-proxy.conf');
  await writeConfig(handle, 'kube-proxy.conf', options.kubeconfig);
  await writeConfig(handle, 'kube-proxy.yaml', renderKubeProxyConfig(handle.node, options.mode, file));
  const args = [`--config=${join(NODE_CONFIG, 'kube-proxy.yaml')}`, '--v=2'];
  return startDaemon(handle, 'kube-proxy', [options.program, ...args]);
}

async function startDaemon(
  { plan, node, init }: NodeHandle,
  daemon: NodeDaemon,
  command: readonly string[],
): Promise<Component> {
  const name = componentName(node, daemon);
  const component = await startComponent({
    ...{ name, log: logFile(plan.name, name), env: COMPONENT_ENV, detached: true },
    command: ['nsenter', ...inNode(init), ...command],
  });
  await recordComponent(plan.name, component);
  return component;
}

async function writeConfig({ plan, node }: NodeHandle, name: string, text: string): Promise<void> {
  const folder = nodeConfigFolder(plan.name, node.name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), text, { mode: 0o600 });
}
