import type { Logger } from 'pino';
import { backoffMs } from '../core/backoff.ts';
import { SPEAKER_ANNOTATION, speakerLeaseName, speakerText, type SpeakerRecord } from '../l2/index.ts';
import { PATCH_TYPES, type ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { heldLease, releasedLease, type LeaseSpec } from './lease-decision.ts';
import { objectPath, RESOURCES } from './resources.ts';

/** By these the Leases of speakers are found. */
export const SPEAKER_LEASE_LABELS = {
  'app.kubernetes.io/name': 'metallb-frr',
  'app.kubernetes.io/component': 'speaker',
} as const;

export const SPEAKER_LEASE_SELECTOR = Object.entries(SPEAKER_LEASE_LABELS)
  .map(([label, value]) => `${label}=${value}`)
  .join();

/** As many times its renewal a Lease lasts. */
const DURATION_FACTOR = 4;
/** All speakers together renew at most this often: a large cluster's API server has better things to do. */
const RENEWALS_PER_SECOND = 5;
const BACKOFF = { firstMs: 200, mostMs: 1_500 };
const WRITE_TIMEOUT_MS = 3_000;

export interface SpeakerLeaseOptions {
  readonly client: Pick<ApiClient, 'request'>;
  readonly namespace: string;
  readonly node: string;
  /** The shortest time between two renewals, in milliseconds. */
  readonly renewMs: number;
  /** How many speakers there are. */
  readonly speakers: () => number;
  /** After each write: what it wrote, or undefined when it failed. */
  readonly onWritten: (spec: LeaseSpec | undefined) => void;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface SpeakerLease {
  /** Says what this speaker is, at once, and goes on saying it. */
  readonly publish: (record: SpeakerRecord) => void;
  /** Gives the Lease back; nothing is renewed afterwards. */
  readonly release: () => Promise<void>;
  /** Settles when what was said is written, or the signal is aborted. */
  readonly idle: () => Promise<void>;
}

/** The Lease by which a node's speaker says that it lives, and on which interfaces. */
export function createSpeakerLease(options: SpeakerLeaseOptions): SpeakerLease {
  const { client, namespace, node, logger, signal } = options;
  const name = speakerLeaseName(node);
  let record: SpeakerRecord | undefined;
  let spec: LeaseSpec | undefined;
  let written: SpeakerRecord | undefined;
  let isReleased = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let settle: (() => void)[] = [];

  const isDue = (): boolean => record !== undefined && record !== written && !isReleased;
  const checkIdle = (): void => {
    if (isDue() && !signal.aborted) return;
    for (const each of settle) each();
    settle = [];
  };
  const apply = (current: SpeakerRecord, next: LeaseSpec): Promise<unknown> =>
    client.request({
      method: 'PATCH',
      path: objectPath(RESOURCES.Lease, { namespace, name }),
      query: { fieldManager: 'metallb-speaker', force: 'true' },
      body: {
        apiVersion: RESOURCES.Lease.apiVersion,
        kind: 'Lease',
        metadata: {
          name,
          namespace,
          labels: SPEAKER_LEASE_LABELS,
          annotations: { [SPEAKER_ANNOTATION]: speakerText(current) },
        },
        spec: next,
      },
      contentType: PATCH_TYPES.apply,
      timeoutMs: WRITE_TIMEOUT_MS,
    });
  const write = async (current: SpeakerRecord): Promise<void> => {
    const periodMs = Math.max(options.renewMs, (options.speakers() / RENEWALS_PER_SECOND) * 1_000);
    const durationSeconds = Math.max(1, Math.ceil((periodMs * DURATION_FACTOR) / 1_000));
    const next = heldLease(spec, { identity: node, durationSeconds, time: new Date() });
    // Never sooner: what all speakers write together is bounded by it.
    let waitMs = periodMs * (1 + Math.random() / 10);
    try {
      await apply(current, next);
      spec = next;
      written = current;
      if (failures > 0) logger.info({ lease: name }, 'the Lease of this speaker is renewed again');
      failures = 0;
      options.onWritten(next);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (signal.aborted) return;
      failures += 1;
      if (failures === 1) {
        logger.warn({ err: error, lease: name }, 'the Lease of this speaker cannot be renewed, trying again');
      }
      options.onWritten(undefined);
      waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(failures, BACKOFF, Math.random()));
    }
    if (!signal.aborted && !isReleased) timer = setTimeout(pump, waitMs);
  };
  const pump = (): void => {
    if (!record || isReleased || writing || signal.aborted) return;
    clearTimeout(timer);
    const current = record;
    writing = write(current).finally(() => {
      writing = undefined;
      // What was said meanwhile need not wait for the next renewal, unless the server is away.
      if (isDue() && failures === 0) pump();
      checkIdle();
    });
  };
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    checkIdle();
  });
  return {
    publish: (next) => {
      record = next;
      isReleased = false;
      if (failures === 0) pump();
    },
    release: async () => {
      isReleased = true;
      clearTimeout(timer);
      await writing;
      checkIdle();
      if (!record || !spec) return;
      try {
        await apply(record, releasedLease(spec, new Date()));
        spec = undefined;
        written = undefined;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        logger.warn(
          { err: error, lease: name },
          'the Lease of this speaker cannot be given back, it will expire',
        );
      }
    },
    idle: () =>
      new Promise((resolve) => {
        settle.push(resolve);
        checkIdle();
      }),
  };
}
