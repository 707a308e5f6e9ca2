import { formatFieldPath, type FieldPath } from '../core/field-path.ts';
import type { Problem, ResourceRef, SourcePosition } from '../core/problem.ts';
import { unknownField } from './field-reader.ts';
import { hasError, invalid, isRecord, missing, shown, type Finding } from './finding.ts';
import { isListKind, kindReaderFor, type KindReader } from './kinds.ts';
import { readMetadata } from './metadata.ts';
import type { ApiObject, ObjectMeta } from './objects.ts';

export interface ManifestOptions {
  /** Namespace of a namespaced object that names none. */
  readonly defaultNamespace: string;
  /** Where MetalLB's own objects live: the legacy ConfigMap `config` is read only here. Absent: `defaultNamespace`. */
  readonly metallbNamespace?: string;
  /**
   * Gives the place of a path of the document (`['items', 2, 'spec', 'peerASN']`) in its file, or of the nearest
   * path above it. Called only when there is a problem.
   */
  readonly locate?: (path: FieldPath) => SourcePosition | undefined;
}

export interface ManifestResult {
  /** In document order. A legacy document gives several objects of the current kinds. */
  readonly objects: readonly ApiObject[];
  readonly problems: readonly Problem[];
  /** Objects that are there but gave none of `objects`; see `ClusterSnapshot.rejected`. */
  readonly rejected: readonly ResourceRef[];
}

type Raw = Readonly<Record<string, unknown>>;

/**
 * Reads one document: an object, a `List`, or a legacy form, which is converted to the current kinds.
 * @param raw one document as the YAML or JSON parser gave it; an empty document (null, undefined) gives nothing
 */
export function parseManifest(raw: unknown, options: ManifestOptions): ManifestResult {
  const result: MutableResult = { objects: [], problems: [], rejected: [] };
  if (isRecord(raw) && isListKind(raw.kind) && 'items' in raw) readList(raw, options, result);
  else if (raw !== null && raw !== undefined) readObject(raw, { options, at: [], result });
  return result;
}

interface MutableResult {
  readonly objects: ApiObject[];
  readonly problems: Problem[];
  readonly rejected: ResourceRef[];
}

interface Place {
  readonly options: ManifestOptions;
  /** Of the object inside its document. */
  readonly at: FieldPath;
  readonly result: MutableResult;
}

/** A `List`, or the typed list (`BGPPeerList`) that the API server answers, whose items carry no kind of their own. */
function readList(list: Raw, options: ManifestOptions, result: MutableResult): void {
  const { items, kind, apiVersion } = list;
  if (items === null) return;
  if (!Array.isArray(items)) {
    report([invalid(['items'], `${shown(items)}: must be a list`)], { options, at: [], result });
    return;
  }
  const itemKind = String(kind).slice(0, -'List'.length);
  items.forEach((item: unknown, index) => {
    const place = { options, at: ['items', index], result };
    const isTyped = itemKind !== '' && isRecord(item) && item.kind === undefined;
    readObject(isTyped ? { apiVersion, ...item, kind: itemKind } : item, place);
  });
}

function readObject(raw: unknown, place: Place): void {
  if (!isRecord(raw)) {
    const message = 'must be an object with apiVersion, kind, metadata and spec';
    report([{ path: [], reason: 'InvalidSyntax', message: `${typeOf(raw)}: ${message}` }], place);
    return;
  }
  const { apiVersion, kind } = raw;
  const header = [...headerText('apiVersion', apiVersion), ...headerText('kind', kind)];
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || header.length > 0) {
    report(header, place);
    return;
  }
  const reader = kindReaderFor(apiVersion, kind);
  if (reader.as === 'unknown') {
    const ref = refOf(raw, kind, place.options.defaultNamespace);
    report(
      [{ path: ['kind'], reason: 'UnknownKind', message: reader.message, severity: 'warning' }],
      place,
      ref,
    );
  } else if (reader.as === 'object') {
    readKnown(raw, { reader, kind, place });
  }
}

function headerText(field: 'apiVersion' | 'kind', value: unknown): Finding[] {
  if (value === undefined || value === null || value === '') {
    return [missing([field], field === 'kind' ? 'such as IPAddressPool' : 'such as metallb.io/v1beta1')];
  }
  return typeof value === 'string' ? [] : [invalid([field], `${shown(value)}: must be text`)];
}

function typeOf(value: unknown): string {
  return typeof value === 'object' ? shown(value) : `a ${typeof value}`;
}

interface Known {
  readonly reader: KindReader;
  readonly kind: string;
  readonly place: Place;
}

/** Stands in for metadata that cannot be read, so that what else is wrong is found too; nothing of it goes further. */
const NO_METADATA: ObjectMeta = { name: '', namespace: '', labels: {}, annotations: {} };

function readKnown(raw: Raw, { reader, kind, place }: Known): void {
  const { options, result } = place;
  const { defaultNamespace, metallbNamespace = defaultNamespace } = options;
  const findings: Finding[] = [];
  const metadata = readMetadata(
    raw.metadata,
    { isNamespaced: reader.isNamespaced, defaultNamespace },
    findings,
  );
  if (reader.isStrict) findings.push(...unknownTopFields(raw));
  const conversion = reader.read(raw, metadata ?? NO_METADATA, metallbNamespace);

  const isOurs = !hasError(findings);
  if (findings.length > 0 || conversion.findings.length > 0) {
    const ref = refOf(raw, kind, reader.isNamespaced ? defaultNamespace : '');
    report([...findings, ...conversion.findings], place, ref);
    if (!isOurs && ref) result.rejected.push(ref);
  }
  if (!isOurs) return;
  result.objects.push(...conversion.objects);
  result.rejected.push(...conversion.rejected);
}

const TOP_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

function unknownTopFields(raw: Raw): Finding[] {
  return Object.keys(raw).flatMap((key) =>
    TOP_FIELDS.includes(key) ? [] : [unknownField([key], key, TOP_FIELDS)],
  );
}

/** The object as far as its metadata tells; undefined when it has no name that can be printed on a line. */
function refOf(raw: Raw, kind: string, defaultNamespace: string): ResourceRef | undefined {
  const metadata = isRecord(raw.metadata) ? raw.metadata : {};
  const { name, namespace } = metadata;
  if (typeof name !== 'string' || !isPrintable(name) || !isPrintable(kind)) return undefined;
  const isNamed = typeof namespace === 'string' && isPrintable(namespace) && defaultNamespace !== '';
  return { kind, namespace: isNamed ? namespace : defaultNamespace, name };
}

function isPrintable(text: string): boolean {
  return /^[\x21-\x7e]{1,253}$/.test(text);
}

function report(findings: readonly Finding[], { options, at, result }: Place, resource?: ResourceRef): void {
  for (const { path, reason, message, severity = 'error' } of findings) {
    const position = options.locate?.([...at, ...path]);
    result.problems.push({
      ...(resource && { resource }),
      field: formatFieldPath(path),
      reason,
      message,
      transient: false,
      severity,
      ...(position && { position }),
    });
  }
}
