import type { Schema } from './chart.ts';

/**
 * What the API server finds wrong with a value by a CustomResourceDefinition's schema, rules in CEL left out: one line
 * for each fault, with the path. A field that the schema does not know counts, though the server would only drop it.
 */
export function faultsOf(value: unknown, schema: Schema, path = ''): string[] {
  // A null is dropped before anything is looked at.
  if (value === null) return [];
  return [
    ...typeFaults(value, schema, path),
    ...rangeFaults(value, schema, path),
    ...innerFaults(value, schema, path),
    ...alternativeFaults(value, schema, path),
  ];
}

function alternativeFaults(value: unknown, schema: Schema, path: string): string[] {
  const fits = schema.anyOf?.some((each) => faultsOf(value, merged(schema, each), path).length === 0);
  return fits === false ? [`${path}: none of the alternatives`] : [];
}

/** An alternative narrows the properties that the schema itself has. */
function merged(schema: Schema, alternative: Schema): Schema {
  const { anyOf: _anyOf, ...rest } = schema;
  const names = Object.keys(schema.properties ?? {});
  const properties = Object.fromEntries(
    names.map((name) => [name, { ...schema.properties?.[name], ...alternative.properties?.[name] }]),
  );
  const required = [...(schema.required ?? []), ...(alternative.required ?? [])];
  return { ...rest, properties, required };
}

function typeFaults(value: unknown, { type }: Schema, path: string): string[] {
  const is = {
    object: typeof value === 'object' && !Array.isArray(value),
    array: Array.isArray(value),
    string: typeof value === 'string',
    integer: Number.isInteger(value),
    boolean: typeof value === 'boolean',
  };
  return type === undefined || is[type as keyof typeof is] ? [] : [`${path}: is not of type ${String(type)}`];
}

function rangeFaults(value: unknown, schema: Schema, path: string): string[] {
  const faults: string[] = [];
  const { minimum = -Infinity, maximum = Infinity, minItems = 0, maxItems = Infinity } = schema;
  const { minLength = 0, maxLength = Infinity, pattern } = schema;
  if (schema.enum && !schema.enum.includes(value)) faults.push(`${path}: is not one of the words`);
  if (typeof value === 'number' && (value < minimum || value > maximum))
    faults.push(`${path}: is out of range`);
  if (Array.isArray(value) && (value.length < minItems || value.length > maxItems))
    faults.push(`${path}: items`);
  if (typeof value === 'string') {
    if (value.length < minLength || value.length > maxLength) faults.push(`${path}: length`);
    if (pattern !== undefined && !new RegExp(pattern, 'u').test(value))
      faults.push(`${path}: does not match`);
  }
  return faults;
}

function innerFaults(value: unknown, schema: Schema, path: string): string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.flatMap((item, index) => faultsOf(item, items, `${path}[${index}]`)) : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const { properties, additionalProperties, required = [] } = schema;
  const fields = value as Readonly<Record<string, unknown>>;
  const missing = required.filter((name) => (fields[name] ?? null) === null);
  return [
    ...missing.map((name) => `${path}.${name}: is missing`),
    ...Object.entries(fields).flatMap(([name, field]) => {
      const inner = properties?.[name] ?? additionalProperties;
      if (typeof inner === 'object') return faultsOf(field, inner, `${path}.${name}`);
      return properties ? [`${path}.${name}: is not known`] : [];
    }),
  ];
}
