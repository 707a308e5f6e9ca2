import { fieldOf, textOf } from '../core/field.ts';
import { objectKey } from '../core/problem.ts';
import {
  MOVE_ANNOTATION,
  readOwnership,
  readSpeaker,
  serviceL2StatusName,
  SPEAKER_ANNOTATION,
  type Heartbeat,
  type OwnershipRecord,
  type SpeakerRecord,
} from '../l2/index.ts';
import { leaseSpecOf } from './lease-decision.ts';
import type { RawObject } from './raw-object.ts';

/** Of the Leases and ServiceL2Statuses in the API server, what is kept. */

export interface SeenSpeaker {
  readonly record: SpeakerRecord;
  readonly heartbeat: Heartbeat;
  readonly renewTime: string;
}

/** @returns undefined when it is no Lease of a speaker */
export function seenSpeaker(raw: RawObject): SeenSpeaker | undefined {
  const record = readSpeaker(textOf(fieldOf(raw.metadata.annotations, SPEAKER_ANNOTATION)));
  if (!record) return undefined;
  const { holderIdentity, renewTime, leaseTransitions, leaseDurationSeconds } = leaseSpecOf(raw);
  return {
    record,
    renewTime,
    heartbeat: {
      version: `${holderIdentity} ${renewTime} ${String(leaseTransitions)}`,
      heldMs: leaseDurationSeconds * 1_000,
      isReleased: holderIdentity === '',
    },
  };
}

export interface SeenStatus {
  readonly name: string;
  readonly resourceVersion: string;
  /** `namespace/name` of the Service; undefined when it does not say. */
  readonly key: string | undefined;
  /** Absent: MetalLB's, or made and not filled yet. */
  readonly record?: OwnershipRecord;
  readonly labelledNode: string;
  /** The node that somebody wants to have the addresses; empty: none. */
  readonly moveTo: string;
  /** Whether it is the one object that we keep for the Service. */
  readonly isOurs: boolean;
}

export const NODE_LABEL = 'metallb.io/node';

/** Labels of a ServiceL2Status, as MetalLB has them. */
export function statusLabels({ service, node }: OwnershipRecord): Readonly<Record<string, string>> {
  return {
    [NODE_LABEL]: node,
    'metallb.io/service-name': service.name,
    'metallb.io/service-namespace': service.namespace,
  };
}

export function seenStatus(raw: RawObject): SeenStatus {
  const { name, resourceVersion = '', labels, annotations } = raw.metadata;
  const status = fieldOf(raw, 'status');
  const record = readOwnership(status);
  const said = (field: string, label: string): string =>
    textOf(fieldOf(status, field)) || textOf(fieldOf(labels, `metallb.io/${label}`));
  const service = {
    namespace: said('serviceNamespace', 'service-namespace'),
    name: said('serviceName', 'service-name'),
  };
  const isKnown = service.namespace !== '' && service.name !== '';
  const isOurs = isKnown && name === serviceL2StatusName(service);
  return {
    name,
    resourceVersion,
    key: isKnown ? objectKey(service) : undefined,
    ...(record && isOurs ? { record } : {}),
    labelledNode: textOf(fieldOf(labels, NODE_LABEL)),
    moveTo: textOf(fieldOf(annotations, MOVE_ANNOTATION)),
    isOurs,
  };
}
