import { z } from 'zod';
import type { FieldPath } from '../core/field-path.ts';
import { STORED_DEFAULT } from './crd-keywords.ts';
import { BGP_ADVERTISEMENT_RULES } from './crd-rules.ts';
import { isComplete, readFields } from './field-reader.ts';
import { invalid, type Finding, type Reading } from './finding.ts';
import { distinctTexts, uint32 } from './grammar.ts';
import { labelSelectorFrom, selectorListSchema } from './label-selector.ts';
import type { BGPAdvertisementSpec } from './objects.ts';

/** What the current kind and both legacy forms say about the routes themselves. */
export const aggregationLengthSchema = z
  .int()
  .min(1)
  .max(32)
  .default(32)
  .meta({ format: 'int32', crd: STORED_DEFAULT })
  .describe('length of the IPv4 prefixes that are announced; 32 announces each address by itself');
export const aggregationLengthV6Schema = z
  .int()
  .min(1)
  .max(128)
  .default(128)
  .meta({ format: 'int32', crd: STORED_DEFAULT })
  .describe('length of the IPv6 prefixes that are announced; 128 announces each address by itself');
export const localPrefSchema = uint32
  .default(0)
  .describe('LOCAL_PREF of the routes, which only iBGP peers see; 0 leaves it unset');
export const communitiesSchema = distinctTexts
  .default([])
  .describe(
    'communities of the routes: 64496:100, large:64496:1:2, or a name that a Community object defines',
  );

export const bgpAdvertisementSchema = z
  .strictObject({
    aggregationLength: aggregationLengthSchema,
    aggregationLengthV6: aggregationLengthV6Schema,
    localPref: localPrefSchema,
    communities: communitiesSchema,
    ipAddressPools: distinctTexts
      .default([])
      .describe('pools to announce, by name; with no selector either: all pools'),
    ipAddressPoolSelectors: selectorListSchema
      .default([])
      .describe('further pools to announce, by their labels'),
    nodeSelectors: selectorListSchema.default([]).describe('nodes that announce; none listed: every node'),
    peers: distinctTexts
      .default([])
      .describe('names of the BGPPeers that get the routes; none listed: all of them'),
    serviceSelectors: selectorListSchema
      .default([])
      .describe('Services to announce, by their labels; none listed: all'),
  })
  .meta({ crd: BGP_ADVERTISEMENT_RULES });

export function readBGPAdvertisement(raw: unknown): Reading<BGPAdvertisementSpec> {
  const reading = readFields(bgpAdvertisementSchema, raw, ['spec']);
  const { values } = reading;
  const isSelective = (values.serviceSelectors ?? []).length > 0;
  const findings: Finding[] = [
    ...reading.findings,
    ...(isSelective ? wholeAddressesOnly(['spec', 'aggregationLength'], values.aggregationLength, 32) : []),
    ...(isSelective
      ? wholeAddressesOnly(['spec', 'aggregationLengthV6'], values.aggregationLengthV6, 128)
      : []),
  ];
  const checked = { ...reading, findings };
  if (!isComplete(checked)) return { findings };
  const { ipAddressPoolSelectors, nodeSelectors, serviceSelectors, ...rest } = checked.values;
  const value = {
    ...rest,
    ipAddressPoolSelectors: ipAddressPoolSelectors.map(labelSelectorFrom),
    nodeSelectors: nodeSelectors.map(labelSelectorFrom),
    serviceSelectors: serviceSelectors.map(labelSelectorFrom),
  };
  return { value, findings };
}

/** An aggregate would carry the traffic of Services that the selectors leave out. */
function wholeAddressesOnly(path: FieldPath, length: number | undefined, whole: number): Finding[] {
  if (length === undefined || length === whole) return [];
  return [invalid(path, `${String(length)}: must be ${String(whole)} or absent beside serviceSelectors`)];
}
