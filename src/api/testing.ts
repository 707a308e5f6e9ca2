import { formatProblem } from '../core/problem.ts';
import { parseManifest, type ManifestOptions } from './manifest.ts';
import type { ApiObject } from './objects.ts';

/** For this folder's tests. */

export const NAMESPACE = 'metallb-system';

export interface Parsed {
  readonly objects: readonly ApiObject[];
  /** One line each, as a user would read them, warnings marked; without the object's kind, namespace and name. */
  readonly problems: readonly string[];
  /** `Kind namespace/name` each. */
  readonly rejected: readonly string[];
}

export function parse(raw: unknown, options: Partial<ManifestOptions> = {}): Parsed {
  const { objects, problems, rejected } = parseManifest(raw, { defaultNamespace: NAMESPACE, ...options });
  return {
    objects,
    problems: problems.map((problem) => {
      const { resource: _resource, ...rest } = problem;
      return `${problem.severity === 'warning' ? 'warning: ' : ''}${formatProblem(rest)}`;
    }),
    rejected: rejected.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
  };
}

const VERSIONS: Readonly<Record<string, string>> = {
  BGPPeer: 'metallb.io/v1beta2',
  AddressPool: 'metallb.io/v1beta1',
  Service: 'v1',
  Node: 'v1',
  Namespace: 'v1',
  Secret: 'v1',
  ConfigMap: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
};

/** A raw object of a kind, in the kind's current version, named `x`. */
export function manifest(kind: string, fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { apiVersion: VERSIONS[kind] ?? 'metallb.io/v1beta1', kind, metadata: { name: 'x' }, ...fields };
}

/** A raw object with this spec, parsed. */
export function parseSpec(kind: string, spec: unknown): Parsed & { readonly spec: unknown } {
  const parsed = parse(manifest(kind, { spec }));
  return { ...parsed, spec: parsed.objects[0]?.spec };
}
