import { describe, expect, test } from 'vitest';
import { recording } from '../../test/frr-json/recordings.ts';
import { applyFullRead, EMPTY_OBSERVED, parseBgpNeighbors, type ObservedState } from '../bfd-status/index.ts';
import type { Layer2Group } from '../l2/index.ts';
import type { NodeDesiredState } from '../reconciler/index.ts';
import { ip } from '../core/test-ip.ts';
import { createSpeakerMetrics, type SpeakerMetrics } from './metrics.ts';

async function valuesOf({ registry }: SpeakerMetrics, prefix: string): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line.startsWith(prefix));
}

function desired(...ips: readonly string[]): NodeDesiredState {
  const service = { namespace: 'default', name: 'web', ips: ips.map(ip), bgp: { kind: 'announce' } };
  const other = { ...service, name: 'quiet', bgp: { kind: 'withhold' } };
  // Only this part of it is looked at.
  return { services: [service, other] } as unknown as NodeDesiredState;
}

/** Services of one group, each with its own addresses. */
function group(services: Readonly<Record<string, readonly string[]>>): Layer2Group {
  const members = Object.entries(services).map(([key, ips]) => ({ key, ips: ips.map(ip) }));
  return { services: members } as unknown as Layer2Group;
}

describe('series end when what they describe ends', () => {
  test('of addresses', async () => {
    const metrics = createSpeakerMetrics({ node: 'n1' });
    let state: NodeDesiredState | undefined;
    let owned: readonly Layer2Group[] = [];
    metrics.show({
      observed: () => Promise.resolve(EMPTY_OBSERVED),
      desired: () => state,
      owned: () => owned,
      stale: () => false,
    });
    const announced = (): Promise<string[]> => valuesOf(metrics, 'metallb_speaker_announced');
    expect(await announced()).toEqual([]);
    state = desired('192.0.2.1', '2001:db8::1');
    const labels = 'service="default/web",protocol="bgp",node="n1"';
    expect(await announced()).toEqual([
      `metallb_speaker_announced{${labels},ip="192.0.2.1"} 1`,
      `metallb_speaker_announced{${labels},ip="2001:db8::1"} 1`,
    ]);
    state = desired('192.0.2.1');
    expect(await announced()).toHaveLength(1);
    // On layer 2 the Services of a group share the one address, and each has a series for it.
    owned = [group({ 'default/dns': ['192.0.2.53'], 'default/web': ['192.0.2.53', '2001:db8::1'] })];
    const lines = [
      'service="default/web",protocol="bgp",node="n1",ip="192.0.2.1"',
      'service="default/dns",protocol="layer2",node="n1",ip="192.0.2.53"',
      'service="default/web",protocol="layer2",node="n1",ip="192.0.2.53"',
      'service="default/web",protocol="layer2",node="n1",ip="2001:db8::1"',
    ].map((labels) => `metallb_speaker_announced{${labels}} 1`);
    expect(await announced()).toEqual(lines);
    state = desired();
    expect(await announced()).toEqual(lines.slice(1));
    owned = [];
    expect(await announced()).toEqual([]);
  });

  test('of sessions', async () => {
    const metrics = createSpeakerMetrics({ node: 'n1' });
    const { sessions } = parseBgpNeighbors(recording('10.3', 'bgp-neighbors.json'));
    const read = (bgp: typeof sessions): ObservedState =>
      applyFullRead(EMPTY_OBSERVED, { startedAtMs: 0, bgp }, 0).state;
    let observed = read(sessions);
    let asked = 0;
    metrics.show({
      observed: () => {
        asked += 1;
        return Promise.resolve(observed);
      },
      desired: () => undefined,
      owned: () => [],
      stale: () => false,
    });
    const up = (): Promise<string[]> => valuesOf(metrics, 'metallb_bgp_session_up{');
    expect(await up()).toHaveLength(sessions.length);
    expect(asked).toBe(1);
    observed = read(sessions.slice(1));
    expect(await up()).toHaveLength(sessions.length - 1);
    expect(asked).toBe(2);
    observed = read([]);
    expect(await valuesOf(metrics, 'metallb_bgp_')).toEqual([]);
  });
});

test('whether a configuration is loaded, and in use', async () => {
  const metrics = createSpeakerMetrics({ node: 'n1' });
  let stale = false;
  metrics.show({
    observed: () => Promise.resolve(EMPTY_OBSERVED),
    desired: () => undefined,
    owned: () => [],
    stale: () => stale,
  });
  const values = (): Promise<string[]> => valuesOf(metrics, 'metallb_k8s_client_');
  expect(await values()).toEqual([
    'metallb_k8s_client_updates_total 0',
    'metallb_k8s_client_update_errors_total 0',
    'metallb_k8s_client_config_loaded_bool 0',
    'metallb_k8s_client_config_stale_bool 0',
  ]);
  metrics.updated();
  metrics.applied({ outcome: 'applied', durationMs: 4, lines: 1, sinceHeardMs: 6 });
  metrics.applied({ outcome: 'refused', durationMs: 40, lines: 0 });
  // FRR refuses a line after the change was dealt with.
  stale = true;
  expect(await values()).toEqual([
    'metallb_k8s_client_updates_total 1',
    'metallb_k8s_client_update_errors_total 1',
    'metallb_k8s_client_config_loaded_bool 1',
    'metallb_k8s_client_config_stale_bool 1',
  ]);
  stale = false;
  expect((await values()).at(-1)).toBe('metallb_k8s_client_config_stale_bool 0');
});

test('what FRR was told: how long, how much, and with which result', async () => {
  const metrics = createSpeakerMetrics({ node: 'n1' });
  metrics.applied({ outcome: 'applied', durationMs: 4, lines: 3, sinceHeardMs: 60 });
  metrics.applied({ outcome: 'failed', durationMs: 2_000, lines: 0 });
  metrics.frrRestarted(['bgpd', 'staticd']);
  metrics.frrRestarted([]);
  const values = (await valuesOf(metrics, 'metallb_frr_')).filter((line) => !line.includes('_bucket'));
  expect(values).toEqual([
    'metallb_frr_apply_duration_seconds_sum{result="applied"} 0.004',
    'metallb_frr_apply_duration_seconds_count{result="applied"} 1',
    'metallb_frr_apply_duration_seconds_sum{result="failed"} 2',
    'metallb_frr_apply_duration_seconds_count{result="failed"} 1',
    'metallb_frr_event_to_apply_seconds_sum 0.06',
    'metallb_frr_event_to_apply_seconds_count 1',
    'metallb_frr_apply_lines_sum 3',
    'metallb_frr_apply_lines_count 1',
    'metallb_frr_daemon_restarts_total{daemon="zebra"} 0',
    'metallb_frr_daemon_restarts_total{daemon="bgpd"} 1',
    'metallb_frr_daemon_restarts_total{daemon="bfdd"} 0',
    'metallb_frr_daemon_restarts_total{daemon="staticd"} 1',
  ]);
});
