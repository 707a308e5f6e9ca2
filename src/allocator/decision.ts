import type { LoadBalancerIngress, ServiceObject } from '../api/index.ts';
import { parseIp, type IpAddress } from '../core/ip.ts';
import { objectKey } from '../core/problem.ts';
import { ALLOCATED_POOL_ANNOTATION, currentNameOf, deprecatedAnnotationsOf } from './annotations.ts';
import type { Verdict } from './converge.ts';
import type { AllocationEvent, EventReason, ServiceDecision } from './types.ts';

/** Puts a verdict beside the object it is about: what is to be written, if anything. */
export function decisionOf(service: ServiceObject, verdict: Verdict, reprocess: boolean): ServiceDecision {
  const { target, outcome, reason } = verdict;
  const present = service.metadata.annotations[ALLOCATED_POOL_ANNOTATION];
  const changed =
    target !== undefined && (!sameIngress(service.status.ingress, target.ips) || present !== target.pool);
  const ingress = changed
    ? target.ips.map((ip) => ip.text)
    : service.status.ingress.flatMap(({ ip }) => (ip === undefined || ip === '' ? [] : [ip]));
  const pool = changed ? target.pool : present;
  const events = changed ? [...verdict.events, ...deprecations(service)] : verdict.events;
  return {
    key: objectKey(service.metadata),
    outcome,
    ingress,
    ...(pool === undefined ? {} : { pool }),
    reason,
    events,
    changed,
    reprocess,
  };
}

/** The Service as it reads once the decision is written to it. */
export function withDecision(service: ServiceObject, decision: ServiceDecision): ServiceObject {
  if (!decision.changed) return service;
  const { [ALLOCATED_POOL_ANNOTATION]: _, ...others } = service.metadata.annotations;
  const annotations =
    decision.pool === undefined ? others : { ...others, [ALLOCATED_POOL_ANNOTATION]: decision.pool };
  return {
    ...service,
    metadata: { ...service.metadata, annotations },
    status: { ...service.status, ingress: decision.ingress.map((ip) => ({ ip })) },
  };
}

/** Failures that a later, better verdict of the same pass makes untrue. */
const OVERTAKEN: ReadonlySet<EventReason> = new Set(['AllocationFailed', 'AdditionalAssignFailed']);

/** The later of two verdicts on one Service within a pass, with the events of both that still hold. */
export function mergeVerdicts(earlier: Verdict, later: Verdict): Verdict {
  const events = earlier.events.filter((event) => !OVERTAKEN.has(event.reason));
  return { ...later, events: [...events, ...later.events] };
}

/** Only addresses count: the API server adds other fields, such as `ipMode`, by itself. */
function sameIngress(ingress: readonly LoadBalancerIngress[], ips: readonly IpAddress[]): boolean {
  return (
    ingress.length === ips.length &&
    ips.every((ip, index) => {
      const text = ingress[index]?.ip;
      return text !== undefined && (text === ip.text || parseIp(text)?.text === ip.text);
    })
  );
}

function deprecations(service: ServiceObject): AllocationEvent[] {
  return deprecatedAnnotationsOf(service).map((name) => ({
    type: 'Warning',
    reason: 'deprecatedAnnotation',
    message: `annotation ${name} is deprecated; use ${currentNameOf(name)}`,
  }));
}
