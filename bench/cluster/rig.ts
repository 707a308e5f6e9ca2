import { execa } from 'execa';
import { join } from 'node:path';
import { connectTo, type ApiClient } from '../../src/k8s/index.ts';
import { readRunningConfig, type VtyshCommand } from '../../src/frr-vty/index.ts';
import { clusterDown } from '../../test/cluster/down.ts';
import { inNode, requireRunningNode } from '../../test/cluster/node.ts';
import { ROUTER_ASN } from '../../test/cluster/router-config.ts';
import { clusterUp, type Cluster } from '../../test/cluster/up.ts';
import { FrrFloor } from '../apply/floor.ts';
import { RouteWatch } from '../support/route-watch.ts';
import { BENCH_POOL } from '../support/manifests.ts';
import { Addresses } from './addresses.ts';

const NAME = 'bench';
const NAMESPACE = 'metallb-system';
const RELEASE = 'metallb-frr';
const CHART = join(import.meta.dirname, '../../charts/metallb-frr');
const SPEAKERS = 'app.kubernetes.io/component=speaker';
export const NODES = ['n1', 'n2', 'n3'] as const;
/** The ASN of the nodes. */
const ASN = 64_501;

export type RouterKind = 'frr' | 'bird';

/** An API server with the product at work, and a router that three nodes announce to. */
export interface MeasuredCluster {
  readonly client: ApiClient;
  /** When Services got their addresses, as a watch tells. */
  readonly addresses: Addresses;
  /** The router's kernel. */
  readonly routes: RouteWatch;
  /** What the API server says of itself, in Prometheus' text. */
  readonly apiMetrics: () => Promise<string>;
}

/** A whole cluster with everything that measuring needs in hand. */
export interface ClusterRig extends MeasuredCluster {
  readonly cluster: Cluster;
  readonly kubectl: (...args: readonly string[]) => Promise<string>;
  readonly down: () => Promise<void>;
}

export async function clusterRigUp(options: {
  readonly router: RouterKind;
  readonly images: readonly string[];
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}): Promise<ClusterRig> {
  const { router, images, signal, onProgress } = options;
  const cluster = await clusterUp({
    ...{ name: NAME, nodeCount: NODES.length, proxyMode: 'iptables', router },
    ...{ images, signal, onProgress },
  });
  const ended = new AbortController();
  const client = await connectTo(cluster.kubeconfig);
  const addresses = new Addresses(client, ended.signal);
  const routes = new RouteWatch(['nsenter', `--net=/run/netns/${netnsOf('r1')}`, '--']);
  const kubectl = async (...args: readonly string[]): Promise<string> =>
    (await execa(cluster.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args], { timeout: 180_000 }))
      .stdout;
  return {
    ...{ cluster, client, addresses, routes, kubectl },
    apiMetrics: () => kubectl('get', '--raw', '/metrics'),
    down: async () => {
      ended.abort();
      await routes.close();
      client.close();
      await clusterDown(NAME);
    },
  };
}

function netnsOf(host: string): string {
  return `k8s-${NAME}-${host}`;
}

/** Installs the chart as a user does, with the images that the nodes have. */
export async function install({ cluster }: ClusterRig): Promise<void> {
  const values = ['image.repository=localhost/metallb-frr', 'frr.image.repository=localhost/metallb-frr-frr'];
  await execa(
    cluster.helm,
    [
      ...['install', RELEASE, CHART, '--namespace', NAMESPACE, '--create-namespace', '--wait'],
      ...['--timeout', '120s', '--set', [...values, 'prometheus.plainHTTP=true'].join(',')],
    ],
    { env: { KUBECONFIG: cluster.kubeconfig }, timeout: 180_000 },
  );
}

/** One pool, one advertisement, and the router as the peer of every node. */
export async function configure({ client, cluster }: ClusterRig): Promise<void> {
  const router = cluster.plan.router.ipv4;
  for (const [kind, plural, version, spec] of [
    ['IPAddressPool', 'ipaddresspools', 'v1beta1', { addresses: [BENCH_POOL] }],
    ['BGPAdvertisement', 'bgpadvertisements', 'v1beta1', {}],
    [
      'BGPPeer',
      'bgppeers',
      'v1beta2',
      { myASN: ASN, peerASN: ROUTER_ASN, peerAddress: router, connectTime: '1s' },
    ],
  ] as const) {
    const apiVersion = `metallb.io/${version}`;
    await client.request({
      method: 'POST',
      path: `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}`,
      body: { apiVersion, kind, metadata: { name: 'bench', namespace: NAMESPACE }, spec },
    });
  }
}

/** A long-lived vtysh into the FRR container of each node, for the floor. */
export async function openFloor(rig: ClusterRig): Promise<FrrFloor> {
  const nodes = await Promise.all(
    NODES.map(async (node) => {
      const vtysh = await vtyshOf(rig, node);
      const config = await readRunningConfig(vtysh, { timeoutMs: 10_000 });
      const routeMap = /^ {2}network 198\.18\.\S+ route-map (\S+)$/m.exec(config)?.[1];
      if (routeMap === undefined) throw new Error(`no Service of the bench is announced by ${node}`);
      return { vtysh, routeMap };
    }),
  );
  return new FrrFloor({ nodes, asn: ASN });
}

/** FRR's sockets lie in a volume of the pod, which the node sees as a folder. */
async function vtyshOf(rig: ClusterRig, node: string): Promise<VtyshCommand> {
  const uid = await rig.kubectl(
    ...['get', 'pods', '-n', NAMESPACE, '-l', SPEAKERS, '--field-selector', `spec.nodeName=${node}`],
    ...['-o', 'jsonpath={.items[0].metadata.uid}'],
  );
  const sockets = `/var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~empty-dir/frr-sockets`;
  const inside = inNode(await requireRunningNode(NAME, node));
  // Its path is longer than the 107 characters that a socket's may have.
  await execa('nsenter', [...inside, 'ln', '-sfn', sockets, '/run/frr-of-pod'], { timeout: 10_000 });
  return ['nsenter', ...inside, '/usr/bin/vtysh', '--vty_socket', '/run/frr-of-pod'];
}

export async function speakerPods(rig: ClusterRig): Promise<readonly string[]> {
  const names = await rig.kubectl('get', 'pods', '-n', NAMESPACE, '-l', SPEAKERS, '-o', 'name');
  return names.split('\n').filter((name) => name !== '');
}

/** Resident memory of the speakers, MiB. */
export async function speakerMemory(rig: ClusterRig): Promise<readonly number[]> {
  const pods = await speakerPods(rig);
  return Promise.all(
    pods.map(async (pod) => {
      const status = await rig.kubectl(
        ...['exec', '-n', NAMESPACE, pod, '-c', 'speaker', '--', 'cat', '/proc/1/status'],
      );
      return Math.round((Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024) * 10) / 10;
    }),
  );
}

export async function deleteSpeakers(rig: ClusterRig): Promise<void> {
  await rig.kubectl('delete', 'pods', '-n', NAMESPACE, '-l', SPEAKERS, '--wait=true');
}
