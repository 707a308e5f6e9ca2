import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { expect } from 'vitest';
import type { TestCluster } from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { NAMESPACE } from './installed.ts';
import { SOON } from './router-view.ts';

/** Objects of the suites, and what the cluster and the router say of them. */

export interface TestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly [field: string]: unknown;
}

export function metallb(kind: string, name: string, spec: object): TestObject {
  const version = kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1';
  return { apiVersion: `metallb.io/${version}`, kind, metadata: { name, namespace: NAMESPACE }, spec };
}

export function secret(name: string, type: string, data: Readonly<Record<string, string>>): TestObject {
  const metadata = { name, namespace: NAMESPACE };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type, stringData: data };
}

/** A Service of the web pods that are there. */
export function service(
  name: string,
  more: { readonly annotations?: object; readonly port?: number; readonly spec?: object } = {},
): TestObject {
  const { annotations = {}, port = 80, spec = {} } = more;
  return {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default', annotations } },
    spec: {
      ...{ type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port, targetPort: 8080 }] },
      ...spec,
    },
  };
}

function listOf(objects: readonly TestObject[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
}

export async function apply(lab: TestCluster, ...objects: readonly TestObject[]): Promise<void> {
  if (objects.length === 0) return;
  await lab.kubectl(['apply', '-f', '-'], listOf(objects));
}

export async function remove(lab: TestCluster, ...objects: readonly TestObject[]): Promise<void> {
  if (objects.length === 0) return;
  await lab.kubectl(['delete', '--ignore-not-found', '-f', '-'], listOf(objects));
}

/** What a ConfigurationState says: `Valid`, or its errors. */
export async function statesOf(lab: TestCluster): Promise<Readonly<Record<string, string>>> {
  const answer = await lab.kubectl(['get', '-n', NAMESPACE, 'configurationstates', '-o', 'json']);
  const { items } = JSON.parse(answer) as {
    items: { metadata: { name: string }; status: { result: string; errorSummary?: string } }[];
  };
  return Object.fromEntries(
    items.map(({ metadata, status }) => [
      metadata.name,
      status.result === 'Valid' ? 'Valid' : `${status.result}: ${status.errorSummary ?? ''}`,
    ]),
  );
}

/** A metric without labels of the speaker on a node; the administrator may read them. */
export async function speakerMetric(lab: TestCluster, node: string, name: string): Promise<number> {
  const kubeconfig = load(await readFile(lab.cluster.kubeconfig, 'utf8')) as {
    users: [{ user: { token: string } }];
  };
  const header = `Authorization: Bearer ${kubeconfig.users[0].user.token}`;
  const text = await lab.inHost(node, ['curl', '-sSk', '-H', header, 'https://127.0.0.1:9120/metrics']);
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** One node's path to a prefix, as the router has it. */
export interface Path {
  readonly communities: string;
  readonly large: string;
}

/** The paths that a router with FRR has, by node. */
export async function pathsTo(lab: TestCluster, prefix: string): Promise<Readonly<Record<string, Path>>> {
  const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
  const { paths = [] } = JSON.parse(
    await lab.router(['-c', `show bgp ${family} unicast ${prefix} json`]),
  ) as {
    paths?: {
      peer: { peerId: string };
      community?: { string: string };
      largeCommunity?: { string: string };
    }[];
  };
  const nameOf = (ip: string): string =>
    lab.cluster.plan.nodes.find(({ ipv4, ipv6 }) => ip === ipv4 || ip === ipv6)?.name ?? ip;
  return Object.fromEntries(
    paths.map(({ peer, community, largeCommunity }) => [
      nameOf(peer.peerId),
      { communities: community?.string ?? '', large: largeCommunity?.string ?? '' },
    ]),
  );
}

/** Waits until these nodes, and no others, have told the router of a prefix in this way. */
export async function isTold(
  lab: TestCluster,
  prefix: string,
  nodes: readonly string[],
  { communities = '', large = '' }: Partial<Path> = {},
): Promise<void> {
  const wanted = Object.fromEntries(nodes.map((node) => [node, { communities, large }]));
  await eventually(async () => {
    expect(await pathsTo(lab, prefix)).toEqual(wanted);
  }, SOON);
}
