import { z } from 'zod';
import type { CrdKeywords } from '../crd-keywords.ts';

/** A structural schema of apiextensions.k8s.io/v1: plain data, its keys in the order in which they are written. */
export type Structural = Readonly<Record<string, unknown>>;

/** What `z.toJSONSchema` gives, as far as our schemas use it. */
interface Json {
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Json>>;
  readonly items?: Json;
  readonly additionalProperties?: Json | boolean;
  readonly crd?: CrdKeywords;
}

/**
 * The schema that the API server checks objects with, from the one that the parser reads them with.
 * @param description of the whole, a sentence
 */
export function structuralOf(schema: z.ZodType, description: string): Structural {
  return { description, ...withoutDescription(z.toJSONSchema(schema, { io: 'input' }) as Json) };
}

function nodeOf(json: Json): Structural {
  return {
    ...(json.description === undefined ? {} : { description: sentence(json.description) }),
    ...withoutDescription(json),
  };
}

function withoutDescription(json: Json): Structural {
  const { storesDefault = false, mayBeAbsent: _, ...keywords } = json.crd ?? {};
  const { properties, items, additionalProperties } = json;
  const required = (json.required ?? []).filter((name) => properties?.[name]?.crd?.mayBeAbsent !== true);
  return {
    type: json.type,
    ...defined('format', json.format),
    ...defined('enum', json.enum),
    ...defined('minimum', bound(json.minimum)),
    ...defined('maximum', bound(json.maximum)),
    ...(storesDefault ? { default: json.default } : {}),
    ...keywords,
    ...(required.length === 0 ? {} : { required }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, nodeOf(each)])),
    }),
    ...(items && { items: nodeOf(items) }),
    // Unknown fields are pruned, or refused by kubectl: `additionalProperties: false` is not for structural schemas.
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: nodeOf(additionalProperties) }
      : {}),
  };
}

function defined(name: string, value: unknown): Structural {
  return value === undefined ? {} : { [name]: value };
}

/** The bounds of a JavaScript integer are no bounds of the field. */
function bound(value: number | undefined): number | undefined {
  return value === undefined || Math.abs(value) === Number.MAX_SAFE_INTEGER ? undefined : value;
}

/** Descriptions are written to stand after a colon in a message; `kubectl explain` shows sentences. */
function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
