import { describe, expect, test } from 'vitest';
import { manifest, NAMESPACE, parse, parseSpec } from './testing.ts';

const DEPRECATED = expect.stringMatching(
  /^warning: AddressPool is deprecated; write an IPAddressPool with/,
) as unknown;
const FROM = { kind: 'AddressPool', namespace: NAMESPACE, name: 'gold' };

const raw = (spec: object): Record<string, unknown> => ({
  ...manifest('AddressPool', { spec }),
  metadata: { name: 'gold', labels: { a: 'b' }, creationTimestamp: '2020-01-01T00:00:00Z', uid: 'u' },
});

describe('AddressPool', () => {
  test.each(['metallb.io/v1alpha1', 'metallb.io/v1beta1'])('%s, layer2', (apiVersion) => {
    const { objects, problems, rejected } = parse({
      ...raw({ protocol: 'layer2', addresses: ['198.51.100.0/24'] }),
      apiVersion,
    });
    expect(problems).toEqual([DEPRECATED]);
    expect(rejected).toEqual([]);
    const metadata = {
      namespace: NAMESPACE,
      annotations: {},
      creationTimestamp: '2020-01-01T00:00:00Z',
      convertedFrom: FROM,
    };
    expect(objects).toEqual([
      {
        kind: 'IPAddressPool',
        metadata: { ...metadata, name: 'gold', labels: { a: 'b' } },
        spec: { addresses: ['198.51.100.0/24'], autoAssign: true, avoidBuggyIPs: false },
      },
      {
        kind: 'L2Advertisement',
        metadata: { ...metadata, name: 'addresspool-gold', labels: {} },
        spec: {
          ipAddressPools: ['gold'],
          ipAddressPoolSelectors: [],
          nodeSelectors: [],
          interfaces: [],
          serviceSelectors: [],
          preferredNodeSelectors: [],
          balance: false,
          failback: 'Never',
        },
      },
    ]);
  });

  const routes = { aggregationLength: 32, aggregationLengthV6: 128, localPref: 0, communities: [] };

  test.each([
    { name: 'none: one with the defaults', bgpAdvertisements: undefined, want: [routes] },
    { name: 'an empty list: the same', bgpAdvertisements: [], want: [routes] },
    {
      name: 'one for each item',
      bgpAdvertisements: [{ aggregationLength: 24, localPref: 100, communities: ['64496:1'] }, {}],
      want: [{ ...routes, aggregationLength: 24, localPref: 100, communities: ['64496:1'] }, routes],
    },
  ])('bgp advertisements, $name', ({ bgpAdvertisements, want }) => {
    const { objects } = parse(
      raw({ protocol: 'bgp', addresses: ['198.51.100.0/24'], autoAssign: false, bgpAdvertisements }),
    );
    expect(objects[0]?.spec).toMatchObject({ autoAssign: false });
    expect(objects.slice(1)).toMatchObject(
      want.map((spec, index) => ({
        kind: 'BGPAdvertisement',
        metadata: { name: `addresspool-gold-${String(index + 1)}`, convertedFrom: FROM },
        spec: { ...spec, ipAddressPools: ['gold'], peers: [], nodeSelectors: [] },
      })),
    );
  });

  test.each([
    { spec: { addresses: ['198.51.100.0/24'] }, want: /^spec\.protocol: is required/ },
    {
      spec: { protocol: 'l2', addresses: ['198.51.100.0/24'] },
      want: /^spec\.protocol: "l2": must be "layer2" or "bgp"$/,
    },
    { spec: { protocol: 'bgp' }, want: /^spec\.addresses: is required/ },
    {
      spec: { protocol: 'bgp', addresses: ['x'] },
      want: /^spec\.addresses\[0\]: "x": must be a CIDR or a range/,
    },
    {
      spec: { protocol: 'layer2', addresses: ['198.51.100.0/24'], bgpAdvertisements: [{}] },
      want: /^spec\.bgpAdvertisements: must be absent: the protocol of this pool is layer2$/,
    },
    {
      spec: {
        protocol: 'bgp',
        addresses: ['198.51.100.0/24'],
        bgpAdvertisements: [{ aggregationLength: 33 }],
      },
      want: /^spec\.bgpAdvertisements\[0\]\.aggregationLength: 33: must be a whole number from 1 to 32$/,
    },
    {
      spec: { protocol: 'bgp', addresses: ['198.51.100.0/24'], bgpAdvertisements: [{ localpref: 1 }] },
      want: /^spec\.bgpAdvertisements\[0\]\.localpref: unknown field "localpref"; did you mean "localPref"\?$/,
    },
    {
      spec: { protocol: 'bgp', addresses: ['198.51.100.0/24'], avoidBuggyIPs: true },
      want: /^spec\.avoidBuggyIPs: unknown field/,
    },
  ])('refused: $spec', ({ spec, want }) => {
    expect(parseSpec('AddressPool', spec)).toMatchObject({
      objects: [],
      problems: [DEPRECATED, expect.stringMatching(want)],
      rejected: [`AddressPool ${NAMESPACE}/x`],
    });
  });
});
