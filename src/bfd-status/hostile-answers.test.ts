import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recording, RECORDED_VERSIONS } from '../../test/frr-json/recordings.ts';
import { parseAdvertisedRoutes } from './advertised-routes.ts';
import { isFrrAnswerMissing } from './answer.ts';
import { parseBfdCounters, parseBfdPeers } from './bfd-session.ts';
import { parseBgpNeighbors } from './bgp-session.ts';
import { metricSamples } from './metrics.ts';
import { parseMonitorLine, type MonitorEvent } from './monitor-line.ts';
import { applyEvent, applyFullRead, EMPTY_OBSERVED } from './observed-state.ts';

/** Reads the same answer as everything it could be; the state and metrics must bear what comes of it. */
function readAsEverything(answer: unknown): void {
  const { counters, problems } = parseBfdCounters(answer);
  const bgp = parseBgpNeighbors(answer);
  const bfd = parseBfdPeers(answer, counters);
  const advertised = parseAdvertisedRoutes(answer);
  for (const list of [problems, bgp.problems, bfd.problems, advertised.problems]) {
    expect(list.length).toBeLessThanOrEqual(50);
  }
  const read = { startedAtMs: 0, bgp: bgp.sessions, bfd: bfd.sessions };
  const { state } = applyFullRead(EMPTY_OBSERVED, read, 0);
  for (const { value } of metricSamples(state)) expect(Number.isFinite(value)).toBe(true);
  expect(applyFullRead(state, { ...read, startedAtMs: 1 }, 1).changes).toEqual([]);
}

const NAMES = [
  ...['default', 'red', '192.0.2.2', '2001:db8::2', 'eth1', 'vrfName', 'peer', 'status', 'bgpState', 'paths'],
  ...['advertisedRoutes', '198.51.100.1/32', 'community', 'list', 'nexthops', 'ip', 'addressFamilyInfo'],
  ...[
    'ipv4Unicast',
    'sentPrefixCounter',
    'messageStats',
    'updatesSent',
    'local',
    'interface',
    'vrf',
    'multihop',
  ],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'],
];
const { answer } = fc.letrec((tie) => ({
  answer: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('list'), tie('object')),
  leaf: fc.oneof(
    fc.constantFrom('Established', 'Idle', 'up', 'down', 'shutdown', '192.0.2.1', 'ok', '64512:7', ''),
    fc.constantFrom(null, true, -1, 0, 1, 1.5, 1e300, Number.MAX_SAFE_INTEGER),
    fc.string(),
  ),
  list: fc.array(tie('answer'), { maxLength: 4 }),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), tie('answer'), { maxKeys: 8 }),
}));

test('no JSON makes a parser throw', () => {
  fc.assert(
    fc.property(answer, (value) => {
      readAsEverything(value);
      readAsEverything(JSON.stringify(value));
    }),
  );
});

test('no text makes a parser throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      readAsEverything(text);
      isFrrAnswerMissing(text);
    }),
  );
});

const ANSWERS = ['bgp-neighbors.json', 'bfd-peers.json', 'bfd-counters.json', 'advertised-unnumbered.txt'];
const recorded = fc
  .tuple(fc.constantFrom(...RECORDED_VERSIONS), fc.constantFrom(...ANSWERS))
  .map(([version, name]) => recording(version, name));

test('no cut or changed answer makes a parser throw', () => {
  fc.assert(
    fc.property(
      recorded,
      fc.nat(),
      fc.nat({ max: 40 }),
      fc.string({ maxLength: 8 }),
      (text, at, length, put) => {
        const start = at % text.length;
        readAsEverything(text.slice(0, start));
        readAsEverything(text.slice(0, start) + put + text.slice(start + length));
      },
    ),
  );
});

test('a deep answer does not exhaust the stack', () => {
  const deep = 100_000;
  readAsEverything('['.repeat(deep) + ']'.repeat(deep));
  readAsEverything('{"default":'.repeat(deep) + '1' + '}'.repeat(deep));
});

const lines = fc.oneof(
  fc.string(),
  fc
    .tuple(
      fc.constantFrom('bfdd', 'bgpd', 'zebra'),
      fc.string(),
      fc.constantFrom('', '[ABCDE-12345]', '[EC 1]'),
    )
    .map(([daemon, text, ids]) => `2030-01-31 12:00:00.000 [DEBG] ${daemon}: ${ids} ${text}`),
  fc
    .tuple(fc.constantFrom(...RECORDED_VERSIONS), fc.nat(), fc.nat(), fc.string({ maxLength: 4 }))
    .map(([version, index, at, put]) => {
      const all = recording(version, 'monitor.txt').split('\n');
      const line = all[index % all.length] ?? '';
      const start = at % (line.length + 1);
      return line.slice(0, start) + put + line.slice(start);
    }),
);

test('no line makes the monitor parser or the state throw', () => {
  const version = RECORDED_VERSIONS[0]!;
  const bgp = parseBgpNeighbors(recording(version, 'bgp-neighbors.json')).sessions;
  const bfd = parseBfdPeers(recording(version, 'bfd-peers.json')).sessions;
  const { state: known } = applyFullRead(EMPTY_OBSERVED, { startedAtMs: 0, bgp, bfd }, 0);
  fc.assert(
    fc.property(fc.array(lines), (texts) => {
      let state = known;
      const events: MonitorEvent[] = texts.map(parseMonitorLine).filter((event) => event !== undefined);
      for (const [index, event] of events.entries()) {
        const step = applyEvent(state, event, index + 1);
        // A log line alone is never the last word.
        expect(step.readWanted).toBe(true);
        state = step.state;
      }
      expect(state.bgp.size).toBe(known.bgp.size);
      // Whatever the lines said, a later read has the last word.
      const last = applyFullRead(state, { startedAtMs: 1_000_000, bgp, bfd }, 1_000_001);
      expect(last.state.bgp).toEqual(known.bgp);
      expect(last.state.bfd).toEqual(known.bfd);
      expect(last.readWanted).toBe(false);
    }),
  );
});

test.each([
  { output: '', want: true },
  { output: ' \n', want: true },
  { output: 'bgpd is not running\n', want: true },
  { output: 'Exiting: failed to connect to any daemons.\n', want: true },
  { output: 'Warning: closing connection to bgpd because of an I/O error!\n', want: true },
  { output: 'Warning: connecting to bgpd...failed!\nbgpd is not running', want: true },
  { output: '{}', want: false },
  { output: '[\n]', want: false },
  { output: 'Warning: closing connection to bgpd because of an I/O error!\n{}', want: false },
  { output: '% Unknown command: show bgp', want: false },
])('an answer is missing: $output: $want', ({ output, want }) => {
  expect(isFrrAnswerMissing(output)).toBe(want);
});

test.each(RECORDED_VERSIONS)('FRR %s: a daemon that is not running gives no answer', (version) => {
  expect(isFrrAnswerMissing(recording(version, 'bgpd-not-running.txt'))).toBe(true);
  expect(isFrrAnswerMissing(recording(version, 'bfdd-not-running.txt'))).toBe(true);
  expect(isFrrAnswerMissing(recording(version, 'bgp-neighbors-none.json'))).toBe(false);
  expect(isFrrAnswerMissing(recording(version, 'bfd-peers-none.json'))).toBe(false);
});
