import type { ServiceObject } from '../api/index.ts';
import { compareMeta } from '../core/order.ts';
import { objectKey } from '../core/problem.ts';

export interface ServiceChanges {
  /** New, or another object than before. */
  readonly changed: readonly ServiceObject[];
  /** Keys of those that are gone. */
  readonly deleted: readonly string[];
}

/** The difference of two lists sorted by namespace and name, by identity. */
export function serviceChanges(
  before: readonly ServiceObject[],
  after: readonly ServiceObject[],
): ServiceChanges {
  if (before === after) return { changed: [], deleted: [] };
  const changed: ServiceObject[] = [];
  const deleted: string[] = [];
  let at = 0;
  for (const service of after) {
    let old = before[at];
    while (old && compareMeta(old.metadata, service.metadata) < 0) {
      deleted.push(objectKey(old.metadata));
      at += 1;
      old = before[at];
    }
    const isSameService = old !== undefined && compareMeta(old.metadata, service.metadata) === 0;
    if (isSameService) at += 1;
    if (old !== service) changed.push(service);
  }
  for (const old of before.slice(at)) deleted.push(objectKey(old.metadata));
  return { changed, deleted };
}
