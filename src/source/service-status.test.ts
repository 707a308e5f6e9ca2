import fc from 'fast-check';
import { load } from 'js-yaml';
import { describe, expect, test, vi } from 'vitest';
import type { ServiceObject } from '../api/index.ts';
import type * as manifest from '../manifest/index.ts';
import { parseManifestText } from '../manifest/index.ts';
import {
  parseServiceStatuses,
  POOL_ANNOTATION,
  renderServiceStatus,
  statusesEqual,
  withServiceStatus,
  type ServiceStatus,
} from './service-status.ts';

vi.mock('../manifest/index.ts', async (original) => {
  const real = await original<typeof manifest>();
  return { ...real, parseManifestText: vi.fn(real.parseManifestText) };
});

const assigned: ServiceStatus = {
  namespace: 'default',
  name: 'web',
  ingress: ['192.0.2.1', '2001:db8::1'],
  pool: 'first',
};
const refused: ServiceStatus = {
  namespace: 'default',
  name: 'other',
  ingress: [],
  condition: { status: 'False', reason: 'PoolsExhausted', message: 'no address: "first" is used up' },
};

function parse(text: string): readonly ServiceStatus[] {
  const parsed = parseServiceStatuses(text, 's.yaml');
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.statuses;
}

test('is written as a Service', () => {
  expect(load(renderServiceStatus(assigned))).toEqual({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'web', annotations: { [POOL_ANNOTATION]: 'first' } },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }] } },
  });
  expect(load(renderServiceStatus(refused))).toMatchObject({
    status: { loadBalancer: {}, conditions: [{ status: 'False', reason: 'PoolsExhausted' }] },
  });
});

describe('reading back', () => {
  const word = fc.oneof(
    fc.constantFrom('web', 'null', 'true', 'on', 'y', '1e3', '0x10', '123', 'a.b-c', '-', ''),
    fc.string({ maxLength: 6 }),
  );
  const address = fc.constantFrom('192.0.2.1', '2001:db8::1', '1:2:3:4:5:6:7:8', '::', '::1');
  const status: fc.Arbitrary<ServiceStatus> = fc.record(
    {
      namespace: word,
      name: word,
      ingress: fc.array(address, { maxLength: 3 }),
      pool: word,
      condition: fc.record({
        status: fc.constantFrom('True', 'False'),
        reason: word,
        message: fc.string({ unit: 'binary', maxLength: 20 }),
      }),
    },
    { requiredKeys: ['namespace', 'name', 'ingress'] },
  );

  test('gives what was written', () => {
    fc.assert(
      fc.property(fc.array(status, { maxLength: 5 }), (statuses) => {
        expect(parse(`# header\n${statuses.map(renderServiceStatus).join('')}`)).toEqual(statuses);
      }),
    );
  });

  test('the short way gives what YAML gives', () => {
    fc.assert(
      fc.property(status, (each) => {
        const text = renderServiceStatus(each);
        // Another comment in front of a document makes it unusual, so that it is read as YAML.
        expect(parse(text)).toEqual(parse(text.replace('---\n', '---\n# unusual\n')));
      }),
    );
  });

  test.each([
    { name: 'nothing', text: '', want: [] },
    { name: 'only a header', text: '# a\n# b\n', want: [] },
    { name: 'other kinds', text: '---\nkind: Node\nmetadata: {name: a}\n', want: [] },
    { name: 'a Service without a name', text: '---\nkind: Service\nmetadata: {}\n', want: [] },
    {
      name: 'a hand-written one between two usual ones',
      text: `${renderServiceStatus(assigned)}---\nkind: Service\nmetadata: {namespace: x, name: z}\n${renderServiceStatus(refused)}`,
      want: [assigned, { namespace: 'x', name: 'z', ingress: [] }, refused],
    },
    {
      name: 'fields we do not know',
      text: renderServiceStatus({ ...assigned, ingress: ['192.0.2.1'] }).replace(
        '- ip: 192.0.2.1',
        '- ip: 192.0.2.1\n      ipMode: VIP',
      ),
      want: [{ ...assigned, ingress: ['192.0.2.1'] }],
    },
  ])('$name', ({ text, want }) => {
    expect(parse(text)).toEqual(want);
  });

  test('broken text is refused whole', () => {
    expect(parseServiceStatuses(`${renderServiceStatus(assigned)}---\n a: [\n`, 's.yaml')).toMatchObject({
      ok: false,
    });
  });

  test('what we write for ordinary names is not read as YAML', () => {
    const text = [assigned, refused, { ...assigned, ingress: ['192.0.2.1'] }]
      .map(renderServiceStatus)
      .join('');
    vi.mocked(parseManifestText).mockClear();
    expect(parse(`# header\n${text}`)).toHaveLength(3);
    expect(parseManifestText).not.toHaveBeenCalled();
    expect(parse(text.replace('apiVersion: v1', 'apiVersion:  v1'))).toHaveLength(3);
    expect(parseManifestText).toHaveBeenCalledOnce();
  });
});

test.each<{ name: string; other: ServiceStatus; want: boolean }>([
  { name: 'a copy', other: structuredClone(assigned), want: true },
  { name: 'another order', other: { ...assigned, ingress: [...assigned.ingress].reverse() }, want: false },
  { name: 'one address less', other: { ...assigned, ingress: assigned.ingress.slice(1) }, want: false },
  { name: 'another pool', other: { ...assigned, pool: 'second' }, want: false },
  { name: 'a condition more', other: { ...assigned, condition: refused.condition! }, want: false },
  { name: 'another name', other: { ...assigned, name: 'x' }, want: false },
])('statusesEqual: $name', ({ other, want }) => {
  expect(statusesEqual(assigned, other)).toBe(want);
});

describe('withServiceStatus', () => {
  const service: ServiceObject = {
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', labels: {}, annotations: { keep: 'me' } },
    spec: {
      type: 'LoadBalancer',
      clusterIPs: [],
      ipFamilies: [],
      ipFamilyPolicy: 'SingleStack',
      externalTrafficPolicy: 'Cluster',
      selector: {},
      ports: [],
    },
    status: { ingress: [] },
  };

  test('puts address and pool in', () => {
    expect(withServiceStatus(service, assigned)).toMatchObject({
      metadata: { annotations: { keep: 'me', [POOL_ANNOTATION]: 'first' } },
      status: { ingress: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }] },
    });
  });

  test('takes out what a manifest brought, when there is no status', () => {
    const bare = withServiceStatus(withServiceStatus(service, assigned), undefined);
    expect(bare).toEqual(service);
  });

  test('leaves a Service alone that has nothing to take out', () => {
    expect(withServiceStatus(service, undefined)).toBe(service);
  });
});
