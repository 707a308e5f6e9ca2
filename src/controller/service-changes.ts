import type { ServiceObject } from '../api/index.ts';
import { changedMiddle } from '../core/changed-middle.ts';
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
  const { removed, added } = changedMiddle(before, after);
  const changed: ServiceObject[] = [];
  const deleted: string[] = [];
  let at = 0;
  for (const service of added) {
    let old = removed[at];
    while (old && compareMeta(old.metadata, service.metadata) < 0) {
      deleted.push(objectKey(old.metadata));
      at += 1;
      old = removed[at];
    }
    const isSameService = old !== undefined && compareMeta(old.metadata, service.metadata) === 0;
    if (isSameService) at += 1;
    if (old !== service) changed.push(service);
  }
  for (const old of removed.slice(at)) deleted.push(objectKey(old.metadata));
  return { changed, deleted };
}
