/** The object a problem is about, as a user would name it. */
export interface ResourceRef {
  /** Kind as in the API, for example `BGPPeer`. */
  readonly kind: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
}

/** A place in a text file; line and column count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Something wrong with the input. Problems are collected, never thrown: one wrong object is set aside and
 * the others go on.
 */
export interface Problem {
  /** Absent when not even the object could be read (broken YAML, binary file). */
  readonly resource?: ResourceRef;
  /** Path inside the object, for example `spec.peerASN`; empty when it is about the whole object. */
  readonly field: string;
  /** Stable CamelCase word, the `reason` of conditions and Events, for example `InvalidValue`. */
  readonly reason: ProblemReason;
  /** What is wrong, with the value, and what would be right. Never carries a secret. */
  readonly message: string;
  /** True when the cause may go away without an edit of this object, for example a Secret not there yet. */
  readonly transient: boolean;
  /** A `warning` is said and otherwise has no effect; the object stays in use. */
  readonly severity: 'error' | 'warning';
  readonly position?: SourcePosition;
}

export type ProblemReason =
  | 'InvalidSyntax' // not YAML, or not an object
  | 'InvalidValue'
  | 'MissingField'
  | 'UnknownField'
  | 'UnknownKind'
  | 'DuplicateObject'
  | 'Conflict' // two objects that cannot both be used
  | 'UnresolvedReference' // the object referred to is not there (transient)
  | 'WrongNamespace'
  | 'Deprecated'
  | 'FrrRefused'
  | 'FileUnreadable';

/** `namespace/name`, or `name` alone for a cluster-scoped object. */
export function objectKey(meta: { readonly namespace: string; readonly name: string }): string {
  return meta.namespace === '' ? meta.name : `${meta.namespace}/${meta.name}`;
}

/** Of which object a key `namespace/name` is. */
export function metaOfKey(key: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}

/** One line for people: `BGPPeer metallb-system/tor1: spec.holdTime: 1s: must be 0 or at least 3s (peers.yaml:12:3)`. */
export function formatProblem(problem: Problem): string {
  const parts: string[] = [];
  if (problem.resource) parts.push(`${problem.resource.kind} ${objectKey(problem.resource)}`);
  if (problem.field !== '') parts.push(problem.field);
  parts.push(problem.message);
  const text = parts.join(': ');
  const at = problem.position;
  return at ? `${text} (${at.file}:${String(at.line)}:${String(at.column)})` : text;
}
