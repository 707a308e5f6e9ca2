import { z } from 'zod';
import {
  aggregationLengthSchema,
  aggregationLengthV6Schema,
  communitiesSchema,
  localPrefSchema,
} from './bgp-advertisement.ts';
import { bfdFields } from './bfd-profile.ts';
import { commonPeerFields } from './bgp-peer.ts';
import { POOL_PROTOCOLS } from './conversion.ts';
import { asn, hostAddress } from './grammar.ts';
import { addressListSchema } from './ip-address-pool.ts';
import { selectorListSchema } from './label-selector.ts';

/**
 * The text of the ConfigMap `config` that MetalLB read up to 0.12. Its keys are those of today's kinds in kebab case;
 * each field is checked by the schema of today's.
 */
export const configSchema = z.strictObject({
  peers: z.array(z.unknown()).default([]),
  'address-pools': z.array(z.unknown()).default([]),
  'bgp-communities': z.record(z.string(), z.unknown()).default({}),
  'bfd-profiles': z.array(z.unknown()).default([]),
});

const nodeSelectors = z
  .array(
    z.strictObject({
      'match-labels': z.record(z.string(), z.string()).default({}),
      'match-expressions': z
        .array(
          z.strictObject({
            key: z.string().describe('label key'),
            operator: z
              .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
              .describe('how the label relates to the values'),
            values: z.array(z.string()).default([]),
          }),
        )
        .default([]),
    }),
  )
  .transform((selectors): z.input<typeof selectorListSchema> =>
    selectors.map((selector) => ({
      matchLabels: selector['match-labels'],
      matchExpressions: selector['match-expressions'],
    })),
  )
  .pipe(selectorListSchema)
  .default([]);

export const legacyPeerSchema = z.strictObject({
  'my-asn': commonPeerFields.myASN,
  'peer-asn': asn.describe("the peer's ASN"),
  'peer-address': hostAddress.describe('address of the peer'),
  'source-address': commonPeerFields.sourceAddress,
  'peer-port': z.int().min(0).max(16_384).default(179).describe('TCP port of the peer; 0: 179'),
  'hold-time': commonPeerFields.holdTime,
  'keepalive-time': commonPeerFields.keepaliveTime,
  'router-id': commonPeerFields.routerID,
  password: commonPeerFields.password,
  'bfd-profile': z.string().exactOptional().describe('name of the BFD profile to use'),
  'ebgp-multihop': commonPeerFields.ebgpMultiHop,
  'node-selectors': nodeSelectors,
});

/** Today's name of each of the peer's fields. */
export const PEER_FIELDS = {
  'my-asn': 'myASN',
  'peer-asn': 'peerASN',
  'peer-address': 'peerAddress',
  'source-address': 'sourceAddress',
  'peer-port': 'peerPort',
  'hold-time': 'holdTime',
  'keepalive-time': 'keepaliveTime',
  'router-id': 'routerID',
  password: 'password',
  'bfd-profile': 'bfdProfile',
  'ebgp-multihop': 'ebgpMultiHop',
  'node-selectors': 'nodeSelectors',
} as const satisfies Record<keyof z.output<typeof legacyPeerSchema>, string>;

export const legacyPoolSchema = z.strictObject({
  name: z.string().describe('name of the pool'),
  protocol: z.enum(POOL_PROTOCOLS).describe('how the addresses are announced: "layer2" or "bgp"'),
  addresses: addressListSchema,
  'auto-assign': z.boolean().default(true),
  'avoid-buggy-ips': z.boolean().default(false),
  'bgp-advertisements': z.array(z.unknown()).default([]),
});

export const legacyRoutesSchema = z.strictObject({
  'aggregation-length': aggregationLengthSchema,
  'aggregation-length-v6': aggregationLengthV6Schema,
  localpref: localPrefSchema,
  communities: communitiesSchema,
});

export const legacyProfileSchema = z.strictObject({
  name: z.string().describe('name of the profile'),
  'receive-interval': bfdFields.receiveInterval,
  'transmit-interval': bfdFields.transmitInterval,
  'detect-multiplier': bfdFields.detectMultiplier,
  'echo-interval': bfdFields.echoInterval,
  'echo-mode': bfdFields.echoMode,
  'passive-mode': bfdFields.passiveMode,
  'minimum-ttl': bfdFields.minimumTtl,
});
