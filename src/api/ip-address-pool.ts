import { z } from 'zod';
import { parseAddressBlock } from '../core/address-block.ts';
import { lastOf } from '../core/ip.ts';
import { ADDRESS_BLOCK, STORED_DEFAULT } from './crd-keywords.ts';
import { isComplete, readFields } from './field-reader.ts';
import { shown, type Reading } from './finding.ts';
import { addIssue, distinctTexts } from './grammar.ts';
import { labelSelectorFrom, selectorListSchema } from './label-selector.ts';
import type { IPAddressPoolSpec } from './objects.ts';

/** The addresses of a pool: at least one item, each a CIDR or a range, none touching another. */
export const addressListSchema = z
  .array(z.string().meta({ crd: ADDRESS_BLOCK }))
  .check((context) => {
    const { value } = context;
    if (value.length === 0)
      addIssue(context, 'must hold at least one CIDR or range, such as "198.51.100.0/24"');
    value.forEach((text, index) => {
      const parsed = parseAddressBlock(text);
      if (!parsed.ok) addIssue(context, parsed.message, [index]);
    });
    for (const { index, other } of overlapsIn(value)) {
      addIssue(context, `${shown(value[index])}: overlaps ${shown(value[other])} of the same pool`, [index]);
    }
  })
  .meta({ crd: { minItems: 1 } })
  .describe('the addresses to hand out: CIDRs, or ranges such as 198.51.100.10-198.51.100.20');

interface Overlap {
  readonly index: number;
  readonly other: number;
}

/** Items that overlap one before them, by index. Items that cannot be parsed are passed over. */
function overlapsIn(items: readonly string[]): Overlap[] {
  const intervals = items.flatMap((text, index) => {
    const parsed = parseAddressBlock(text);
    const [head, tail] = parsed.ok ? [parsed.prefixes[0], parsed.prefixes.at(-1)] : [];
    return head && tail ? [{ index, family: head.family, first: head.first, last: lastOf(tail) }] : [];
  });
  const found: Overlap[] = [];
  for (const family of ['ipv4', 'ipv6'] as const) {
    const sorted = intervals.filter((interval) => interval.family === family);
    sorted.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : a.index - b.index));
    let widest = sorted[0];
    for (const interval of sorted.slice(1)) {
      if (widest && interval.first <= widest.last) {
        found.push({
          index: Math.max(interval.index, widest.index),
          other: Math.min(interval.index, widest.index),
        });
      }
      if (!widest || interval.last > widest.last) widest = interval;
    }
  }
  return found.sort((a, b) => a.index - b.index);
}

export const ipAddressPoolSchema = z.strictObject({
  addresses: addressListSchema,
  autoAssign: z
    .boolean()
    .default(true)
    .meta({ crd: STORED_DEFAULT })
    .describe('whether Services that do not ask for this pool may get an address from it'),
  avoidBuggyIPs: z
    .boolean()
    .default(false)
    .meta({ crd: STORED_DEFAULT })
    .describe(
      'whether IPv4 addresses that end in .0 or .255 are left out; some old equipment drops their packets',
    ),
  serviceAllocation: z
    .strictObject({
      priority: z
        .int()
        .default(0)
        .describe('order among the pools a Service may use, lowest first; 0 comes last'),
      namespaces: distinctTexts.default([]).describe('namespaces whose Services may use the pool'),
      namespaceSelectors: selectorListSchema.default([]).describe('further such namespaces, by their labels'),
      serviceSelectors: selectorListSchema
        .default([])
        .describe('Services that may use the pool, by their labels'),
    })
    .exactOptional()
    .describe('reserves the pool for some namespaces or Services'),
});

export function readIPAddressPool(raw: unknown): Reading<IPAddressPoolSpec> {
  const reading = readFields(ipAddressPoolSchema, raw, ['spec']);
  const { findings } = reading;
  if (!isComplete(reading)) return { findings };
  const { serviceAllocation, ...rest } = reading.values;
  if (!serviceAllocation) return { value: rest, findings };
  const allocation = {
    ...serviceAllocation,
    namespaceSelectors: serviceAllocation.namespaceSelectors.map(labelSelectorFrom),
    serviceSelectors: serviceAllocation.serviceSelectors.map(labelSelectorFrom),
  };
  return { value: { ...rest, serviceAllocation: allocation }, findings };
}
