import { violationText, type FaultRunResult } from '../../test/lan/index.ts';
import type { PlannedResult } from './planned.ts';

/**
 * What no run may show, whatever the machine: a rule of ownership that random faults broke, and what a planned move lost.
 * Times that miss their bar are not among it: those stand in the table.
 * @returns one line for each, none when all is well
 */
export function brokenRules({
  planned,
  faults,
}: {
  readonly planned: readonly PlannedResult[];
  readonly faults?: FaultRunResult;
}): readonly string[] {
  return [
    ...planned.flatMap(({ plan, ip, pings, lost, transfers, broken }) => [
      ...(lost > 0 ? [`${plan} of ${ip}: ${lost} of ${pings} pings lost`] : []),
      ...(broken > 0 ? [`${plan} of ${ip}: ${broken} of ${transfers} transfers broken`] : []),
    ]),
    ...(faults?.violations ?? []).map(
      (violation) => `seed ${faults?.seed}: ${violation.after}: ${violationText(violation)}`,
    ),
  ];
}
