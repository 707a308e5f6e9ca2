import { objectKey } from '../core/problem.ts';
import type { SourceState } from '../source/index.ts';
import type { DecidedStatuses } from './backend.ts';

/** Kinds that say which addresses there are and for whom, in any form. */
const POOL_KINDS: ReadonlySet<string> = new Set(['IPAddressPool', 'AddressPool', 'Namespace', 'ConfigMap']);

/**
 * What could not be read, of all that may matter to those who have an address by an earlier run: files and folders, and
 * objects that cannot be understood. Empty when nobody has one.
 */
export function unknownSince({ unread, snapshot }: SourceState, store: DecidedStatuses): readonly string[] {
  if (!store.all().some(({ ingress }) => ingress.length > 0)) return [];
  const objects = snapshot.rejected
    .filter((ref) => POOL_KINDS.has(ref.kind) || (ref.kind === 'Service' && store.get(ref) !== undefined))
    .map((ref) => `${ref.kind} ${objectKey(ref)}`);
  return [...unread, ...objects];
}
