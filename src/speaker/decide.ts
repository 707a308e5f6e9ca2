export { createNodeDecider, type DecideOptions, type NodeDecision } from '../pipeline/index.ts';
