import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiClient, type ApiClient } from './api-client.ts';
import { COMPONENT_ENV, startComponent, waitUntil, type Component } from './component.ts';
import {
  apiServerArgs,
  controllerManagerArgs,
  etcdArgs,
  schedulerArgs,
  SERVER_NAME,
} from './control-plane.ts';
import { ADMIN, makeCredentials, type ApiUser } from './credentials.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { API_PORT, apiServerUrl, ETCD_PORT, type ClusterPlan } from './plan.ts';
import { startRelay } from './relay-start.ts';
import {
  clusterFolder,
  diskFolder,
  insideKubeconfig,
  kubeconfigFile,
  logFile,
  recordComponent,
} from './state.ts';

const START_TIMEOUT_MS = 90_000;

export interface ControlPlanePrograms {
  readonly etcd: string;
  readonly 'kube-apiserver': string;
  readonly 'kube-controller-manager': string;
  readonly 'kube-scheduler': string;
}

/** A control plane that answers. */
export interface ControlPlane {
  /** As the administrator, through the port on the machine. */
  readonly client: ApiClient;
  /** Text of a kubeconfig of a user, for programs inside the cluster's namespaces. */
  readonly kubeconfigFor: (user: string) => string;
}

export function nodeUser(node: string): string {
  return `system:node:${node}`;
}

export const PROXY_USER = 'system:kube-proxy';
const SCHEDULER_USER = 'system:kube-scheduler';
const MANAGER_USER = 'system:kube-controller-manager';

/** Users that the rules of Kubernetes itself know. */
function usersOf(plan: ClusterPlan): ApiUser[] {
  return [
    ADMIN,
    { name: PROXY_USER, groups: [] },
    { name: SCHEDULER_USER, groups: [] },
    // Its controllers have accounts with roles of their own, which it makes itself; here they share one that may do it all.
    { name: MANAGER_USER, groups: ['system:masters'] },
    ...plan.nodes.map(({ name }) => ({ name: nodeUser(name), groups: ['system:nodes'] })),
  ];
}

/** Starts etcd and the API server in the namespace of the control plane, then what needs them, and the way in from outside. */
export async function startControlPlane(
  plan: ClusterPlan,
  programs: ControlPlanePrograms,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const certDir = join(clusterFolder(plan.name), 'pki');
  const credentials = await makeCredentials(certDir, usersOf(plan));
  const dataDir = join(diskFolder(plan.name), 'etcd');
  const etcd = await start(plan, 'etcd', [programs.etcd, ...etcdArgs({ dataDir, port: ETCD_PORT })]);
  const { ipv4, netns } = plan.controlPlane;
  const args = apiServerArgs({
    ...{ credentials, certDir, etcdPort: ETCD_PORT, port: API_PORT },
    ...{ bindAddress: '0.0.0.0', advertiseAddress: ipv4 },
  });
  const apiServer = await start(plan, 'kube-apiserver', [programs['kube-apiserver'], ...args]);
  const components = [etcd, apiServer];
  const relayLog = logFile(plan.name, 'relay');
  const relay = await startRelay({ netns, host: ipv4, port: API_PORT, log: relayLog });
  await recordComponent(plan.name, { name: 'relay', pid: relay.pid, log: relayLog });

  const certFile = join(certDir, 'apiserver.crt');
  const certificate = { what: 'the certificate of kube-apiserver', timeoutMs: START_TIMEOUT_MS };
  const caData = await waitUntil({ ...certificate, signal, components }, async () => {
    const text = await readFile(certFile, 'utf8').catch(() => '');
    return text.endsWith('-----END CERTIFICATE-----\n') ? text : undefined;
  });
  const tokenOf = (user: string): string => credentials.tokens.get(user) ?? '';
  const kubeconfigFor = (user: string): string =>
    renderKubeconfig({ server: apiServerUrl(plan), caData, token: tokenOf(user) });
  const token = tokenOf(ADMIN.name);
  const server = `https://127.0.0.1:${relay.port}`;
  const tlsServerName = SERVER_NAME;
  await writeSecret(kubeconfigFile(plan.name), renderKubeconfig({ server, caData, token, tlsServerName }));
  await writeSecret(insideKubeconfig(plan.name), kubeconfigFor(ADMIN.name));

  const client = apiClient({ server, caData, token, tlsServerName });
  const ready = { what: 'kube-apiserver to be ready', timeoutMs: START_TIMEOUT_MS };
  await waitUntil({ ...ready, signal, components }, () => client.request('GET', '/readyz'));
  const conf = async (user: string): Promise<string> => {
    const file = join(certDir, `${user.replaceAll(':', '-')}.conf`);
    await writeSecret(file, kubeconfigFor(user));
    return file;
  };
  const manager = controllerManagerArgs({
    ...{ kubeconfig: await conf(MANAGER_USER), rootCaFile: certFile },
    signingKeyFile: credentials.signingKeyFile,
  });
  const scheduler = schedulerArgs({ kubeconfig: await conf(SCHEDULER_USER) });
  await start(plan, 'kube-controller-manager', [programs['kube-controller-manager'], ...manager]);
  await start(plan, 'kube-scheduler', [programs['kube-scheduler'], ...scheduler]);
  return { client, kubeconfigFor };
}

async function start(plan: ClusterPlan, name: string, command: readonly string[]): Promise<Component> {
  const component = await startComponent({
    ...{ name, log: logFile(plan.name, name), env: COMPONENT_ENV, detached: true },
    command: ['nsenter', `--net=/run/netns/${plan.controlPlane.netns}`, '--', ...command],
  });
  await recordComponent(plan.name, component);
  return component;
}

function writeSecret(file: string, text: string): Promise<void> {
  return writeFile(file, text, { mode: 0o600 });
}
