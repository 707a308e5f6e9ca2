import { describe, expect, test } from 'vitest';
import {
  isNewer,
  readOwnership,
  readSpeaker,
  serviceL2StatusName,
  speakerLeaseName,
  speakerText,
  statusOfOwnership,
} from './documents.ts';
import type { OwnershipRecord, SpeakerRecord } from './types.ts';

const record: OwnershipRecord = {
  service: { namespace: 'shop', name: 'web' },
  node: 'n1',
  ips: ['198.51.100.1', '2001:db8::1'],
  interfaces: ['bond0', 'eth1'],
  since: '2026-01-02T03:04:05.678Z',
  cause: 'SpeakerLost',
  nextOwner: 'n2',
  history: [
    { at: '2026-01-02T03:04:05.678Z', node: 'n1', cause: 'SpeakerLost' },
    { at: '2026-01-01T00:00:00Z', node: 'n3', cause: 'FirstClaim' },
  ],
};

describe('the status of a ServiceL2Status', () => {
  test("has MetalLB's fields, and ours beside them", () => {
    expect(statusOfOwnership(record)).toEqual({
      node: 'n1',
      serviceName: 'web',
      serviceNamespace: 'shop',
      interfaces: [{ name: 'bond0' }, { name: 'eth1' }],
      ips: record.ips,
      since: record.since,
      cause: 'SpeakerLost',
      nextOwner: 'n2',
      history: record.history,
    });
  });

  test('is read as what was written, also from JSON', () => {
    const { nextOwner: _nextOwner, ...without } = record;
    for (const each of [record, without]) {
      expect(readOwnership(JSON.parse(JSON.stringify(statusOfOwnership(each))))).toEqual(each);
    }
  });

  test('holds the twenty newest moves', () => {
    const history = Array.from({ length: 30 }, (_, index) => ({
      at: `2026-01-02T03:04:${String(59 - index)}Z`,
      node: 'n1',
      cause: 'HandOver' as const,
    }));
    const status = statusOfOwnership({ ...record, history });
    expect(status.history).toEqual(history.slice(0, 20));
    expect(readOwnership({ ...status, history })?.history).toEqual(history.slice(0, 20));
  });

  test('of a later version is read as far as it is known', () => {
    const status = { ...statusOfOwnership(record), cause: 'Eclipse', more: 1, nextOwner: '' };
    const { nextOwner: _nextOwner, ...without } = record;
    expect(readOwnership(status)).toEqual({ ...without, cause: 'HandOver' });
  });

  test.each([
    undefined,
    null,
    'n1',
    {},
    // As MetalLB writes it.
    { node: 'n1', serviceName: 'web', serviceNamespace: 'shop', interfaces: [{ name: 'eth0' }] },
    { ...statusOfOwnership(record), node: '' },
    { ...statusOfOwnership(record), since: 'yesterday' },
    { ...statusOfOwnership(record), ips: '198.51.100.1' },
    { ...statusOfOwnership(record), interfaces: ['eth0'] },
  ])('is none of ours: %j', (status) => {
    expect(readOwnership(status)).toBeUndefined();
  });
});

describe('a SpeakerRecord as text', () => {
  const speaker: SpeakerRecord = {
    node: 'n1',
    links: [{ name: 'eth0', mac: '00:00:5e:00:53:01', addresses: ['192.0.2.11/24', '2001:db8::11/64'] }],
  };

  test('is read as what was written', () => {
    expect(readSpeaker(speakerText(speaker))).toEqual(speaker);
  });

  test.each([
    '',
    'n1',
    '{',
    '{}',
    '{"node":"n1"}',
    '{"node":"","links":[]}',
    '{"node":"n1","links":[{"name":"eth0"}]}',
  ])('is none: %s', (text) => {
    expect(readSpeaker(text)).toBeUndefined();
  });
});

describe('names', () => {
  test('of a Lease: the node, or a digest of it when the name would be too long', () => {
    expect(speakerLeaseName('n1.example')).toBe('metallb-frr-speaker-n1.example');
    const [long, other] = ['a'.repeat(250), `${'a'.repeat(249)}b`];
    expect(speakerLeaseName(long)).toMatch(/^metallb-frr-speaker-[0-9a-f]{16}$/);
    expect(speakerLeaseName(long)).not.toBe(speakerLeaseName(other));
  });

  test('of a ServiceL2Status: of the Service alone, and of its two names apart', () => {
    expect(serviceL2StatusName(record.service)).toMatch(/^l2-[0-9a-f]{16}$/);
    expect(serviceL2StatusName({ namespace: 'shop-web', name: 'a' })).not.toBe(
      serviceL2StatusName({ namespace: 'shop', name: 'web-a' }),
    );
  });
});

describe('which of two records counts', () => {
  test.each([
    { a: { since: '2026-01-02T00:00:00.001Z' }, b: { since: '2026-01-02T00:00:00Z' }, want: true },
    { a: { since: '2026-01-02T00:00:00Z' }, b: { since: '2026-01-02T00:00:00.001Z' }, want: false },
    {
      a: { since: '2026-01-02T02:00:00+02:00', node: 'n1' },
      b: { since: '2026-01-02T00:00:00Z', node: 'n2' },
      want: true,
    },
    {
      a: { since: '2026-01-02T00:00:00Z', node: 'n2' },
      b: { since: '2026-01-02T00:00:00.000Z', node: 'n1' },
      want: false,
    },
  ])('$a before $b: $want', ({ a, b, want }) => {
    expect(isNewer({ ...record, ...a }, { ...record, ...b })).toBe(want);
  });
});
