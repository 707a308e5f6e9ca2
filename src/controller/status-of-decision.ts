import type { ServiceDecision } from '../allocator/index.ts';
import type { ServiceStatus } from '../source/index.ts';

/**
 * What is written about a Service. Undefined: nothing, it wants no address and holds none, or it is another
 * controller's.
 */
export function statusOfDecision(decision: ServiceDecision): ServiceStatus | undefined {
  if (decision.outcome === 'ignored' || decision.outcome === 'notReady') return undefined;
  if (decision.outcome === 'none' && decision.ingress.length === 0) return undefined;
  const at = decision.key.indexOf('/');
  const incomplete = decision.outcome === 'refused' || decision.reason.code === 'secondFamilyMissing';
  return {
    namespace: decision.key.slice(0, at),
    name: decision.key.slice(at + 1),
    ingress: decision.ingress,
    ...(decision.pool === undefined ? {} : { pool: decision.pool }),
    ...(incomplete
      ? { condition: { status: 'False', reason: reasonWord(decision.reason.code), message: decision.reason.message } }
      : {}),
  };
}

/** Reasons of conditions begin with a capital (Kubernetes API conventions). */
function reasonWord(code: string): string {
  return code.charAt(0).toUpperCase() + code.slice(1);
}
