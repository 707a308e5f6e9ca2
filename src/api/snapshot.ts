import type { ResourceRef } from '../core/problem.ts';
import type { ApiKind, ApiObjectOfKind } from './objects.ts';

/**
 * Everything a decision may depend on, at one moment, as plain data. Each list is sorted by namespace and name.
 * An object that did not change keeps its identity (`===`) from one snapshot to the next, and a list none of whose
 * objects changed keeps its own: what is derived from them can be remembered by identity.
 */
export interface ClusterSnapshot {
  /** Where metallb.io objects, their Secrets and the ConfigMap `bgpextras` are read from; others are ignored there. */
  readonly namespace: string;
  readonly objects: { readonly [K in ApiKind]: readonly ApiObjectOfKind<K>[] };
  /**
   * Objects that are there but could not be read as their kind (`ManifestResult.rejected`): whatever was in use
   * of them stays in use. An object that is in neither list is gone. Same identity rule as the lists above.
   */
  readonly rejected: readonly ResourceRef[];
}
