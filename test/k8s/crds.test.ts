import { beforeAll, describe, expect, test } from 'vitest';
import { ACCEPTED, at, peer, REFUSED, type Manifest } from '../chart/crd-objects.ts';
import { crds, walk } from '../chart/chart.ts';
import { startApiServer, type ApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd } from '../support/index.ts';
import { NAMESPACE, Objects } from './support.ts';

/** What a real API server says of objects by the chart's schemas, their rules in CEL included. */

const programs = await apiServerPrograms();

interface Refusal {
  readonly kind: string;
  readonly version: string;
  /** The field that the rule is of. */
  readonly path: string;
  readonly message: string;
  readonly spec: object;
}

const ADDRESS = 'must be an IP address, such as 192.0.2.1 or 2001:db8::1';
const ASN = 'must be an ASN from 1 to 4294967295';
const { peerASN: _asn, peerAddress: _address, ...mine } = peer;

/** Of either version of a BGPPeer. */
const PEERS: readonly (readonly [path: string, message: string, spec: object])[] = [
  ['spec.myASN', ASN, { ...peer, myASN: 0 }],
  ['spec.peerAddress', ADDRESS, { ...peer, peerAddress: 'tor1' }],
  ['spec.sourceAddress', ADDRESS, { ...peer, sourceAddress: '192.0.2' }],
  [
    'spec.routerID',
    'must be written as an IPv4 address other than 0.0.0.0',
    { ...peer, routerID: '0.0.0.0' },
  ],
  [
    'spec',
    'ebgpMultiHop must be false when peerASN is myASN (an iBGP session)',
    { ...peer, myASN: 64496, ebgpMultiHop: true },
  ],
  ['spec', 'holdTime must be 0s or 3s to 65535s (RFC 4271 section 4.2)', { ...peer, holdTime: '2s' }],
  ['spec', 'keepaliveTime must not be negative', { ...peer, keepaliveTime: '-1s' }],
  [
    'spec',
    'keepaliveTime must not exceed holdTime; a third of it is usual',
    { ...peer, holdTime: '9s', keepaliveTime: '10s' },
  ],
  [
    'spec',
    'three times keepaliveTime is the hold time when holdTime is absent; it must be 0s or 3s to 65535s',
    { ...peer, keepaliveTime: '21846s' },
  ],
];

const REFUSALS: readonly Refusal[] = [
  ...['v1beta1', 'v1beta2'].flatMap((version) =>
    PEERS.map(([path, message, spec]) => ({ kind: 'BGPPeer', version, path, message, spec })),
  ),
  ...(
    [
      ['spec.peerASN', ASN, { ...peer, peerASN: 0 }],
      ['spec.peerAddress', 'must not be empty', { ...peer, peerAddress: '' }],
    ] as const
  ).map(([path, message, spec]) => ({ kind: 'BGPPeer', version: 'v1beta1', path, message, spec })),
  ...(
    [
      ['spec', 'give one of peerASN and dynamicASN', { ...peer, dynamicASN: 'external' }],
      ['spec', 'give one of peerASN and dynamicASN', { ...mine, peerAddress: '192.0.2.1' }],
      ['spec', 'give one of peerAddress and interface', { ...peer, interface: 'eth0' }],
      ['spec', 'give one of peerAddress and interface', { ...mine, peerASN: 64496 }],
      ['spec', 'localASN must differ from myASN', { ...peer, localASN: 64500 }],
      [
        'spec',
        'give one of password and passwordSecret',
        { ...peer, password: 'secret', passwordSecret: { name: 'tor' } },
      ],
      ['spec.connectTime', 'must be whole seconds from 1s to 65535s', { ...peer, connectTime: '1500ms' }],
    ] as const
  ).map(([path, message, spec]) => ({ kind: 'BGPPeer', version: 'v1beta2', path, message, spec })),
  ...[{ aggregationLength: 24 }, { aggregationLengthV6: 124 }].map((length) => ({
    ...{ kind: 'BGPAdvertisement', version: 'v1beta1', path: 'spec' },
    message:
      'beside serviceSelectors, aggregationLength must be 32 or absent and aggregationLengthV6 must be 128 or absent: ' +
      'an aggregate would carry the traffic of other Services',
    spec: { serviceSelectors: [{ matchLabels: { app: 'web' } }], ...length },
  })),
  ...(
    [
      ['failbackDelay must be absent unless failback is AfterStable', { failbackDelay: '5s' }],
      ['failbackDelay must be 1s to 168h', { failback: 'AfterStable', failbackDelay: '169h' }],
      ['announceInterval must be 1s to 24h, or 0s for never', { announceInterval: '10ms' }],
    ] as const
  ).map(([message, spec]) => ({ kind: 'L2Advertisement', version: 'v1beta1', path: 'spec', message, spec })),
];

interface Change {
  readonly kind: string;
  readonly version: string;
  readonly path: string;
  readonly message: string;
  /** The object, before and after: what differs is what must not. */
  readonly from: object;
  readonly to: object;
}

const STATUS = { node: 'n1', serviceName: 'web', serviceNamespace: 'default' };

const CHANGES: readonly Change[] = [
  {
    ...{ kind: 'BGPPeer', version: 'v1beta2', path: 'spec.enableGracefulRestart' },
    message: 'cannot be changed; delete the BGPPeer and make it anew',
    from: { spec: { ...peer, enableGracefulRestart: false } },
    to: { spec: { ...peer, enableGracefulRestart: true } },
  },
  ...Object.entries({
    ServiceBGPStatus: ['node', 'serviceName', 'serviceNamespace'],
    ServiceL2Status: ['serviceName', 'serviceNamespace'],
  }).flatMap(([kind, fields]) =>
    fields.map((field) => ({
      ...{ kind, version: 'v1beta1', path: `status.${field}`, message: 'cannot be changed' },
      from: { status: STATUS },
      to: { status: { ...STATUS, [field]: 'other' } },
    })),
  ),
];

function keyOf({ kind, version, path, message }: Omit<Refusal, 'spec'>): string {
  return `${kind} ${version} ${path}: ${message}`;
}

describe('the rules of the schemas', () => {
  if (!programs.ok) {
    test.skip(`skipped: ${programs.reason}`);
    return;
  }
  let api: ApiServer;
  let count = 0;

  beforeAll(async () => {
    api = await startApiServer();
    atEnd(() => api.stop());
    await new Objects(api).makeNamespace();
  }, 90_000);

  function collection({ apiVersion, kind }: Pick<Manifest, 'apiVersion' | 'kind'>): string {
    const { plural } = [...crds().values()].find(({ spec }) => spec.names.kind === kind)!.spec.names;
    return `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}`;
  }

  /** As kubectl does it: a field that the schema does not know is a fault. @returns its name */
  async function create(manifest: Manifest): Promise<string> {
    count += 1;
    const name = `each-${String(count)}`;
    await api.request('POST', `${collection(manifest)}?fieldValidation=Strict`, {
      ...manifest,
      metadata: { name },
    });
    return name;
  }

  test('each has an object here that breaks it', () => {
    const rules = [...crds().values()].flatMap(({ spec }) =>
      spec.versions.flatMap(({ name: version, schema }) =>
        walk(schema.openAPIV3Schema).flatMap(([path, { 'x-kubernetes-validations': found = [] }]) =>
          found.map(({ message }) => keyOf({ kind: spec.names.kind, version, path, message })),
        ),
      ),
    );
    expect(rules.length).toBeGreaterThan(30);
    expect([...new Set([...REFUSALS, ...CHANGES].map(keyOf))].sort()).toEqual(rules.sort());
  });

  test.each(REFUSALS)('$kind $version, $path: $message', async ({ kind, version, path, message, spec }) => {
    await expect(create(at(kind, spec, version))).rejects.toMatchObject({
      status: 422,
      message: expect.stringMatching(saysOf(path, message)) as string,
    });
  });

  test.each(CHANGES)('$kind, $path: $message', async ({ kind, version, path, message, from, to }) => {
    const manifest = { ...at(kind, {}, version), ...from };
    const name = await create(manifest);
    const one = `${collection(manifest)}/${name}${'status' in from ? '/status' : ''}`;
    const type = 'application/merge-patch+json';
    await api.request('PATCH', one, from, type);
    await expect(api.request('PATCH', one, to, type)).rejects.toMatchObject({
      status: 422,
      message: expect.stringMatching(saysOf(path, message)) as string,
    });
  });

  test('enableGracefulRestart may be set where it was absent', async () => {
    const manifest = at('BGPPeer', peer, 'v1beta2');
    const one = `${collection(manifest)}/${await create(manifest)}`;
    const patch = { spec: { enableGracefulRestart: true } };
    await api.request('PATCH', one, patch, 'application/merge-patch+json');
  });

  test.each(ACCEPTED)('%j is accepted', async (manifest) => {
    await create(manifest);
  });

  test.each(REFUSED)('%j is refused', async (manifest) => {
    // 400: a field of that name is not known.
    const status = manifest.kind === 'BGPPeer' && 'vrf' in manifest.spec ? 400 : 422;
    await expect(create(manifest)).rejects.toMatchObject({ status });
  });
});

function saysOf(path: string, message: string): RegExp {
  const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`\\b${literally(path)}: Invalid value: .*: ${literally(message)}`);
}
