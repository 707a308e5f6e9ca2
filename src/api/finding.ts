import type { FieldPath } from '../core/field-path.ts';
import type { ProblemReason } from '../core/problem.ts';
import { quote } from '../core/quote.ts';

/** A Problem of one object, before it is known which object and where that stands. */
export interface Finding {
  /** From the object's root, for example `['spec', 'peerASN']`; empty when it is about the whole object. */
  readonly path: FieldPath;
  readonly reason: ProblemReason;
  readonly message: string;
  /** Absent: an error, which sets the object aside. */
  readonly severity?: 'warning';
}

/** What became of one part of an object. `value` is absent when one of `findings` is an error. */
export interface Reading<T> {
  readonly value?: T;
  readonly findings: readonly Finding[];
}

export function invalid(path: FieldPath, message: string): Finding {
  return { path, reason: 'InvalidValue', message };
}

export function missing(path: FieldPath, what: string): Finding {
  return { path, reason: 'MissingField', message: `is required: ${what}` };
}

export function deprecated(path: FieldPath, message: string): Finding {
  return { path, reason: 'Deprecated', message, severity: 'warning' };
}

export function hasError(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === undefined);
}

/** A value as it may stand in a message: one line, bounded, and of a collection only its type. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'nothing';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
    case 'symbol':
    case 'function':
      return `a ${typeof value}`;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
