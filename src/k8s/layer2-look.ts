import {
  MOVE_ANNOTATION,
  ownershipsOf,
  serviceL2StatusName,
  type OwnershipRecord,
  type WrittenLayer2,
  type WrittenSpeaker,
} from '../l2/index.ts';
import { PATCH_TYPES, type ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { seenSpeaker, seenStatus } from './layer2-objects.ts';
import { listAll } from './paged-list.ts';
import { isRawObject } from './raw-object.ts';
import { objectPath, RESOURCES } from './resources.ts';
import { SPEAKER_LEASE_SELECTOR } from './speaker-lease.ts';

/** Layer 2 in the API server, for somebody who is no speaker. */

/** Tries of a write that others come before. */
const TRIES = 5;

/**
 * Reads once what speakers wrote for each other.
 * @param options.namespace the one in which they run
 * @throws {ApiError} when it cannot be read
 */
export async function readClusterLayer2(options: {
  readonly client: Pick<ApiClient, 'request'>;
  readonly namespace: string;
  readonly signal: AbortSignal;
}): Promise<WrittenLayer2> {
  const { client, namespace, signal } = options;
  const speakers = new Map<string, WrittenSpeaker>();
  const moves = new Map<string, string>();
  const seen: [string, OwnershipRecord][] = [];
  await Promise.all([
    listAll({
      ...{ client, signal },
      query: { type: RESOURCES.Lease, namespace, labelSelector: SPEAKER_LEASE_SELECTOR },
      onObject: (raw) => {
        const speaker = seenSpeaker(raw);
        if (!speaker) return;
        const { record, renewTime, heartbeat } = speaker;
        const { isReleased, heldMs } = heartbeat;
        speakers.set(record.node, { record, isReleased, renewTime, heldMs });
      },
    }),
    listAll({
      ...{ client, signal },
      query: { type: RESOURCES.ServiceL2Status, namespace },
      onObject: (raw) => {
        const { key, record, moveTo, isOurs } = seenStatus(raw);
        if (key === undefined || !isOurs) return;
        if (record) seen.push([key, record]);
        if (moveTo !== '') moves.set(key, moveTo);
      },
    }),
  ]);
  return { speakers, ownerships: ownershipsOf({ node: '', seen, own: undefined }), moves };
}

/**
 * Reads once who has the addresses of one Service.
 * @param options.namespace of the ServiceL2Status
 * @throws {ApiError} when it cannot be read
 */
export async function readClusterOwnership(
  client: Pick<ApiClient, 'request'>,
  options: {
    readonly namespace: string;
    readonly service: { readonly namespace: string; readonly name: string };
    readonly signal: AbortSignal;
  },
): Promise<OwnershipRecord | undefined> {
  const { namespace, service, signal } = options;
  const path = objectPath(RESOURCES.ServiceL2Status, { namespace, name: serviceL2StatusName(service) });
  try {
    const raw = await client.request({ method: 'GET', path }, signal);
    return isRawObject(raw) ? seenStatus(raw).record : undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * Takes a request back, unless it is fulfilled, or somebody has asked for something else since.
 * @throws {ApiError} when it cannot be taken back
 */
export async function withdrawClusterMove(
  client: Pick<ApiClient, 'request'>,
  options: {
    /** Of the ServiceL2Status. */
    readonly namespace: string;
    readonly service: { readonly namespace: string; readonly name: string };
    readonly node: string;
  },
): Promise<void> {
  const { namespace, service, node } = options;
  const path = objectPath(RESOURCES.ServiceL2Status, { namespace, name: serviceL2StatusName(service) });
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      const raw = await client.request({ method: 'GET', path });
      if (!isRawObject(raw)) return;
      const { moveTo, resourceVersion } = seenStatus(raw);
      if (moveTo !== node) return;
      const metadata = { resourceVersion, annotations: { [MOVE_ANNOTATION]: null } };
      await client.request({ method: 'PATCH', path, body: { metadata }, contentType: PATCH_TYPES.merge });
      return;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) return; // nobody owns the Service any more, and the request went with its record
      if (error.status !== 409 || left === 0) throw error;
    }
  }
}
