import { namespaceNameFault, objectNameFault } from '../core/names.ts';
import { invalid, isRecord, missing, shown, type Finding } from './finding.ts';
import type { ObjectMeta } from './objects.ts';

/** Shared by all objects that have none, so that twenty thousand of them do not each carry an empty one. */
export const NO_ENTRIES: Readonly<Record<string, string>> = Object.freeze({});

export interface MetadataOptions {
  readonly isNamespaced: boolean;
  readonly defaultNamespace: string;
}

/** Reads `metadata`. The fields that nothing here uses (managedFields, ownerReferences, ...) are left out. */
export function readMetadata(
  raw: unknown,
  options: MetadataOptions,
  findings: Finding[],
): ObjectMeta | undefined {
  const before = findings.length;
  if (!isRecord(raw)) {
    findings.push(
      raw === undefined || raw === null
        ? missing(['metadata', 'name'], "the object's name")
        : invalid(['metadata'], `${shown(raw)}: must be an object`),
    );
    return undefined;
  }
  const name = readText(raw, 'name', findings);
  if (name === undefined || name === '') {
    if (findings.length === before) findings.push(missing(['metadata', 'name'], "the object's name"));
  } else {
    const fault = objectNameFault(name);
    if (fault !== undefined) findings.push(invalid(['metadata', 'name'], `${shown(name)}: ${fault}`));
  }
  const namespace = options.isNamespaced ? readNamespace(raw, options.defaultNamespace, findings) : '';
  const labels = readTexts(raw.labels, ['metadata', 'labels'], findings);
  const annotations = readTexts(raw.annotations, ['metadata', 'annotations'], findings);
  if (findings.length > before || name === undefined) return undefined;
  const { uid, generation, resourceVersion, creationTimestamp } = raw;
  return {
    name,
    namespace,
    labels,
    annotations,
    ...(typeof uid === 'string' && { uid }),
    ...(typeof generation === 'number' && { generation }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
    ...(typeof creationTimestamp === 'string' && { creationTimestamp }),
  };
}

function readNamespace(
  raw: Readonly<Record<string, unknown>>,
  fallback: string,
  findings: Finding[],
): string {
  const namespace = readText(raw, 'namespace', findings);
  if (namespace === undefined || namespace === '') return fallback;
  const fault = namespaceNameFault(namespace);
  if (fault !== undefined) findings.push(invalid(['metadata', 'namespace'], `${shown(namespace)}: ${fault}`));
  return namespace;
}

function readText(
  raw: Readonly<Record<string, unknown>>,
  key: string,
  findings: Finding[],
): string | undefined {
  const value = raw[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  findings.push(
    invalid(['metadata', key], `${shown(value)}: must be text; a number needs quotes to be text`),
  );
  return undefined;
}

/** Reads a map of texts. Gives the very object when all its values are texts. */
export function readTexts(
  raw: unknown,
  path: readonly string[],
  findings: Finding[],
): Readonly<Record<string, string>> {
  if (raw === undefined || raw === null) return NO_ENTRIES;
  if (!isRecord(raw)) {
    findings.push(invalid(path, `${shown(raw)}: must be an object`));
    return NO_ENTRIES;
  }
  for (const key in raw) {
    const value = raw[key];
    if (typeof value === 'string') continue;
    if (value === null) return withoutNullEntries(raw, path, findings);
    findings.push(
      invalid(
        [...path, key],
        `${shown(value)}: must be text; a number or a word such as true needs quotes to be text`,
      ),
    );
  }
  return raw as Readonly<Record<string, string>>;
}

/** The API server reads a null value as the empty text. */
function withoutNullEntries(
  raw: Readonly<Record<string, unknown>>,
  path: readonly string[],
  findings: Finding[],
): Readonly<Record<string, string>> {
  return readTexts(
    Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, value ?? ''])),
    path,
    findings,
  );
}
