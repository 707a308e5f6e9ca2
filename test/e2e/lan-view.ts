import type { TestCluster } from '../cluster/index.ts';

/** The node that the router sends to for an address, by what ARP tells it now; empty: nobody answers. */
export async function answeringFor(lab: TestCluster, address: string): Promise<string> {
  await lab.inHost('r1', ['ip', 'neighbor', 'flush', 'to', address]);
  // Whatever becomes of the request: the router has to ask where to send it.
  const request = ['curl', '-sS', '--max-time', '1', '-o', '/dev/null', `http://${address}/`];
  await lab.inHost('cl', request).catch(() => undefined);
  const text = await lab.inHost('r1', ['ip', '-j', 'neighbor', 'show', address]);
  const [neighbor] = JSON.parse(text) as { lladdr?: string }[];
  return lab.cluster.plan.nodes.find(({ mac }) => mac === neighbor?.lladdr)?.name ?? '';
}
