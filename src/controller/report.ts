import type { PoolCounters } from '../allocator/index.ts';
import type { StatusObject } from '../api/index.ts';
import { formatProblem, type Problem } from '../core/problem.ts';

export interface ControllerReport {
  /** Namespace of the metallb.io objects. */
  readonly namespace: string;
  readonly problems: readonly Problem[];
  readonly pools: readonly PoolCounters[];
}

/** What a controller says of itself and of the pools, as API objects: a ConfigurationState, and each pool's status. */
export function controllerStatusObjects(report: ControllerReport): StatusObject[] {
  return [configurationState(report), ...report.pools.map((pool) => poolStatus(report.namespace, pool))];
}

function configurationState({ namespace, problems }: ControllerReport): StatusObject {
  const errors = problems.filter(({ severity }) => severity === 'error').map(formatProblem);
  const isValid = errors.length === 0;
  const summary = errors.join('\n');
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ConfigurationState',
    metadata: { name: 'controller', namespace, labels: { 'metallb.io/component-type': 'controller' } },
    status: {
      result: isValid ? 'Valid' : 'Invalid',
      errorSummary: summary,
      conditions: [
        {
          type: 'poolReconcilerValid',
          status: isValid ? 'True' : 'False',
          reason: isValid ? 'Reconciled' : 'ConfigurationError',
          message: summary,
        },
      ],
    },
  };
}

function poolStatus(namespace: string, { pool, assigned, available }: PoolCounters): StatusObject {
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name: pool, namespace },
    status: {
      assignedIPv4: assigned.ipv4,
      assignedIPv6: assigned.ipv6,
      availableIPv4: available.ipv4,
      availableIPv6: available.ipv6,
    },
  };
}
