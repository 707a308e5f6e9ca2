import type { EndpointSliceObject, ServiceObject } from '../api/index.ts';
import { changedMiddle, withMiddle, type ChangedMiddle } from '../core/changed-middle.ts';
import { compareMeta } from '../core/order.ts';
import { metaOfKey, objectKey } from '../core/problem.ts';
import { placeIn } from '../core/sorted.ts';
import { createSliceIndex } from './endpoints.ts';

/** What follows from one Service and its endpoints. */
export interface ServiceResult<T> {
  /** Of the Service, `namespace/name`. */
  readonly key: string;
  readonly value: T;
}

export interface ServiceResultsInput<T> {
  readonly services: readonly ServiceObject[];
  readonly endpointSlices: readonly EndpointSliceObject[];
  /** All that results depend on besides, compared by identity, part by part. */
  readonly basis: readonly unknown[];
  /**
   * @param slices the Service's EndpointSlices
   * @param before what it gave for this Service the last time, with the same basis; giving it again says that nothing is new
   * @returns undefined: the Service is none of ours
   */
  readonly derive: (
    service: ServiceObject,
    slices: readonly EndpointSliceObject[],
    context: { readonly key: string; readonly before: T | undefined },
  ) => T | undefined;
}

export interface ServiceResults<T> {
  /** One for each Service, in the order of the Services; nothing for one that is not ours. */
  readonly results: readonly Place<T>[];
  /** What of them differs from the call before. */
  readonly change: ChangedMiddle<Place<T>>;
}

type Place<T> = ServiceResult<T> | undefined;

interface Known<T> {
  readonly basis: readonly unknown[];
  readonly services: readonly ServiceObject[];
  readonly results: readonly Place<T>[];
}

const NO_SLICES: readonly EndpointSliceObject[] = [];

/**
 * Gives the function that keeps a result for each Service, and derives it again when one of its inputs is another one: the
 * Service, its EndpointSlices, or the basis. All the rest stays the same object.
 */
export function createServiceResults<T>(): (input: ServiceResultsInput<T>) => ServiceResults<T> {
  const sliceIndex = createSliceIndex();
  let known: Known<T> | undefined;

  return ({ services, endpointSlices, basis, derive }) => {
    const touched = new Set<string>();
    const slices = sliceIndex(endpointSlices, (key) => touched.add(key));
    const before = known?.basis.every((part, index) => part === basis[index]) === true ? known : undefined;

    const derived = (service: ServiceObject, key: string, earlier: Place<T>): Place<T> => {
      const value = derive(service, slices.get(key) ?? NO_SLICES, { key, before: earlier?.value });
      if (value === undefined) return undefined;
      return earlier?.value === value ? earlier : { key, value };
    };
    const fresh = (service: ServiceObject): Place<T> =>
      derived(service, objectKey(service.metadata), undefined);
    const results = before ? resultsAfter(before, services, { derived, touched }) : services.map(fresh);
    const change = changedMiddle(known?.results ?? [], results);
    known = { basis, services, results };
    return { results, change };
  };
}

interface Means<T> {
  readonly derived: (service: ServiceObject, key: string, earlier: Place<T>) => Place<T>;
  /** Keys of Services whose EndpointSlices are others. */
  readonly touched: ReadonlySet<string>;
}

function resultsAfter<T>(
  before: Known<T>,
  services: readonly ServiceObject[],
  { derived, touched }: Means<T>,
): readonly Place<T>[] {
  const { start, removed, added } = changedMiddle(before.services, services);
  const earlier = new Map<string, { readonly service: ServiceObject; readonly result: Place<T> }>();
  removed.forEach((service, index) => {
    earlier.set(objectKey(service.metadata), { service, result: before.results[start + index] });
  });
  if (removed.length === 0 && added.length === 0 && touched.size === 0) return before.results;
  const middle = added.map((service) => {
    const key = objectKey(service.metadata);
    const known = earlier.get(key);
    const isAsBefore = known?.service === service && !touched.has(key);
    return isAsBefore ? known.result : derived(service, key, known?.result);
  });
  const results = withMiddle(before.results, start, removed.length, middle);
  return withTouched(results, services, {
    derived,
    touched,
    isDone: (at) => at >= start && at < start + added.length,
  });
}

/** Those whose Service is the same and whose EndpointSlices are others. */
function withTouched<T>(
  results: readonly Place<T>[],
  services: readonly ServiceObject[],
  { derived, touched, isDone }: Means<T> & { readonly isDone: (at: number) => boolean },
): readonly Place<T>[] {
  const changed = new Map<number, Place<T>>();
  for (const key of touched) {
    const at = placeOf(key, services);
    const [service, result] = [services[at], results[at]];
    if (!service || result?.key !== key || isDone(at)) continue;
    const now = derived(service, key, result);
    if (now !== result) changed.set(at, now);
  }
  if (changed.size === 0) return results;
  const [first, last] = [Math.min(...changed.keys()), Math.max(...changed.keys())];
  const middle = results.slice(first, last + 1);
  for (const [at, result] of changed) middle[at - first] = result;
  return withMiddle(results, first, middle.length, middle);
}

/** Where a Service stands, or would, in their list, which is sorted by namespace and name. */
function placeOf(key: string, services: readonly ServiceObject[]): number {
  const wanted = metaOfKey(key);
  return placeIn(services, ({ metadata }) => compareMeta(metadata, wanted) < 0);
}
