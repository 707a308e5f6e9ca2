import { invalid, shown, type Finding } from './finding.ts';
import { readTexts } from './metadata.ts';
import type { ConfigMapObject, NodeObject, ObjectMeta, SecretObject } from './objects.ts';
import { booleanAt, NOTHING, objectAt, objectsAt, textAt } from './raw-fields.ts';

type Raw = Readonly<Record<string, unknown>>;

/** Reads a Node. Its taints and its Ready condition have no say in what it announces. */
export function readNode(raw: Raw, metadata: ObjectMeta, findings: Finding[]): NodeObject | undefined {
  const before = findings.length;
  const status = { raw: objectAt({ raw, parent: NOTHING }, 'status', findings), parent: ['status'] };
  const networkUnavailable = objectsAt(status, 'conditions', findings).some(
    (condition) =>
      textAt(condition, 'type', findings) === 'NetworkUnavailable' &&
      textAt(condition, 'status', findings) === 'True',
  );
  const spec = { raw: objectAt({ raw, parent: NOTHING }, 'spec', findings), parent: ['spec'] };
  const unschedulable = booleanAt(spec, 'unschedulable', findings) ?? false;
  return findings.length === before
    ? { kind: 'Node', metadata, spec: { networkUnavailable, unschedulable } }
    : undefined;
}

/** Reads a Secret. No finding holds a value of it. */
export function readSecret(raw: Raw, metadata: ObjectMeta, findings: Finding[]): SecretObject | undefined {
  const before = findings.length;
  const type = textAt({ raw, parent: NOTHING }, 'type', findings) ?? 'Opaque';
  const encoded = secretTexts(raw, 'data', findings);
  const plain = secretTexts(raw, 'stringData', findings);
  const data: [string, string][] = [];
  for (const [key, value] of Object.entries(encoded)) {
    const bytes = decodeBase64(value);
    if (!bytes) findings.push(invalid(['data', key], 'must be base64 (RFC 4648 section 4)'));
    const text = bytes && decodeUtf8(bytes);
    if (text !== undefined) data.push([key, text]);
  }
  data.push(...Object.entries(plain));
  return findings.length === before
    ? { kind: 'Secret', metadata, spec: { type, data: Object.fromEntries(data) } }
    : undefined;
}

function secretTexts(
  raw: Raw,
  field: 'data' | 'stringData',
  findings: Finding[],
): Readonly<Record<string, string>> {
  const texts: [string, string][] = [];
  for (const [key, value] of Object.entries(objectAt({ raw, parent: NOTHING }, field, findings))) {
    if (typeof value === 'string') texts.push([key, value]);
    else if (value !== null) findings.push(invalid([field, key], `must be text, not ${typeName(value)}`));
  }
  return Object.fromEntries(texts);
}

function typeName(value: unknown): string {
  return typeof value === 'object' ? shown(value) : `a ${typeof value}`;
}

function decodeBase64(text: string): Uint8Array | undefined {
  const compact = text.replaceAll(/[\r\n]/g, ''); // Go's decoder, and so the API server, skips line breaks
  const isBase64 = compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact);
  return isBase64 ? Buffer.from(compact, 'base64') : undefined;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

/** Reads a ConfigMap. `binaryData` is left out. */
export function readConfigMap(
  raw: Raw,
  metadata: ObjectMeta,
  findings: Finding[],
): ConfigMapObject | undefined {
  const before = findings.length;
  const data = readTexts(raw.data, ['data'], findings);
  return findings.length === before ? { kind: 'ConfigMap', metadata, spec: { data } } : undefined;
}
