import { dump } from 'js-yaml';
import { POD_RANGES, type NodePlan } from './plan.ts';

export const PROXY_MODES = ['iptables', 'nftables'] as const;
export type ProxyMode = (typeof PROXY_MODES)[number];

/** Paths as the node sees them. `/run` starts empty at every boot; `/var` is the node's disk. */
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
export const PAUSE_IMAGE = 'localhost/metallb-frr/pause:1';
export const CNI_FOLDER = '/etc/cni/net.d';

/** containerd's configuration, in its version 2, which 1.x and 2.x read. */
export function renderContainerdToml(snapshotter: 'overlayfs' | 'native'): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"

[grpc]
  address = "${CONTAINERD_SOCKET}"

[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  # A process without CAP_SYS_RESOURCE in the machine's own user namespace may not make itself harder to kill: without
  # this line runc fails for every sandbox ("can't get final child's PID from pipe: EOF").
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  disable_apparmor = true

  [${cri}.containerd]
    snapshotter = "${snapshotter}"
    default_runtime_name = "runc"

    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [${cri}.containerd.runtimes.runc.options]
        SystemdCgroup = false

  [${cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${CNI_FOLDER}"
`;
}

/** Pods are veth pairs routed by the node, in both families; nothing is masqueraded. */
export function renderCniConfig(node: NodePlan): string {
  const ipam = {
    type: 'host-local',
    // Forgotten at a boot, as are the pods that had the addresses.
    dataDir: '/run/cni-ipam',
    ranges: [[{ subnet: node.podRangeV4 }], [{ subnet: node.podRangeV6 }]],
    routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
  };
  const plugins = [
    { type: 'ptp', ipMasq: false, ipam },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  return `${JSON.stringify({ cniVersion: '0.4.0', name: 'pods', plugins }, undefined, 2)}\n`;
}

export function renderKubeletConfig(node: NodePlan): string {
  return dump({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${node.cgroup}`,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    // Both would need CAP_SYS_RESOURCE.
    oomScoreAdj: 0,
    maxOpenFiles: 20_000,
    // There is no DNS in this cluster.
    resolvConf: '',
    // All nodes share the machine's disk: one that is nearly full is no reason to evict pods or remove images.
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
      'imagefs.inodesFree': '0%',
    },
  });
}

export interface KubeletArgs {
  readonly configFile: string;
  readonly kubeconfig: string;
}

export function kubeletArgs(node: NodePlan, { configFile, kubeconfig }: KubeletArgs): string[] {
  return [
    `--config=${configFile}`,
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.ipv4},${node.ipv6}`,
    '--v=2',
  ];
}

export function renderKubeProxyConfig(node: NodePlan, mode: ProxyMode, kubeconfig: string): string {
  return dump({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    mode,
    hostnameOverride: node.name,
    clusterCIDR: POD_RANGES.join(','),
    // Without it the two families of kube-proxy contend for a Service's healthCheckNodePort.
    nodePortAddresses: ['primary'],
    // The tables of the whole machine are not a node's to size.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  });
}

/**
 * What kubelet would set for the whole machine unless it reads so already: the node sees files with these values in place
 * of the kernel's. From kubelet's container manager (`setupKernelTunables`).
 */
export const KERNEL_TUNABLES: ReadonlyMap<string, string> = new Map([
  ['vm/overcommit_memory', '1'],
  ['vm/panic_on_oom', '0'],
  ['kernel/panic', '10'],
  ['kernel/panic_on_oops', '1'],
  ['kernel/keys/root_maxkeys', '1000000'],
  ['kernel/keys/root_maxbytes', '25000000'],
]);
