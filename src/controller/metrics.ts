import { Counter, Gauge, Registry } from 'prom-client';
import type { AddressCount, PoolCounters } from '../allocator/index.ts';
import { collectProcessMetrics } from '../telemetry/index.ts';

export interface ControllerMetrics {
  readonly registry: Registry;
  /** Where the numbers of the pools are found from now on. */
  readonly showPools: (pools: () => readonly PoolCounters[]) => void;
  /** A new state was dealt with; `stale`: part of it is not in use. */
  readonly updated: (update: { readonly stale: boolean }) => void;
  readonly updateFailed: () => void;
}

/** Names, types and labels of MetalLB's controller. */
export function createControllerMetrics(): ControllerMetrics {
  let pools: () => readonly PoolCounters[] = () => [];
  const registry = new Registry();
  collectProcessMetrics(registry);
  const registers = [registry];
  const gauge = (name: string, help: string, labelNames: readonly string[] = []): Gauge =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });
  const perPool = (name: string, help: string, of: (pool: PoolCounters) => bigint): void => {
    const metric = new Gauge({
      name: `metallb_allocator_${name}`,
      help,
      labelNames: ['pool'],
      registers,
      collect() {
        metric.reset();
        for (const pool of pools()) metric.set({ pool: pool.pool }, Number(of(pool)));
      },
    });
  };
  const families: readonly (readonly [string, string, keyof AddressCount])[] = [
    ['', '', 'total'],
    ['ipv4_', 'IPv4 ', 'ipv4'],
    ['ipv6_', 'IPv6 ', 'ipv6'],
  ];
  for (const [prefix, word, family] of families) {
    perPool(
      `${prefix}addresses_total`,
      `Usable ${word}addresses of the pool.`,
      ({ capacity }) => capacity[family],
    );
    perPool(
      `${prefix}addresses_in_use_total`,
      `Different ${word}addresses of the pool that Services have.`,
      ({ assigned }) => assigned[family],
    );
  }
  gauge('metallb_allocator_services_allocated_total', "Never has a value, like MetalLB's.", ['pool']);
  const updates = new Counter({
    name: 'metallb_k8s_client_updates_total',
    help: 'Changes of objects dealt with.',
    registers,
  });
  const errors = new Counter({
    name: 'metallb_k8s_client_update_errors_total',
    help: 'Changes of objects that could not be dealt with at once.',
    registers,
  });
  const loaded = gauge('metallb_k8s_client_config_loaded_bool', '1 after the first good configuration.');
  const staleness = gauge(
    'metallb_k8s_client_config_stale_bool',
    '1 while part of the latest configuration is not in use.',
  );
  return {
    registry,
    showPools: (now) => {
      pools = now;
    },
    updated: ({ stale }) => {
      updates.inc();
      loaded.set(1);
      staleness.set(stale ? 1 : 0);
    },
    updateFailed: () => {
      errors.inc();
    },
  };
}
