import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectTo } from '../../src/k8s/index.ts';
import { inNode, labDown, labUp, parseTopology, requireNode, type LabState } from '../../src/lab/index.ts';
import { readRunningConfig, type VtyshCommand } from '../../src/frr-vty/index.ts';
import { startApiServer, type ApiServer } from '../../test/cluster/api-server.ts';
import { COMPONENT_ENV, startComponent } from '../../test/cluster/component.ts';
import { FrrFloor } from '../apply/floor.ts';
import { Addresses } from '../cluster/addresses.ts';
import type { MeasuredCluster } from '../cluster/rig.ts';
import { BENCH_POOL } from '../support/manifests.ts';
import { RouteWatch } from '../support/route-watch.ts';
import { makeProduct } from '../support/product.ts';

const TOPOLOGY = resolve(import.meta.dirname, 'bench.clab.yml');
const NAMESPACE = 'metallb-system';
export const NODES = ['n1', 'n2', 'n3'] as const;
/** Where the API server and the controller run, as in the topology. */
const API_HOST = 'api';
const API_ADDRESS = '203.0.113.1';
const ROUTERS = ['192.0.2.0', '192.0.2.2', '192.0.2.4'] as const;
const NODE_ASN = 64_512;
const ROUTER_ASN = 64_513;
const END_MS = 20_000;
const LOOKS = 500;

/** One of our processes. */
export interface Started {
  readonly pid: number;
  readonly log: string;
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
}

/** A real API server, three nodes with FRR and a speaker each, a controller and a router; no kubelets and no kube-proxies. */
export interface ScaleRig extends MeasuredCluster {
  readonly state: LabState;
  readonly api: ApiServer;
  readonly startController: () => Promise<Started>;
  readonly startSpeaker: (node: string) => Promise<Started>;
  readonly down: () => Promise<void>;
}

export async function scaleRigUp(options: {
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}): Promise<ScaleRig> {
  const { signal, onProgress } = options;
  const parsed = parseTopology(await readFile(TOPOLOGY, 'utf8'), TOPOLOGY);
  if (!parsed.ok) throw new Error(`${TOPOLOGY} is not a topology we can run`);
  const ends: (() => Promise<unknown>)[] = [];
  const down = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'mlf-scale-'));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    onProgress('bundling the product');
    const program = await makeProduct(join(folder, 'product'));
    const state = await labUp({ topology: parsed.topology, file: TOPOLOGY, signal, onProgress });
    ends.push(() => labDown(state.name));
    onProgress('starting the API server');
    const place = { netns: requireNode(state, API_HOST).netns, address: API_ADDRESS };
    const api = await startApiServer({ signal, place });
    ends.push(() => api.stop());
    const client = await connectTo(api.kubeconfigPath);
    const ended = new AbortController();
    ends.push(() => {
      ended.abort();
      client.close();
      return Promise.resolve();
    });
    await prepare(api);
    const routes = new RouteWatch(await inNode(requireNode(state, 'r1')));
    ends.push(() => routes.close());
    const kubeconfig = await api.kubeConfigFor('admin');
    const start = await starter({ state, program, kubeconfig, folder });
    return {
      ...{ state, api, client, routes, down },
      addresses: new Addresses(client, ended.signal),
      startController: () => start(API_HOST, 'controller', []),
      startSpeaker: (node) => start(node, 'speaker', ['--node-name', node]),
      apiMetrics: async () => String((await api.request('GET', '/metrics')).text),
    };
  } catch (error) {
    await down();
    throw error;
  }
}

/** What the chart and a user would have made. */
async function prepare(api: ApiServer): Promise<void> {
  await api.request('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  for (const name of NODES) {
    const labels = { 'kubernetes.io/hostname': name };
    await api.request('POST', '/api/v1/nodes', { metadata: { name, labels } });
  }
  const make = (kind: string, plural: string, name: string, spec: object): Promise<unknown> => {
    const apiVersion = `metallb.io/${kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1'}`;
    const path = `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}`;
    return api.request('POST', path, { apiVersion, kind, metadata: { name }, spec });
  };
  await make('IPAddressPool', 'ipaddresspools', 'bench', { addresses: [BENCH_POOL] });
  await make('BGPAdvertisement', 'bgpadvertisements', 'bench', {});
  for (const [index, node] of NODES.entries()) {
    await make('BGPPeer', 'bgppeers', node, {
      ...{ myASN: NODE_ASN, peerASN: ROUTER_ASN, peerAddress: ROUTERS[index], connectTime: '1s' },
      nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': node } }],
    });
  }
}

async function starter(options: {
  readonly state: LabState;
  readonly program: string;
  readonly kubeconfig: string;
  readonly folder: string;
}): Promise<(host: string, command: string, args: readonly string[]) => Promise<Started>> {
  const { state, program, kubeconfig, folder } = options;
  const logs = join(folder, 'logs');
  await mkdir(logs);
  return async (host, command, args) => {
    const inside = await inNode(requireNode(state, host));
    const words = [
      ...[...inside, 'env', `KUBECONFIG=${kubeconfig}`, program, command],
      ...['--namespace', NAMESPACE, '--port', '0', '--health-probe-port', '0', ...args],
    ];
    const log = join(logs, `${host}-${command}.log`);
    const component = await startComponent({
      ...{ name: command, command: words, log, env: COMPONENT_ENV, detached: false },
    });
    const pid = await innermost(component.pid);
    return {
      ...{ pid, log },
      end: async (signal) => {
        process.kill(pid, signal);
        await Promise.race([component.ended, delay(END_MS, undefined, { ref: false })]);
        if (component.isRunning()) throw new Error(`${command} did not end after ${signal}`);
      },
    };
  };
}

/** nsenter stays in front of what it starts in another PID namespace. */
async function innermost(outermost: number): Promise<number> {
  for (let pid = outermost, look = 0; look < LOOKS; look += 1) {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    const next = Number(text.trim().split(' ')[0]);
    if (next > 0) pid = next;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('main.mjs') && !command.startsWith('nsenter')) return pid;
    await delay(10);
  }
  throw new Error('the process did not start');
}

/** A long-lived vtysh in each node, for the floor. */
export async function openFloor({ state }: ScaleRig): Promise<FrrFloor> {
  const nodes = await Promise.all(
    NODES.map(async (node) => {
      const [file, ...args] = [...(await inNode(requireNode(state, node))), 'vtysh'];
      const vtysh: VtyshCommand = [file, ...args];
      const config = await readRunningConfig(vtysh, { timeoutMs: 20_000 });
      const routeMap = /^ {2}network 198\.18\.\S+ route-map (\S+)$/m.exec(config)?.[1];
      if (routeMap === undefined) throw new Error(`no Service of the bench is announced by ${node}`);
      return { vtysh, routeMap };
    }),
  );
  return new FrrFloor({ nodes, asn: NODE_ASN });
}
