import { expect, test } from 'vitest';
import type { FaultRunResult } from '../../test/lan/index.ts';
import { brokenRules } from './broken.ts';
import type { PlannedResult } from './planned.ts';

const MOVE: PlannedResult = {
  ...{ plan: 'move', ip: '192.0.2.200', trials: 1, moved: 1, pings: 6_000, lost: 0, transfers: 1, broken: 0 },
  ...{ longestGapMs: 2_000, longestOverlapMs: 2_000 },
};
const FAULTS: FaultRunResult = {
  ...{ seed: 7, faults: 500, violations: [], longestOverlapMs: 900, longestGapMs: 950 },
};
const NONE: FaultRunResult['violations'][number] = {
  ...{ ip: '192.0.2.200', rule: 'no owner' as const, after: 'fault 4: strike cut n1' },
  ...{ lastedMs: 1_052, fromMs: 0, stolenMs: 3 },
};

test.each<{ name: string; given: Parameters<typeof brokenRules>[0]; want: readonly string[] }>([
  { name: 'nothing was measured', given: { planned: [] }, want: [] },
  { name: 'slow, and nothing lost', given: { planned: [MOVE], faults: FAULTS }, want: [] },
  {
    name: 'a ping was lost',
    given: { planned: [{ ...MOVE, lost: 1 }], faults: FAULTS },
    want: ['move of 192.0.2.200: 1 of 6000 pings lost'],
  },
  {
    name: 'a transfer broke',
    given: { planned: [MOVE, { ...MOVE, plan: 'drain', broken: 1 }] },
    want: ['drain of 192.0.2.200: 1 of 1 transfers broken'],
  },
  {
    name: 'an address had no owner',
    given: { planned: [], faults: { ...FAULTS, violations: [NONE] } },
    want: [
      'seed 7: fault 4: strike cut n1: 192.0.2.200: no owner for 1052 ms (in the step, a CPU was given to other machines for 3 ms)',
    ],
  },
])('$name', ({ given, want }) => {
  expect(brokenRules(given)).toEqual(want);
});
