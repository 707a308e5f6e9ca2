import type { FieldPath } from '../core/field-path.ts';
import type { Problem, ResourceRef, SourcePosition } from '../core/problem.ts';
import type { ApiObject } from './objects.ts';

export interface ManifestOptions {
  /** Namespace of a namespaced object that names none. */
  readonly defaultNamespace: string;
  /** Where MetalLB's own objects live: the legacy ConfigMap `config` is read only here. Absent: `defaultNamespace`. */
  readonly metallbNamespace?: string;
  /**
   * Gives the place of a path of the document (`['items', 2, 'spec', 'peerASN']`) in its file, or of the nearest
   * path above it. Called only when there is a problem.
   */
  readonly locate?: (path: FieldPath) => SourcePosition | undefined;
}

export interface ManifestResult {
  /** In document order. A legacy document gives several objects of the current kinds. */
  readonly objects: readonly ApiObject[];
  readonly problems: readonly Problem[];
  /** Objects that are there but gave none of `objects`; see `ClusterSnapshot.rejected`. */
  readonly rejected: readonly ResourceRef[];
}

/**
 * Reads one document: an object, a `List`, or a legacy form, which is converted to the current kinds.
 * @param raw one document as the YAML or JSON parser gave it; an empty document (null, undefined) gives nothing
 */
export function parseManifest(raw: unknown, options: ManifestOptions): ManifestResult {
  throw new Error(`not written yet: ${options.defaultNamespace} ${typeof raw}`);
}
