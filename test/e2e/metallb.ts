import type { TestCluster } from '../cluster/index.ts';
import { crds } from '../chart/chart.ts';
import { IMAGE, NAMESPACE } from './installed.ts';

/**
 * What a cluster with MetalLB has in its API server, as its chart leaves it: CRDs that ask a webhook, a webhook that refuses
 * what nobody answers for, workloads under its labels. Its programs are not there: their pods run and do nothing.
 */

const WEBHOOK = { name: 'metallb-webhook-service', namespace: NAMESPACE, path: '/convert' };

/** Its definitions have our kinds and versions, no rules of their own, and convert BGPPeers by webhook. */
function definitions(): readonly object[] {
  return [...crds().values()].map((crd) => {
    const plain = JSON.parse(
      JSON.stringify(crd, (key, value: unknown) => (key === 'x-kubernetes-validations' ? undefined : value)),
    ) as typeof crd;
    if (crd.spec.names.kind !== 'BGPPeer') return plain;
    const webhook = { conversionReviewVersions: ['v1'], clientConfig: { service: WEBHOOK } };
    return { ...plain, spec: { ...plain.spec, conversion: { strategy: 'Webhook', webhook } } };
  });
}

function workload(kind: 'Deployment' | 'DaemonSet', name: string): string {
  return `
---
apiVersion: apps/v1
kind: ${kind}
metadata: { name: ${name}, namespace: ${NAMESPACE}, labels: { app.kubernetes.io/name: metallb } }
spec:
  selector: { matchLabels: { component: ${name} } }
  template:
    metadata: { labels: { component: ${name}, app.kubernetes.io/name: metallb } }
    spec:
      terminationGracePeriodSeconds: 0
      hostNetwork: ${String(kind === 'DaemonSet')}
      containers:
        - { name: ${name}, image: '${IMAGE}', command: [node, -e, 'setInterval(() => {}, 1000000)'] }
`;
}

const GUARD = `
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: metallb-webhook-configuration }
webhooks:
  - name: ipaddresspoolvalidationwebhook.metallb.io
    admissionReviewVersions: [v1]
    failurePolicy: Fail
    sideEffects: None
    timeoutSeconds: 1
    clientConfig: { service: { name: ${WEBHOOK.name}, namespace: ${NAMESPACE}, path: /validate } }
    rules:
      - apiGroups: [metallb.io]
        apiVersions: [v1beta1]
        operations: [CREATE, UPDATE]
        resources: [ipaddresspools]
`;

export interface OldService {
  readonly name: string;
  /** As JSON, beside type, selector and ports. */
  readonly spec?: object;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** What MetalLB gave it. */
  readonly addresses: readonly string[];
}

/** Puts all of it there, with the objects of the user. */
export async function standInForMetalLb(
  lab: TestCluster,
  objects: readonly string[],
  services: readonly OldService[],
): Promise<void> {
  await lab.kubectl(['apply', '--server-side', '-f', '-'], definitionList());
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  await lab.kubectl(['create', 'namespace', NAMESPACE]);
  for (const object of objects) await lab.kubectl(['apply', '-f', object]);
  await startWorkloads(lab);
  for (const service of services) await putService(lab, service);
}

/** MetalLB is installed again where ours was: its definitions in the place of ours, and its workloads. */
export async function metalLbComesBack(lab: TestCluster): Promise<void> {
  await lab.kubectl(['replace', '-f', '-'], definitionList());
  await startWorkloads(lab);
}

function definitionList(): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: definitions() });
}

async function startWorkloads(lab: TestCluster): Promise<void> {
  const workloads = `${workload('Deployment', 'controller')}${workload('DaemonSet', 'speaker')}${GUARD}`;
  await lab.kubectl(['apply', '--server-side', '-f', '-'], workloads);
  for (const name of ['daemonset/speaker', 'deployment/controller']) {
    await lab.kubectl(['rollout', 'status', '-n', NAMESPACE, name, '--timeout=90s']);
  }
}

async function putService(lab: TestCluster, service: OldService): Promise<void> {
  const { name, spec, annotations, port = 80, addresses } = service;
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, annotations: { 'metallb.io/ip-allocated-from-pool': 'first', ...annotations } },
    spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port, targetPort: 8080 }], ...spec },
  };
  await lab.kubectl(['apply', '-f', '-'], JSON.stringify(object));
  const status = { loadBalancer: { ingress: addresses.map((ip) => ({ ip, ipMode: 'VIP' })) } };
  const patch = ['patch', 'service', name, '--subresource=status', '--type=merge'];
  await lab.kubectl([...patch, '-p', JSON.stringify({ status })]);
}
