import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { LabStatus, NodeStatus } from '../lab/index.ts';
import { statusText } from './lab-text.ts';

function node(more: Partial<NodeStatus>): NodeStatus {
  const about = { name: 'n1', image: 'x', netns: 'rack.n1', log: '/run/n1.log' };
  return { ...about, state: 'running', processes: ['zebra'], missing: [], sessions: [], ...more };
}

function text(more: Partial<LabStatus>): string[] {
  const lab: LabStatus = {
    ...{ name: 'rack', file: '/rack.clab.yml', phase: 'running', startedAt: '2026-01-01T00:00:00Z' },
    ...{ nodes: [node({})], cut: [], folders: [] },
    ...more,
  };
  return stripVTControlCharacters(statusText(lab)).split('\n');
}

test('a lab in good health', () => {
  const session = { remoteAsn: 64500, received: 2, sent: 0 };
  const sessions = [
    { ...session, peer: '192.0.2.11', state: 'Established', uptimeSeconds: 7 },
    { ...session, peer: 'eth2', state: 'Active' },
  ];
  const folders = [{ source: '/m', copy: '/run/m' }];
  expect(text({ nodes: [node({ sessions })], folders })).toEqual([
    'rack  running  /rack.clab.yml',
    'node  namespace  state    processes',
    'n1    rack.n1    running  zebra',
    '',
    'node  peer        ASN    state        up   received  sent',
    'n1    192.0.2.11  64500  Established  7 s  2         0',
    'n1    eth2        64500  Active            2         0',
    'manifests and other shared files: /run/m',
    '',
  ]);
});

test('what is wrong is said where it is: missing processes with the log, unread sessions, cut links, an unfinished start', () => {
  const lines = text({
    phase: 'unfinished',
    nodes: [node({ state: 'degraded', missing: ['bgpd', 'speaker'], sessionsError: 'vtysh: no answer' })],
    cut: ['n1:eth1', 'r1:eth1'],
  });
  expect(lines[0]).toContain('unfinished: its start was killed; only `lab down` helps');
  expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/^n1 +rack\.n1 +degraded +zebra$/)]));
  expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/^ +missing: bgpd, speaker$/)]));
  expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/^ +log: \/run\/n1\.log$/)]));
  expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/^n1 +vtysh: no answer$/)]));
  expect(lines).toContain('cut links: n1:eth1, r1:eth1');
});
