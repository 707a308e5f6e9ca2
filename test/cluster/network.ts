import { addVeth, createNetns, ipIn, runIn, setSysctls } from '../../src/lab/index.ts';
import type { ClusterPlan, HostPlan, NodePlan } from './plan.ts';

const LAN_BRIDGE = 'lan';
/** A router and a node forward; the next hop of several is chosen by ports too, so that one client reaches all nodes. */
const FORWARDING = {
  'net.ipv4.ip_forward': 1,
  'net.ipv6.conf.all.forwarding': 1,
  'net.ipv4.fib_multipath_hash_policy': 1,
  'net.ipv6.fib_multipath_hash_policy': 1,
};

/** Makes the switch and what is connected first: the control plane. */
export async function makeLan(plan: ClusterPlan): Promise<void> {
  const { lanNetns, controlPlane } = plan;
  await Promise.all([createNetns(lanNetns), createNetns(controlPlane.netns)]);
  // A switch is no host: it must not answer or ask for anything itself.
  await setSysctls(lanNetns, { 'net.ipv6.conf.default.disable_ipv6': 1 });
  const bridge = ['link', 'add', LAN_BRIDGE, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0'];
  await ipIn(lanNetns, [...bridge, 'mcast_snooping', '0']);
  await ipIn(lanNetns, ['link', 'set', LAN_BRIDGE, 'up']);
  await connectToLan(plan, controlPlane);
}

/** Makes a node's namespace with its link and routes: at the start, and when a node boots again. */
export async function addNodeNetwork(plan: ClusterPlan, node: NodePlan): Promise<void> {
  await createNetns(node.netns);
  await setSysctls(node.netns, FORWARDING);
  await connectToLan(plan, node);
}

/** Makes the router and, behind it, the client. */
export async function addRouterAndClient(plan: ClusterPlan): Promise<void> {
  const { router, client } = plan;
  for (const { netns } of [router, client]) await createNetns(netns);
  await setSysctls(router.netns, FORWARDING);
  await addVeth({
    a: {
      ...{ netns: router.netns, interface: 'eth1' },
      addresses: [`${router.clientSideIpv4}/24`, `${router.clientSideIpv6}/64`],
    },
    b: {
      ...{ netns: client.netns, interface: 'eth0', mac: client.mac },
      addresses: [`${client.ipv4}/24`, `${client.ipv6}/64`],
    },
  });
  await addRoutes(client.netns, defaultRoutes(router.clientSideIpv4, router.clientSideIpv6));
  await addLanLink(plan, router);
  await addRoutes(router.netns, podRoutes(plan, router));
}

async function connectToLan(plan: ClusterPlan, host: HostPlan): Promise<void> {
  const { router } = plan;
  await addLanLink(plan, host);
  await addRoutes(host.netns, [...defaultRoutes(router.ipv4, router.ipv6), ...podRoutes(plan, host)]);
}

async function addLanLink({ lanNetns }: ClusterPlan, host: HostPlan): Promise<void> {
  await addVeth({
    a: {
      ...{ netns: host.netns, interface: 'eth0', mac: host.mac },
      addresses: [`${host.ipv4}/24`, `${host.ipv6}/64`],
    },
    b: { netns: lanNetns, interface: host.name },
  });
  await ipIn(lanNetns, ['link', 'set', host.name, 'master', LAN_BRIDGE]);
}

/** Takes a host's cable away. The kernel removes both ends before `ip` returns, unlike what a deleted namespace leaves. */
export async function removeLanLink({ lanNetns }: ClusterPlan, host: HostPlan): Promise<void> {
  await ipIn(lanNetns, ['link', 'delete', host.name]);
}

type Route = readonly [destination: string, via: string];

function defaultRoutes(ipv4: string, ipv6: string): Route[] {
  return [
    ['default', ipv4],
    ['default', ipv6],
  ];
}

/**
 * What a network plugin of a real cluster does: the pods of each node are behind that node. The router needs them for what
 * pods answer to a client.
 */
function podRoutes({ nodes }: ClusterPlan, host: HostPlan): Route[] {
  return nodes
    .filter(({ name }) => name !== host.name)
    .flatMap((node): Route[] => [
      [node.podRangeV4, node.ipv4],
      [node.podRangeV6, node.ipv6],
    ]);
}

async function addRoutes(netns: string, routes: readonly Route[]): Promise<void> {
  for (const family of ['-4', '-6']) {
    const lines = routes
      .filter(([, via]) => via.includes(':') === (family === '-6'))
      .map(([destination, via]) => `route add ${destination} via ${via}\n`);
    await runIn(netns, ['ip', family, '-batch', '-'], { input: lines.join('') });
  }
}
