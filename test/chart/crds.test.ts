import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseManifest } from '../../src/api/index.ts';
import { bfdProfileSchema } from '../../src/api/bfd-profile.ts';
import { bgpAdvertisementSchema } from '../../src/api/bgp-advertisement.ts';
import { bgpPeerSchema, bgpPeerV1beta1Schema } from '../../src/api/bgp-peer.ts';
import { communitySchema } from '../../src/api/community.ts';
import { ipAddressPoolSchema } from '../../src/api/ip-address-pool.ts';
import { l2AdvertisementSchema } from '../../src/api/l2-advertisement.ts';
import { CRD_KINDS, crdOf } from '../../src/api/crd/index.ts';
import { RESOURCES } from '../../src/k8s/resources.ts';
import { crds, ROOT, walk, type Crd, type CrdVersion, type Schema } from './chart.ts';
import { ACCEPTED, REFUSED, type Manifest } from './crd-objects.ts';
import { faultsOf } from './structural.ts';

const all = crds();

function fileOf(kind: string): Crd {
  return [...all.values()].find(({ spec }) => spec.names.kind === kind)!;
}

function versionOf(kind: string, name: string): CrdVersion {
  return fileOf(kind).spec.versions.find((version) => version.name === name)!;
}

function schemaOf(kind: string, version: string): Schema {
  return versionOf(kind, version).schema.openAPIV3Schema;
}

/** Columns as kubectl prints them: `name type path`, and the priority when it is not 0. */
const POOLS = [
  'IPAddressPools string .spec.ipAddressPools',
  'IPAddressPool Selectors string .spec.ipAddressPoolSelectors',
];
const NODES = 'Node Selectors string .spec.nodeSelectors 10';
const SERVICE = [
  'Service Name string .status.serviceName',
  'Service Namespace string .status.serviceNamespace',
];
const PEER = [
  'Address string .spec.peerAddress',
  'ASN string .spec.peerASN',
  'BFD Profile string .spec.bfdProfile',
  'Multi Hops string .spec.ebgpMultiHop',
];

/** The version that is stored is the last one. */
const KINDS = [
  {
    kind: 'IPAddressPool',
    plural: 'ipaddresspools',
    versions: ['v1beta1'],
    columns: [
      'Auto Assign boolean .spec.autoAssign',
      'Avoid Buggy IPs boolean .spec.avoidBuggyIPs',
      'Addresses string .spec.addresses',
    ],
  },
  {
    kind: 'L2Advertisement',
    plural: 'l2advertisements',
    versions: ['v1beta1'],
    columns: [...POOLS, 'Interfaces string .spec.interfaces', NODES],
  },
  {
    kind: 'BGPAdvertisement',
    plural: 'bgpadvertisements',
    versions: ['v1beta1'],
    columns: [...POOLS, 'Peers string .spec.peers', NODES],
  },
  { kind: 'BGPPeer', plural: 'bgppeers', versions: ['v1beta1', 'v1beta2'], columns: PEER },
  {
    kind: 'BFDProfile',
    plural: 'bfdprofiles',
    versions: ['v1beta1'],
    columns: [
      'Passive Mode boolean .spec.passiveMode',
      'Transmit Interval integer .spec.transmitInterval',
      'Receive Interval integer .spec.receiveInterval',
      'Multiplier integer .spec.detectMultiplier',
    ],
  },
  { kind: 'Community', plural: 'communities', versions: ['v1beta1'], columns: [] },
  {
    kind: 'ServiceL2Status',
    plural: 'servicel2statuses',
    versions: ['v1beta1'],
    columns: [
      'Allocated Node string .status.node',
      ...SERVICE,
      'Since date .status.since',
      'Cause string .status.cause',
    ],
  },
  {
    kind: 'ServiceBGPStatus',
    plural: 'servicebgpstatuses',
    versions: ['v1beta1'],
    columns: ['Node string .status.node', ...SERVICE],
  },
  {
    kind: 'ConfigurationState',
    plural: 'configurationstates',
    versions: ['v1beta1'],
    columns: [
      'Result string .status.result',
      'ErrorSummary string .status.errorSummary',
      'Age date .metadata.creationTimestamp',
    ],
  },
];

test('there is one file for each kind, named after it', () => {
  expect([...all.keys()]).toEqual(KINDS.map(({ plural }) => `${plural}.yaml`).sort());
});

describe.each(KINDS)('$kind', ({ kind, plural, versions, columns }) => {
  const crd = all.get(`${plural}.yaml`)!;

  test('has the names, the versions and the columns of MetalLB', () => {
    expect(crd).toMatchObject({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.metallb.io` },
      spec: { group: 'metallb.io', scope: 'Namespaced' },
    });
    expect(crd.spec.names).toEqual({ kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() });
    expect(crd.spec.versions.map(({ name }) => name)).toEqual(versions);
    for (const version of crd.spec.versions) {
      expect(version).toMatchObject({ served: true, subresources: { status: {} } });
      expect(version.storage).toBe(version.name === versions.at(-1));
      const shown = (version.additionalPrinterColumns ?? []).map(({ name, type, jsonPath, priority }) =>
        [name, type, jsonPath, ...(priority === undefined ? [] : [priority])].join(' '),
      );
      expect(shown).toEqual(columns);
    }
  });

  test('is read and written by us under these names', () => {
    const type = Object.values(RESOURCES).find((each) => each.kind === kind);
    expect(type).toMatchObject({
      plural,
      isNamespaced: true,
      apiVersion: `metallb.io/${versions.at(-1)!}`,
    });
  });

  test('has a structural schema in which every field is described', () => {
    for (const { schema } of crd.spec.versions) {
      for (const [path, each] of walk(schema.openAPIV3Schema)) {
        expect(each.type, path).toBeTypeOf('string');
        expect(
          Object.keys(each).filter((key) => FORBIDDEN.has(key)),
          path,
        ).toEqual([]);
        expect(each.additionalProperties, path).not.toBeTypeOf('boolean');
        const isItem = path.endsWith('[]') || path.endsWith('{}');
        if (!isItem && path !== 'metadata') expect(each.description, path).toMatch(/^[A-Z].*[.]$/);
        for (const { rule, message } of each['x-kubernetes-validations'] ?? []) {
          expect(rule.length, path).toBeGreaterThan(0);
          expect(message, path).toMatch(/^\w.*[^.]$/);
        }
      }
    }
  });
});

/** What a structural schema must not have (apiextensions.k8s.io/v1, "Specifying a structural schema"). */
const FORBIDDEN = new Set([
  '$ref',
  'definitions',
  'dependencies',
  'deprecated',
  'id',
  'patternProperties',
  'uniqueItems',
]);

describe('BGPPeer', () => {
  test('needs no webhook between its two versions', () => {
    expect(fileOf('BGPPeer').spec.conversion).toEqual({ strategy: 'None' });
    expect(versionOf('BGPPeer', 'v1beta1')).toMatchObject({
      deprecated: true,
      deprecationWarning: expect.stringContaining('metallb.io/v1beta2') as string,
    });
  });

  test('every field of v1beta1 is one of v1beta2 and of the same type there', () => {
    const newer = new Map(walk(schemaOf('BGPPeer', 'v1beta2')).map(([path, { type }]) => [path, type]));
    const older = walk(schemaOf('BGPPeer', 'v1beta1'));
    expect(older.filter(([path, { type }]) => newer.get(path) !== type).map(([path]) => path)).toEqual([]);
  });

  test('enableGracefulRestart has no default, so that it may be set later', () => {
    expect(
      schemaOf('BGPPeer', 'v1beta2').properties!.spec!.properties!.enableGracefulRestart,
    ).not.toHaveProperty('default');
  });
});

test.each(CRD_KINDS)(
  '$kind is what `npm run crds` makes of the schemas that manifests are read with',
  (made) => {
    expect(all.get(`${made.plural}.yaml`)).toEqual(crdOf(made));
  },
);

describe('the schemas and what is read', () => {
  test.each([
    ['IPAddressPool', 'v1beta1', ipAddressPoolSchema],
    ['BGPAdvertisement', 'v1beta1', bgpAdvertisementSchema],
    ['L2Advertisement', 'v1beta1', l2AdvertisementSchema],
    ['BGPPeer', 'v1beta1', bgpPeerV1beta1Schema],
    ['BGPPeer', 'v1beta2', bgpPeerSchema],
    ['BFDProfile', 'v1beta1', bfdProfileSchema],
    ['Community', 'v1beta1', communitySchema],
  ])('%s %s have the same fields, types, words and ranges', (kind, version, zod) => {
    const read = new Map(walk(z.toJSONSchema(zod, { io: 'input' }) as Schema));
    const served = new Map(walk(schemaOf(kind, version).properties!.spec!));
    const names = [...served.keys()].sort();
    expect(names).toEqual([...read.keys()].sort());
    for (const name of names) {
      const [ours, theirs] = [read.get(name)!, served.get(name)!];
      expect(limits(theirs), name).toEqual(limits(ours));
      // A default of the server must be the one that holds without it.
      if (theirs.default !== undefined) expect(theirs.default, name).toEqual(ours.default);
      expect(
        (theirs.required ?? []).filter((field) => !(ours.required ?? []).includes(field)),
        name,
      ).toEqual([]);
    }
  });
});

function limits({ type, enum: words, minimum, maximum }: Schema): object {
  const isSet = (bound: number | undefined): boolean =>
    bound !== undefined && Number.isSafeInteger(bound) && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  return {
    type,
    words,
    minimum: isSet(minimum) ? minimum : undefined,
    maximum: isSet(maximum) ? maximum : undefined,
  };
}

/** Objects of our kinds in the manifests of the examples, the labs and the golden cases, and in lists of them. */
function manifests(): (readonly [string, Manifest])[] {
  const files = globSync(
    ['examples/**/*.yaml', 'test/golden/*/in.yaml', 'test/containerlab/*/manifests/*.yaml'],
    { cwd: ROOT },
  );
  return files.sort().flatMap((file) =>
    loadAll(readFileSync(join(ROOT, file), 'utf8'))
      .flatMap((document) => {
        const items = (document as { items?: readonly unknown[] } | null)?.items;
        return items ?? [document];
      })
      .filter((each) => isOurs(each))
      .map((manifest) => [`${file} ${manifest.kind} ${manifest.metadata.name}`, manifest] as const),
  );
}

function isOurs(document: unknown): document is Manifest {
  const { apiVersion, kind } = (document ?? {}) as Partial<Manifest>;
  return apiVersion?.startsWith('metallb.io/') === true && KINDS.some((each) => each.kind === kind);
}

function errorsOf(manifest: object): string[] {
  const { problems } = parseManifest(manifest, { defaultNamespace: 'metallb-system' });
  return problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
}

function crdFaults(manifest: Manifest): string[] {
  return faultsOf(manifest, schemaOf(manifest.kind, manifest.apiVersion.split('/')[1]!)).filter(
    (fault) => !fault.startsWith('.metadata'),
  );
}

describe('manifests', () => {
  const found = manifests();

  test('are found for every kind that users write', () => {
    expect(new Set(found.map(([, { kind }]) => kind)).size).toBe(6);
  });

  test('that we accept are accepted by the schemas', () => {
    const refused = found
      .filter(([, manifest]) => errorsOf(manifest).length === 0)
      .flatMap(([name, manifest]) => crdFaults(manifest).map((fault) => `${name} ${fault}`));
    expect(refused).toEqual([]);
  });

  test.each(ACCEPTED)('%j is accepted by both', (manifest) => {
    expect(errorsOf(manifest)).toEqual([]);
    expect(crdFaults(manifest)).toEqual([]);
  });

  test.each(REFUSED)('%j is refused by both', (manifest) => {
    expect(errorsOf(manifest)).not.toEqual([]);
    expect(crdFaults(manifest)).not.toEqual([]);
  });
});
