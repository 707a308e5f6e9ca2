import { InvalidArgumentError } from 'commander';
import { MAX_NODES } from './plan.ts';

/** Parses a cluster's name: part of names of namespaces and cgroups, and of paths of sockets, which are short. */
export function parseName(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('must be 1 to 16 lower-case letters, digits and dashes');
}

/** Parses a number of nodes. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_NODES) return count;
  throw new InvalidArgumentError(`must be 1 to ${MAX_NODES}`);
}
