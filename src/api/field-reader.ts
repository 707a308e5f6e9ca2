import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import type { FieldPath } from '../core/field-path.ts';
import { hasError, invalid, isRecord, missing, shown, type Finding } from './finding.ts';

/** The fields of one object, each read by itself: one that is wrong does not hide what is wrong with another. */
export interface FieldsReading<Values> {
  /** The fields that were read well, defaults included. */
  readonly values: Partial<Values>;
  /** The fields that were written at all: right, wrong, or under a name that is not quite theirs. */
  readonly given: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/**
 * Reads the fields of a strict object schema. A field that is null counts as absent, as it does for the API server.
 * @param path of the object, for the findings
 */
export function readFields<Schema extends z.ZodObject>(
  schema: Schema,
  raw: unknown,
  path: FieldPath,
): FieldsReading<z.output<Schema>> {
  const object = withoutNulls(raw ?? {});
  if (!isRecord(object)) {
    return { values: {}, given: new Set(), findings: [invalid(path, `${shown(object)}: must be an object`)] };
  }
  const shape = schema.shape as Readonly<Record<string, z.ZodType>>;
  const keys = Object.keys(object);
  const findings = unknownKeys(schema, keys, path);
  // A misspelt field was meant to be given: that it is missing need not be said as well.
  const given = new Set(
    keys.map((key) => (Object.hasOwn(shape, key) ? key : nearestName(key, Object.keys(shape)))),
  );
  const values: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(shape)) {
    const isGiven = Object.hasOwn(object, key);
    const fieldPath = [...path, key];
    if (!isGiven && field._zod.optin === 'optional' && field._zod.optout === 'optional') continue;
    const parsed = field.safeParse(isGiven ? object[key] : undefined);
    if (parsed.success) values[key] = parsed.data;
    else if (!isGiven) {
      if (!given.has(key)) findings.push(missing(fieldPath, field.description ?? 'this field'));
    } else
      findings.push(
        ...findingsOf({ issues: parsed.error.issues, schema: field, value: object[key], path: fieldPath }),
      );
  }
  return { values: values as Partial<z.output<Schema>>, given: given as ReadonlySet<string>, findings };
}

/** True when every field was read well, so that `values` is complete. */
export function isComplete<Values>(
  reading: FieldsReading<Values>,
): reading is FieldsReading<Values> & { readonly values: Values } {
  return !hasError(reading.findings);
}

interface IssueSource {
  readonly issues: readonly z.core.$ZodIssue[];
  readonly schema: z.ZodType;
  readonly value: unknown;
  readonly path: FieldPath;
}

function findingsOf({ issues, schema, value, path }: IssueSource): Finding[] {
  return issues.flatMap((issue) => {
    const below = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const at = [...path, ...below];
    const inner = schemaAt(schema, below);
    if (issue.code === 'unrecognized_keys') {
      const known = inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
      return issue.keys.map((key) => unknownField([...at, key], key, known));
    }
    if (issue.code === 'custom') return [invalid(at, issue.message)];
    const got = valueAt(value, below);
    if (got === undefined) return [missing(at, inner?.description ?? 'this field')];
    const expected = expectation(issue, inner);
    return [invalid(at, isSecretPath(at) ? expected : `${shown(got)}: ${expected}`)];
  });
}

/** Whether the value there must not be shown. Every password of the API is in a field of this name. */
function isSecretPath(path: FieldPath): boolean {
  return path.includes('password');
}

function expectation(issue: z.core.$ZodIssue, schema: z.ZodType | undefined): string {
  const inner = schema && unwrap(schema);
  if (inner instanceof z.ZodNumber) return `must be ${wholeNumber(inner)}`;
  if (inner instanceof z.ZodString)
    return 'must be text; a number or a word such as true or null needs quotes to be text';
  if (inner instanceof z.ZodBoolean) return 'must be true or false';
  if (inner instanceof z.ZodArray) return 'must be a list';
  if (inner instanceof z.ZodEnum) return `must be ${alternatives(inner.options.map(shown))}`;
  if (inner instanceof z.ZodObject || inner instanceof z.ZodRecord) return 'must be an object';
  return issue.message;
}

function wholeNumber(schema: z.ZodNumber): string {
  const { minValue, maxValue } = schema;
  const hasMin = minValue !== null && minValue > Number.MIN_SAFE_INTEGER;
  const hasMax = maxValue !== null && maxValue < Number.MAX_SAFE_INTEGER;
  if (hasMin && hasMax) return `a whole number from ${String(minValue)} to ${String(maxValue)}`;
  if (hasMin) return `a whole number, at least ${String(minValue)}`;
  if (hasMax) return `a whole number, at most ${String(maxValue)}`;
  return 'a whole number';
}

export function alternatives(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

/** Findings for keys that the schema does not know, each with the known name nearest to it. */
export function unknownKeys(schema: z.ZodObject, keys: readonly string[], path: FieldPath): Finding[] {
  const known = Object.keys(schema.shape);
  return keys.filter((key) => !known.includes(key)).map((key) => unknownField([...path, key], key, known));
}

export function unknownField(path: FieldPath, key: string, known: readonly string[]): Finding {
  const guess = nearestName(key, known);
  const hint = guess === undefined ? `known are ${known.join(', ')}` : `did you mean ${shown(guess)}?`;
  return { path, reason: 'UnknownField', message: `unknown field ${shown(key)}; ${hint}` };
}

/** The known name that the word was most likely meant to be; undefined when none is near. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  if (word.length > 80) return undefined;
  const canonical = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '');
  let best: { readonly name: string; readonly edits: number } | undefined;
  for (const name of known) {
    const edits = distance(canonical(word), canonical(name));
    if (edits <= tolerance(name) && (best === undefined || edits < best.edits)) {
      best = { name, edits };
    }
  }
  return best?.name;
}

/** Two letters that changed places are two edits. */
function tolerance(name: string): number {
  return name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3));
}

function schemaAt(schema: z.ZodType, path: FieldPath): z.ZodType | undefined {
  let at: z.ZodType | undefined = schema;
  for (const part of path) {
    const inner: z.ZodType | undefined = at && unwrap(at);
    if (inner instanceof z.ZodArray) at = inner.element as z.ZodType;
    else if (inner instanceof z.ZodRecord) at = inner.valueType as z.ZodType;
    else if (inner instanceof z.ZodObject)
      at = (inner.shape as Readonly<Record<string, z.ZodType>>)[String(part)];
    else return undefined;
  }
  return at && unwrap(at) instanceof z.ZodObject ? unwrap(at) : at;
}

/** Takes off defaults, optionality and conversions; the description of the outermost wrapper is the field's. */
function unwrap(schema: z.ZodType): z.ZodType {
  let at = schema;
  for (;;) {
    if (at instanceof z.ZodDefault || at instanceof z.ZodExactOptional || at instanceof z.ZodOptional) {
      at = at.unwrap() as z.ZodType;
    } else if (at instanceof z.ZodPipe) at = at.in as z.ZodType;
    else return at;
  }
}

function valueAt(value: unknown, path: FieldPath): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Readonly<Record<string | number, unknown>>)[part];
  }
  return at;
}

const DEEPEST = 16;

/** Leaves out the keys whose value is null or undefined, at every depth a schema of ours has. Gives the same object when there is none. */
export function withoutNulls(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => withoutNulls(item, depth + 1));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  let isChanged = false;
  const entries: [string, unknown][] = [];
  for (const [key, old] of Object.entries(value)) {
    const next = withoutNulls(old, depth + 1);
    const isAbsent = next === null || next === undefined;
    if (next !== old || isAbsent) isChanged = true;
    if (!isAbsent) entries.push([key, next]);
  }
  return isChanged ? Object.fromEntries(entries) : value;
}
