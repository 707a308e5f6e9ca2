import type { ObjectMeta } from '../api/index.ts';
import type { Problem, ProblemReason, ResourceRef } from '../core/problem.ts';
import type { Origin } from './types.ts';

/** What is wrong with an object, before it is known what becomes of it. */
export interface Fault {
  readonly field: string;
  readonly reason: ProblemReason;
  readonly message: string;
  /** Absent: false. */
  readonly transient?: boolean;
}

export interface Named {
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export function originOf({ kind, metadata }: Named): Origin {
  const { convertedFrom, namespace, name, creationTimestamp } = metadata;
  return {
    resource: convertedFrom ?? { kind, namespace, name },
    ...(creationTimestamp !== undefined && { createdAt: creationTimestamp }),
  };
}

export interface ProblemOptions {
  readonly severity?: 'error' | 'warning';
  /** What becomes of the object, to be said behind the fault. */
  readonly outcome?: string;
}

/** A Problem of one object. */
export function problemOf(object: Named, fault: Fault, options: ProblemOptions = {}): Problem {
  const { kind, metadata } = object;
  return problemAbout({ kind, name: metadata.name, resource: originOf(object).resource }, fault, options);
}

export interface Subject {
  readonly kind: string;
  readonly name: string;
  /** The object that the user wrote. */
  readonly resource: ResourceRef;
}

/** What a legacy object was converted to is named inside the message, since the user wrote something else. */
export function problemAbout(
  { kind, name, resource }: Subject,
  fault: Fault,
  options: ProblemOptions = {},
): Problem {
  if (resource.kind === kind) return problem(resource, fault, options);
  const place = [`the ${kind} ${name} in it`, fault.field].filter((part) => part !== '').join(', ');
  return problem(resource, { ...fault, field: '', message: `${place}: ${fault.message}` }, options);
}

export function problem(resource: ResourceRef, fault: Fault, options: ProblemOptions = {}): Problem {
  const { severity = 'error', outcome } = options;
  return {
    resource,
    field: fault.field,
    reason: fault.reason,
    message: outcome === undefined ? fault.message : `${fault.message}; ${outcome}`,
    transient: fault.transient ?? false,
    severity,
  };
}

export const LAST_GOOD_STAYS = 'the last good version stays in use';
