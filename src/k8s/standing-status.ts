import type { StatusObject } from '../api/index.ts';
import { fieldOf } from '../core/field.ts';
import type { RawObject } from './raw-object.ts';

/** Which parts of an object in the API server say what they should; what others added to it does not matter. */
export interface Standing {
  /** Its labels and its owner. */
  readonly metadata: boolean;
  readonly status: boolean;
}

/** @param owner the uid that must be among the owners; absent: any will do */
export function standingOf(raw: RawObject, wanted: StatusObject, owner: string | undefined): Standing {
  const { labels, ownerReferences } = raw.metadata;
  const isOwned =
    owner === undefined ||
    (Array.isArray(ownerReferences) && ownerReferences.some((each) => fieldOf(each, 'uid') === owner));
  return {
    metadata: isOwned && holds(labels ?? {}, wanted.metadata.labels ?? {}),
    status: holds(fieldOf(raw, 'status'), wanted.status),
  };
}

/** Whether all that is wanted is there. Conditions are a map by their type; any other list is as a whole. */
function holds(actual: unknown, wanted: unknown): boolean {
  // The JSON of the server is read into doubles.
  if (typeof wanted === 'bigint') return actual === Number(wanted);
  if (typeof wanted !== 'object' || wanted === null) return actual === wanted;
  if (!Array.isArray(wanted)) {
    return Object.entries(wanted).every(([field, value]) => holds(fieldOf(actual, field), value));
  }
  if (!Array.isArray(actual)) return false;
  const items: readonly unknown[] = actual;
  return wanted.every((item: unknown, at) => {
    const type = fieldOf(item, 'type');
    if (type === undefined) return actual.length === wanted.length && holds(items[at], item);
    return holds(
      items.find((each) => fieldOf(each, 'type') === type),
      item,
    );
  });
}

/** Conditions need a time; MetalLB's is that of the last write. */
export function stamped(status: StatusObject['status'], lastTransitionTime: string): object {
  const { conditions } = status;
  if (!Array.isArray(conditions)) return status;
  return {
    ...status,
    conditions: (conditions as readonly object[]).map((condition) => ({ ...condition, lastTransitionTime })),
  };
}
