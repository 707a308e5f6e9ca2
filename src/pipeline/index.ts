/**
 * The whole way from typed objects to one node's frr.conf, as one pure function: what `render` prints, `validate` checks
 * and the golden files hold. It decides nothing itself; it hands each stage what the one before gave. It reads no file,
 * keeps nothing between calls, and knows neither FRR nor a cluster.
 */
export { planCluster, type ClusterPlan, type ClusterPlanOptions } from './cluster-plan.ts';
export {
  planNode,
  renderNode,
  type NodePlan,
  type NodePlanOptions,
  type RenderOptions,
} from './node-plan.ts';
export { createNodeDecider, nodeOf, type DecideOptions, type NodeDecision } from './node-decider.ts';
export { snapshotOf, nodeNamesOf } from './snapshot.ts';
