import { z } from 'zod';
import { isPossibleLinkName } from '../core/names.ts';
import { isComplete, readFields } from './field-reader.ts';
import { shown, type Finding, type Reading } from './finding.ts';
import { distinctTexts } from './grammar.ts';
import { labelSelectorFrom, labelSelectorSchema, selectorListSchema } from './label-selector.ts';
import type { L2AdvertisementSpec } from './objects.ts';

export const l2AdvertisementSchema = z.strictObject({
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
});

export function readL2Advertisement(raw: unknown): Reading<L2AdvertisementSpec> {
  const reading = readFields(l2AdvertisementSchema, raw, ['spec']);
  const findings = [...reading.findings, ...impossibleInterfaces(reading.values.interfaces ?? [])];
  const checked = { ...reading, findings };
  if (!isComplete(checked)) return { findings };
  const { ipAddressPools, interfaces } = checked.values;
  const value = {
    ipAddressPools,
    interfaces,
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
