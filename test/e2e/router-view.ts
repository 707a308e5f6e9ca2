import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { kernelRoutes } from '../../src/lab/index.ts';
import type { NodePlan, TestCluster } from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { CHECKOUT } from './installed.ts';

/** What the router and the client behind it see: the judges of every test here. */

export const SOON = { timeoutMs: 60_000, intervalMs: 100 };

/** The configuration that examples/routers has for a router of this kind. */
export async function exampleRouter(kind: 'frr' | 'bird'): Promise<string> {
  return readFile(join(CHECKOUT, 'examples/routers', `${kind}.conf`), 'utf8');
}

/** The nodes through which the router's kernel sends what is for an address, by name. */
export async function nextHops({ cluster }: TestCluster, address: string): Promise<readonly string[]> {
  const { nodes, router } = cluster.plan;
  const routes = await kernelRoutes(router.netns);
  const hops = routes.get(`${address}/${address.includes(':') ? '128' : '32'}`) ?? [];
  const isOf = (ip: string, { ipv4, ipv6, mac }: NodePlan): boolean =>
    ip === ipv4 || ip === ipv6 || ip === linkLocal(mac);
  return hops.map((ip) => nodes.find((node) => isOf(ip, node))?.name ?? ip).sort();
}

/** What a kernel makes of a MAC address for IPv6 (RFC 4291 appendix A); FRR prefers it as a next hop. */
function linkLocal(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((octet) => parseInt(octet, 16));
  const groups = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f];
  return `fe80::${groups.map((group) => group.toString(16)).join(':')}`;
}

export async function isReachedThrough(
  lab: TestCluster,
  address: string,
  nodes: readonly string[],
): Promise<void> {
  await eventually(async () => {
    expect(await nextHops(lab, address)).toEqual(nodes);
  }, SOON);
}

/** What a Service answers the client with: a node's name. */
export async function fetchFrom(lab: TestCluster, address: string): Promise<string> {
  const host = address.includes(':') ? `[${address}]` : address;
  return lab.inHost('cl', ['curl', '-sS', '--max-time', '2', `http://${host}/`]);
}

/** The addresses in a Service's status, in its order. */
export async function addressesOf(lab: TestCluster, service: string): Promise<readonly string[]> {
  const form = 'jsonpath={.status.loadBalancer.ingress[*].ip}';
  const text = await lab.kubectl(['get', 'service', service, '-o', form]);
  return text === '' ? [] : text.split(' ');
}
