import { z } from 'zod';
import {
  aggregationLengthSchema,
  aggregationLengthV6Schema,
  communitiesSchema,
  localPrefSchema,
} from './bgp-advertisement.ts';
import {
  bgpAdvertisementOf,
  convertedMetadata,
  DEFAULT_ROUTES,
  l2AdvertisementOf,
  POOL_PROTOCOLS,
  type Conversion,
} from './conversion.ts';
import { isComplete, readFields } from './field-reader.ts';
import { deprecated, invalid, type Finding } from './finding.ts';
import { addressListSchema } from './ip-address-pool.ts';
import type { ApiObject, ObjectMeta } from './objects.ts';

/** AddressPool, v1alpha1 and v1beta1 alike; MetalLB took it out in 0.14. */
export const addressPoolSchema = z.strictObject({
  protocol: z.enum(POOL_PROTOCOLS).describe('how the addresses are announced: "layer2" or "bgp"'),
  addresses: addressListSchema,
  autoAssign: z
    .boolean()
    .default(true)
    .describe('whether Services that do not ask for this pool may get an address from it'),
  bgpAdvertisements: z
    .array(
      z.strictObject({
        aggregationLength: aggregationLengthSchema,
        aggregationLengthV6: aggregationLengthV6Schema,
        localPref: localPrefSchema,
        communities: communitiesSchema,
      }),
    )
    .default([])
    .describe('how a bgp pool is announced; none listed: once, with the defaults'),
});

/** Converts an AddressPool to the IPAddressPool and the advertisements that do the same. */
export function convertAddressPool(raw: unknown, metadata: ObjectMeta): Conversion {
  const { name, namespace, labels, annotations } = metadata;
  const from = { kind: 'AddressPool', namespace, name };
  const reading = readFields(addressPoolSchema, raw, ['spec']);
  const { protocol, bgpAdvertisements = [] } = reading.values;
  const findings: Finding[] = [
    deprecated(
      [],
      'AddressPool is deprecated; write an IPAddressPool with an L2Advertisement or a BGPAdvertisement',
    ),
    ...reading.findings,
  ];
  if (protocol === 'layer2' && bgpAdvertisements.length > 0) {
    findings.push(
      invalid(['spec', 'bgpAdvertisements'], 'must be absent: the protocol of this pool is layer2'),
    );
  }
  const checked = { ...reading, findings };
  if (!isComplete(checked)) return { objects: [], findings, rejected: [from] };

  const { addresses, autoAssign } = checked.values;
  const pool: ApiObject = {
    kind: 'IPAddressPool',
    metadata: { ...convertedMetadata(from, metadata, name), labels, annotations },
    spec: { addresses, autoAssign, avoidBuggyIPs: false },
  };
  if (protocol === 'layer2') {
    const l2Metadata = convertedMetadata(from, metadata, `addresspool-${name}`);
    const l2: ApiObject = { kind: 'L2Advertisement', metadata: l2Metadata, spec: l2AdvertisementOf(name) };
    return { objects: [pool, l2], findings, rejected: [] };
  }
  const routes = bgpAdvertisements.length === 0 ? [DEFAULT_ROUTES] : bgpAdvertisements;
  const bgp = routes.map((item, index): ApiObject => ({
    kind: 'BGPAdvertisement',
    metadata: convertedMetadata(from, metadata, `addresspool-${name}-${String(index + 1)}`),
    spec: bgpAdvertisementOf(name, item),
  }));
  return { objects: [pool, ...bgp], findings, rejected: [] };
}
