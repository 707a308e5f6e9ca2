import { fieldOf, itemsOf, textOf } from '../core/field.ts';
import type { ServiceObject } from '../api/index.ts';
import { parseManifestText } from '../manifest/index.ts';

/** What the controller says about one Service: the part of `status` and annotations that is its own. */
export interface ServiceStatus {
  readonly namespace: string;
  readonly name: string;
  /** `status.loadBalancer.ingress[].ip`, in order. */
  readonly ingress: readonly string[];
  /** Annotation `metallb.io/ip-allocated-from-pool`. */
  readonly pool?: string;
  /** Why it has no address, or not all that it wants. */
  readonly condition?: ServiceCondition;
}

export interface ServiceCondition {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export const POOL_ANNOTATION = 'metallb.io/ip-allocated-from-pool';
export const CONDITION_TYPE = 'metallb.io/AddressAssigned';

/** Words that every YAML reader takes as plain text: no number, boolean, date or mark in it. */
const PLAIN_WORD = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z][a-z0-9.-]*$/;
/** IPv6 is quoted: with decimal groups alone it is a base-60 number to readers of YAML 1.1. */
const PLAIN_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;
const PLAIN_REASON = /^(?!(?:Y|N|Yes|No|On|Off|True|False|Null)$)[A-Z][A-Za-z]*$/;

/** The document as it stands in a status file, with its marker in front. */
export function renderServiceStatus(status: ServiceStatus): string {
  const { namespace, name, ingress, pool, condition } = status;
  const annotations =
    pool === undefined ? '' : `  annotations:\n    ${POOL_ANNOTATION}: ${scalar(pool, PLAIN_WORD)}\n`;
  const addresses =
    ingress.length === 0
      ? '  loadBalancer: {}\n'
      : `  loadBalancer:\n    ingress:\n${ingress.map((ip) => `    - ip: ${scalar(ip, PLAIN_ADDRESS)}\n`).join('')}`;
  const conditions = condition
    ? `  conditions:\n  - type: ${CONDITION_TYPE}\n    status: "${condition.status}"\n` +
      `    reason: ${scalar(condition.reason, PLAIN_REASON)}\n    message: ${quoted(condition.message)}\n`
    : '';
  return (
    `---\napiVersion: v1\nkind: Service\nmetadata:\n  namespace: ${scalar(namespace, PLAIN_WORD)}\n` +
    `  name: ${scalar(name, PLAIN_WORD)}\n${annotations}status:\n${addresses}${conditions}`
  );
}

export function statusesEqual(a: ServiceStatus, b: ServiceStatus): boolean {
  return (
    a.namespace === b.namespace &&
    a.name === b.name &&
    a.pool === b.pool &&
    a.ingress.length === b.ingress.length &&
    a.ingress.every((ip, index) => ip === b.ingress[index]) &&
    a.condition?.status === b.condition?.status &&
    a.condition?.reason === b.condition?.reason &&
    a.condition?.message === b.condition?.message
  );
}

/** The document exactly as {@link renderServiceStatus} writes it when its names are ordinary ones. */
const USUAL_DOCUMENT = new RegExp(
  String.raw`---\napiVersion: v1\nkind: Service\nmetadata:\n  namespace: "?([a-z0-9][a-z0-9.-]*)"?\n` +
    String.raw`  name: "?([a-z0-9][a-z0-9.-]*)"?\n` +
    String.raw`(?:  annotations:\n    metallb\.io/ip-allocated-from-pool: "?([a-z0-9][a-z0-9.-]*)"?\n)?` +
    String.raw`status:\n  loadBalancer:(?: \{\}\n|\n    ingress:\n    - ip: "?([0-9a-f.:]+)"?\n(?:    - ip: "?([0-9a-f.:]+)"?\n)?)` +
    String.raw`(?:  conditions:\n  - type: metallb\.io/AddressAssigned\n    status: "(True|False)"\n` +
    String.raw`    reason: ([A-Za-z]+)\n    message: ("(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-f]{4}))*")\n)?(?=---\n|$)`,
  'y',
);
const HEADER = /(?:#[^\n]*\n)*/y;

export type StatusFileParse =
  | { readonly ok: true; readonly statuses: readonly ServiceStatus[] }
  | { readonly ok: false; readonly message: string };

/**
 * Reads a status file. Documents in the usual form are recognised by their text, which takes a fiftieth of the time
 * that YAML takes (10,000: 4 ms); any other is read as YAML, which gives the same.
 */
export function parseServiceStatuses(text: string, file: string): StatusFileParse {
  const statuses: ServiceStatus[] = [];
  HEADER.lastIndex = 0;
  HEADER.test(text);
  let at = HEADER.lastIndex;
  while (at < text.length) {
    USUAL_DOCUMENT.lastIndex = at;
    const match = USUAL_DOCUMENT.exec(text);
    if (match) {
      statuses.push(statusOfMatch(match));
      at = USUAL_DOCUMENT.lastIndex;
      continue;
    }
    const marker = text.indexOf('\n---', at);
    const end = marker === -1 ? text.length : marker + 1;
    const piece = parseManifestText({ text: text.slice(at, end), file });
    const [problem] = piece.problems;
    if (problem) return { ok: false, message: problem.message };
    for (const { value } of piece.documents) {
      const status = statusOfDocument(value);
      if (status) statuses.push(status);
    }
    at = end;
  }
  return { ok: true, statuses };
}

function statusOfMatch(match: RegExpExecArray): ServiceStatus {
  const [, namespace = '', name = '', pool, first, second, status, reason = '', message = '""'] = match;
  const ingress = [first, second].filter((ip) => ip !== undefined);
  return {
    namespace,
    name,
    ingress,
    ...(pool === undefined ? {} : { pool }),
    ...(status === undefined
      ? {}
      : {
          condition: {
            status: status === 'True' ? 'True' : 'False',
            reason,
            message: JSON.parse(message) as string,
          },
        }),
  };
}

function statusOfDocument(value: unknown): ServiceStatus | undefined {
  if (fieldOf(value, 'kind') !== 'Service') return undefined;
  const metadata = fieldOf(value, 'metadata');
  const name = fieldOf(metadata, 'name');
  const namespace = fieldOf(metadata, 'namespace');
  if (typeof name !== 'string' || typeof namespace !== 'string') return undefined;
  const pool = fieldOf(fieldOf(metadata, 'annotations'), POOL_ANNOTATION);
  const status = fieldOf(value, 'status');
  const ingress = ingressIn(status)
    .map((entry) => fieldOf(entry, 'ip'))
    .filter((ip) => typeof ip === 'string');
  const condition = conditionIn(status);
  return {
    namespace,
    name,
    ingress,
    ...(typeof pool === 'string' ? { pool } : {}),
    ...(condition !== undefined ? { condition: conditionOf(condition) } : {}),
  };
}

/** The entries of a Service's status that say where it is reached. */
export function ingressIn(status: unknown): readonly unknown[] {
  return itemsOf(fieldOf(fieldOf(status, 'loadBalancer'), 'ingress'));
}

/** Our condition in a Service's status, as it stands there. */
export function conditionIn(status: unknown): unknown {
  return itemsOf(fieldOf(status, 'conditions')).find((each) => fieldOf(each, 'type') === CONDITION_TYPE);
}

export function conditionOf(raw: unknown): ServiceCondition {
  return {
    status: fieldOf(raw, 'status') === 'True' ? 'True' : 'False',
    reason: textOf(fieldOf(raw, 'reason')),
    message: textOf(fieldOf(raw, 'message')),
  };
}

/** The Service as it reads with this status; `undefined`: with none, whatever its own manifest says. */
export function withServiceStatus(service: ServiceObject, status: ServiceStatus | undefined): ServiceObject {
  const hasNone = service.status.ingress.length === 0 && !(POOL_ANNOTATION in service.metadata.annotations);
  if (!status && hasNone) return service;
  const { [POOL_ANNOTATION]: _pool, ...annotations } = service.metadata.annotations;
  const ingress = (status?.ingress ?? []).map((ip) => ({ ip }));
  const pool = status?.pool;
  return {
    ...service,
    metadata: {
      ...service.metadata,
      annotations: pool === undefined ? annotations : { ...annotations, [POOL_ANNOTATION]: pool },
    },
    status: { ...service.status, ingress },
  };
}

function scalar(text: string, plain: RegExp): string {
  return plain.test(text) ? text : quoted(text);
}

/** JSON's strings are YAML's, apart from the characters that YAML calls non-printable. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007F-\u009F\uFEFF\uFFFE\uFFFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
