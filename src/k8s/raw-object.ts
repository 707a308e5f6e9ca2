import { fieldOf } from '../core/field.ts';

/** An object as the API server sends it; only what every object has is known of it. */
export interface RawObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export function isRawObject(value: unknown): value is RawObject {
  const metadata = fieldOf(value, 'metadata');
  return typeof fieldOf(metadata, 'name') === 'string';
}

/** `namespace/name`; a cluster-scoped object's name alone. */
export function keyOfRaw({ metadata: { namespace = '', name } }: RawObject): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** Versions of one object are decimal numbers that grow (KEP-5504); any others are taken as they come. */
export function isOlderVersion(a: string, b: string): boolean {
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}
