import type { PoolCounters } from '../allocator/index.ts';
import { configurationState, type StatusObject } from '../api/index.ts';
import type { Problem } from '../core/problem.ts';

/** Name of the controller's ConfigurationState. */
export const CONTROLLER_STATE = 'controller';

export interface ControllerReport {
  /** Namespace of the metallb.io objects. */
  readonly namespace: string;
  readonly problems: readonly Problem[];
  readonly pools: readonly PoolCounters[];
}

/** What a controller says of itself and of the pools, as API objects: a ConfigurationState, and each pool's status. */
export function controllerStatusObjects(report: ControllerReport): StatusObject[] {
  const { namespace, problems, pools } = report;
  const state = configurationState({
    ...{ name: CONTROLLER_STATE, namespace, component: 'controller', problems },
    conditionType: 'poolReconcilerValid',
  });
  return [state, ...pools.map((pool) => poolStatus(namespace, pool))];
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
