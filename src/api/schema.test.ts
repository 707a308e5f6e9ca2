import { expect, test } from 'vitest';
import { z } from 'zod';
import { addressPoolSchema } from './address-pool.ts';
import { bfdProfileSchema } from './bfd-profile.ts';
import { bgpAdvertisementSchema } from './bgp-advertisement.ts';
import { bgpPeerSchema, bgpPeerV1beta1Schema } from './bgp-peer.ts';
import { communitySchema } from './community.ts';
import { ipAddressPoolSchema } from './ip-address-pool.ts';
import { l2AdvertisementSchema } from './l2-advertisement.ts';

const SCHEMAS = {
  addressPoolSchema,
  bfdProfileSchema,
  bgpAdvertisementSchema,
  bgpPeerSchema,
  bgpPeerV1beta1Schema,
  communitySchema,
  ipAddressPoolSchema,
  l2AdvertisementSchema,
};

interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

function undescribed(schema: JsonSchema, path: string): string[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    ...(property.description === undefined ? [`${path}.${name}`] : []),
    ...undescribed(property, `${path}.${name}`),
  ]);
  return [...below, ...(schema.items ? undescribed(schema.items, `${path}[]`) : [])];
}

test.each(Object.entries(SCHEMAS))(
  '%s gives a JSON schema in which every field is described',
  (name, schema) => {
    const json = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
    expect(Object.keys(json.properties ?? {}).length).toBeGreaterThan(0);
    expect(undescribed(json, name)).toEqual([]);
  },
);

test('ranges, enums, defaults and required fields are in the schema', () => {
  expect(z.toJSONSchema(bgpPeerSchema, { io: 'input' })).toMatchObject({
    required: ['myASN'],
    additionalProperties: false,
    properties: {
      myASN: { type: 'integer', format: 'int64', minimum: 0, maximum: 4_294_967_295 },
      localASN: { minimum: 1 },
      dynamicASN: { enum: ['internal', 'external'] },
      peerPort: { default: 179, minimum: 1, maximum: 16_384 },
      holdTime: { type: 'string' },
    },
  });
  expect(z.toJSONSchema(bgpPeerV1beta1Schema, { io: 'input' })).toMatchObject({
    required: ['myASN', 'peerASN', 'peerAddress'],
  });
});
