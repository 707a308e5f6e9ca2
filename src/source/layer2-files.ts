import {
  readOwnership,
  readSpeaker,
  SPEAKER_ANNOTATION,
  speakerLeaseName,
  speakerText,
  statusOfOwnership,
  type OwnershipRecord,
  type WrittenSpeaker,
} from '../l2/index.ts';
import { fieldOf, itemsOf, textOf } from '../core/field.ts';
import { byText } from '../core/order.ts';
import { objectKey } from '../core/problem.ts';
import { parseManifestText } from '../manifest/index.ts';
import { renderYaml } from './status-folder.ts';

/** The files by which speakers tell each other about layer 2, as text. */

export type Layer2FileName =
  { readonly kind: 'speaker' | 'owned'; readonly node: string } | { readonly kind: 'move' };

export function layer2FileOf(name: string): Layer2FileName | undefined {
  const [, kind, node = ''] = /^l2-(speaker|owned)-(.+)\.yaml$/.exec(name) ?? [];
  if (kind === 'speaker' || kind === 'owned') return { kind, node };
  return /^l2-move-.+\.yaml$/.test(name) ? { kind: 'move' } : undefined;
}

export function speakerFileName(node: string): string {
  return `l2-speaker-${node}.yaml`;
}

export function ownedFileName(node: string): string {
  return `l2-owned-${node}.yaml`;
}

/** No name of an object has an underscore in it. */
export function moveFileName(service: { readonly namespace: string; readonly name: string }): string {
  return `l2-move-${service.namespace}_${service.name}.yaml`;
}

/** A speaker's file: a Lease as a cluster would have it. The time is another one after each renewal. */
export type SpeakerFile = WrittenSpeaker;

export function renderSpeakerFile({ record, isReleased, renewTime, heldMs }: SpeakerFile): string {
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: speakerLeaseName(record.node),
      annotations: { [SPEAKER_ANNOTATION]: speakerText(record) },
    },
    spec: {
      holderIdentity: isReleased ? '' : record.node,
      leaseDurationSeconds: heldMs / 1_000,
      renewTime,
    },
  };
  return renderYaml([lease]);
}

export function parseSpeakerFile(text: string, file: string): SpeakerFile | string {
  const lease = documentIn(text, file);
  if (typeof lease === 'string') return lease;
  const record = readSpeaker(
    textOf(fieldOf(fieldOf(fieldOf(lease.value, 'metadata'), 'annotations'), SPEAKER_ANNOTATION)),
  );
  const spec = fieldOf(lease.value, 'spec');
  const seconds = fieldOf(spec, 'leaseDurationSeconds');
  if (!record || typeof seconds !== 'number') return 'is not the Lease of a speaker';
  return {
    record,
    isReleased: textOf(fieldOf(spec, 'holderIdentity')) === '',
    renewTime: textOf(fieldOf(spec, 'renewTime')),
    heldMs: seconds * 1_000,
  };
}

const LIST_HEAD = 'apiVersion: metallb.io/v1beta1\nkind: ServiceL2StatusList\n';
const ITEM = '- status: ';

/** All that one node owns, one line each: there may be a thousand, and most do not change. */
export function renderOwnedFile(records: Iterable<OwnershipRecord>): string {
  const items = [...records]
    .sort(byText(({ service }) => objectKey(service)))
    .map((record) => `${ITEM}${JSON.stringify(statusOfOwnership(record))}\n`);
  return `${LIST_HEAD}${items.length === 0 ? 'items: []\n' : `items:\n${items.join('')}`}`;
}

/** One node's records, each with its line when it stands on one: a line that is there again is not read again. */
export type OwnedFile = ReadonlyMap<string, { readonly record: OwnershipRecord; readonly line?: string }>;

/**
 * Reads such a file. Lines as {@link renderOwnedFile} writes them are recognised; anything else is read as YAML, which
 * gives the same.
 * @returns the records by `namespace/name`, or what is wrong
 */
export function parseOwnedFile(text: string, file: string, before?: OwnedFile): OwnedFile | string {
  return parseLines(text, before) ?? parseDocuments(text, file);
}

function parseLines(text: string, before: OwnedFile | undefined): OwnedFile | undefined {
  const known = new Map([...(before?.values() ?? [])].map(({ record, line = '' }) => [line, record]));
  const [, head = '', body = ''] =
    /^(?:#[^\n]*\n)*(apiVersion: [^\n]*\nkind: [^\n]*\n)items:(?: \[\])?\n([^]*)$/.exec(text) ?? [];
  if (head !== LIST_HEAD) return undefined;
  const owned = new Map<string, { readonly record: OwnershipRecord; readonly line: string }>();
  for (const line of body.split('\n')) {
    if (line === '') continue;
    if (!line.startsWith(ITEM)) return undefined;
    const record = known.get(line) ?? recordIn(line.slice(ITEM.length));
    if (!record) return undefined;
    owned.set(objectKey(record.service), { record, line });
  }
  return owned;
}

function recordIn(json: string): OwnershipRecord | undefined {
  try {
    return readOwnership(JSON.parse(json));
  } catch {
    return undefined; // YAML of another form
  }
}

function parseDocuments(text: string, file: string): OwnedFile | string {
  const list = documentIn(text, file);
  if (typeof list === 'string') return list;
  if (fieldOf(list.value, 'kind') !== 'ServiceL2StatusList') return 'is no ServiceL2StatusList';
  const records = itemsOf(fieldOf(list.value, 'items')).flatMap(
    (item) => readOwnership(fieldOf(item, 'status')) ?? [],
  );
  return new Map(records.map((record) => [objectKey(record.service), { record }]));
}

/** Somebody's wish that a node has the addresses of a Service. */
export interface MoveRequest {
  readonly service: { readonly namespace: string; readonly name: string };
  readonly node: string;
}

export function renderMoveFile({ service, node }: MoveRequest): string {
  const { namespace: serviceNamespace, name: serviceName } = service;
  const head = { apiVersion: 'metallb.io/v1beta1', kind: 'ServiceL2Move' };
  return renderYaml([{ ...head, spec: { serviceNamespace, serviceName, node } }]);
}

export function parseMoveFile(text: string, file: string): MoveRequest | string {
  const move = documentIn(text, file);
  if (typeof move === 'string') return move;
  const spec = fieldOf(move.value, 'spec');
  const said = (field: string): string => textOf(fieldOf(spec, field));
  const [namespace, name, node] = [said('serviceNamespace'), said('serviceName'), said('node')];
  if (namespace === '' || name === '' || node === '') return 'names no Service and node';
  return { service: { namespace, name }, node };
}

function documentIn(text: string, file: string): { readonly value: unknown } | string {
  const { documents, problems } = parseManifestText({ text, file });
  if (problems[0]) return problems[0].message;
  return documents[0] ?? 'is empty';
}
