import { describe, expect, test } from 'vitest';
import { parseSpec } from './testing.ts';

describe('IPAddressPool', () => {
  test('defaults', () => {
    expect(parseSpec('IPAddressPool', { addresses: ['198.51.100.0/24'] })).toMatchObject({
      spec: { addresses: ['198.51.100.0/24'], autoAssign: true, avoidBuggyIPs: false },
      problems: [],
    });
  });

  test('every field', () => {
    const spec = {
      addresses: ['198.51.100.0/24', '2001:db8::1-2001:db8::9'],
      autoAssign: false,
      avoidBuggyIPs: true,
      serviceAllocation: {
        priority: -7,
        namespaces: ['shop', 'front'],
        namespaceSelectors: [{ matchLabels: { a: 'b' }, matchExpressions: [] }],
        serviceSelectors: [
          { matchLabels: {}, matchExpressions: [{ key: 'c', operator: 'In', values: ['d'] }] },
        ],
      },
    };
    expect(parseSpec('IPAddressPool', spec)).toMatchObject({ spec, problems: [] });
  });

  test('serviceAllocation with nothing but a priority, or nothing at all', () => {
    const lists = { namespaces: [], namespaceSelectors: [], serviceSelectors: [] };
    const allocation = (serviceAllocation: object): unknown =>
      parseSpec('IPAddressPool', { addresses: ['198.51.100.0/24'], serviceAllocation }).spec;
    expect(allocation({ priority: 5 })).toMatchObject({ serviceAllocation: { priority: 5, ...lists } });
    expect(allocation({})).toMatchObject({ serviceAllocation: { priority: 0, ...lists } });
  });

  test.each([
    {
      spec: undefined,
      want: [expect.stringMatching(/^spec\.addresses: is required: the addresses to hand out/)],
    },
    { spec: {}, want: [expect.stringMatching(/^spec\.addresses: is required/)] },
    {
      spec: { addresses: [] },
      want: ['spec.addresses: must hold at least one CIDR or range, such as "198.51.100.0/24"'],
    },
    { spec: { addresses: null }, want: [expect.stringMatching(/^spec\.addresses: is required/)] },
    { spec: { addresses: '198.51.100.0/24' }, want: ['spec.addresses: "198.51.100.0/24": must be a list'] },
    { spec: { addresses: [1] }, want: [expect.stringMatching(/^spec\.addresses\[0\]: 1: must be text/)] },
    {
      spec: { addresses: [null] },
      want: [expect.stringMatching(/^spec\.addresses\[0\]: null: must be text/)],
    },
    {
      spec: { addresses: ['198.51.100.0/33', '192.0.2.9-192.0.2.1'] },
      want: [
        'spec.addresses[0]: "198.51.100.0/33": the prefix length must be 0 to 32',
        'spec.addresses[1]: "192.0.2.9-192.0.2.1": must start at its lower end: "192.0.2.1-192.0.2.9"',
      ],
    },
    {
      spec: { addresses: ['198.51.100.0/24', '192.0.2.0/24', '198.51.100.7-198.51.100.9'] },
      want: ['spec.addresses[2]: "198.51.100.7-198.51.100.9": overlaps "198.51.100.0/24" of the same pool'],
    },
    {
      spec: { addresses: ['198.51.100.1-198.51.100.5', '198.51.100.5-198.51.100.9'] },
      want: [
        'spec.addresses[1]: "198.51.100.5-198.51.100.9": overlaps "198.51.100.1-198.51.100.5" of the same pool',
      ],
    },
    {
      spec: { addresses: ['198.51.100.7/32', '198.51.0.0/16', '198.51.100.9/32'] },
      want: [
        'spec.addresses[1]: "198.51.0.0/16": overlaps "198.51.100.7/32" of the same pool',
        'spec.addresses[2]: "198.51.100.9/32": overlaps "198.51.0.0/16" of the same pool',
      ],
    },
    {
      spec: { addresses: ['198.51.100.0/24', '198.51.100.0/24'] },
      want: [expect.stringMatching(/^spec\.addresses\[1\]: .* overlaps/)],
    },
    { spec: { addresses: ['198.51.100.0/25', '198.51.100.128/25', '::/96'] }, want: [] },
    {
      spec: { addresses: ['198.51.100.0/24'], autoAssign: 'false' },
      want: ['spec.autoAssign: "false": must be true or false'],
    },
    {
      spec: { addresses: ['198.51.100.0/24'], avoidBuggyIps: true },
      want: ['spec.avoidBuggyIps: unknown field "avoidBuggyIps"; did you mean "avoidBuggyIPs"?'],
    },
    {
      spec: {
        addresses: ['198.51.100.0/24'],
        serviceAllocation: { namespaces: ['a', 'b', 'a'], priority: 1.5, names: [] },
      },
      want: [
        'spec.serviceAllocation.priority: 1.5: must be a whole number',
        'spec.serviceAllocation.namespaces[2]: "a": is listed twice; list it once',
        expect.stringMatching(/^spec\.serviceAllocation\.names: unknown field "names"/),
      ],
    },
  ])('$spec', ({ spec, want }) => {
    const { problems, objects } = parseSpec('IPAddressPool', spec);
    expect(problems).toEqual(want);
    expect(objects).toHaveLength(want.length === 0 ? 1 : 0);
  });
});

describe('BGPAdvertisement', () => {
  test('an absent spec has the defaults', () => {
    expect(parseSpec('BGPAdvertisement', undefined)).toMatchObject({
      spec: {
        aggregationLength: 32,
        aggregationLengthV6: 128,
        localPref: 0,
        communities: [],
        ipAddressPools: [],
        ipAddressPoolSelectors: [],
        nodeSelectors: [],
        peers: [],
        serviceSelectors: [],
      },
      problems: [],
    });
  });

  const SELECTORS = [{ matchLabels: { a: 'b' }, matchExpressions: [] }];

  test('every field', () => {
    const spec = {
      aggregationLength: 32,
      aggregationLengthV6: 128,
      localPref: 4_294_967_295,
      communities: ['64496:1', 'large:64496:1:2', 'an alias', '1:2:3', '64496:99999'],
      ipAddressPools: ['gold'],
      ipAddressPoolSelectors: SELECTORS,
      nodeSelectors: SELECTORS,
      peers: ['tor1'],
      serviceSelectors: SELECTORS,
    };
    expect(parseSpec('BGPAdvertisement', spec)).toMatchObject({ spec, problems: [] });
  });

  test.each([
    {
      spec: { aggregationLength: 0 },
      want: ['spec.aggregationLength: 0: must be a whole number from 1 to 32'],
    },
    {
      spec: { aggregationLength: 33 },
      want: ['spec.aggregationLength: 33: must be a whole number from 1 to 32'],
    },
    {
      spec: { aggregationLengthV6: 0 },
      want: ['spec.aggregationLengthV6: 0: must be a whole number from 1 to 128'],
    },
    {
      spec: { aggregationLengthV6: 129 },
      want: ['spec.aggregationLengthV6: 129: must be a whole number from 1 to 128'],
    },
    { spec: { localPref: -1 }, want: ['spec.localPref: -1: must be a whole number from 0 to 4294967295'] },
    {
      spec: { localPref: 4_294_967_296 },
      want: ['spec.localPref: 4294967296: must be a whole number from 0 to 4294967295'],
    },
    {
      spec: { communities: ['1:2', '1:2'] },
      want: ['spec.communities[1]: "1:2": is listed twice; list it once'],
    },
    {
      spec: { ipAddressPools: ['a', 'a'] },
      want: ['spec.ipAddressPools[1]: "a": is listed twice; list it once'],
    },
    { spec: { peers: ['a', 'b', 'a'] }, want: ['spec.peers[2]: "a": is listed twice; list it once'] },
    ...['ipAddressPoolSelectors', 'nodeSelectors', 'serviceSelectors'].map((field) => ({
      spec: { [field]: [...SELECTORS, ...SELECTORS] },
      want: [`spec.${field}[1]: is the same selector as one before it; list it once`],
    })),
    {
      spec: { serviceSelectors: SELECTORS, aggregationLength: 24, aggregationLengthV6: 64 },
      want: [
        'spec.aggregationLength: 24: must be 32 or absent beside serviceSelectors',
        'spec.aggregationLengthV6: 64: must be 128 or absent beside serviceSelectors',
      ],
    },
    { spec: { serviceSelectors: [], aggregationLength: 24 }, want: [] },
    {
      spec: { localpref: 5 },
      want: ['spec.localpref: unknown field "localpref"; did you mean "localPref"?'],
    },
  ])('$spec', ({ spec, want }) => {
    const { problems, objects } = parseSpec('BGPAdvertisement', spec);
    expect(problems).toEqual(want);
    expect(objects).toHaveLength(want.length === 0 ? 1 : 0);
  });
});

describe('L2Advertisement', () => {
  test('an absent spec has the defaults', () => {
    expect(parseSpec('L2Advertisement', undefined)).toMatchObject({
      spec: {
        ipAddressPools: [],
        ipAddressPoolSelectors: [],
        nodeSelectors: [],
        interfaces: [],
        serviceSelectors: [],
        preferredNodeSelectors: [],
        balance: false,
        failback: 'Never',
      },
      problems: [],
    });
  });

  test.each([
    { failback: 'AfterStable', failbackDelay: '1s' },
    { failback: 'AfterStable', failbackDelay: '168h', announceInterval: '24h', balance: true },
    { failback: 'Immediate', announceInterval: '0s', balance: false },
    { failback: 'Never', announceInterval: '1s' },
  ])('what MetalLB does not have: %j', (fields) => {
    expect(parseSpec('L2Advertisement', fields)).toMatchObject({
      spec: { balance: false, ...fields },
      problems: [],
    });
  });

  test.each([
    {
      spec: { ipAddressPools: ['a', 'a'] },
      want: ['spec.ipAddressPools[1]: "a": is listed twice; list it once'],
    },
    {
      spec: { nodeSelectors: [{}, {}] },
      want: ['spec.nodeSelectors[1]: is the same selector as one before it; list it once'],
    },
    { spec: { interfaces: ['eth0', 'eth0'] }, want: [] },
    {
      spec: { failback: 'Always', balance: 'yes' },
      want: [
        'spec.balance: "yes": must be true or false',
        'spec.failback: "Always": must be "Never", "Immediate" or "AfterStable"',
      ],
    },
    ...[{}, { failback: 'Never' }, { failback: 'Immediate' }].map((failback) => ({
      spec: { ...failback, failbackDelay: '5m' },
      want: ['spec.failbackDelay: "5m": must be absent unless failback is "AfterStable"'],
    })),
    ...['0s', '999ms', '-5m', '168h1s'].map((failbackDelay) => ({
      spec: { failback: 'AfterStable', failbackDelay },
      want: [`spec.failbackDelay: "${failbackDelay}": must be 1s to 168h`],
    })),
    ...['999ms', '-60s', '24h1s'].map((announceInterval) => ({
      spec: { announceInterval },
      want: [`spec.announceInterval: "${announceInterval}": must be 1s to 24h, or 0s for never`],
    })),
    {
      spec: { failback: 'AfterStable', failbackDelay: '5', announceInterval: '' },
      want: [
        'spec.failbackDelay: "5": must be a duration such as "90s", "1m30s" or "500ms"',
        'spec.announceInterval: "": must be a duration such as "90s", "1m30s" or "500ms"',
      ],
    },
    {
      spec: { interfaces: ['eth0', 'a name with blanks'] },
      want: [
        expect.stringMatching(
          /^warning: spec\.interfaces\[1\]: "a name with blanks": no interface can have this name/,
        ),
      ],
    },
    {
      spec: {
        preferredNodeSelectors: [
          { weight: 0, preference: {} },
          { weight: 101, preference: {} },
        ],
      },
      want: [
        'spec.preferredNodeSelectors[0].weight: 0: must be a whole number from 1 to 100',
        'spec.preferredNodeSelectors[1].weight: 101: must be a whole number from 1 to 100',
      ],
    },
    {
      spec: { preferredNodeSelectors: [{}] },
      want: [
        expect.stringMatching(/^spec\.preferredNodeSelectors\[0\]\.weight: is required/),
        expect.stringMatching(/^spec\.preferredNodeSelectors\[0\]\.preference: is required/),
      ],
    },
    {
      spec: {
        preferredNodeSelectors: [
          { weight: 1, preference: {} },
          { weight: 1, preference: {} },
        ],
      },
      want: [],
    },
    {
      spec: { preferredNodeSelectors: [{ weight: 1, preference: { matchLabels: { 'a b': 'c' } } }] },
      want: [
        expect.stringMatching(
          /^spec\.preferredNodeSelectors\[0\]\.preference\.matchLabels\["a b"\]: "a b": a label key must/,
        ),
      ],
    },
  ])('$spec', ({ spec, want }) => {
    const { problems, objects } = parseSpec('L2Advertisement', spec);
    expect(problems).toEqual(want);
    expect(objects).toHaveLength(problems.every((problem) => problem.startsWith('warning')) ? 1 : 0);
  });
});

describe('label selectors', () => {
  const parsed = (selector: unknown): readonly string[] =>
    parseSpec('L2Advertisement', { nodeSelectors: [selector] }).problems;
  const expression = (fields: object): unknown => ({ matchExpressions: [{ key: 'a', ...fields }] });

  test.each([
    { selector: {} },
    { selector: { matchLabels: { 'example.com/a': '' } } },
    { selector: expression({ operator: 'In', values: ['b', ''] }) },
    { selector: expression({ operator: 'NotIn', values: ['b'] }) },
    { selector: expression({ operator: 'Exists' }) },
    { selector: expression({ operator: 'Exists', values: [] }) },
    { selector: expression({ operator: 'DoesNotExist', values: null }) },
  ])('$selector', ({ selector }) => {
    expect(parsed(selector)).toEqual([]);
  });

  test.each([
    { selector: 'a=b', want: ['spec.nodeSelectors[0]: "a=b": must be an object'] },
    {
      selector: { matchlabels: {} },
      want: ['spec.nodeSelectors[0].matchlabels: unknown field "matchlabels"; did you mean "matchLabels"?'],
    },
    {
      selector: { matchLabels: { a: true } },
      want: [expect.stringMatching(/^spec\.nodeSelectors\[0\]\.matchLabels\.a: true: must be text/)],
    },
    {
      selector: { matchLabels: { '-a': 'b' } },
      want: [expect.stringMatching(/matchLabels\["-a"\]: "-a": a label key must/)],
    },
    {
      selector: { matchLabels: { a: 'b c' } },
      want: [expect.stringMatching(/matchLabels\.a: "b c": a label value must/)],
    },
    {
      selector: expression({ operator: 'Gt', values: ['1'] }),
      want: [expect.stringMatching(/operator: "Gt": must be "In", "NotIn", "Exists" or "DoesNotExist"$/)],
    },
    { selector: expression({}), want: [expect.stringMatching(/operator: is required/)] },
    {
      selector: expression({ operator: 'In' }),
      want: [
        'spec.nodeSelectors[0].matchExpressions[0].values: must not be empty: In needs at least one value',
      ],
    },
    {
      selector: expression({ operator: 'NotIn', values: [] }),
      want: [expect.stringMatching(/values: must not be empty: NotIn needs/)],
    },
    {
      selector: expression({ operator: 'Exists', values: ['b'] }),
      want: [expect.stringMatching(/values: must be absent: Exists takes no values$/)],
    },
    {
      selector: expression({ operator: 'DoesNotExist', values: ['b'] }),
      want: [expect.stringMatching(/values: must be absent: DoesNotExist takes no values$/)],
    },
    {
      selector: expression({ operator: 'In', values: ['b', '/'] }),
      want: [expect.stringMatching(/values\[1\]: "\/": a label value must/)],
    },
    {
      selector: { matchExpressions: [{ key: '', operator: 'Exists' }] },
      want: [expect.stringMatching(/key: "": a label key must/)],
    },
    {
      selector: expression({ operator: 'In', values: ['b', 'b'] }),
      want: ['spec.nodeSelectors[0].matchExpressions[0].values[1]: "b": is listed twice; list it once'],
    },
    {
      selector: {
        matchExpressions: [
          { key: 'a', operator: 'In', values: ['b', 'c'] },
          { key: 'a', operator: 'In', values: ['c', 'b'] },
        ],
      },
      want: ['spec.nodeSelectors[0].matchExpressions[1]: is the same requirement as one before it'],
    },
  ])('refused: $selector', ({ selector, want }) => {
    expect(parsed(selector)).toEqual(want);
  });

  test('selectors that say the same in another order are the same', () => {
    const a = {
      matchLabels: { x: '1', y: '2' },
      matchExpressions: [{ key: 'a', operator: 'In', values: ['b', 'c'] }],
    };
    const b = {
      matchLabels: { y: '2', x: '1' },
      matchExpressions: [{ key: 'a', operator: 'In', values: ['c', 'b'] }],
    };
    expect(parseSpec('L2Advertisement', { nodeSelectors: [a, b] }).problems).toHaveLength(1);
    expect(parseSpec('L2Advertisement', { nodeSelectors: [a, { ...b, matchLabels: {} }] }).problems).toEqual(
      [],
    );
  });
});
