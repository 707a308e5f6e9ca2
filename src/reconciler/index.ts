/**
 * What one node should do, from the configuration and the cluster's facts: which Services it announces, to whom, with
 * what attributes, and for each one that it does not announce, why. It never talks to FRR or to the source, and
 * knows no FRR words.
 */
export * from './types.ts';
export {
  createLayer2Reconciler,
  type Layer2Decision,
  type Layer2Input,
  type Layer2Refusal,
} from './layer2.ts';
export { createNodeReconciler, type NodeInput } from './node-state.ts';
export { neighborFilterId, peerFamilies } from './neighbor.ts';
