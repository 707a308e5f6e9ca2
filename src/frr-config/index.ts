/**
 * FRR configuration as data: parses what FRR prints and what we render, and computes the commands that lead from one
 * to the other. It knows FRR's grammar and what its versions print differently; it never talks to FRR and knows
 * nothing of Kubernetes.
 */
export { createFrrConfigParser } from './config-parser.ts';
export { contextKey, parseFrrConfig, type FrrConfig, type FrrContext } from './parse.ts';
export {
  diffFrrConfig,
  linesOf,
  typedLines,
  type FrrChange,
  type FrrCommand,
  type TypedLine,
} from './diff.ts';
export { neighborOf, withoutPassword } from './statement.ts';
export {
  holds,
  learnForms,
  underEquivalence,
  type EquivalentForms,
  type PlacedStatement,
} from './equivalence.ts';
