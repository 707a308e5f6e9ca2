import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { eventually, tempDir } from '../support/index.ts';
import { bootNodeAgain, crashNode, encodeImage } from './index.ts';
import { describeWithCluster, startTestCluster, type TestCluster } from './test-cluster.ts';
import { processesOf, remainsOf } from './remains.ts';

const IMAGE = 'localhost/test/busybox:1';
const SOON = { timeoutMs: 60_000, intervalMs: 100 };
const { signal } = new AbortController();

/** An image with nothing but busybox, as a docker-archive. */
async function busyboxImage(): Promise<string> {
  const file = join(await tempDir(), 'busybox.tar');
  const bytes = await readFile('/bin/busybox');
  const links = ['sh', 'echo', 'httpd', 'sleep'].map((name) => ({
    path: `bin/${name}`,
    content: { linkTo: 'busybox' },
  }));
  const files = [{ path: 'bin/busybox', content: { bytes } }, ...links];
  await writeFile(file, encodeImage({ name: IMAGE, files, entrypoint: ['/bin/sh', '-c'] }));
  return file;
}

/** A web server on every node that answers with the node's name, behind a Service that has its address already. */
const WEB = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: ${IMAGE}
          args: ['echo hello from $NODE; echo $NODE >index.html; exec httpd -f -p 8080']
          env: [{ name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
`;
const VIP = '192.0.2.1';
const STATUS = `{"status":{"loadBalancer":{"ingress":[{"ip":"${VIP}"}]}}}`;

for (const proxyMode of ['iptables', 'nftables'] as const) {
  describeWithCluster(`a cluster with kube-proxy in mode ${proxyMode}`, () => {
    let lab: TestCluster;

    beforeAll(async () => {
      const router = proxyMode === 'iptables' ? 'frr' : 'bird';
      lab = await startTestCluster({ proxyMode, router, images: [await busyboxImage()] });
    });

    test('has its nodes Ready, with the addresses and pod ranges of the plan', async () => {
      const form =
        'jsonpath={range .items[*]}{.metadata.name} {.status.addresses[*].address} {.spec.podCIDR}{"\\n"}{end}';
      const lines = await lab.kubectl(['get', 'nodes', '-o', form]);
      expect(lines.split('\n').sort()).toEqual([
        'n1 198.51.100.11 2001:db8:64::11 n1 10.244.1.0/24',
        'n2 198.51.100.12 2001:db8:64::12 n2 10.244.2.0/24',
      ]);
      await lab.kubectl(['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=1s']);
    });

    test('runs pods, and gives their logs', async () => {
      await lab.kubectl(['apply', '-f', '-'], WEB);
      await lab.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=90s']);
      const logs = await lab.kubectl(['logs', '-l', 'app=web']);
      expect(logs.split('\n').sort()).toEqual(['hello from n1', 'hello from n2']);
    });

    test('leads a client through the router to the node that has the route, and to the pod there', async () => {
      await lab.kubectl(['patch', 'service', 'web', '--subresource=status', '--type=merge', '-p', STATUS]);
      for (const { name, ipv4 } of lab.cluster.plan.nodes) {
        await lab.inHost('r1', ['ip', 'route', 'replace', VIP, 'via', ipv4]);
        await eventually(async () => {
          expect(await lab.inHost('cl', ['curl', '-sS', '--max-time', '2', `http://${VIP}/`])).toBe(name);
        }, SOON);
      }
    });

    test('has a router that answers', async () => {
      if (proxyMode === 'iptables')
        expect(await lab.router(['-c', 'show bgp summary'])).toContain('No BGP neighbors');
      else expect(await lab.router(['show', 'status'])).toContain('Daemon is up and running');
    });

    test('a node that lost its power comes back with its disk', async () => {
      const { name } = lab.cluster.plan;
      await lab.enter('n1', ['sh', '-c', 'echo kept >/var/lib/note; echo lost >/run/note']);
      await crashNode(name, 'n1');
      await expect(lab.inHost('n1', ['true'])).rejects.toThrow();
      await expect(lab.inHost('r1', ['ping', '-c1', '-W1', '198.51.100.11'])).rejects.toThrow();
      await bootNodeAgain(name, 'n1', signal);
      expect(await lab.enter('n1', ['cat', '/var/lib/note'])).toBe('kept');
      await expect(lab.enter('n1', ['cat', '/run/note'])).rejects.toThrow(/No such file/);
      await lab.inHost('r1', ['ip', 'route', 'replace', VIP, 'via', '198.51.100.11']);
      await eventually(async () => {
        expect(await lab.inHost('cl', ['curl', '-sS', '--max-time', '2', `http://${VIP}/`])).toBe('n1');
      }, SOON);
    });

    test('leaves nothing when it is removed', async () => {
      const { name } = lab.cluster.plan;
      const processes = await processesOf(name);
      expect(processes.length).toBeGreaterThan(12);
      expect(await remainsOf(name, processes)).not.toEqual([]);
      await lab.stop();
      expect(await remainsOf(name, processes)).toEqual([]);
    });
  });
}
