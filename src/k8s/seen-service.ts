import { fieldOf } from '../core/field.ts';
import {
  CONDITION_TYPE,
  conditionIn,
  conditionOf,
  ingressIn,
  POOL_ANNOTATION,
  type ServiceCondition,
  type ServiceStatus,
} from '../source/index.ts';
import type { RawObject } from './raw-object.ts';

/** What the API server holds of a Service's status, as last seen. */
export interface SeenService {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly status: ServiceStatus;
  /** When our condition last changed between True and False. */
  readonly transitionTime?: string;
}

export function seenService(raw: RawObject): SeenService {
  const { name, namespace = '', uid = '', resourceVersion = '', annotations } = raw.metadata;
  const pool = fieldOf(annotations, POOL_ANNOTATION);
  const status = fieldOf(raw, 'status');
  const ingress = ingressIn(status)
    .map((entry) => fieldOf(entry, 'ip') ?? fieldOf(entry, 'hostname'))
    .filter((address) => typeof address === 'string');
  const ours = conditionIn(status);
  const transitionTime = fieldOf(ours, 'lastTransitionTime');
  return {
    uid,
    resourceVersion,
    status: {
      namespace,
      name,
      ingress,
      ...(typeof pool === 'string' && { pool }),
      ...(ours === undefined ? {} : { condition: conditionOf(ours) }),
    },
    ...(typeof transitionTime === 'string' && { transitionTime }),
  };
}

/**
 * The strategic merge patch of `services/status` that turns what was seen into what is wanted: addresses, the pool's name
 * and our condition, in one write. It fails with a conflict when the Service has changed since.
 */
export function statusPatch(seen: SeenService, wanted: ServiceStatus, now: Date): object {
  const { uid, resourceVersion, status } = seen;
  const isSamePool = status.pool === wanted.pool;
  const isSameIngress = status.ingress.join() === wanted.ingress.join();
  return {
    metadata: {
      uid,
      resourceVersion,
      ...(isSamePool ? {} : { annotations: { [POOL_ANNOTATION]: wanted.pool ?? null } }),
    },
    status: {
      ...(isSameIngress ? {} : { loadBalancer: { ingress: ingressOf(wanted) } }),
      ...conditionsPatch(seen, wanted.condition, now),
    },
  };
}

function ingressOf({ ingress }: ServiceStatus): readonly object[] | null {
  return ingress.length === 0 ? null : ingress.map((ip) => ({ ip }));
}

/** Conditions are merged by their type, so that those of others stay. */
function conditionsPatch(seen: SeenService, wanted: ServiceCondition | undefined, now: Date): object {
  const before = seen.status.condition;
  if (!wanted) return before ? { conditions: [{ $patch: 'delete', type: CONDITION_TYPE }] } : {};
  const isSameStatus = before?.status === wanted.status;
  const lastTransitionTime =
    isSameStatus && seen.transitionTime !== undefined ? seen.transitionTime : timeText(now);
  return { conditions: [{ type: CONDITION_TYPE, ...wanted, lastTransitionTime }] };
}

/** RFC 3339 to the second, as metav1.Time reads. */
export function timeText(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
