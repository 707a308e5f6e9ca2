import { beforeAll, expect, test } from 'vitest';
import { bootNodeAgain, crashNode, describeWithCluster, type TestCluster } from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { clusterWithImages, helm, install, NAMESPACE, WEB } from './installed.ts';
import { rolledOut, textOf } from './no-loss.ts';
import { whileFetching, type Watched } from './traffic.ts';

/** Without any router that speaks BGP: one of the nodes answers for an address on their own LAN. */

const SOON = { timeoutMs: 60_000, intervalMs: 50 };
const ADDRESS = '198.51.100.200';
const ADDRESS_V6 = '2001:db8:64::200';

const OBJECTS = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan, namespace: ${NAMESPACE} }
spec: { addresses: ['${ADDRESS}-198.51.100.220', '${ADDRESS_V6}-2001:db8:64::220'] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lan, namespace: ${NAMESPACE} }
---
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: { metallb.io/loadBalancerIPs: '${ADDRESS},${ADDRESS_V6}' }
spec:
  type: LoadBalancer
  ipFamilyPolicy: RequireDualStack
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
`;

describeWithCluster('layer 2 in a cluster', () => {
  let lab: TestCluster;

  beforeAll(async () => {
    lab = await clusterWithImages({ nodeCount: 3 });
    await install(lab);
    await lab.kubectl(['apply', '-f', '-'], `${WEB}\n---${OBJECTS}`);
    await lab.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=90s']);
  }, 1_200_000);

  /** The node that the record names. */
  async function recorded(): Promise<string> {
    const form = 'jsonpath={.items[*].status.node}';
    return lab.kubectl(['get', '-n', NAMESPACE, 'servicel2statuses', '-o', form]);
  }

  /** The node whose interface the router sends to, by what ARP told it. */
  async function answering(): Promise<string> {
    await lab.inHost('r1', ['ip', 'neighbor', 'flush', 'to', ADDRESS]);
    await lab.inHost('cl', ['curl', '-sS', '--max-time', '2', `http://${ADDRESS}/`]);
    const text = await lab.inHost('r1', ['ip', '-j', 'neighbor', 'show', ADDRESS]);
    const [neighbor] = JSON.parse(text) as { lladdr?: string }[];
    return lab.cluster.plan.nodes.find(({ mac }) => mac === neighbor?.lladdr)?.name ?? '';
  }

  async function isSettledOn(isWanted: (node: string) => boolean): Promise<string> {
    let node = '';
    await eventually(async () => {
      node = await answering();
      expect(isWanted(node), node).toBe(true);
      expect(await recorded()).toBe(node);
    }, SOON);
    return node;
  }

  /**
   * Every request found somebody. kube-proxy keeps what it knows of a connection on its node: one that is in the middle of
   * its few packets while the address moves is refused by the next node, which is no matter of who answers for the address.
   */
  function isLossless(seen: Watched, moves: number): void {
    process.stdout.write(`${textOf(seen)}\n`);
    expect(seen.sent).toBeGreaterThan(200);
    const failures = seen.failures.split('\n').filter(Boolean);
    expect(failures.filter((line) => !line.endsWith('ECONNRESET'))).toEqual([]);
    expect(failures.length, seen.failures).toBeLessThanOrEqual(2 * moves);
  }

  test('one node answers, and says so', async () => {
    await isSettledOn((node) => node !== '');
    for (const host of [ADDRESS, `[${ADDRESS_V6}]`]) {
      await eventually(async () => {
        const fetch = ['curl', '-sS', '-g', '--max-time', '2', `http://${host}/`];
        expect(await lab.inHost('cl', fetch)).toMatch(/^n[123]$/);
      }, SOON);
    }
    const events = await lab.kubectl([
      'get',
      'events',
      '--field-selector',
      'reason=nodeAssigned',
      '-o',
      'name',
    ]);
    expect(events).not.toBe('');
  });

  test('another takes over from a node without power, and keeps the address when that one is back', async () => {
    const { name } = lab.cluster.plan;
    const before = await isSettledOn((node) => node !== '');
    await crashNode(name, before);
    const after = await isSettledOn((node) => node !== '' && node !== before);
    await bootNodeAgain(name, before, new AbortController().signal);
    await rolledOut(lab, 'speaker', 'daemonset');
    // Until its pods are ready again a request may still be sent to them: what counts is who answers for the address.
    await isSettledOn((node) => node === after);
    const form = 'jsonpath={.items[*].status.history[*].node}';
    const history = await lab.kubectl(['get', '-n', NAMESPACE, 'servicel2statuses', '-o', form]);
    expect(history.split(' ').slice(0, 2)).toEqual([after, before]);
  });

  test('every request finds a node while the speaker that answers is exchanged', async () => {
    const before = await isSettledOn((node) => node !== '');
    const seen = await whileFetching(lab, ADDRESS, async () => {
      const select = [
        '-l',
        'app.kubernetes.io/component=speaker',
        '--field-selector',
        `spec.nodeName=${before}`,
      ];
      await lab.kubectl(['delete', 'pod', '-n', NAMESPACE, ...select]);
      await rolledOut(lab, 'speaker', 'daemonset');
    });
    isLossless(seen, 1);
    await isSettledOn((node) => node !== '' && node !== before);
  });

  test('every request finds a node while an upgrade exchanges every pod', async () => {
    const seen = await whileFetching(lab, ADDRESS, async () => {
      const change = 'speaker.podAnnotations.upgrade=again,controller.podAnnotations.upgrade=again';
      await helm(lab, 'upgrade', '--wait', '--timeout', '150s', '--set', change);
      await rolledOut(lab, 'speaker', 'daemonset');
    });
    isLossless(seen, lab.cluster.plan.nodes.length);
  });

  test('nobody answers any more once the Service is gone', async () => {
    await lab.kubectl(['delete', 'service', 'web']);
    await eventually(async () => {
      expect(await recorded()).toBe('');
    }, SOON);
    await lab.inHost('r1', ['ip', 'neighbor', 'flush', 'to', ADDRESS]);
    await expect(
      lab.inHost('cl', ['curl', '-sS', '--max-time', '2', `http://${ADDRESS}/`]),
    ).rejects.toThrow();
  });
});
