import { beforeAll, expect, test } from 'vitest';
import { bootNodeAgain, crashNode, describeWithCluster, type TestCluster } from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { applyExamples, clusterWithImages, helm, install, NAMESPACE, WEB } from './installed.ts';

/** What a user does: install the chart, say which addresses and routers there are, make a Service, and reach it. */

const SOON = { timeoutMs: 60_000, intervalMs: 100 };

function service(name: string, spec: string): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }], ${spec} }
`;
}

describeWithCluster('the chart in a cluster', () => {
  let lab: TestCluster;

  beforeAll(async () => {
    lab = await clusterWithImages({ nodeCount: 2 });
  }, 1_200_000);

  /** The nodes through which the router's kernel sends what is for an address, by name. */
  async function nextHops(address: string): Promise<readonly string[]> {
    const text = await lab.inHost('r1', ['ip', '-j', 'route', 'show', address]);
    const [route] = JSON.parse(text) as { gateway?: string; nexthops?: { gateway: string }[] }[];
    const gateways =
      route?.nexthops?.map(({ gateway }) => gateway) ?? (route?.gateway ? [route.gateway] : []);
    const { nodes } = lab.cluster.plan;
    return gateways.map((ip) => nodes.find(({ ipv4 }) => ipv4 === ip)?.name ?? ip).sort();
  }

  async function isReachedThrough(address: string, nodes: readonly string[]): Promise<void> {
    await eventually(async () => {
      expect(await nextHops(address)).toEqual(nodes);
    }, SOON);
  }

  async function fetchFrom(address: string): Promise<string> {
    return lab.inHost('cl', ['curl', '-sS', '--max-time', '2', `http://${address}/`]);
  }

  async function apply(text: string): Promise<void> {
    await lab.kubectl(['apply', '-f', '-'], text);
  }

  test('is installed by one command, and its pods get ready', async () => {
    await install(lab);
    const states = await lab.kubectl([
      'get',
      'pods',
      '-n',
      NAMESPACE,
      '-o',
      'jsonpath={.items[*].status.phase}',
    ]);
    expect(states.split(' ')).toEqual(['Running', 'Running', 'Running', 'Running']);
  });

  test('gives a Service an address, and the router a route through every node', async () => {
    await applyExamples(lab);
    await apply(WEB);
    await lab.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=90s']);
    await eventually(async () => {
      expect(
        await lab.kubectl(['get', 'service', 'web', '-o', 'jsonpath={.status.loadBalancer.ingress[*].ip}']),
      ).toBe('192.0.2.1');
    }, SOON);
    await isReachedThrough('192.0.2.1', ['n1', 'n2']);
    expect(await lab.router(['-c', 'show ip route 192.0.2.1'])).toContain('198.51.100.11, via eth0');
    await eventually(async () => {
      expect(await fetchFrom('192.0.2.1')).toMatch(/^n[12]$/);
    }, SOON);
  });

  test('announces with policy Local from the nodes that have a pod', async () => {
    await apply(service('local', 'externalTrafficPolicy: Local'));
    await isReachedThrough('192.0.2.2', ['n1', 'n2']);
    const only =
      '{"spec":{"template":{"spec":{"nodeName":null,"nodeSelector":{"kubernetes.io/hostname":"n2"}}}}}';
    await lab.kubectl(['patch', 'daemonset', 'web', '--type=merge', '-p', only]);
    await isReachedThrough('192.0.2.2', ['n2']);
    await eventually(async () => {
      expect(await fetchFrom('192.0.2.2')).toBe('n2');
    }, SOON);
    const all = '{"spec":{"template":{"spec":{"nodeSelector":null}}}}';
    await lab.kubectl(['patch', 'daemonset', 'web', '--type=merge', '-p', all]);
    await isReachedThrough('192.0.2.2', ['n1', 'n2']);
  });

  test('serves both families', async () => {
    await apply(service('dual', 'ipFamilyPolicy: RequireDualStack'));
    await isReachedThrough('192.0.2.3', ['n1', 'n2']);
    const form = 'jsonpath={.status.loadBalancer.ingress[*].ip}';
    const addresses = (await lab.kubectl(['get', 'service', 'dual', '-o', form])).split(' ');
    expect(addresses[0]).toBe('192.0.2.3');
    expect(addresses[1]).toMatch(/^2001:db8:99::/);
    await eventually(async () => {
      expect(await fetchFrom(`[${addresses[1] ?? ''}]`)).toMatch(/^n[12]$/);
    }, SOON);
  });

  test('says in objects what it does', async () => {
    await eventually(async () => {
      const states = await lab.kubectl(['get', '-n', NAMESPACE, 'configurationstates', '--no-headers']);
      expect(states.split('\n').map((line) => line.split(/ +/).slice(0, 2))).toEqual([
        ['controller', 'Valid'],
        ['speaker-n1', 'Valid'],
        ['speaker-n2', 'Valid'],
      ]);
      const announced = await lab.kubectl(['get', '-n', NAMESPACE, 'servicebgpstatuses', '--no-headers']);
      expect(
        announced
          .split('\n')
          .map((line) => line.split(/ +/).slice(1, 3).join(' '))
          .sort(),
      ).toEqual(['n1', 'n2'].flatMap((node) => ['dual', 'local', 'web'].map((name) => `${node} ${name}`)));
    }, SOON);
  });

  test('a speaker that is replaced takes nothing with it but its own next hop, and brings it back', async () => {
    const form = 'jsonpath={.items[0].metadata.name}';
    const select = ['-l', 'app.kubernetes.io/component=speaker', '--field-selector', 'spec.nodeName=n1'];
    const pod = await lab.kubectl(['get', 'pods', '-n', NAMESPACE, ...select, '-o', form]);
    await lab.kubectl(['delete', 'pod', '-n', NAMESPACE, pod]);
    expect(await nextHops('192.0.2.1')).toContain('n2');
    await isReachedThrough('192.0.2.1', ['n1', 'n2']);
  });

  test('a node without power is left out within a second, and back when it is', async () => {
    const { name } = lab.cluster.plan;
    await crashNode(name, 'n1');
    await eventually(
      async () => {
        expect(await nextHops('192.0.2.1')).toEqual(['n2']);
      },
      { timeoutMs: 10_000, intervalMs: 20 },
    );
    await bootNodeAgain(name, 'n1', new AbortController().signal);
    await isReachedThrough('192.0.2.1', ['n1', 'n2']);
  });

  test('an upgrade changes no address', async () => {
    const form =
      'jsonpath={range .items[*]}{.metadata.name} {.status.loadBalancer.ingress[*].ip}{"\\n"}{end}';
    const before = await lab.kubectl(['get', 'services', '-o', form]);
    await helm(
      lab,
      'upgrade',
      '--wait',
      '--timeout',
      '150s',
      '--set',
      'controller.logLevel=debug,speaker.logLevel=debug',
    );
    expect(await lab.kubectl(['get', 'services', '-o', form])).toBe(before);
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3'])
      await isReachedThrough(address, ['n1', 'n2']);
  });

  test('takes back what is deleted', async () => {
    await lab.kubectl(['delete', 'service', 'web', 'local', 'dual']);
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) await isReachedThrough(address, []);
  });
});
