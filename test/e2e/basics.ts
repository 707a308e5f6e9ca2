import { expect, test } from 'vitest';
import type { TestCluster } from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { applyExamples, install, NAMESPACE, WEB } from './installed.ts';
import { addressesOf, fetchFrom, isReachedThrough, SOON } from './router-view.ts';

/** What a user does first, in whatever cluster and beside whatever router of examples/routers; the cluster has two nodes. */
export function basics(lab: () => TestCluster, sessions: (lab: TestCluster) => Promise<Sessions>): void {
  test('is installed by one command, and its pods get ready', async () => {
    await install(lab());
    const form = 'jsonpath={.items[*].status.phase}';
    const states = await lab().kubectl(['get', 'pods', '-n', NAMESPACE, '-o', form]);
    expect(states.split(' ')).toEqual(['Running', 'Running', 'Running', 'Running']);
  });

  test('gives the Service of the examples an address, and the router a route through every node', async () => {
    await applyExamples(lab());
    await apply(lab(), WEB);
    await lab().kubectl(['rollout', 'status', 'daemonset/web', '--timeout=90s']);
    await eventually(async () => {
      expect(await addressesOf(lab(), 'web')).toEqual(['192.0.2.1']);
    }, SOON);
    await isReachedThrough(lab(), '192.0.2.1', ['n1', 'n2']);
    await eventually(async () => {
      expect(await fetchFrom(lab(), '192.0.2.1')).toMatch(/^n[12]$/);
    }, SOON);
  });

  test('the sessions of the examples are watched by BFD', async () => {
    const nodes = lab().cluster.plan.nodes.map(({ ipv4 }) => ipv4);
    await eventually(async () => {
      expect(await sessions(lab())).toEqual({ bgp: nodes, bfd: nodes });
    }, SOON);
  });

  test('announces with policy Local from the nodes that have a pod', async () => {
    await apply(lab(), service('local', 'externalTrafficPolicy: Local'));
    await isReachedThrough(lab(), '192.0.2.2', ['n1', 'n2']);
    await selectNode(lab(), '{"kubernetes.io/hostname":"n2"}');
    await isReachedThrough(lab(), '192.0.2.2', ['n2']);
    await eventually(async () => {
      expect(await fetchFrom(lab(), '192.0.2.2')).toBe('n2');
    }, SOON);
    await selectNode(lab(), 'null');
    await isReachedThrough(lab(), '192.0.2.2', ['n1', 'n2']);
  });

  test('serves both families', async () => {
    await apply(lab(), service('dual', 'ipFamilyPolicy: RequireDualStack'));
    await isReachedThrough(lab(), '192.0.2.3', ['n1', 'n2']);
    const [ipv4, ipv6 = ''] = await addressesOf(lab(), 'dual');
    expect(ipv4).toBe('192.0.2.3');
    expect(ipv6).toMatch(/^2001:db8:99::/);
    await isReachedThrough(lab(), ipv6, ['n1', 'n2']);
    await eventually(async () => {
      expect(await fetchFrom(lab(), ipv6)).toMatch(/^n[12]$/);
    }, SOON);
  });
}

/** Addresses of the nodes whose sessions are up, sorted. */
export interface Sessions {
  readonly bgp: readonly string[];
  readonly bfd: readonly string[];
}

async function apply(lab: TestCluster, text: string): Promise<void> {
  await lab.kubectl(['apply', '-f', '-'], text);
}

async function selectNode(lab: TestCluster, selector: string): Promise<void> {
  const patch = `{"spec":{"template":{"spec":{"nodeSelector":${selector}}}}}`;
  await lab.kubectl(['patch', 'daemonset', 'web', '--type=merge', '-p', patch]);
}

function service(name: string, spec: string): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }], ${spec} }
`;
}
