import { z } from 'zod';
import type { FieldPath } from '../core/field-path.ts';
import { parseCommunity } from '../core/community.ts';
import { COMMUNITY } from './crd-keywords.ts';
import { isComplete, readFields } from './field-reader.ts';
import { invalid, shown, type Finding, type Reading } from './finding.ts';
import { addIssue } from './grammar.ts';
import type { CommunitySpec } from './objects.ts';

export function communityFault(text: string): string | undefined {
  return parseCommunity(text).ok
    ? undefined
    : `${shown(text)}: must be a community such as "64496:100" (two numbers up to 65535) or "large:64496:1:2" (three up to 4294967295)`;
}

const communityValue = z
  .string()
  .check((context) => {
    const fault = communityFault(context.value);
    if (fault !== undefined) addIssue(context, fault);
  })
  .meta({ crd: { ...COMMUNITY, mayBeAbsent: true } });

export const communitySchema = z.strictObject({
  communities: z
    .array(
      z.strictObject({
        name: z.string().default('').describe('the name that a BGPAdvertisement uses'),
        value: communityValue.describe('the community: 64496:100 or large:64496:1:2'),
      }),
    )
    .default([])
    .describe('names for communities'),
});

export function readCommunity(raw: unknown): Reading<CommunitySpec> {
  const reading = readFields(communitySchema, raw, ['spec']);
  const names = (reading.values.communities ?? []).map(({ name }) => name);
  const findings = [
    ...reading.findings,
    ...repeatedNames(names, (index) => ['spec', 'communities', index, 'name']),
  ];
  const checked = { ...reading, findings };
  return isComplete(checked) ? { value: checked.values, findings } : { findings };
}

export function repeatedNames(names: readonly string[], pathOf: (index: number) => FieldPath): Finding[] {
  const seen = new Set<string>();
  return names.flatMap((name, index): Finding[] => {
    const isRepeated = seen.has(name);
    seen.add(name);
    return isRepeated ? [invalid(pathOf(index), `${shown(name)}: is defined twice; define it once`)] : [];
  });
}
