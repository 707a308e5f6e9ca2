import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatFieldPath, type FieldPath } from '../core/field-path.ts';
import { formatProblem } from '../core/problem.ts';
import { parseManifest } from './manifest.ts';
import { manifest, NAMESPACE, parse } from './testing.ts';

const POOL = manifest('IPAddressPool', { spec: { addresses: ['198.51.100.0/24'] } });
const PEER = manifest('BGPPeer', { spec: { myASN: 64512, peerASN: 64500, peerAddress: '192.0.2.1' } });

describe('documents', () => {
  test.each([null, undefined])('%s gives nothing', (raw) => {
    expect(parse(raw)).toEqual({ objects: [], problems: [], rejected: [] });
  });

  test.each([
    {
      raw: 'password: hunter2',
      want: ['a string: must be an object with apiVersion, kind, metadata and spec'],
    },
    { raw: 7, want: ['a number: must be an object with apiVersion, kind, metadata and spec'] },
    { raw: [POOL], want: ['a list: must be an object with apiVersion, kind, metadata and spec'] },
    {
      raw: {},
      want: [
        'apiVersion: is required: such as metallb.io/v1beta1',
        'kind: is required: such as IPAddressPool',
      ],
    },
    { raw: { ...POOL, kind: 7 }, want: ['kind: 7: must be text'] },
    { raw: { ...POOL, apiVersion: null }, want: ['apiVersion: is required: such as metallb.io/v1beta1'] },
  ])('$raw', ({ raw, want }) => {
    expect(parse(raw)).toEqual({ objects: [], problems: want, rejected: [] });
  });
});

describe('kinds', () => {
  test.each([
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      want: 'kind: "apps/v1 Deployment": ignored; this kind is not used here',
    },
    { apiVersion: 'v1', kind: 'Pod', want: 'kind: "v1 Pod": ignored; this kind is not used here' },
    {
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      want: 'kind: "serving.knative.dev/v1 Service": ignored; this kind is not used here',
    },
    {
      apiVersion: 'frrk8s.metallb.io/v1beta1',
      kind: 'FRRConfiguration',
      want: 'kind: "frrk8s.metallb.io/v1beta1 FRRConfiguration": ignored; this kind is not used here',
    },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAdressPool',
      want: 'kind: "metallb.io/v1beta1 IPAdressPool": ignored; did you mean IPAddressPool?',
    },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'BgpPeer',
      want: 'kind: "metallb.io/v1beta1 BgpPeer": ignored; did you mean BGPPeer?',
    },
    {
      apiVersion: 'metallb.io/v1',
      kind: 'BGPPeer',
      want: 'kind: "metallb.io/v1 BGPPeer": ignored; BGPPeer is read as metallb.io/v1beta2 or metallb.io/v1beta1',
    },
    {
      apiVersion: 'discovery.k8s.io/v1beta1',
      kind: 'EndpointSlice',
      want: 'kind: "discovery.k8s.io/v1beta1 EndpointSlice": ignored; EndpointSlice is read as discovery.k8s.io/v1',
    },
    {
      apiVersion: 'v1',
      kind: 'constructor',
      want: 'kind: "v1 constructor": ignored; this kind is not used here',
    },
  ])('$apiVersion $kind is ignored, with one warning', ({ apiVersion, kind, want }) => {
    const raw = { apiVersion, kind, metadata: { name: 'x', namespace: 'y' }, spec: { anything: 1 } };
    expect(parse(raw)).toEqual({ objects: [], problems: [`warning: ${want}`], rejected: [] });
    expect(parseManifest(raw, { defaultNamespace: NAMESPACE }).problems).toMatchObject([
      { reason: 'UnknownKind', resource: { kind, namespace: 'y', name: 'x' } },
    ]);
  });

  test.each(['ServiceBGPStatus', 'ServiceL2Status', 'ConfigurationState'])(
    '%s is ignored without a word',
    (kind) => {
      expect(parse(manifest(kind, { status: { node: 'n1' } }))).toEqual({
        objects: [],
        problems: [],
        rejected: [],
      });
    },
  );
});

describe('lists', () => {
  test('a List gives its objects, and problems that say which item', () => {
    const raw = {
      apiVersion: 'v1',
      kind: 'List',
      metadata: {},
      items: [POOL, { ...PEER, spec: {} }, null, PEER],
    };
    const at: string[] = [];
    const result = parseManifest(raw, {
      defaultNamespace: NAMESPACE,
      locate: (path) => {
        at.push(formatFieldPath(path));
        return undefined;
      },
    });
    expect(result.objects.map(({ kind }) => kind)).toEqual(['IPAddressPool', 'BGPPeer']);
    expect(result.rejected).toEqual([{ kind: 'BGPPeer', namespace: NAMESPACE, name: 'x' }]);
    expect(at).toEqual([
      'items[1].spec.myASN',
      'items[1].spec.peerASN',
      'items[1].spec.peerAddress',
      'items[2]',
    ]);
  });

  test('the items of a typed list have its kind', () => {
    const { apiVersion: _v, kind: _k, ...item } = POOL;
    const list = {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPoolList',
      metadata: { resourceVersion: '9' },
      items: [item, POOL],
    };
    expect(parse(list)).toMatchObject({
      objects: [{ kind: 'IPAddressPool' }, { kind: 'IPAddressPool' }],
      problems: [],
    });
  });

  test.each([
    { items: null, want: [] },
    { items: [], want: [] },
    { items: {}, want: ['items: an object: must be a list'] },
    { items: ['x'], want: ['a string: must be an object with apiVersion, kind, metadata and spec'] },
  ])('items $items', ({ items, want }) => {
    expect(parse({ apiVersion: 'v1', kind: 'List', items }).problems).toEqual(want);
  });

  test('a List in a List is not opened', () => {
    const inner = { apiVersion: 'v1', kind: 'List', metadata: { name: 'x' }, items: [POOL] };
    const { objects, problems } = parse({ apiVersion: 'v1', kind: 'List', items: [inner] });
    expect(objects).toEqual([]);
    expect(problems).toEqual(['warning: kind: "v1 List": ignored; this kind is not used here']);
  });
});

describe('metadata', () => {
  const withMetadata = (metadata: unknown): ReturnType<typeof parse> => parse({ ...POOL, metadata });

  test('what is used is kept, the rest is left out', () => {
    const used = {
      name: 'gold',
      namespace: 'shop',
      labels: { a: 'b' },
      annotations: { 'example.com/x': 'y\nz' },
      uid: 'u',
      generation: 3,
      resourceVersion: '9',
      creationTimestamp: '2025-01-01T00:00:00Z',
    };
    const metadata = {
      ...used,
      managedFields: [],
      ownerReferences: [],
      finalizers: ['x'],
      generateName: 'g',
    };
    expect(withMetadata(metadata).objects[0]?.metadata).toEqual(used);
  });

  test('an absent namespace is the default one; a cluster-scoped object has none', () => {
    expect(withMetadata({ name: 'x' }).objects[0]?.metadata.namespace).toBe(NAMESPACE);
    expect(withMetadata({ name: 'x', namespace: '' }).objects[0]?.metadata.namespace).toBe(NAMESPACE);
    const node = parse(manifest('Node', { metadata: { name: 'n1', namespace: 'ignored' } }));
    expect(node.objects[0]?.metadata.namespace).toBe('');
  });

  test('null labels and annotations are none, a null value is the empty text', () => {
    expect(
      withMetadata({ name: 'x', labels: null, annotations: { a: null } }).objects[0]?.metadata,
    ).toMatchObject({
      labels: {},
      annotations: { a: '' },
    });
  });

  test.each([
    { metadata: undefined, want: "metadata.name: is required: the object's name" },
    { metadata: {}, want: "metadata.name: is required: the object's name" },
    { metadata: { name: '' }, want: "metadata.name: is required: the object's name" },
    { metadata: { generateName: 'x-' }, want: "metadata.name: is required: the object's name" },
    { metadata: 'x', want: 'metadata: "x": must be an object' },
    { metadata: { name: 7 }, want: 'metadata.name: 7: must be text; a number needs quotes to be text' },
    { metadata: { name: 'Gold' }, want: /^metadata\.name: "Gold": must be lower-case letters/ },
    { metadata: { name: 'a\nb' }, want: /^metadata\.name: "a\\nb": must be lower-case letters/ },
    {
      metadata: { name: 'x', namespace: 'a.b' },
      want: /^metadata\.namespace: "a\.b": must be lower-case letters/,
    },
    { metadata: { name: 'x', labels: [] }, want: 'metadata.labels: a list: must be an object' },
    { metadata: { name: 'x', labels: { a: 1 } }, want: /^metadata\.labels\.a: 1: must be text/ },
    {
      metadata: { name: 'x', annotations: { 'metallb.io/address-pool': true } },
      want: /^metadata\.annotations\["metallb\.io\/address-pool"\]: true: must be text/,
    },
  ])('refused: $metadata', ({ metadata, want }) => {
    const { objects, problems } = withMetadata(metadata);
    expect(objects).toEqual([]);
    expect(problems).toEqual([typeof want === 'string' ? want : expect.stringMatching(want)]);
  });

  test('what else is wrong is said as well', () => {
    const { problems } = parse({ ...POOL, metadata: {}, spec: { addresses: ['x'] } });
    expect(problems).toEqual([
      expect.stringMatching(/^metadata\.name/),
      expect.stringMatching(/^spec\.addresses\[0\]/),
    ]);
  });

  test('an object that can be named is rejected by name, so that what was in use of it can stay', () => {
    expect(withMetadata({ name: 'gold', labels: [] }).rejected).toEqual([`IPAddressPool ${NAMESPACE}/gold`]);
    expect(withMetadata({ name: 'gold', namespace: 'shop', labels: [] }).rejected).toEqual([
      'IPAddressPool shop/gold',
    ]);
    expect(withMetadata({ labels: [] }).rejected).toEqual([]);
    expect(withMetadata({ name: 'a\nb' }).rejected).toEqual([]);
  });
});

test('a field beside spec that does not belong there is refused, for the kinds of metallb.io', () => {
  expect(parse({ ...POOL, sepc: {} })).toMatchObject({
    objects: [],
    problems: ['sepc: unknown field "sepc"; did you mean "spec"?'],
    rejected: [`IPAddressPool ${NAMESPACE}/x`],
  });
  expect(parse({ ...POOL, status: { assignedIPv4: 1 } }).problems).toEqual([]);
  expect(parse(manifest('Service', { spec: { anything: 1 }, extra: 1 })).problems).toEqual([]);
});

test('a problem carries its object and its place', () => {
  const paths: FieldPath[] = [];
  const { problems } = parseManifest(
    { ...PEER, metadata: { name: 'tor1' }, spec: { ...(PEER.spec as object), holdTime: '1s' } },
    {
      defaultNamespace: NAMESPACE,
      locate: (path) => {
        paths.push(path);
        return { file: 'peers.yaml', line: 12, column: 3 };
      },
    },
  );
  expect(paths).toEqual([['spec', 'holdTime']]);
  expect(problems.map(formatProblem)).toEqual([
    `BGPPeer ${NAMESPACE}/tor1: spec.holdTime: 1s: the hold time must be 0 or 3s to 65535s (RFC 4271 section 4.2) (peers.yaml:12:3)`,
  ]);
});

test('an object without a problem is not looked for in its file', () => {
  parseManifest(PEER, {
    defaultNamespace: NAMESPACE,
    locate: () => {
      throw new Error('called');
    },
  });
});

test('whatever the document, there is an answer and no exception, and every problem is one line', () => {
  const kinds = [
    'BGPPeer',
    'IPAddressPool',
    'BGPAdvertisement',
    'L2Advertisement',
    'BFDProfile',
    'Community',
    'AddressPool',
  ];
  const core = ['Service', 'EndpointSlice', 'Node', 'Namespace', 'Secret', 'ConfigMap'];
  const keys = [
    'addresses',
    'peers',
    'matchLabels',
    'nodeSelectors',
    'password',
    'holdTime',
    'ports',
    'ingress',
    'data',
    'a\nb',
  ];
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, 0, -1, 1.5, Infinity, '', 'a\nb', '64496:1', '198.51.100.0/24', '90s'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(fc.constantFrom(...kinds, ...core), tree, tree, (kind, spec, rest) => {
      const name = kind === 'ConfigMap' ? 'config' : 'x';
      const raw = { ...manifest(kind, {}), metadata: { name }, spec, ...(typeof rest === 'object' && rest) };
      const { objects, problems, rejected } = parseManifest(raw, { defaultNamespace: NAMESPACE });
      const isWrong = problems.some(({ severity }) => severity === 'error');
      expect(isWrong ? rejected.length : objects.length).toBeGreaterThan(0);
      for (const problem of problems) expect(formatProblem(problem)).not.toMatch(/[\n\r]/);
    }),
    { numRuns: 500 },
  );
});
