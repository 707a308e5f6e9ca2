import type { ServiceDecision } from '../allocator/index.ts';
import type { ClusterSnapshot, EndpointSliceObject, ServiceObject } from '../api/index.ts';
import { selectForNode } from '../config/index.ts';
import { objectKey, type Problem } from '../core/problem.ts';
import type { FrrConfTemplate, FrrLogLevel } from '../frr-render/index.ts';
import { createNodeReconciler, type NodeDesiredState } from '../reconciler/index.ts';
import { planCluster, type ClusterPlan, type ClusterPlanOptions } from './cluster-plan.ts';
import { nodeOf } from './node-decider.ts';

export interface NodePlanOptions {
  readonly nodeName: string;
  /** frr.conf as `compileFrrConf` made it. */
  readonly template: FrrConfTemplate;
  /** Default: the node's name. */
  readonly hostname?: string;
  /** Default: `informational`. */
  readonly logLevel?: FrrLogLevel;
  /** `--ignore-exclude-lb`: the label that takes a node out of load balancing has no effect. */
  readonly ignoreExcludeLabel?: boolean;
}

export interface NodePlan {
  /** Holds passwords in clear text. */
  readonly frrConf: string;
  readonly state: NodeDesiredState;
  /** Of this node alone; those of the whole configuration are in the {@link ClusterPlan}. */
  readonly problems: readonly Problem[];
}

/** What one node does and the frr.conf that says so. */
export function planNode(plan: ClusterPlan, options: NodePlanOptions): NodePlan {
  const { nodeName, ignoreExcludeLabel = false } = options;
  const { config, snapshot, services } = plan;
  const node = nodeOf(snapshot, nodeName);
  const selection = selectForNode(config, { name: nodeName, labels: node?.metadata.labels ?? {} });
  const slices = snapshot.objects.EndpointSlice;
  const state = createNodeReconciler()({
    nodeName,
    config,
    selection,
    node,
    services,
    endpointSlices: plan.options.endpoints === 'assumed' ? withAssumed(slices, services, nodeName) : slices,
    loadBalancerClass: plan.options.loadBalancerClass ?? '',
    ignoreExcludeLabel,
  });
  const frrConf = options.template(state.bgp, {
    hostname: options.hostname ?? nodeName,
    logLevel: options.logLevel ?? 'informational',
  });
  return { frrConf, state, problems: selection.problems };
}

export interface RenderOptions extends NodePlanOptions, ClusterPlanOptions {}

/** {@link planCluster} and {@link planNode} in one, for a caller that asks about one node only. */
export function renderNode(
  snapshot: ClusterSnapshot,
  options: RenderOptions,
): NodePlan & { readonly assignments: readonly ServiceDecision[] } {
  const cluster = planCluster(snapshot, options);
  const node = planNode(cluster, options);
  return { ...node, assignments: cluster.assignments, problems: [...cluster.problems, ...node.problems] };
}

/** The slices, and one with a usable endpoint on this node for each Service that has none at all. */
function withAssumed(
  slices: readonly EndpointSliceObject[],
  services: readonly ServiceObject[],
  nodeName: string,
): readonly EndpointSliceObject[] {
  const having = new Set(
    slices.map(
      ({ metadata }) => `${metadata.namespace}/${metadata.labels['kubernetes.io/service-name'] ?? ''}`,
    ),
  );
  const assumed = services
    .filter((service) => !having.has(objectKey(service.metadata)))
    .map(({ metadata: { name, namespace } }): EndpointSliceObject => ({
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name }, annotations: {} },
      spec: { endpoints: [{ hasAddress: true, nodeName, ready: true }] },
    }));
  return [...slices, ...assumed];
}
