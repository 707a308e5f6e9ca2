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
