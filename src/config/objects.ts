import { isDeepStrictEqual } from 'node:util';
import type { ApiObjectOfKind, ClusterSnapshot } from '../api/index.ts';
import { compareText } from '../core/order.ts';
import { objectKey, type Problem, type ResourceRef } from '../core/problem.ts';
import type { Candidate } from './admission.ts';
import { originOf, problem, problemOf } from './fault.ts';
import { quote } from '../core/quote.ts';

/**
 * In the order in which newcomers are heard: what is referred to comes before what refers to it, and the addresses
 * before who announces them.
 */
export const CONFIG_KINDS = [
  'Community',
  'BFDProfile',
  'IPAddressPool',
  'BGPPeer',
  'BGPAdvertisement',
  'L2Advertisement',
] as const;

export type ConfigKind = (typeof CONFIG_KINDS)[number];
export type ConfigObject = ApiObjectOfKind<ConfigKind>;
/** What was in use, by {@link configKey}. */
export type InUse = ReadonlyMap<string, ConfigObject>;

export function configKey(object: {
  readonly kind: ConfigKind;
  readonly metadata: { readonly name: string };
}): string {
  return `${object.kind}/${object.metadata.name}`;
}

export interface Candidates {
  readonly candidates: readonly Candidate<ConfigObject>[];
  readonly problems: readonly Problem[];
}

/** Finds the versions of each object that there are: the newest that can be read, and the one in use until now. */
export function candidatesFrom(snapshot: ClusterSnapshot, inUse: InUse): Candidates {
  const problems: Problem[] = strangers(snapshot);
  const candidates: Candidate<ConfigObject>[] = [];
  const rejected = new Set(snapshot.rejected.map(refText));
  for (const kind of CONFIG_KINDS) {
    const versions = newestVersions(snapshot, { kind, inUse, problems });
    for (const [key, last] of inUse) {
      if (last.kind === kind && !versions.has(key) && isRejected(last, rejected))
        versions.set(key, undefined);
    }
    const ofKind = [...versions].map(([key, current]): Candidate<ConfigObject> => {
      const last = inUse.get(key);
      return {
        key,
        ...(current && { current }),
        ...(last && { last }),
        isUnchanged: current !== undefined && last !== undefined && isSameVersion(current, last),
      };
    });
    candidates.push(...ofKind.sort(byAge));
  }
  return { candidates, problems };
}

function byAge(a: Candidate<ConfigObject>, b: Candidate<ConfigObject>): number {
  return compareText(ageText(a), ageText(b)) || compareText(a.key, b.key);
}

/** Sorts an object without a time behind those with one. */
function ageText({ current, last }: Candidate<ConfigObject>): string {
  return (current ?? last)?.metadata.creationTimestamp ?? '~';
}

/** Whether two versions ask for the same thing. A pool's labels choose its advertisements, so they count. */
function isSameVersion(a: ConfigObject, b: ConfigObject): boolean {
  if (a === b) return true;
  if (!isDeepStrictEqual(a.metadata.convertedFrom, b.metadata.convertedFrom)) return false;
  if (a.kind === 'IPAddressPool' && !isDeepStrictEqual(a.metadata.labels, b.metadata.labels)) return false;
  return isDeepStrictEqual(a.spec, b.spec);
}

interface KindOptions {
  readonly kind: ConfigKind;
  readonly inUse: InUse;
  readonly problems: Problem[];
}

function newestVersions(
  snapshot: ClusterSnapshot,
  { kind, inUse, problems }: KindOptions,
): Map<string, ConfigObject | undefined> {
  const versions = new Map<string, ConfigObject | undefined>();
  for (const object of snapshot.objects[kind]) {
    if (object.metadata.namespace !== snapshot.namespace) continue;
    const key = configKey(object);
    const rival = versions.get(key);
    const winner = rival ? preferred(rival, object, inUse.get(key)) : object;
    versions.set(key, winner);
    if (rival) {
      const loser = winner === rival ? object : rival;
      const { resource } = originOf(winner);
      const other =
        refText(resource) === refText(originOf(loser).resource)
          ? 'another object'
          : `${resource.kind} ${objectKey(resource)}`;
      const message = `the name ${quote(object.metadata.name)} is taken by ${other}; choose another name`;
      problems.push(problemOf(loser, { field: 'metadata.name', reason: 'DuplicateObject', message }));
    }
  }
  return versions;
}

/** Of two objects of one name: the one in use, then the one that is not a legacy form, then the older one. */
function preferred(a: ConfigObject, b: ConfigObject, last: ConfigObject | undefined): ConfigObject {
  const score = (object: ConfigObject): number =>
    (last && isDeepStrictEqual(object.metadata.convertedFrom, last.metadata.convertedFrom) ? 2 : 0) +
    (last && isSameVersion(object, last) ? 4 : 0) +
    (object.metadata.convertedFrom ? 0 : 1);
  if (score(a) !== score(b)) return score(a) > score(b) ? a : b;
  return (b.metadata.creationTimestamp ?? '~') < (a.metadata.creationTimestamp ?? '~') ? b : a;
}

/** Whether the object, or the legacy one it was converted from, is there but cannot be read. */
function isRejected(object: ConfigObject, rejected: ReadonlySet<string>): boolean {
  const { namespace, name, convertedFrom } = object.metadata;
  if (rejected.has(refText({ kind: object.kind, namespace, name }))) return true;
  return convertedFrom !== undefined && rejected.has(refText(convertedFrom));
}

function refText({ kind, namespace, name }: ResourceRef): string {
  return `${kind} ${objectKey({ namespace, name })}`;
}

/** Objects of other namespaces; what was converted from one legacy object is reported once. */
function strangers(snapshot: ClusterSnapshot): Problem[] {
  const found = new Map<string, ResourceRef>();
  for (const kind of CONFIG_KINDS) {
    for (const object of snapshot.objects[kind]) {
      if (object.metadata.namespace === snapshot.namespace) continue;
      const { resource } = originOf(object);
      found.set(refText(resource), resource);
    }
  }
  return [...found.values()].map((resource) => {
    const message = `${resource.namespace}: is not used; only objects in ${snapshot.namespace} are`;
    return problem(
      resource,
      { field: 'metadata.namespace', reason: 'WrongNamespace', message },
      { severity: 'warning' },
    );
  });
}
