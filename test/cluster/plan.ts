/**
 * Who is where: every name and address of a cluster follows from its name and the number of its nodes, so that it can be
 * removed knowing only these. All addresses are ones reserved for documentation (RFC 5737, RFC 3849) or private to the
 * cluster, and all of them live in namespaces of their own.
 */
export interface ClusterPlan {
  readonly name: string;
  readonly controlPlane: HostPlan;
  readonly nodes: readonly NodePlan[];
  readonly router: RouterPlan;
  readonly client: HostPlan;
  /** Network namespace of the bridge that is the LAN; its ports are named like the hosts they lead to. */
  readonly lanNetns: string;
}

export interface HostPlan {
  readonly name: string;
  readonly netns: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** Of `eth0`. */
  readonly mac: string;
}

export interface NodePlan extends HostPlan {
  readonly podRangeV4: string;
  readonly podRangeV6: string;
  /** Below the root of every cgroup hierarchy, without a slash. */
  readonly cgroup: string;
}

/** `ipv4` and `ipv6` are those on the LAN, on `eth0`; `eth1` leads to the client. */
export interface RouterPlan extends HostPlan {
  readonly clientSideIpv4: string;
  readonly clientSideIpv6: string;
}

export const LAN = { ipv4: '198.51.100.0/24', ipv6: '2001:db8:64::/64' } as const;
export const CLIENT_NET = { ipv4: '203.0.113.0/24', ipv6: '2001:db8:113::/64' } as const;
export const POD_RANGES = ['10.244.0.0/16', 'fd00:10:244::/48'] as const;
export const API_PORT = 6443;
export const ETCD_PORT = 2379;
export const MAX_NODES = 50;

/** Begins the names of all namespaces and cgroups of clusters. */
const PREFIX = 'k8s-';

/**
 * @param name letters, digits and dashes
 * @param nodeCount 1 to {@link MAX_NODES}
 */
export function planCluster(name: string, nodeCount: number): ClusterPlan {
  const lanHost = (host: string, octet: number): HostPlan => ({
    ...{ name: host, netns: netnsName(name, host), mac: macFor(octet) },
    ...{ ipv4: `198.51.100.${octet}`, ipv6: `2001:db8:64::${octet}` },
  });
  return {
    name,
    controlPlane: lanHost('cp', 100),
    nodes: Array.from({ length: nodeCount }, (_, index) => {
      const number = index + 1;
      const host = lanHost(`n${number}`, 10 + number);
      return {
        ...host,
        podRangeV4: `10.244.${number}.0/24`,
        podRangeV6: `fd00:10:244:${number}::/64`,
        cgroup: host.netns,
      };
    }),
    router: { ...lanHost('r1', 1), clientSideIpv4: '203.0.113.1', clientSideIpv6: '2001:db8:113::1' },
    client: {
      ...{ name: 'cl', netns: netnsName(name, 'cl'), mac: macFor(2) },
      ...{ ipv4: '203.0.113.50', ipv6: '2001:db8:113::50' },
    },
    lanNetns: netnsName(name, 'lan'),
  };
}

/** Names of all hosts, and `lan` for the switch between them. */
export function hostNames(plan: ClusterPlan): string[] {
  const hosts = [plan.controlPlane, ...plan.nodes, plan.router, plan.client];
  return [...hosts.map(({ name }) => name), 'lan'];
}

export const DEFAULT_NAME = 'c1';

export function netnsName(cluster: string, host: string): string {
  return `${PREFIX}${cluster}-${host}`;
}

/** All network namespaces, the LAN's last: it is removed when nobody is connected any more. */
export function namespacesOf(plan: ClusterPlan): string[] {
  const hosts = [plan.controlPlane, ...plan.nodes, plan.router, plan.client];
  return [...hosts.map(({ netns }) => netns), plan.lanNetns];
}

export function apiServerUrl(plan: ClusterPlan): string {
  return `https://${plan.controlPlane.ipv4}:${API_PORT}`;
}

/** One of the addresses for documentation (RFC 9542 section 2.1.2); the same at every boot, as hardware has it. */
function macFor(octet: number): string {
  return `00:00:5e:00:53:${octet.toString(16).padStart(2, '0')}`;
}
