import { expect, test } from 'vitest';
import { FAULT_KINDS, faultPlan, type FaultStep } from './fault-plan.ts';

const NODES = ['n1', 'n2', 'n3'];

test('the same seed gives the same plan, another one another', () => {
  const plan = (seed: number): readonly FaultStep[] => faultPlan({ seed, faults: 40, nodes: NODES });
  expect(plan(7)).toEqual(plan(7));
  expect(plan(8)).not.toEqual(plan(7));
});

test.each(Array.from({ length: 20 }, (_, seed) => ({ seed })))(
  'seed $seed: as many faults as asked for, all healed, and always a node that is well',
  ({ seed }) => {
    const steps = faultPlan({ seed, faults: 100, nodes: NODES });
    expect(steps.filter(({ action }) => action === 'strike')).toHaveLength(100);
    expect(steps.every(({ hasCandidate }) => hasCandidate)).toBe(true);
    const standing = new Map<string, readonly string[]>();
    for (const { action, kind, nodes } of steps) {
      if (action === 'heal') expect(standing.get(kind)).toEqual(nodes);
      if (action === 'heal') standing.delete(kind);
      else if (!['speaker', 'frr', 'flapping'].includes(kind)) standing.set(kind, nodes);
      const struck = new Set([...standing].flatMap(([each, on]) => (each.startsWith('api') ? [] : on)));
      expect(struck.size).toBeLessThan(NODES.length);
    }
    expect([...standing]).toEqual([]);
  },
);

test('a long run meets every kind', () => {
  const kinds = faultPlan({ seed: 1, faults: 200, nodes: NODES }).map(({ kind }) => kind);
  expect([...new Set(kinds)].sort()).toEqual([...FAULT_KINDS].sort());
});
