import type { ClusterSnapshot, NodeObject } from '../api/index.ts';
import {
  buildConfig,
  problemsOfNode,
  selectForNode,
  type ConfigMemory,
  type NodeSelection,
} from '../config/index.ts';
import type { Problem } from '../core/problem.ts';
import {
  createLayer2Reconciler,
  createNodeReconciler,
  type Layer2Decision,
  type NodeDesiredState,
} from '../reconciler/index.ts';

export interface NodeDecision {
  readonly state: NodeDesiredState;
  /** What is announced on layer 2, and by which nodes it may be. */
  readonly layer2: Layer2Decision;
  /** Of the configuration as this node sees it. */
  readonly problems: readonly Problem[];
}

export interface DecideOptions {
  readonly nodeName: string;
  readonly loadBalancerClass: string;
  readonly ignoreExcludeLabel: boolean;
}

/**
 * From a snapshot to what this node should do: configuration, the node's part of it, then the decision. For layer 2 it
 * needs the names of the nodes whose speakers live; none given: this one alone. It carries
 * from call to call what was in use, so that the last good version of an object outlives a bad edit.
 */
export function createNodeDecider(
  options: DecideOptions,
): (snapshot: ClusterSnapshot, speakers?: readonly string[]) => NodeDecision {
  const reconcile = createNodeReconciler();
  const reconcileLayer2 = createLayer2Reconciler();
  const alone = [options.nodeName];
  let memory: ConfigMemory | undefined;
  let selection: { readonly of: readonly unknown[]; readonly value: NodeSelection } | undefined;

  return (snapshot, speakers = alone) => {
    const built = buildConfig(snapshot, memory);
    memory = built.memory;
    const node = nodeOf(snapshot, options.nodeName);
    const identity = { name: options.nodeName, labels: node?.metadata.labels ?? {} };
    const of = [built.config, node];
    if (!selection?.of.every((part, index) => part === of[index])) {
      selection = { of, value: selectForNode(built.config, identity, selection?.value) };
    }
    const state = reconcile({
      ...options,
      config: built.config,
      selection: selection.value,
      node,
      services: snapshot.objects.Service,
      endpointSlices: snapshot.objects.EndpointSlice,
    });
    const layer2 = reconcileLayer2({
      ...options,
      config: built.config,
      nodes: snapshot.objects.Node,
      speakers,
      services: snapshot.objects.Service,
      endpointSlices: snapshot.objects.EndpointSlice,
    });
    const problems = problemsOfNode(built.problems, snapshot, { node: identity, selection: selection.value });
    return { state, layer2, problems: [...problems, ...selection.value.problems] };
  };
}

export function nodeOf(snapshot: ClusterSnapshot, nodeName: string): NodeObject | undefined {
  return snapshot.objects.Node.find((node) => node.metadata.name === nodeName);
}
