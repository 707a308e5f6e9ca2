import type { ServiceObject } from '../api/index.ts';
import { objectKey } from '../core/problem.ts';

export interface ServiceChanges {
  /** New ones, and those whose object is another one now. */
  readonly changed: readonly ServiceObject[];
  /** Keys of those that are gone. */
  readonly deleted: readonly string[];
}

/** What two lists differ in, by key and identity; both are sorted by namespace and name. */
export function changedServices(
  before: readonly ServiceObject[],
  after: readonly ServiceObject[],
): ServiceChanges {
  if (before === after) return { changed: [], deleted: [] };
  const known = new Map(before.map((service) => [objectKey(service.metadata), service]));
  const changed: ServiceObject[] = [];
  for (const service of after) {
    const key = objectKey(service.metadata);
    if (known.get(key) !== service) changed.push(service);
    known.delete(key);
  }
  return { changed, deleted: [...known.keys()] };
}
