import { execa } from 'execa';
import { load, loadAll } from 'js-yaml';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { crds, ROOT } from '../chart/chart.ts';
import { findHelm, objectsOf, template, type Rendered } from '../chart/helm.ts';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd } from '../support/index.ts';
import { NAMESPACE, Objects } from './support.ts';

/** What `convert` prints is taken by those that it is meant for: an API server with our CRDs, and helm with our chart. */

const [programs, helm] = await Promise.all([apiServerPrograms(), findHelm()]);

async function convert(args: readonly string[], input: string): Promise<string> {
  const { stdout } = await execa(join(ROOT, 'bin/metallb-frr'), ['convert', ...args, '-f', '-'], { input });
  return stdout;
}

const PEER = { myASN: 64_500, peerASN: 64_496 };

/** Each of the old forms, and what stands in the API server then: `KIND NAME`, with some of its spec. */
const OLD: readonly {
  readonly name: string;
  readonly text: string;
  readonly want: Readonly<Record<string, object>>;
}[] = [
  {
    name: 'the ConfigMap',
    text: `
apiVersion: v1
kind: ConfigMap
metadata: { namespace: ${NAMESPACE}, name: config }
data:
  config: |
    peers:
      - { peer-address: 192.0.2.1, peer-asn: 64496, my-asn: 64500, peer-port: 1179, hold-time: 30s, bfd-profile: fast }
    bgp-communities: { edge: "64500:7" }
    address-pools:
      - name: routed
        protocol: bgp
        addresses: [198.51.100.0/24]
        avoid-buggy-ips: true
        auto-assign: false
        bgp-advertisements:
          - { aggregation-length: 32, localpref: 100, communities: [edge] }
          - { aggregation-length: 24 }
      - { name: bridged, protocol: layer2, addresses: [203.0.113.1-203.0.113.9] }
    bfd-profiles:
      - { name: fast, receive-interval: 50, transmit-interval: 50, detect-multiplier: 3 }
`,
    want: {
      'BGPPeer *': { ...PEER, peerAddress: '192.0.2.1', peerPort: 1179, holdTime: '30s', bfdProfile: 'fast' },
      'IPAddressPool routed': { addresses: ['198.51.100.0/24'], avoidBuggyIPs: true, autoAssign: false },
      'IPAddressPool bridged': { addresses: ['203.0.113.1-203.0.113.9'] },
      'L2Advertisement *': { ipAddressPools: ['bridged'] },
      'BGPAdvertisement *': { ipAddressPools: ['routed'] },
      'BFDProfile fast': { receiveInterval: 50, transmitInterval: 50, detectMultiplier: 3 },
      'Community *': { communities: [{ name: 'edge', value: '64500:7' }] },
    },
  },
  {
    name: 'AddressPools',
    text: `
apiVersion: metallb.io/v1beta1
kind: AddressPool
metadata: { namespace: ${NAMESPACE}, name: routed }
spec:
  protocol: bgp
  addresses: [198.51.100.0/24]
  autoAssign: false
  bgpAdvertisements: [{ aggregationLength: 26, communities: ["64500:9"] }]
---
apiVersion: metallb.io/v1beta1
kind: AddressPool
metadata: { namespace: ${NAMESPACE}, name: bridged }
spec: { protocol: layer2, addresses: [203.0.113.1-203.0.113.9] }
`,
    want: {
      'IPAddressPool routed': { addresses: ['198.51.100.0/24'], autoAssign: false },
      'IPAddressPool bridged': { addresses: ['203.0.113.1-203.0.113.9'] },
      'BGPAdvertisement *': {
        ipAddressPools: ['routed'],
        aggregationLength: 26,
        communities: ['64500:9'],
      },
      'L2Advertisement *': { ipAddressPools: ['bridged'] },
    },
  },
  {
    name: 'BGPPeers v1beta1',
    text: `
apiVersion: metallb.io/v1beta1
kind: BGPPeer
metadata: { namespace: ${NAMESPACE}, name: tor }
spec:
  myASN: 64500
  peerASN: 64496
  peerAddress: 192.0.2.1
  peerPort: 1179
  holdTime: 90s
  keepaliveTime: 30s
  routerID: 192.0.2.10
  ebgpMultiHop: true
  nodeSelectors:
    - matchExpressions: [{ key: rack, operator: In, values: [a, b] }]
`,
    want: {
      'BGPPeer tor': {
        ...{ ...PEER, peerAddress: '192.0.2.1', peerPort: 1179, holdTime: '90s', keepaliveTime: '30s' },
        ...{ routerID: '192.0.2.10', ebgpMultiHop: true },
        nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'In', values: ['a', 'b'] }] }],
      },
    },
  },
];

interface Standing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: object;
}

describe('the old forms of MetalLB', () => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;

  beforeAll(async () => {
    api = await startApiServer();
    atEnd(() => api.stop());
    await new Objects(api).makeNamespace();
  }, 90_000);

  function collection(apiVersion: string, kind: string): string {
    const { plural } = [...crds().values()].find(({ spec }) => spec.names.kind === kind)!.spec.names;
    return `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}`;
  }

  test.each(OLD)('$name: what `convert` prints is accepted, and says the same', async ({ text, want }) => {
    const printed = loadAll(await convert([], text)) as Standing[];
    const stand: Standing[] = [];
    for (const object of printed) {
      const path = collection(object.apiVersion, object.kind);
      expect(object.metadata.namespace).toBe(NAMESPACE);
      // As kubectl does it: a field that is not known is a fault.
      const answer = await api.request('POST', `${path}?fieldValidation=Strict`, object);
      stand.push(answer as unknown as Standing);
      await api.request('DELETE', `${path}/${object.metadata.name}`);
    }
    for (const [key, spec] of Object.entries(want)) {
      const [kind, name] = key.split(' ');
      const found = stand.filter(
        (each) => each.kind === kind && (name === '*' || each.metadata.name === name),
      );
      expect(
        found.map((each) => each.spec),
        key,
      ).toContainEqual(expect.objectContaining(spec));
    }
    // None that was not asked for, and all of today.
    const kinds = new Set(Object.keys(want).map((key) => key.split(' ')[0]));
    expect(new Set(stand.map(({ kind }) => kind))).toEqual(kinds);
    // Converted once more, nothing is said in another way.
    const again = loadAll(
      await convert([], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: printed })),
    );
    expect(again).toEqual(printed);
  });
});

describe('the MetalLB object of the OpenShift operator', () => {
  if (helm === undefined) {
    test.skip('skipped: no helm on this machine: run `npm run cluster -- tools`');
    return;
  }
  const OPERATOR = `
apiVersion: metallb.io/v1beta1
kind: MetalLB
metadata: { name: metallb, namespace: ${NAMESPACE} }
spec:
  logLevel: debug
  loadBalancerClass: example.com/frr
  nodeSelector: { node-role.kubernetes.io/worker: "" }
  speakerTolerations: [{ key: edge, operator: Exists }]
  controllerNodeSelector: { rack: a }
  controllerTolerations: [{ key: infra, operator: Exists }]
  speakerConfig:
    priorityClassName: high
    runtimeClassName: kata
    resources: { limits: { memory: 200Mi } }
  controllerConfig: { annotations: { example.com/note: one } }
`;

  test('becomes values that the chart takes, and they arrive in its pods', async () => {
    const values = load(await convert(['--chart-values'], OPERATOR)) as object;
    const objects = objectsOf(template(helm, values));
    const podOf = (kind: string): Rendered['spec']['template'] =>
      objects.find((each) => each.kind === kind)!.spec.template;
    const [speaker, controller] = [podOf('DaemonSet'), podOf('Deployment')];
    expect(speaker.spec).toMatchObject({
      nodeSelector: { 'node-role.kubernetes.io/worker': '' },
      tolerations: expect.arrayContaining([{ key: 'edge', operator: 'Exists' }]) as object[],
      ...{ priorityClassName: 'high', runtimeClassName: 'kata' },
    });
    expect(controller).toMatchObject({
      metadata: { annotations: { 'example.com/note': 'one' } },
      spec: {
        nodeSelector: { rack: 'a' },
        tolerations: expect.arrayContaining([{ key: 'infra', operator: 'Exists' }]) as object[],
      },
    });
    for (const { spec } of [speaker, controller]) {
      const args = spec.containers.flatMap((container) => container.args ?? []);
      expect(args).toEqual(
        expect.arrayContaining(['--lb-class=example.com/frr', '--log-level=debug']) as string[],
      );
    }
    const limits = speaker.spec.containers.map(
      (container) => (container as { resources?: object }).resources,
    );
    expect(limits).toContainEqual(expect.objectContaining({ limits: { memory: '200Mi' } }));
  });
});
