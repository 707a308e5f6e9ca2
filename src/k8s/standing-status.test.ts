import { expect, test } from 'vitest';
import { configurationState, type StatusObject } from '../api/index.ts';
import { standingOf } from './standing-status.ts';

const STATE = configurationState({
  ...{ name: 'speaker-n1', namespace: 'metallb-system', component: 'speaker', node: 'n1', problems: [] },
  conditionType: 'configReconcilerValid',
});
const LABELS = STATE.metadata.labels;
const CONDITION = {
  ...{ type: 'configReconcilerValid', status: 'True', reason: 'Reconciled', message: '' },
  lastTransitionTime: '2026-01-02T03:04:05Z',
};
const OTHERS = { type: 'somebodyElses', status: 'False', reason: 'Why', message: 'not ours' };
const VALID = { result: 'Valid', errorSummary: '', conditions: [CONDITION] };

function pool(count: bigint): StatusObject {
  return {
    ...{ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool' },
    metadata: { name: 'first', namespace: 'metallb-system' },
    status: { assignedIPv4: count, availableIPv6: 2n ** 63n - 1n },
  };
}

function bgp(...peers: readonly string[]): StatusObject {
  return { ...pool(0n), kind: 'ServiceBGPStatus', status: { node: 'n1', peers } };
}

/** As JSON.parse reads the server's int64. */
const MOST = Number(2n ** 63n - 1n);

test.each<{ name: string; wanted: StatusObject; status: unknown; labels?: object; want: string }>([
  { name: 'the same, with the time of a write', wanted: STATE, status: VALID, want: 'metadata status' },
  {
    name: 'a condition of somebody else before ours',
    wanted: STATE,
    status: { ...VALID, conditions: [OTHERS, CONDITION] },
    want: 'metadata status',
  },
  { name: 'our condition gone', wanted: STATE, status: { ...VALID, conditions: [OTHERS] }, want: 'metadata' },
  {
    name: 'our condition changed',
    wanted: STATE,
    status: { ...VALID, conditions: [{ ...CONDITION, status: 'False' }] },
    want: 'metadata',
  },
  { name: 'another result', wanted: STATE, status: { ...VALID, result: 'Invalid' }, want: 'metadata' },
  { name: 'no status', wanted: STATE, status: undefined, want: 'metadata' },
  { name: 'a label gone', wanted: STATE, status: VALID, labels: {}, want: 'status' },
  {
    name: 'a label more',
    wanted: STATE,
    status: VALID,
    labels: { ...LABELS, team: 'lan' },
    want: 'metadata status',
  },
  {
    name: 'numbers',
    wanted: pool(3n),
    status: { assignedIPv4: 3, availableIPv6: MOST },
    want: 'metadata status',
  },
  {
    name: 'another number',
    wanted: pool(3n),
    status: { assignedIPv4: 4, availableIPv6: MOST },
    want: 'metadata',
  },
  { name: 'a number gone', wanted: pool(0n), status: { availableIPv6: MOST }, want: 'metadata' },
  {
    name: 'a list',
    wanted: bgp('a', 'b'),
    status: { node: 'n1', peers: ['a', 'b'] },
    want: 'metadata status',
  },
  { name: 'a longer list', wanted: bgp('a'), status: { node: 'n1', peers: ['a', 'b'] }, want: 'metadata' },
  { name: 'a shorter list', wanted: bgp('a', 'b'), status: { node: 'n1', peers: ['a'] }, want: 'metadata' },
  {
    name: 'text where a list should be',
    wanted: bgp('a'),
    status: { node: 'n1', peers: 'a' },
    want: 'metadata',
  },
])('$name', ({ wanted, status, labels = wanted.metadata.labels ?? {}, want }) => {
  const raw = { metadata: { ...wanted.metadata, labels }, ...(status === undefined ? {} : { status }) };
  const standing = standingOf(raw, wanted, undefined);
  const right = [...(standing.metadata ? ['metadata'] : []), ...(standing.status ? ['status'] : [])];
  expect(right.join(' ')).toBe(want);
});

test.each([
  { owners: undefined, want: false },
  { owners: [], want: false },
  { owners: [{ uid: 'u0' }], want: false },
  { owners: [{ uid: 'u0' }, { uid: 'u1' }], want: true },
])('owners $owners', ({ owners, want }) => {
  const raw = { metadata: { ...STATE.metadata, ...(owners && { ownerReferences: owners }) }, status: VALID };
  expect(standingOf(raw, STATE, 'u1')).toEqual({ metadata: want, status: true });
});
