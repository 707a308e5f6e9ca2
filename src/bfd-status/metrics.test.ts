import { describe, expect, test } from 'vitest';
import { recording, RECORDED_VERSIONS } from '../../test/frr-json/recordings.ts';
import { parseBfdCounters, parseBfdPeers } from './bfd-session.ts';
import { parseBgpNeighbors } from './bgp-session.ts';
import { bfdMetricSamples, bgpMetricSamples, metricSamples, type MetricSample } from './metrics.ts';
import { applyFullRead, EMPTY_OBSERVED } from './observed-state.ts';

const line = ({ name, labels, value }: MetricSample): string =>
  `${name}{peer="${labels.peer}",vrf="${labels.vrf}"} ${value}`;

function valuesOf(samples: readonly MetricSample[], name: string): string[] {
  return samples.filter((sample) => sample.name === name).map(line);
}

/** Every metric, once, in order: dashboards and alerts know them by these names. */
const METRICS = [
  'metallb_bgp_session_up gauge',
  'metallb_bgp_announced_prefixes_total gauge',
  'metallb_bgp_updates_total counter',
  'metallb_bgp_updates_total_received counter',
  'metallb_bgp_opens_sent counter',
  'metallb_bgp_opens_received counter',
  'metallb_bgp_notifications_sent counter',
  'metallb_bgp_keepalives_sent counter',
  'metallb_bgp_keepalives_received counter',
  'metallb_bgp_route_refresh_sent counter',
  'metallb_bgp_total_sent counter',
  'metallb_bgp_total_received counter',
  'metallb_bfd_session_up gauge',
  'metallb_bfd_control_packet_input counter',
  'metallb_bfd_control_packet_output counter',
  'metallb_bfd_echo_packet_input counter',
  'metallb_bfd_echo_packet_output counter',
  'metallb_bfd_session_up_events counter',
  'metallb_bfd_session_down_events counter',
  'metallb_bfd_zebra_notifications counter',
];

describe.each(RECORDED_VERSIONS)('metrics of FRR %s', (version) => {
  const { counters } = parseBfdCounters(recording(version, 'bfd-counters.json'));
  const read = {
    startedAtMs: 0,
    bgp: parseBgpNeighbors(recording(version, 'bgp-neighbors.json')).sessions,
    bfd: parseBfdPeers(recording(version, 'bfd-peers.json'), counters).sessions,
  };
  const samples = metricSamples(applyFullRead(EMPTY_OBSERVED, read, 0).state);

  test('has each metric with its type', () => {
    expect([...new Set(samples.map(({ name, type }) => `${name} ${type}`))]).toEqual(METRICS);
    for (const { help } of samples) expect(help).not.toBe('');
  });

  test('has a sample of each metric for each session, and no two of one label', () => {
    for (const metric of METRICS) {
      const name = metric.split(' ')[0]!;
      const found = valuesOf(samples, name);
      expect(found, name).toHaveLength(name.startsWith('metallb_bgp_') ? read.bgp.length : read.bfd.length);
      expect(new Set(found.map((text) => text.split(' ')[0])).size, name).toBe(found.length);
    }
  });

  test('sessions', () => {
    expect(valuesOf(samples, 'metallb_bgp_session_up')).toEqual([
      'metallb_bgp_session_up{peer="192.0.2.2:179",vrf="default"} 1',
      'metallb_bgp_session_up{peer="192.0.2.4:179",vrf="default"} 1',
      'metallb_bgp_session_up{peer="192.0.2.6:179",vrf="default"} 0',
      'metallb_bgp_session_up{peer="192.0.2.98:179",vrf="default"} 0',
      'metallb_bgp_session_up{peer="192.0.2.99:179",vrf="default"} 0',
      'metallb_bgp_session_up{peer="2001:db8::2:179",vrf="default"} 1',
      'metallb_bgp_session_up{peer="203.0.113.2:179",vrf="default"} 1',
      'metallb_bgp_session_up{peer="eth1",vrf="default"} 1',
      'metallb_bgp_session_up{peer="192.0.2.50:179",vrf="red"} 0',
    ]);
    expect(valuesOf(samples, 'metallb_bfd_session_up')).toEqual([
      'metallb_bfd_session_up{peer="192.0.2.2",vrf="default"} 1',
      'metallb_bfd_session_up{peer="192.0.2.99",vrf="default"} 0',
      'metallb_bfd_session_up{peer="2001:db8::2",vrf="default"} 1',
      'metallb_bfd_session_up{peer="203.0.113.2",vrf="default"} 1',
      'metallb_bfd_session_up{peer="eth1",vrf="default"} 1',
    ]);
  });

  test('prefixes of both families together', () => {
    expect(valuesOf(samples, 'metallb_bgp_announced_prefixes_total')).toEqual(
      expect.arrayContaining([
        'metallb_bgp_announced_prefixes_total{peer="192.0.2.2:179",vrf="default"} 2',
        'metallb_bgp_announced_prefixes_total{peer="eth1",vrf="default"} 4',
        'metallb_bgp_announced_prefixes_total{peer="192.0.2.6:179",vrf="default"} 0',
      ]),
    );
  });
});

const MESSAGES = {
  opensSent: 1,
  opensRecv: 2,
  notificationsSent: 3,
  updatesSent: 4,
  updatesRecv: 5,
  keepalivesSent: 6,
  keepalivesRecv: 7,
  routeRefreshSent: 8,
  totalSent: 9,
  totalRecv: 10,
};

test('each message counter has its own metric', () => {
  const { sessions } = parseBgpNeighbors({ '192.0.2.2': { bgpState: 'Idle', messageStats: MESSAGES } });
  expect(
    bgpMetricSamples(sessions)
      .slice(2)
      .map(({ name, value }) => `${name} ${value}`),
  ).toEqual([
    'metallb_bgp_updates_total 4',
    'metallb_bgp_updates_total_received 5',
    'metallb_bgp_opens_sent 1',
    'metallb_bgp_opens_received 2',
    'metallb_bgp_notifications_sent 3',
    'metallb_bgp_keepalives_sent 6',
    'metallb_bgp_keepalives_received 7',
    'metallb_bgp_route_refresh_sent 8',
    'metallb_bgp_total_sent 9',
    'metallb_bgp_total_received 10',
  ]);
});

test('each BFD counter has its own metric', () => {
  const peer = { peer: '192.0.2.2', status: 'down' };
  const { counters } = parseBfdCounters([
    {
      ...peer,
      'control-packet-input': 1,
      'control-packet-output': 2,
      'echo-packet-input': 3,
      'echo-packet-output': 4,
      'session-up': 5,
      'session-down': 6,
      'zebra-notifications': 7,
    },
  ]);
  expect(
    bfdMetricSamples(parseBfdPeers([peer], counters).sessions).map(({ name, value }) => `${name} ${value}`),
  ).toEqual([
    'metallb_bfd_session_up 0',
    'metallb_bfd_control_packet_input 1',
    'metallb_bfd_control_packet_output 2',
    'metallb_bfd_echo_packet_input 3',
    'metallb_bfd_echo_packet_output 4',
    'metallb_bfd_session_up_events 5',
    'metallb_bfd_session_down_events 6',
    'metallb_bfd_zebra_notifications 7',
  ]);
});

test('without counters there is only the state', () => {
  const { sessions } = parseBfdPeers([{ peer: '192.0.2.2', status: 'up' }]);
  expect(bfdMetricSamples(sessions).map(line)).toEqual([
    'metallb_bfd_session_up{peer="192.0.2.2",vrf="default"} 1',
  ]);
});

test('two BFD sessions with one peer share a sample: up when both are, counts together', () => {
  const peers = [
    { peer: '192.0.2.2', status: 'up', multihop: true, 'session-up': 2 },
    { peer: '192.0.2.2', status: 'down', multihop: false, 'session-up': 3 },
    { peer: '192.0.2.2', status: 'up', vrf: 'red', 'session-up': 4 },
  ];
  const samples = bfdMetricSamples(parseBfdPeers(peers, parseBfdCounters(peers).counters).sessions);
  expect(valuesOf(samples, 'metallb_bfd_session_up')).toEqual([
    'metallb_bfd_session_up{peer="192.0.2.2",vrf="default"} 0',
    'metallb_bfd_session_up{peer="192.0.2.2",vrf="red"} 1',
  ]);
  expect(valuesOf(samples, 'metallb_bfd_session_up_events')).toEqual([
    'metallb_bfd_session_up_events{peer="192.0.2.2",vrf="default"} 5',
    'metallb_bfd_session_up_events{peer="192.0.2.2",vrf="red"} 4',
  ]);
});

test('a series keeps its name when the first connection tells the port', () => {
  const before = parseBgpNeighbors({ '192.0.2.2': { bgpState: 'Active', portForeign: -1 } }).sessions;
  const after = parseBgpNeighbors({ '192.0.2.2': { bgpState: 'Established', portForeign: 179 } }).sessions;
  const other = parseBgpNeighbors({ '192.0.2.2': { bgpState: 'Established', portForeign: 1179 } }).sessions;
  const labels = [before, after, other].map((sessions) => bgpMetricSamples(sessions)[0]!.labels.peer);
  expect(labels).toEqual(['192.0.2.2:179', '192.0.2.2:179', '192.0.2.2:1179']);
});
