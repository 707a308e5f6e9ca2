import { fieldOf } from '../core/field.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { isRawObject, type RawObject } from './raw-object.ts';
import { collectionPath, selectorsOf, type ResourceQuery } from './resources.ts';

const PAGE_SIZE = 500;
const TIMEOUT_MS = 30_000;

/**
 * Reads all objects of a query by pages (Kubernetes API concepts, "Retrieving large results sets in chunks").
 * @returns the version to watch from
 * @throws {ApiError} when a page cannot be read; `onObject` has been called for those before it
 */
export async function listAll(options: {
  readonly client: Pick<ApiClient, 'request'>;
  readonly query: ResourceQuery;
  readonly onObject: (object: RawObject) => void;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { client, query, onObject, signal } = options;
  const path = collectionPath(query.type, query.namespace);
  let proceed = '';
  for (;;) {
    const page = await client.request(
      {
        method: 'GET',
        path,
        query: {
          ...selectorsOf(query),
          limit: String(PAGE_SIZE),
          ...(proceed === '' ? {} : { continue: proceed }),
        },
        timeoutMs: TIMEOUT_MS,
      },
      signal,
    );
    const items = fieldOf(page, 'items');
    for (const item of Array.isArray(items) ? (items as unknown[]) : []) {
      if (isRawObject(item)) onObject(item);
    }
    const metadata = fieldOf(page, 'metadata');
    const next = fieldOf(metadata, 'continue');
    if (typeof next === 'string' && next !== '') {
      proceed = next;
      continue;
    }
    const version = fieldOf(metadata, 'resourceVersion');
    if (typeof version === 'string') return version;
    throw new ApiError(`GET ${path}: a list without resourceVersion`, {
      status: 200,
      reason: 'InvalidAnswer',
    });
  }
}
