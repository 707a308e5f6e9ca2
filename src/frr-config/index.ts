/**
 * FRR configuration as data: parses what FRR prints and what we render, and computes the commands that lead from one
 * to the other. It knows FRR's grammar and what its versions print differently; it never talks to FRR and knows
 * nothing of Kubernetes.
 */
export { parseFrrConfig, type FrrConfig, type FrrContext } from './parse.ts';
export { diffFrrConfig, linesOf, type FrrChange, type FrrCommand } from './diff.ts';
export { withoutPassword } from './statement.ts';
export { learnEquivalence, underEquivalence, type Equivalence } from './equivalence.ts';
