import type { ServiceDecision } from '../allocator/index.ts';
import type { ServiceStatus } from '../source/index.ts';

/** What is written about a Service; undefined: nothing, because it wants no address from this controller. */
export function statusOfDecision(decision: ServiceDecision): ServiceStatus | undefined {
  const { key, ingress, pool, outcome, reason } = decision;
  if (outcome === 'none' || outcome === 'ignored' || outcome === 'notReady') return undefined;
  const isIncomplete = outcome === 'refused' || reason.code === 'secondFamilyMissing';
  return {
    ...refOf(key),
    ingress,
    ...(pool === undefined ? {} : { pool }),
    ...(isIncomplete
      ? { condition: { status: 'False', reason: reasonWord(reason.code), message: reason.message } }
      : {}),
  };
}

/** The reverse of `objectKey` for a namespaced object. */
export function refOf(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Reasons of conditions begin with a capital (Kubernetes API conventions). */
function reasonWord(code: string): string {
  return code.charAt(0).toUpperCase() + code.slice(1);
}
