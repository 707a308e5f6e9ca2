import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { STORED_DEFAULT } from '../crd-keywords.ts';
import { structuralOf } from './structural.ts';

const made = (schema: z.ZodType): object => structuralOf(schema, 'What it is.');
const field = (schema: z.ZodType): object =>
  (made(z.strictObject({ a: schema })) as { properties: { a: object } }).properties.a;

describe('the schema of the API server', () => {
  test('names what it is, and refuses no other fields by itself', () => {
    expect(made(z.strictObject({ a: z.string().describe('a text, "such"') }))).toEqual({
      description: 'What it is.',
      type: 'object',
      required: ['a'],
      properties: { a: { description: 'A text, "such".', type: 'string' } },
    });
  });

  test.each([
    { of: 'a range', schema: z.int().min(1).max(32), want: { type: 'integer', minimum: 1, maximum: 32 } },
    { of: 'any number', schema: z.int(), want: { type: 'integer' } },
    { of: 'words', schema: z.enum(['x', 'y']), want: { type: 'string', enum: ['x', 'y'] } },
    {
      of: 'a default of ours',
      schema: z.array(z.string()).default([]),
      want: { type: 'array', items: { type: 'string' } },
    },
    {
      of: 'a default that is stored',
      schema: z.int().min(1).max(2).default(2).meta({ format: 'int32', crd: STORED_DEFAULT }),
      want: { type: 'integer', format: 'int32', minimum: 1, maximum: 2, default: 2 },
    },
    {
      of: 'a map',
      schema: z.record(z.string(), z.string().meta({ crd: { pattern: '^x' } })),
      want: { type: 'object', additionalProperties: { type: 'string', pattern: '^x' } },
    },
    {
      of: 'what stands beside a check of the parser',
      schema: z
        .string()
        .meta({ crd: { maxLength: 3, 'x-kubernetes-validations': [{ rule: 'r', message: 'm' }] } }),
      want: { type: 'string', maxLength: 3, 'x-kubernetes-validations': [{ rule: 'r', message: 'm' }] },
    },
  ])('$of', ({ schema, want }) => {
    expect(field(schema)).toEqual(want);
  });

  test('does not require what may be absent there', () => {
    const schema = z.strictObject({ a: z.string().meta({ crd: { mayBeAbsent: true } }), b: z.string() });
    expect(made(schema)).toMatchObject({ required: ['b'] });
  });
});
