import type { FieldPath } from '../core/field-path.ts';
import { alternatives } from './field-reader.ts';
import { invalid, isRecord, shown, type Finding } from './finding.ts';

/**
 * Reads single fields of a core object. `parent` is the path of the object that has the field; it becomes part of a
 * path only when there is a finding, which keeps these fast enough for tens of thousands of objects.
 */
export interface RawObject {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly parent: FieldPath;
}

/** Shared by all that have none. */
export const NOTHING: readonly never[] = Object.freeze([]);
const NO_FIELDS: Readonly<Record<string, unknown>> = Object.freeze({});

/** The text of a field; undefined when it is absent, null or empty. */
export function textAt({ raw, parent }: RawObject, key: string, findings: Finding[]): string | undefined {
  const value = raw[key];
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (value === undefined || value === null) return undefined;
  findings.push(invalid([...parent, key], `${shown(value)}: must be text`));
  return undefined;
}

export function booleanAt({ raw, parent }: RawObject, key: string, findings: Finding[]): boolean | undefined {
  const value = raw[key];
  if (typeof value === 'boolean') return value;
  if (value === undefined || value === null) return undefined;
  findings.push(invalid([...parent, key], `${shown(value)}: must be true or false`));
  return undefined;
}

/** One of a few words. */
export function wordAt<Word extends string>(
  { raw, parent }: RawObject,
  key: string,
  options: { readonly words: readonly Word[]; readonly findings: Finding[] },
): Word | undefined {
  const value = raw[key];
  if (value === undefined || value === null || value === '') return undefined;
  const word = options.words.find((known) => known === value);
  if (word === undefined) {
    const right = alternatives(options.words.map(shown));
    options.findings.push(invalid([...parent, key], `${shown(value)}: must be ${right}`));
  }
  return word;
}

export function listAt({ raw, parent }: RawObject, key: string, findings: Finding[]): readonly unknown[] {
  const value = raw[key];
  if (Array.isArray(value)) return value;
  if (value === undefined || value === null) return NOTHING;
  findings.push(invalid([...parent, key], `${shown(value)}: must be a list`));
  return NOTHING;
}

/** A list of texts. Gives the very list when all its items are texts. */
export function textsAt(object: RawObject, key: string, findings: Finding[]): readonly string[] {
  const items = listAt(object, key, findings);
  for (let index = 0; index < items.length; index += 1) {
    if (typeof items[index] === 'string') continue;
    findings.push(invalid([...object.parent, key, index], `${shown(items[index])}: must be text`));
  }
  return items as readonly string[];
}

/** The object in a field; one without fields when it is absent. */
export function objectAt(
  { raw, parent }: RawObject,
  key: string,
  findings: Finding[],
): Readonly<Record<string, unknown>> {
  const value = raw[key];
  if (isRecord(value)) return value;
  if (value !== undefined && value !== null) {
    findings.push(invalid([...parent, key], `${shown(value)}: must be an object`));
  }
  return NO_FIELDS;
}

/** Each item of a list of objects; items of another type are reported and passed over. */
export function objectsAt(object: RawObject, key: string, findings: Finding[]): readonly RawObject[] {
  const items = listAt(object, key, findings);
  if (items.length === 0) return NOTHING;
  return items.flatMap((raw, index): RawObject[] => {
    const parent = [...object.parent, key, index];
    if (isRecord(raw)) return [{ raw, parent }];
    findings.push(invalid(parent, `${shown(raw)}: must be an object`));
    return [];
  });
}
