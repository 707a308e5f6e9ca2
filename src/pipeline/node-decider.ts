import type { ClusterSnapshot, NodeObject } from '../api/index.ts';
import { buildConfig, selectForNode, type ConfigMemory, type NodeSelection } from '../config/index.ts';
import type { Problem } from '../core/problem.ts';
import { createNodeReconciler, type NodeDesiredState } from '../reconciler/index.ts';

export interface NodeDecision {
  readonly state: NodeDesiredState;
  /** Of the configuration as this node sees it. */
  readonly problems: readonly Problem[];
}

export interface DecideOptions {
  readonly nodeName: string;
  readonly loadBalancerClass: string;
  readonly ignoreExcludeLabel: boolean;
}

/**
 * From a snapshot to what this node should do: configuration, the node's part of it, then the decision. It carries
 * from call to call what was in use, so that the last good version of an object outlives a bad edit.
 */
export function createNodeDecider(options: DecideOptions): (snapshot: ClusterSnapshot) => NodeDecision {
  const reconcile = createNodeReconciler();
  let memory: ConfigMemory | undefined;
  let selection: { readonly of: readonly unknown[]; readonly value: NodeSelection } | undefined;

  return (snapshot) => {
    const built = buildConfig(snapshot, memory);
    memory = built.memory;
    const node = nodeOf(snapshot, options.nodeName);
    const of = [built.config, node];
    if (!selection?.of.every((part, index) => part === of[index])) {
      const identity = { name: options.nodeName, labels: node?.metadata.labels ?? {} };
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
    return { state, problems: [...built.problems, ...selection.value.problems] };
  };
}

export function nodeOf(snapshot: ClusterSnapshot, nodeName: string): NodeObject | undefined {
  return snapshot.objects.Node.find((node) => node.metadata.name === nodeName);
}
