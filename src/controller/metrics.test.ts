import { expect, test } from 'vitest';
import type { PoolCounters } from '../allocator/index.ts';
import { createControllerMetrics } from './metrics.ts';

test("has MetalLB's names, and a series ends with its pool", async () => {
  let pools: PoolCounters[] = [
    {
      pool: 'first',
      capacity: { total: 260n, ipv4: 256n, ipv6: 4n },
      assigned: { total: 3n, ipv4: 2n, ipv6: 1n },
      available: { total: 257n, ipv4: 254n, ipv6: 3n },
    },
  ];
  const { registry, showPools, updated, updateFailed } = createControllerMetrics();
  showPools(() => pools);
  updated({ stale: true });
  updateFailed();
  const values = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('metallb_'));
  expect(await values()).toEqual([
    'metallb_allocator_addresses_total{pool="first"} 260',
    'metallb_allocator_addresses_in_use_total{pool="first"} 3',
    'metallb_allocator_ipv4_addresses_total{pool="first"} 256',
    'metallb_allocator_ipv4_addresses_in_use_total{pool="first"} 2',
    'metallb_allocator_ipv6_addresses_total{pool="first"} 4',
    'metallb_allocator_ipv6_addresses_in_use_total{pool="first"} 1',
    'metallb_k8s_client_updates_total 1',
    'metallb_k8s_client_update_errors_total 1',
    'metallb_k8s_client_config_loaded_bool 1',
    'metallb_k8s_client_config_stale_bool 1',
  ]);
  pools = [];
  updated({ stale: false });
  expect(await values()).toEqual([
    'metallb_k8s_client_updates_total 2',
    'metallb_k8s_client_update_errors_total 1',
    'metallb_k8s_client_config_loaded_bool 1',
    'metallb_k8s_client_config_stale_bool 0',
  ]);
});
