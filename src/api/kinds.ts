import { convertAddressPool } from './address-pool.ts';
import { readBFDProfile, profileNameFindings } from './bfd-profile.ts';
import { readBGPAdvertisement } from './bgp-advertisement.ts';
import { readBGPPeer, readBGPPeerV1beta1 } from './bgp-peer.ts';
import { readConfigMap, readNode, readSecret } from './cluster-kinds.ts';
import { readCommunity } from './community.ts';
import { convertConfigMap } from './config-map.ts';
import { refTo, type Conversion } from './conversion.ts';
import { readEndpointSlice } from './endpoint-slice.ts';
import { nearestName } from './field-reader.ts';
import { deprecated, hasError, shown, type Finding, type Reading } from './finding.ts';
import { readIPAddressPool } from './ip-address-pool.ts';
import { readL2Advertisement } from './l2-advertisement.ts';
import type { ApiKind, ApiObject, ApiObjectOfKind, ObjectMeta } from './objects.ts';
import { readService } from './service.ts';

type Raw = Readonly<Record<string, unknown>>;

/** How to read the objects of one kind. */
export interface KindReader {
  readonly as: 'object';
  readonly isNamespaced: boolean;
  /** Whether a field that is not known is refused, at the top of the object as well as below. */
  readonly isStrict: boolean;
  readonly read: (raw: Raw, metadata: ObjectMeta, metallbNamespace: string) => Conversion;
}

export type KindLookup =
  | KindReader
  /** Written by us and never read back from a manifest. */
  | { readonly as: 'ignored' }
  | { readonly as: 'unknown'; readonly message: string };

export function kindReaderFor(apiVersion: string, kind: string): KindLookup {
  return READERS.get(`${apiVersion}/${kind}`) ?? unknownKind(apiVersion, kind);
}

export function isListKind(kind: unknown): boolean {
  return typeof kind === 'string' && kind.endsWith('List');
}

type MetallbKind =
  'IPAddressPool' | 'BGPAdvertisement' | 'L2Advertisement' | 'BGPPeer' | 'BFDProfile' | 'Community';

function metallb<Kind extends MetallbKind>(
  kind: Kind,
  readSpec: (raw: unknown) => Reading<ApiObjectOfKind<Kind>['spec']>,
  alsoFind: (metadata: ObjectMeta) => readonly Finding[] = () => [],
): KindReader {
  return {
    as: 'object',
    isNamespaced: true,
    isStrict: true,
    read: (raw, metadata) => {
      const reading = readSpec(raw.spec);
      const findings = [...reading.findings, ...alsoFind(metadata)];
      const { value: spec } = reading;
      if (spec === undefined || hasError(findings)) {
        return { objects: [], findings, rejected: [refTo(kind, metadata.namespace, metadata.name)] };
      }
      return { objects: [{ kind, metadata, spec } as ApiObject], findings, rejected: [] };
    },
  };
}

function core<Kind extends ApiKind>(
  kind: Kind,
  read: (raw: Raw, metadata: ObjectMeta, findings: Finding[]) => ApiObjectOfKind<Kind> | undefined,
): KindReader {
  return {
    as: 'object',
    isNamespaced: kind !== 'Node' && kind !== 'Namespace',
    isStrict: false,
    read: (raw, metadata) => {
      const findings: Finding[] = [];
      const object = read(raw, metadata, findings);
      return object
        ? { objects: [object], findings, rejected: NONE }
        : { objects: NONE, findings, rejected: [refTo(kind, metadata.namespace, metadata.name)] };
    },
  };
}

const NONE: readonly never[] = Object.freeze([]);

const bgpPeerV1beta1 = metallb('BGPPeer', readBGPPeerV1beta1, () => [
  deprecated(['apiVersion'], 'metallb.io/v1beta1 is deprecated for BGPPeer; write metallb.io/v1beta2'),
]);

const addressPool: KindReader = {
  as: 'object',
  isNamespaced: true,
  isStrict: true,
  read: (raw, metadata) => convertAddressPool(raw.spec, metadata),
};

/** The ConfigMap `config` of MetalLB up to 0.12 is converted; every other ConfigMap stays what it is. */
const plainConfigMap = core('ConfigMap', readConfigMap);
const configMap: KindReader = {
  ...plainConfigMap,
  read: (raw, metadata, metallbNamespace) => {
    const data = raw.data;
    const text = typeof data === 'object' && data !== null && 'config' in data ? data.config : undefined;
    return metadata.name === 'config' && metadata.namespace === metallbNamespace && typeof text === 'string'
      ? convertConfigMap(text, metadata)
      : plainConfigMap.read(raw, metadata, metallbNamespace);
  },
};

const READERS: ReadonlyMap<string, KindLookup> = new Map<string, KindLookup>([
  ['metallb.io/v1beta1/IPAddressPool', metallb('IPAddressPool', readIPAddressPool)],
  ['metallb.io/v1beta1/BGPAdvertisement', metallb('BGPAdvertisement', readBGPAdvertisement)],
  ['metallb.io/v1beta1/L2Advertisement', metallb('L2Advertisement', readL2Advertisement)],
  ['metallb.io/v1beta2/BGPPeer', metallb('BGPPeer', readBGPPeer)],
  ['metallb.io/v1beta1/BGPPeer', bgpPeerV1beta1],
  [
    'metallb.io/v1beta1/BFDProfile',
    metallb('BFDProfile', readBFDProfile, ({ name }) => profileNameFindings(name, ['metadata', 'name'])),
  ],
  ['metallb.io/v1beta1/Community', metallb('Community', readCommunity)],
  ['metallb.io/v1alpha1/AddressPool', addressPool],
  ['metallb.io/v1beta1/AddressPool', addressPool],
  ['metallb.io/v1beta1/ServiceBGPStatus', { as: 'ignored' }],
  ['metallb.io/v1beta1/ServiceL2Status', { as: 'ignored' }],
  ['metallb.io/v1beta1/ConfigurationState', { as: 'ignored' }],
  ['v1/Service', core('Service', readService)],
  ['discovery.k8s.io/v1/EndpointSlice', core('EndpointSlice', readEndpointSlice)],
  ['v1/Node', core('Node', readNode)],
  ['v1/Namespace', core('Namespace', (_raw, metadata) => ({ kind: 'Namespace', metadata, spec: {} }))],
  ['v1/Secret', core('Secret', readSecret)],
  ['v1/ConfigMap', configMap],
]);

function unknownKind(apiVersion: string, kind: string): KindLookup {
  const versions = [...READERS.keys()].flatMap((key) =>
    key.endsWith(`/${kind}`) ? [key.slice(0, -kind.length - 1)] : [],
  );
  const group = apiVersion.split('/')[0] ?? '';
  const isOurGroup = versions.some((version) => version.split('/')[0] === group) || group === 'metallb.io';
  if (isOurGroup && versions.length > 0) {
    return {
      as: 'unknown',
      message: `${shown(`${apiVersion} ${kind}`)}: ignored; ${kind} is read as ${versions.join(' or ')}`,
    };
  }
  const kinds = [...READERS.keys()]
    .filter((key) => key.startsWith('metallb.io/'))
    .map((key) => key.split('/')[2] ?? '');
  const guess = group === 'metallb.io' ? nearestName(kind, kinds) : undefined;
  const hint = guess === undefined ? 'this kind is not used here' : `did you mean ${guess}?`;
  return { as: 'unknown', message: `${shown(`${apiVersion} ${kind}`)}: ignored; ${hint}` };
}
