import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { EMPTY_OBSERVED, METRICS, metricSamples, type ObservedState } from '../bfd-status/index.ts';
import type { IpAddress } from '../core/ip.ts';
import { objectKey } from '../core/problem.ts';
import { NEEDED_DAEMONS } from '../frr-vty/index.ts';
import type { Layer2Group } from '../l2/index.ts';
import type { NodeDesiredState } from '../reconciler/index.ts';
import { collectProcessMetrics, registerSamples } from '../telemetry/index.ts';
import type { AppliedChange } from './frr-driver.ts';

export interface SpeakerMetrics {
  readonly registry: Registry;
  /** Where the state of the node is found from now on. */
  readonly show: (state: ShownState) => void;
  readonly applied: (apply: AppliedChange) => void;
  /** A new state was dealt with. */
  readonly updated: () => void;
  /** Names of FRR's daemons. */
  readonly frrRestarted: (daemons: readonly string[]) => void;
  /** What this node answers for on layer 2 just now, as it is shown. */
  readonly owned: ShownState['owned'];
}

export interface ShownState {
  /** As of now, or as last seen when FRR does not answer soon. */
  readonly observed: () => Promise<ObservedState>;
  readonly desired: () => NodeDesiredState | undefined;
  /** What this node answers for on layer 2. */
  readonly owned: () => readonly Layer2Group[];
  /** Part of the latest configuration is not in use. */
  readonly stale: () => boolean;
}

/** Names, types and labels of MetalLB's speaker and its FRR exporter, and our own `metallb_frr_*`. */
export function createSpeakerMetrics(options: { readonly node: string }): SpeakerMetrics {
  let shown: ShownState = {
    observed: () => Promise.resolve(EMPTY_OBSERVED),
    desired: () => undefined,
    owned: () => [],
    stale: () => false,
  };
  const registry = new Registry();
  collectProcessMetrics(registry);
  const registers = [registry];
  registerSamples(registry, METRICS, async () => metricSamples(await shown.observed()));
  const announced = new Gauge({
    name: 'metallb_speaker_announced',
    help: 'Services announced from this node, one series for each address.',
    labelNames: ['service', 'protocol', 'node', 'ip'],
    registers,
    collect() {
      announced.reset();
      const show = (service: string, protocol: 'bgp' | 'layer2', ips: readonly IpAddress[]): void => {
        for (const { text } of ips) announced.set({ service, protocol, node: options.node, ip: text }, 1);
      };
      for (const verdict of shown.desired()?.services ?? []) {
        if (verdict.bgp.kind === 'announce') show(objectKey(verdict), 'bgp', verdict.ips);
      }
      for (const { key, ips } of shown.owned().flatMap(({ services }) => services)) {
        show(key, 'layer2', ips);
      }
    },
  });
  const updates = new Counter({
    name: 'metallb_k8s_client_updates_total',
    help: 'Changes of objects dealt with.',
    registers,
  });
  const errors = new Counter({
    name: 'metallb_k8s_client_update_errors_total',
    help: 'Attempts to apply a change that FRR refused or that failed.',
    registers,
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
    collect() {
      stale.set(shown.stale() ? 1 : 0);
    },
  });
  const duration = new Histogram({
    name: 'metallb_frr_apply_duration_seconds',
    help: 'Time to bring FRR to another configuration, by result: applied, refused, not-closed or failed.',
    labelNames: ['result'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const delay = new Histogram({
    name: 'metallb_frr_event_to_apply_seconds',
    help: 'From hearing of a change until FRR had taken all of it; bgpd sends it 50 ms later.',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers,
  });
  const lines = new Histogram({
    name: 'metallb_frr_apply_lines',
    help: 'Size of the difference between what FRR had and was to have: lines typed for one change.',
    buckets: [1, 5, 10, 20, 50, 100, 500, 1_000, 5_000, 10_000],
    registers,
  });
  const restarts = new Counter({
    name: 'metallb_frr_daemon_restarts_total',
    help: 'Times that a daemon of FRR was found restarted since the speaker started.',
    labelNames: ['daemon'],
    registers,
  });
  for (const daemon of NEEDED_DAEMONS) restarts.inc({ daemon }, 0);
  return {
    registry,
    show: (state) => {
      shown = state;
    },
    applied: (apply) => {
      duration.observe({ result: apply.outcome }, apply.durationMs / 1_000);
      if (apply.lines > 0) lines.observe(apply.lines);
      if (apply.sinceHeardMs !== undefined) delay.observe(apply.sinceHeardMs / 1_000);
      if (apply.outcome !== 'applied') errors.inc();
    },
    updated: () => {
      updates.inc();
      loaded.set(1);
    },
    frrRestarted: (daemons) => {
      for (const daemon of daemons) restarts.inc({ daemon });
    },
    owned: () => shown.owned(),
  };
}
