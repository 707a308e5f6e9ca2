import { createHash } from 'node:crypto';
import { z } from 'zod';
import { MAX_HISTORY, MOVE_CAUSES, type Move, type OwnershipRecord, type SpeakerRecord } from './types.ts';

/** Records as they are written down: the status of a ServiceL2Status, and an annotation of a speaker's Lease. */

/** On the Lease of a speaker: its SpeakerRecord as JSON. */
export const SPEAKER_ANNOTATION = 'metallb-frr.io/speaker';
/** On a ServiceL2Status: the node that somebody wants to have the addresses. */
export const MOVE_ANNOTATION = 'metallb-frr.io/move-to';

/** Names of what belongs to a node or a Service; none may be longer (DNS-1123 subdomain). */
const MAX_NAME = 253;
const LEASE_PREFIX = 'metallb-frr-speaker-';

/** `status` of a ServiceL2Status. MetalLB's fields come first; the others are ours. */
export interface ServiceL2StatusFields {
  readonly node: string;
  readonly serviceName: string;
  readonly serviceNamespace: string;
  readonly interfaces: readonly { readonly name: string }[];
  readonly ips: readonly string[];
  readonly since: string;
  readonly cause: string;
  readonly nextOwner?: string;
  readonly history: readonly Move[];
}

const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)));
/** A cause that only a later version knows was one of handing over, as far as this one can tell. */
const cause = z.enum(MOVE_CAUSES).catch('HandOver');
/** What others wrote, perhaps in another version: a field too many is no fault. */
const STATUS = z.object({
  node: z.string().min(1),
  serviceName: z.string().min(1),
  serviceNamespace: z.string().min(1),
  interfaces: z.array(z.object({ name: z.string() })).default([]),
  ips: z.array(z.string()),
  since: time,
  cause,
  nextOwner: z.string().optional(),
  history: z.array(z.object({ at: time, node: z.string(), cause })).default([]),
});

export function statusOfOwnership(record: OwnershipRecord): ServiceL2StatusFields {
  const { service, node, interfaces, ips, since, nextOwner, history } = record;
  return {
    node,
    serviceName: service.name,
    serviceNamespace: service.namespace,
    interfaces: interfaces.map((name) => ({ name })),
    ips,
    since,
    cause: record.cause,
    ...(nextOwner === undefined ? {} : { nextOwner }),
    history: history.slice(0, MAX_HISTORY),
  };
}

/** @returns undefined when it is not a status of ours: MetalLB's say neither since when nor why */
export function readOwnership(status: unknown): OwnershipRecord | undefined {
  const read = STATUS.safeParse(status).data;
  if (!read) return undefined;
  const { serviceName: name, serviceNamespace: namespace, nextOwner, history } = read;
  return {
    service: { namespace, name },
    node: read.node,
    ips: read.ips,
    interfaces: read.interfaces.map((each) => each.name),
    since: read.since,
    cause: read.cause,
    ...(nextOwner === undefined || nextOwner === '' ? {} : { nextOwner }),
    history: history.slice(0, MAX_HISTORY),
  };
}

const SPEAKER = z.object({
  node: z.string().min(1),
  links: z.array(z.object({ name: z.string(), mac: z.string(), addresses: z.array(z.string()) })),
});

export function speakerText(record: SpeakerRecord): string {
  return JSON.stringify(record);
}

/** @returns undefined when the text is no SpeakerRecord */
export function readSpeaker(text: string): SpeakerRecord | undefined {
  try {
    return SPEAKER.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // no JSON
  }
}

/** The name of the Lease of a node's speaker. */
export function speakerLeaseName(node: string): string {
  const name = LEASE_PREFIX + node;
  return name.length <= MAX_NAME ? name : LEASE_PREFIX + digestOf(node);
}

/** The name of a Service's ServiceL2Status: the same whoever owns it, so that it outlives its owner. */
export function serviceL2StatusName(service: { readonly namespace: string; readonly name: string }): string {
  return `l2-${digestOf(`${service.namespace}/${service.name}`)}`;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Whether `a` counts and not `b`, when both are of one Service: the newer one, then the lower node name. */
export function isNewer(a: OwnershipRecord, b: OwnershipRecord): boolean {
  const [atA, atB] = [Date.parse(a.since), Date.parse(b.since)];
  return atA === atB ? a.node < b.node : atA > atB;
}
