import type { ApiClient } from './api-client.ts';
import { listAll } from './paged-list.ts';
import type { RawObject } from './raw-object.ts';
import { RESOURCES } from './resources.ts';

/**
 * Reads all objects of a kind once.
 * @param options.namespace absent: of all namespaces
 * @returns each with its kind, which a list of the API server leaves out
 * @throws {ApiError} when they cannot be read
 */
export async function readObjects(options: {
  readonly client: Pick<ApiClient, 'request'>;
  readonly kind: keyof typeof RESOURCES;
  readonly namespace?: string;
  readonly signal: AbortSignal;
}): Promise<readonly RawObject[]> {
  const { client, kind, namespace, signal } = options;
  const type = RESOURCES[kind];
  const objects: RawObject[] = [];
  await listAll({
    ...{ client, signal },
    query: { type, ...(namespace === undefined ? {} : { namespace }) },
    onObject: (raw) => {
      objects.push({ ...raw, apiVersion: type.apiVersion, kind: type.kind });
    },
  });
  return objects;
}
