import { describe, expect, test } from 'vitest';
import { manifest, parse, parseSpec } from './testing.ts';

describe('Service', () => {
  const DEFAULTS = {
    type: 'ClusterIP',
    clusterIPs: [],
    ipFamilies: [],
    ipFamilyPolicy: 'SingleStack',
    externalTrafficPolicy: 'Cluster',
    selector: {},
    ports: [],
  };

  test.each([
    undefined,
    null,
    {},
    { ports: null, selector: null, clusterIPs: null, loadBalancerIP: '', unknown: 1 },
  ])('the defaults of %j', (spec) => {
    const { objects, problems } = parseSpec('Service', spec);
    expect(problems).toEqual([]);
    expect(objects[0]).toMatchObject({ kind: 'Service', spec: DEFAULTS, status: { ingress: [] } });
    expect(Object.keys(objects[0]?.spec ?? {}).sort()).toEqual(Object.keys(DEFAULTS).sort());
  });

  test('every field', () => {
    const spec = {
      type: 'LoadBalancer',
      clusterIPs: ['10.0.0.1', 'fd00::1'],
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'PreferDualStack',
      externalTrafficPolicy: 'Local',
      loadBalancerClass: 'example.com/lb',
      loadBalancerIP: '198.51.100.7',
      selector: { app: 'web' },
    };
    const raw = manifest('Service', {
      spec: {
        ...spec,
        clusterIP: '10.0.0.1',
        ports: [{ port: 80 }, { port: 53, protocol: 'UDP', nodePort: 30_000 }],
        sessionAffinity: 'None',
      },
      status: {
        loadBalancer: {
          ingress: [{ ip: '198.51.100.7', ipMode: 'VIP', ports: [] }, { hostname: 'lb.example.com' }],
        },
        conditions: [],
      },
    });
    expect(parse(raw).objects[0]).toEqual({
      kind: 'Service',
      metadata: { name: 'x', namespace: 'metallb-system', labels: {}, annotations: {} },
      spec: {
        ...spec,
        ports: [
          { port: 80, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
      },
      status: { ingress: [{ ip: '198.51.100.7' }, { hostname: 'lb.example.com' }] },
    });
  });

  test.each([
    { spec: { clusterIP: '10.0.0.1' }, want: ['10.0.0.1'] },
    { spec: { clusterIP: '10.0.0.1', clusterIPs: [] }, want: ['10.0.0.1'] },
    { spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] }, want: ['10.0.0.2'] },
    { spec: { clusterIP: '' }, want: [] },
    { spec: { clusterIP: 'None' }, want: ['None'] },
  ])('clusterIPs of $spec', ({ spec, want }) => {
    expect(parseSpec('Service', spec).spec).toMatchObject({ clusterIPs: want });
  });

  test.each([
    { fields: { spec: 'x' }, want: 'spec: "x": must be an object' },
    { fields: { spec: { type: 7 } }, want: 'spec.type: 7: must be text' },
    { fields: { spec: { clusterIPs: '10.0.0.1' } }, want: 'spec.clusterIPs: "10.0.0.1": must be a list' },
    { fields: { spec: { clusterIPs: [1] } }, want: 'spec.clusterIPs[0]: 1: must be text' },
    {
      fields: { spec: { ipFamilyPolicy: 'Dual' } },
      want: 'spec.ipFamilyPolicy: "Dual": must be "SingleStack", "PreferDualStack" or "RequireDualStack"',
    },
    {
      fields: { spec: { externalTrafficPolicy: 'local' } },
      want: 'spec.externalTrafficPolicy: "local": must be "Cluster" or "Local"',
    },
    { fields: { spec: { selector: { app: 1 } } }, want: /^spec\.selector\.app: 1: must be text/ },
    { fields: { spec: { ports: {} } }, want: 'spec.ports: an object: must be a list' },
    { fields: { spec: { ports: [80] } }, want: 'spec.ports[0]: 80: must be an object' },
    {
      fields: { spec: { ports: [{}] } },
      want: 'spec.ports[0].port: is required: a whole number from 1 to 65535',
    },
    {
      fields: { spec: { ports: [{ port: 0 }] } },
      want: 'spec.ports[0].port: 0: must be a whole number from 1 to 65535',
    },
    {
      fields: { spec: { ports: [{ port: '80' }] } },
      want: 'spec.ports[0].port: "80": must be a whole number from 1 to 65535',
    },
    {
      fields: { spec: { ports: [{ port: 80, protocol: 6 }] } },
      want: 'spec.ports[0].protocol: 6: must be text',
    },
    { fields: { status: { loadBalancer: [] } }, want: 'status.loadBalancer: a list: must be an object' },
    {
      fields: { status: { loadBalancer: { ingress: [7] } } },
      want: 'status.loadBalancer.ingress[0]: 7: must be an object',
    },
    {
      fields: { status: { loadBalancer: { ingress: [{ ip: 7 }] } } },
      want: 'status.loadBalancer.ingress[0].ip: 7: must be text',
    },
  ])('refused: $fields', ({ fields, want }) => {
    expect(parse(manifest('Service', fields))).toEqual({
      objects: [],
      problems: [typeof want === 'string' ? want : expect.stringMatching(want)],
      rejected: ['Service metallb-system/x'],
    });
  });
});

describe('EndpointSlice', () => {
  test('what is used of each endpoint', () => {
    const raw = manifest('EndpointSlice', {
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          nodeName: 'n1',
          conditions: { ready: true, serving: true, terminating: false },
          zone: 'a',
        },
        { addresses: ['10.0.0.2'], conditions: { ready: null } },
        { addresses: [] },
      ],
      ports: [],
    });
    expect(parse(raw).objects[0]?.spec).toEqual({
      endpoints: [
        { hasAddress: true, nodeName: 'n1', ready: true, serving: true },
        { hasAddress: true },
        { hasAddress: false },
      ],
    });
  });

  test.each([undefined, null, []])('endpoints %j are none', (endpoints) => {
    expect(parse(manifest('EndpointSlice', { endpoints })).objects[0]?.spec).toEqual({ endpoints: [] });
  });

  test.each([
    { endpoints: 'x', want: 'endpoints: "x": must be a list' },
    { endpoints: [7], want: 'endpoints[0]: 7: must be an object' },
    { endpoints: [{ addresses: [7] }], want: 'endpoints[0].addresses[0]: 7: must be text' },
    { endpoints: [{ conditions: 'Ready' }], want: 'endpoints[0].conditions: "Ready": must be an object' },
    { endpoints: [{ nodeName: 7 }], want: 'endpoints[0].nodeName: 7: must be text' },
    {
      endpoints: [{ conditions: { ready: 'true' } }],
      want: 'endpoints[0].conditions.ready: "true": must be true or false',
    },
  ])('refused: $endpoints', ({ endpoints, want }) => {
    expect(parse(manifest('EndpointSlice', { endpoints })).problems).toEqual([want]);
  });
});

describe('Node', () => {
  test.each([
    { status: undefined, want: false },
    { status: { conditions: [{ type: 'Ready', status: 'True' }] }, want: false },
    { status: { conditions: [{ type: 'NetworkUnavailable', status: 'False' }] }, want: false },
    { status: { conditions: [{ type: 'NetworkUnavailable', status: 'Unknown' }] }, want: false },
    {
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'NetworkUnavailable', status: 'True' },
        ],
      },
      want: true,
    },
  ])('$status: network unavailable $want', ({ status, want }) => {
    const { objects } = parse(manifest('Node', { status, spec: { unschedulable: true, taints: [{}] } }));
    expect(objects).toMatchObject([{ kind: 'Node', spec: { networkUnavailable: want } }]);
  });

  test.each([
    { spec: undefined, want: false },
    { spec: { podCIDR: '10.1.0.0/24' }, want: false },
    { spec: { unschedulable: false }, want: false },
    { spec: { unschedulable: true }, want: true },
  ])('$spec: unschedulable $want', ({ spec, want }) => {
    const { objects, problems } = parse(manifest('Node', { spec }));
    expect(objects).toMatchObject([{ kind: 'Node', spec: { unschedulable: want } }]);
    expect(problems).toEqual([]);
  });

  test('unschedulable that is no boolean', () => {
    expect(parse(manifest('Node', { spec: { unschedulable: 'yes' } })).problems).toEqual([
      'spec.unschedulable: "yes": must be true or false',
    ]);
  });

  test('conditions that are no list', () => {
    expect(parse(manifest('Node', { status: { conditions: {} } })).problems).toEqual([
      'status.conditions: an object: must be a list',
    ]);
  });
});

test('Namespace', () => {
  const raw = { ...manifest('Namespace', {}), metadata: { name: 'shop', labels: { a: 'b' } } };
  expect(parse(raw).objects).toMatchObject([
    { kind: 'Namespace', metadata: { name: 'shop', namespace: '', labels: { a: 'b' } } },
  ]);
});

describe('Secret', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  test('data is decoded, stringData wins, and what is no text is left out', () => {
    const raw = manifest('Secret', {
      type: 'kubernetes.io/basic-auth',
      data: {
        username: base64('tor'),
        password: base64('old'),
        wrapped: 'aHVu\ndGVy\r\nMg==',
        empty: '',
        binary: Buffer.from([0xff, 0xfe]).toString('base64'),
        bom: base64('\ufeffx'),
        nothing: null,
      },
      stringData: { password: 'hunter2', nothing: null },
    });
    expect(parse(raw).objects[0]?.spec).toEqual({
      type: 'kubernetes.io/basic-auth',
      data: { username: 'tor', password: 'hunter2', wrapped: 'hunter2', empty: '', bom: '\ufeffx' },
    });
  });

  test('the default type', () => {
    expect(parse(manifest('Secret', {})).objects[0]?.spec).toEqual({ type: 'Opaque', data: {} });
  });

  test('no key of an object can become its prototype', () => {
    const data = JSON.parse(`{ "__proto__": "${base64('x')}" }`) as unknown;
    const [secret] = parse(manifest('Secret', { data })).objects;
    expect(Object.keys((secret?.spec as { data: object }).data)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf((secret?.spec as { data: object }).data)).toBe(Object.prototype);
  });

  test.each([
    {
      fields: { data: { password: 'hunter2!' } },
      want: 'data.password: must be base64 (RFC 4648 section 4)',
    },
    { fields: { data: { password: 'hunter2' } }, want: 'data.password: must be base64 (RFC 4648 section 4)' },
    { fields: { data: { password: 271_828 } }, want: 'data.password: must be text, not a number' },
    {
      fields: { stringData: { password: { hunter2: 1 } } },
      want: 'stringData.password: must be text, not an object',
    },
    { fields: { stringData: ['hunter2'] }, want: 'stringData: a list: must be an object' },
  ])('refused, without showing a value: $want', ({ fields, want }) => {
    const { problems, rejected } = parse(manifest('Secret', fields));
    expect(problems).toEqual([want]);
    expect(problems.join()).not.toMatch(/hunter2|271828/);
    expect(rejected).toEqual(['Secret metallb-system/x']);
  });
});

describe('ConfigMap', () => {
  test('data', () => {
    expect(
      parse(manifest('ConfigMap', { data: { extras: 'a\nb' }, binaryData: { x: 'eA==' } })).objects[0]?.spec,
    ).toEqual({
      data: { extras: 'a\nb' },
    });
    expect(parse(manifest('ConfigMap', {})).objects[0]?.spec).toEqual({ data: {} });
  });

  test('a value that is no text', () => {
    expect(parse(manifest('ConfigMap', { data: { extras: 7 } })).problems).toEqual([
      expect.stringMatching(/^data\.extras: 7: must be text/),
    ]);
  });
});
