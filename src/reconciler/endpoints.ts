import type { Endpoint, EndpointSliceObject } from '../api/index.ts';
import { changedMiddle } from '../core/changed-middle.ts';

/** What announcing a Service depends on, of all its endpoints. */
export interface UsableEndpoints {
  readonly anywhere: boolean;
  /** On the node asked about. */
  readonly local: boolean;
}

export type SlicesByService = ReadonlyMap<string, readonly EndpointSliceObject[]>;

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/**
 * Gives the function that sorts EndpointSlices by the key of the Service they belong to. It works on what changed since
 * its last call: a Service's group is the same array for as long as its slices are the same. `onChange` is told the key of
 * each group that is another one.
 */
export function createSliceIndex(): (
  slices: readonly EndpointSliceObject[],
  onChange?: (key: string) => void,
) => SlicesByService {
  const groups = new Map<string, readonly EndpointSliceObject[]>();
  let known: readonly EndpointSliceObject[] = [];
  return (slices, onChange) => {
    const { removed, added } = changedMiddle(known, slices);
    known = slices;
    const gone = new Set(removed);
    const fresh = added.filter((slice) => !gone.delete(slice));
    for (const slice of gone) {
      const key = serviceKeyOf(slice);
      const left = key === undefined ? undefined : groups.get(key)?.filter((each) => each !== slice);
      if (key === undefined || left === undefined) continue;
      onChange?.(key);
      if (left.length > 0) groups.set(key, left);
      else groups.delete(key);
    }
    for (const slice of fresh) {
      const key = serviceKeyOf(slice);
      if (key === undefined) continue;
      onChange?.(key);
      groups.set(key, [...(groups.get(key) ?? []), slice]);
    }
    return groups;
  };
}

function serviceKeyOf({ metadata }: EndpointSliceObject): string | undefined {
  const name = metadata.labels[SERVICE_NAME_LABEL];
  return name === undefined ? undefined : `${metadata.namespace}/${name}`;
}

export function usableEndpoints(slices: readonly EndpointSliceObject[], nodeName: string): UsableEndpoints {
  let anywhere = false;
  for (const slice of slices) {
    for (const endpoint of slice.spec.endpoints) {
      if (!isUsable(endpoint)) continue;
      anywhere = true;
      if (endpoint.nodeName === nodeName) return { anywhere: true, local: true };
    }
  }
  return { anywhere, local: false };
}

function isUsable(endpoint: Endpoint): boolean {
  return endpoint.hasAddress && isHealthy(endpoint);
}

/**
 * Ready (an unset condition counts as ready, EndpointSlice API), or terminating while it still serves: such a pod
 * keeps its route until it stops serving.
 */
export function isHealthy(endpoint: Endpoint): boolean {
  return (endpoint.ready ?? true) || endpoint.serving === true;
}
