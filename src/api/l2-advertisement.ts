import { z } from 'zod';
import { NANOSECONDS_PER_SECOND, parseDuration } from '../core/duration.ts';
import { isPossibleLinkName } from '../core/names.ts';
import { L2_ADVERTISEMENT_RULES } from './crd-rules.ts';
import { isComplete, readFields } from './field-reader.ts';
import { invalid, shown, type Finding, type Reading } from './finding.ts';
import { distinctTexts, goDuration } from './grammar.ts';
import { labelSelectorFrom, labelSelectorSchema, selectorListSchema } from './label-selector.ts';
import type { L2AdvertisementSpec } from './objects.ts';

export const l2AdvertisementSchema = z
  .strictObject({
    ipAddressPools: distinctTexts
      .default([])
      .describe('pools to announce, by name; with no selector either: all pools'),
    ipAddressPoolSelectors: selectorListSchema
      .default([])
      .describe('further pools to announce, by their labels'),
    nodeSelectors: selectorListSchema
      .default([])
      .describe('nodes that may answer for an address; none listed: every node'),
    interfaces: z
      .array(z.string())
      .default([])
      .describe('interfaces to answer on, by exact name; none listed: all'),
    serviceSelectors: selectorListSchema
      .default([])
      .describe('Services to announce, by their labels; none listed: all'),
    preferredNodeSelectors: z
      .array(
        z.strictObject({
          weight: z
            .int()
            .min(1)
            .max(100)
            .meta({ format: 'int32' })
            .describe('added to the score of a node that matches, 1 to 100'),
          preference: labelSelectorSchema.describe('selects nodes by their labels; {} selects every node'),
        }),
      )
      .default([])
      .describe('scores the nodes that nodeSelectors chose; the highest sum answers'),
    balance: z
      .boolean()
      .default(false)
      .describe(
        "whether an address that nobody has goes to one of the nodes with the fewest of its pool's addresses",
      ),
    failback: z
      .enum(['Never', 'Immediate', 'AfterStable'])
      .default('Never')
      .describe(
        'when an address goes back to the node that is the first choice: Never, Immediate as soon as that node can have it, ' +
          'or AfterStable when it could for failbackDelay',
      ),
    failbackDelay: goDuration
      .exactOptional()
      .describe('how long the first choice must have been able to answer, 1s to 168h; absent: 5m'),
    announceInterval: goDuration
      .exactOptional()
      .describe('how often an address is announced again unasked, 1s to 24h; 0s: not at all; absent: 60s'),
  })
  .meta({ crd: L2_ADVERTISEMENT_RULES });

type L2AdvertisementFields = z.output<typeof l2AdvertisementSchema>;

const HOUR_SECONDS = 3_600n;

export function readL2Advertisement(raw: unknown): Reading<L2AdvertisementSpec> {
  const reading = readFields(l2AdvertisementSchema, raw, ['spec']);
  const findings = [
    ...reading.findings,
    ...impossibleInterfaces(reading.values.interfaces ?? []),
    ...timeRules(reading.values),
  ];
  const checked = { ...reading, findings };
  if (!isComplete(checked)) return { findings };
  const { ipAddressPools, interfaces, balance, failback, failbackDelay, announceInterval } = checked.values;
  const value = {
    ipAddressPools,
    interfaces,
    balance,
    failback,
    ...(failbackDelay === undefined ? {} : { failbackDelay }),
    ...(announceInterval === undefined ? {} : { announceInterval }),
    ipAddressPoolSelectors: checked.values.ipAddressPoolSelectors.map(labelSelectorFrom),
    nodeSelectors: checked.values.nodeSelectors.map(labelSelectorFrom),
    serviceSelectors: checked.values.serviceSelectors.map(labelSelectorFrom),
    preferredNodeSelectors: checked.values.preferredNodeSelectors.map(({ weight, preference }) => ({
      weight,
      preference: labelSelectorFrom(preference),
    })),
  };
  return { value, findings };
}

/** Only a warning: the other interfaces of the list are fine, and MetalLB takes such a list. */
function impossibleInterfaces(names: readonly string[]): Finding[] {
  return names.flatMap((name, index): Finding[] => {
    if (isPossibleLinkName(name)) return [];
    const message = `${shown(name)}: no interface can have this name (1 to 15 bytes without "/", ":" or blanks), so it never matches`;
    return [{ path: ['spec', 'interfaces', index], reason: 'InvalidValue', message, severity: 'warning' }];
  });
}

function timeRules({ failback, failbackDelay, announceInterval }: Partial<L2AdvertisementFields>): Finding[] {
  const findings: Finding[] = [];
  if (failbackDelay !== undefined) {
    const path = ['spec', 'failbackDelay'];
    if (failback !== undefined && failback !== 'AfterStable') {
      findings.push(
        invalid(path, `${shown(failbackDelay)}: must be absent unless failback is "AfterStable"`),
      );
    }
    if (!isWithin(failbackDelay, 168n * HOUR_SECONDS))
      findings.push(invalid(path, `${shown(failbackDelay)}: must be 1s to 168h`));
  }
  if (announceInterval !== undefined && parseDuration(announceInterval) !== 0n) {
    const path = ['spec', 'announceInterval'];
    if (!isWithin(announceInterval, 24n * HOUR_SECONDS))
      findings.push(invalid(path, `${shown(announceInterval)}: must be 1s to 24h, or 0s for never`));
  }
  return findings;
}

function isWithin(duration: string, mostSeconds: bigint): boolean {
  const nanoseconds = parseDuration(duration) ?? 0n;
  return nanoseconds >= NANOSECONDS_PER_SECOND && nanoseconds <= mostSeconds * NANOSECONDS_PER_SECOND;
}
