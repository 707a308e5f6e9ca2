import { z } from 'zod';
import { labelKeyFault, labelValueFault } from '../core/names.ts';
import { selectorText, type LabelRequirement, type LabelSelector } from '../core/selector.ts';
import { ATOMIC_LIST, ATOMIC_MAP, LABEL_KEY, LABEL_VALUE, REQUIREMENT } from './crd-keywords.ts';
import { shown } from './finding.ts';
import { addIssue } from './grammar.ts';

const requirementSchema = z
  .strictObject({
    key: z.string().meta({ crd: LABEL_KEY }).describe('label key'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe('how the label relates to the values: In, NotIn, Exists or DoesNotExist'),
    values: z
      .array(z.string().meta({ crd: LABEL_VALUE }))
      .default([])
      .meta({ crd: ATOMIC_LIST })
      .describe('values for In and NotIn; absent for the other two'),
  })
  .check((context) => {
    const { key, operator, values } = context.value;
    const keyFault = labelKeyFault(key);
    if (keyFault !== undefined) addIssue(context, `${shown(key)}: ${keyFault}`, ['key']);
    const takesValues = operator === 'In' || operator === 'NotIn';
    if (takesValues && values.length === 0) {
      addIssue(context, `must not be empty: ${operator} needs at least one value`, ['values']);
    }
    if (!takesValues && values.length > 0) {
      addIssue(context, `must be absent: ${operator} takes no values`, ['values']);
    }
    values.forEach((value, index) => {
      const fault = labelValueFault(value);
      if (fault !== undefined) addIssue(context, `${shown(value)}: ${fault}`, ['values', index]);
    });
  })
  .meta({ crd: REQUIREMENT });

/** A Kubernetes label selector (`metav1.LabelSelector`). */
export const labelSelectorSchema = z
  .strictObject({
    matchLabels: z
      .record(z.string(), z.string().meta({ crd: LABEL_VALUE }))
      .default({})
      .describe('labels that must all be present with these values'),
    matchExpressions: z
      .array(requirementSchema)
      .default([])
      .meta({ crd: ATOMIC_LIST })
      .describe('requirements that must all hold'),
  })
  .check((context) => {
    for (const [key, value] of Object.entries(context.value.matchLabels)) {
      const keyFault = labelKeyFault(key);
      if (keyFault !== undefined) addIssue(context, `${shown(key)}: ${keyFault}`, ['matchLabels', key]);
      const valueFault = labelValueFault(value);
      if (valueFault !== undefined) addIssue(context, `${shown(value)}: ${valueFault}`, ['matchLabels', key]);
    }
  })
  .meta({ crd: ATOMIC_MAP })
  .describe('a label selector. An empty one selects everything');

type RawSelector = z.output<typeof labelSelectorSchema>;

/** A list of selectors in which nothing stands twice: no selector, no requirement, no value of a requirement. */
export const selectorListSchema = z.array(labelSelectorSchema).check((context) => {
  const seen = new Set<string>();
  context.value.forEach((raw, index) => {
    const text = selectorText(labelSelectorFrom(raw));
    if (seen.has(text)) addIssue(context, 'is the same selector as one before it; list it once', [index]);
    seen.add(text);
    for (const { path, message } of repetitionsIn(raw))
      addIssue(context, message, [index, 'matchExpressions', ...path]);
  });
});

interface Repetition {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function repetitionsIn(raw: RawSelector): Repetition[] {
  const found: Repetition[] = [];
  const requirements = new Set<string>();
  raw.matchExpressions.forEach((requirement, at) => {
    const values = new Set<string>();
    requirement.values.forEach((value, index) => {
      if (values.has(value)) {
        found.push({
          path: [at, 'values', index],
          message: `${shown(value)}: is listed twice; list it once`,
        });
      }
      values.add(value);
    });
    const text = JSON.stringify([requirement.key, requirement.operator, [...requirement.values].sort()]);
    if (requirements.has(text))
      found.push({ path: [at], message: 'is the same requirement as one before it' });
    requirements.add(text);
  });
  return found;
}

export function labelSelectorFrom(raw: RawSelector): LabelSelector {
  return { matchLabels: raw.matchLabels, matchExpressions: raw.matchExpressions.map(requirementFrom) };
}

function requirementFrom({ key, operator, values }: z.output<typeof requirementSchema>): LabelRequirement {
  return operator === 'In' || operator === 'NotIn' ? { key, operator, values } : { key, operator };
}
