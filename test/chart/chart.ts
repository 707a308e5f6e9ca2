import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { CHART } from '../../scripts/lib/helm.mjs';

export { CHART };

export const ROOT = join(import.meta.dirname, '../..');

/** A schema as a CustomResourceDefinition has it (OpenAPI v3), or as `values.schema.json` has it (JSON Schema). */
export interface Schema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly anyOf?: readonly Schema[];
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
}

export interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly additionalPrinterColumns?: readonly {
    readonly name: string;
    readonly type: string;
    readonly jsonPath: string;
    readonly priority?: number;
  }[];
  readonly subresources: object;
  readonly schema: { readonly openAPIV3Schema: Schema };
}

export interface Crd {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: Readonly<Record<string, unknown>> & { readonly kind: string; readonly plural: string };
    readonly scope: string;
    readonly conversion?: object;
    readonly versions: readonly CrdVersion[];
  };
}

/** The chart's CustomResourceDefinitions, by file name. */
export function crds(): ReadonlyMap<string, Crd> {
  const folder = join(CHART, 'crds');
  const files = readdirSync(folder).sort();
  return new Map(files.map((file) => [file, load(readFileSync(join(folder, file), 'utf8')) as Crd]));
}

/** Every schema inside a schema, with its path: `spec.nodeSelectors[].matchLabels`. */
export function walk(schema: Schema, path = ''): (readonly [string, Schema])[] {
  const { properties = {}, items, additionalProperties } = schema;
  return [
    [path, schema],
    ...Object.entries(properties).flatMap(([name, inner]) =>
      walk(inner, path === '' ? name : `${path}.${name}`),
    ),
    ...(items ? walk(items, `${path}[]`) : []),
    ...(typeof additionalProperties === 'object' ? walk(additionalProperties, `${path}{}`) : []),
  ];
}
