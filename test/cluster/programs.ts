import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  findTools,
  provideProgram,
  provideTools,
  TOOLS_OF_A_CLUSTER,
} from '../../scripts/lib/kubernetes.mjs';
import { ClusterError } from './error.ts';
import type { NodePrograms } from './node-up.ts';
import { providePackages } from './packages.ts';
import type { ControlPlanePrograms } from './start-control-plane.ts';

/** Paths of programs, or what is missing and what to do. */
export type Programs<N extends string> =
  | { readonly ok: true; readonly paths: Readonly<Record<N, string>> }
  | { readonly ok: false; readonly reason: string };

export interface ClusterPrograms extends ControlPlanePrograms, NodePrograms {
  readonly kubectl: string;
  readonly helm: string;
}

const PAUSE_SOURCE = fileURLToPath(new URL('pause/main.go', import.meta.url));
const HOW = 'run `npm run cluster -- tools`, or name a folder that has them in KUBEBUILDER_ASSETS';

/** What a bare API server runs on. */
export async function apiServerPrograms(): Promise<Programs<'etcd' | 'kube-apiserver'>> {
  const [etcd, tools] = await Promise.all([findEtcd(), findTools(['kube-apiserver'])]);
  const apiServer = tools.get('kube-apiserver');
  if (etcd !== undefined && apiServer !== undefined) {
    return { ok: true, paths: { etcd, 'kube-apiserver': apiServer } };
  }
  const missing = [
    ...(etcd === undefined ? ['etcd'] : []),
    ...(apiServer === undefined ? ['kube-apiserver'] : []),
  ];
  return { ok: false, reason: `no ${missing.join(' and no ')} on this machine: ${HOW}` };
}

/** Why a whole cluster cannot run here without building or installing something first; undefined when it can. */
export async function missingForCluster(): Promise<string | undefined> {
  const [tools, ...others] = await Promise.all([
    findTools(TOOLS_OF_A_CLUSTER),
    ...['etcd', 'containerd', 'runc', 'conntrack', 'iptables', 'nft'].map(async (name) =>
      (await findOnPath(name)) === undefined ? name : undefined,
    ),
  ]);
  const missing = [...TOOLS_OF_A_CLUSTER.filter((name) => !tools.has(name)), ...others.filter(Boolean)];
  return missing.length === 0 ? undefined : `no ${missing.join(', ')} on this machine: ${HOW}`;
}

/** Installs and builds what a cluster needs and this machine has not; minutes the first time, then about a second. */
export async function provideClusterPrograms(): Promise<ClusterPrograms> {
  await providePackages();
  const tools = await provideTools(TOOLS_OF_A_CLUSTER);
  const etcd = await findEtcd();
  const path = (name: (typeof TOOLS_OF_A_CLUSTER)[number]): string => {
    const found = tools.get(name);
    if (found !== undefined) return found;
    throw new ClusterError('ERR_CLUSTER_PROGRAM_MISSING', `no ${name} on this machine: ${HOW}`);
  };
  return {
    etcd: etcd ?? 'etcd',
    'kube-apiserver': path('kube-apiserver'),
    'kube-controller-manager': path('kube-controller-manager'),
    'kube-scheduler': path('kube-scheduler'),
    kubelet: path('kubelet'),
    'kube-proxy': path('kube-proxy'),
    kubectl: path('kubectl'),
    helm: path('helm'),
    init: await provideProgram(PAUSE_SOURCE),
  };
}

/** The first program of that name in the given folders and on PATH. */
export async function findOnPath(name: string, first: readonly string[] = []): Promise<string | undefined> {
  // Debian keeps daemons where the PATH of an ordinary user does not look.
  const folders = [...first, ...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    const path = join(folder, name);
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  return undefined;
}

async function findEtcd(): Promise<string | undefined> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  return findOnPath('etcd', assets === undefined || assets === '' ? [] : [assets]);
}
