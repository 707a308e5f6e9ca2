import type { Endpoint, EndpointSliceObject, ServiceObject } from '../api/index.ts';
import { objectKey } from '../core/problem.ts';

/** What announcing a Service depends on, of all its endpoints. */
export interface UsableEndpoints {
  readonly anywhere: boolean;
  /** On the node asked about. */
  readonly local: boolean;
}

export type SlicesByService = ReadonlyMap<string, readonly EndpointSliceObject[]>;

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** EndpointSlices by the key of the Service they belong to. */
export function slicesByService(slices: readonly EndpointSliceObject[]): SlicesByService {
  const index = new Map<string, EndpointSliceObject[]>();
  for (const slice of slices) {
    const name = slice.metadata.labels[SERVICE_NAME_LABEL];
    if (name === undefined) continue;
    const key = `${slice.metadata.namespace}/${name}`;
    const known = index.get(key);
    if (known) known.push(slice);
    else index.set(key, [slice]);
  }
  return index;
}

export function usableEndpoints(
  service: ServiceObject,
  slices: SlicesByService,
  nodeName: string,
): UsableEndpoints {
  let anywhere = false;
  for (const slice of slices.get(objectKey(service.metadata)) ?? []) {
    for (const endpoint of slice.spec.endpoints) {
      if (!isUsable(endpoint)) continue;
      anywhere = true;
      if (endpoint.nodeName === nodeName) return { anywhere: true, local: true };
    }
  }
  return { anywhere, local: false };
}

/**
 * Ready (an unset condition counts as ready, EndpointSlice API), or terminating while it still serves: such a pod
 * keeps its route until it stops serving.
 */
function isUsable(endpoint: Endpoint): boolean {
  return endpoint.addresses.length > 0 && ((endpoint.ready ?? true) || endpoint.serving === true);
}
