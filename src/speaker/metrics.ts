import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { EMPTY_OBSERVED, METRICS, metricSamples, type ObservedState } from '../bfd-status/index.ts';
import type { ApplyOutcome } from '../frr-vty/index.ts';
import type { NodeDesiredState } from '../reconciler/index.ts';
import { registerSamples } from '../telemetry/index.ts';

export interface SpeakerMetrics {
  readonly registry: Registry;
  /** Where the state of the node is found from now on. */
  readonly show: (state: ShownState) => void;
  readonly applied: (apply: {
    readonly outcome: ApplyOutcome['kind'] | 'failed';
    readonly durationMs: number;
    readonly lines: number;
  }) => void;
  readonly configured: (stale: boolean) => void;
  readonly frrRestarted: () => void;
}

export interface ShownState {
  readonly observed: () => ObservedState;
  readonly desired: () => NodeDesiredState | undefined;
}

/** Names, types and labels of MetalLB's speaker and its FRR exporter, and our own `metallb_frr_*`. */
export function createSpeakerMetrics(options: { readonly node: string }): SpeakerMetrics {
  let shown: ShownState = { observed: () => EMPTY_OBSERVED, desired: () => undefined };
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  registerSamples(registry, METRICS, () => metricSamples(shown.observed()));
  const announced = new Gauge({
    name: 'metallb_speaker_announced',
    help: 'Services announced from this node, one series for each address.',
    labelNames: ['service', 'protocol', 'node', 'ip'],
    registers,
    collect() {
      announced.reset();
      for (const { namespace, name, ips, bgp } of shown.desired()?.services ?? []) {
        if (bgp.kind !== 'announce') continue;
        for (const ip of ips) {
          announced.set(
            { service: `${namespace}/${name}`, protocol: 'bgp', node: options.node, ip: ip.text },
            1,
          );
        }
      }
    },
  });
  const loaded = new Gauge({
    name: 'metallb_k8s_client_config_loaded_bool',
    help: '1 after the first good configuration.',
    registers,
  });
  const stale = new Gauge({
    name: 'metallb_k8s_client_config_stale_bool',
    help: '1 while part of the latest configuration is not in use.',
    registers,
  });
  const duration = new Histogram({
    name: 'metallb_frr_apply_duration_seconds',
    help: 'Time to bring FRR to a new configuration, by result.',
    labelNames: ['result'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const lines = new Histogram({
    name: 'metallb_frr_apply_lines',
    help: 'Lines typed into FRR for one change.',
    buckets: [1, 5, 10, 20, 50, 100, 500, 1_000, 5_000, 10_000],
    registers,
  });
  const restarts = new Counter({
    name: 'metallb_frr_daemon_restarts_total',
    help: "Times that FRR's daemons were found restarted.",
    registers,
  });
  return {
    registry,
    show: (state) => {
      shown = state;
    },
    applied: (apply) => {
      duration.observe({ result: apply.outcome }, apply.durationMs / 1_000);
      if (apply.lines > 0) lines.observe(apply.lines);
    },
    configured: (isStale) => {
      loaded.set(1);
      stale.set(isStale ? 1 : 0);
    },
    frrRestarted: () => {
      restarts.inc();
    },
  };
}
