import type { FieldPath } from '../core/field-path.ts';
import { objectNameFault } from '../core/names.ts';
import type { ResourceRef } from '../core/problem.ts';
import { parseManifestText } from '../manifest/index.ts';
import { finishPeer, v1beta2Defaults, type BGPPeerFields } from './bgp-peer.ts';
import { profileNameFindings } from './bfd-profile.ts';
import { communityFault } from './community.ts';
import {
  configSchema,
  legacyPeerSchema,
  legacyPoolSchema,
  legacyProfileSchema,
  legacyRoutesSchema,
  PEER_FIELDS,
} from './config-map-schema.ts';
import {
  bgpAdvertisementOf,
  convertedMetadata,
  l2AdvertisementOf,
  POOL_PROTOCOLS,
  refTo,
  type Conversion,
} from './conversion.ts';
import { isComplete, nearestName, readFields } from './field-reader.ts';
import { deprecated, hasError, invalid, isRecord, shown, type Finding } from './finding.ts';
import type { ApiObject, ApiObjectOfKind, BFDProfileSpec, ObjectMeta } from './objects.ts';

/** The kinds that the text is converted to. */
type ConvertedKind =
  'BGPPeer' | 'IPAddressPool' | 'BGPAdvertisement' | 'L2Advertisement' | 'BFDProfile' | 'Community';

/** One object of the result, or what is wrong with the entry that it would have come from. */
interface Entry {
  readonly kind: ConvertedKind;
  readonly name: string;
  readonly spec?: ApiObjectOfKind<ConvertedKind>['spec'];
  readonly findings: readonly Finding[];
}

/** Where the text is. Findings inside it go on from here: `data.config.peers[0].my-asn`. */
const TEXT_PATH: FieldPath = ['data', 'config'];

/**
 * Converts the text of the ConfigMap `config` (MetalLB up to 0.12). The objects are named as MetalLB's own converter
 * names them: `peer1`, `bgpadvertisement1`, `l2advertisement1`, `communities`, and pools and profiles as they are. An
 * entry that is wrong is set aside by itself; a text that cannot be read as a whole is set aside as a whole.
 */
export function convertConfigMap(text: string, metadata: ObjectMeta): Conversion {
  const from: ResourceRef = { kind: 'ConfigMap', namespace: metadata.namespace, name: metadata.name };
  const whole: Finding[] = [
    deprecated(
      [],
      'the ConfigMap "config" is deprecated; write IPAddressPool, BGPPeer and the other kinds of metallb.io',
    ),
  ];
  const parsed = parseText(text, whole);
  const { values, findings } = readFields(configSchema, parsed, TEXT_PATH);
  whole.push(...findings);
  if (hasError(whole)) return { objects: [], findings: whole, rejected: [from] };

  const pools = poolEntries(values['address-pools'] ?? []);
  const entries = [
    ...(values.peers ?? []).map(peerEntry),
    ...pools.filter(({ kind }) => kind === 'IPAddressPool'),
    ...pools.filter(({ kind }) => kind === 'BGPAdvertisement'),
    ...pools.filter(({ kind }) => kind === 'L2Advertisement'),
    ...(values['bfd-profiles'] ?? []).map(profileEntry),
    ...communityEntries(values['bgp-communities'] ?? {}),
  ];
  return {
    objects: entries.flatMap(({ kind, name, spec }) =>
      spec ? [{ kind, metadata: convertedMetadata(from, metadata, name), spec } as ApiObject] : [],
    ),
    findings: [...whole, ...entries.flatMap((entry) => entry.findings)],
    rejected: entries.flatMap(({ kind, name, spec }) =>
      spec ? [] : [refTo(kind, metadata.namespace, name)],
    ),
  };
}

function parseText(text: string, findings: Finding[]): unknown {
  const { documents, problems } = parseManifestText({ text, file: '' });
  for (const { message, position } of problems) {
    const place = position ? ` (line ${String(position.line)} of the text)` : '';
    findings.push({
      path: TEXT_PATH,
      reason: 'InvalidSyntax',
      message: `${withoutQuotations(message)}${place}`,
    });
  }
  if (documents.length > 1) findings.push(invalid(TEXT_PATH, 'must be one YAML document'));
  return documents[0]?.value;
}

/** A parser's message may quote the text, and the text may hold a password. */
function withoutQuotations(message: string): string {
  return message.replaceAll(/"[^"]*"|'[^']*'|<[^>]*>/g, '"..."');
}

function peerEntry(raw: unknown, index: number): Entry {
  const path = [...TEXT_PATH, 'peers', index];
  const reading = readFields(legacyPeerSchema, raw, path);
  const { 'hold-time': holdTime = reading.given.has('hold-time') ? undefined : '90s' } = reading.values;
  const written = Object.entries({
    ...reading.values,
    ...(holdTime !== undefined && { 'hold-time': holdTime }),
  });
  const values = {
    ...Object.fromEntries(
      written.map(([key, value]) => [PEER_FIELDS[key as keyof typeof PEER_FIELDS], value]),
    ),
    ...v1beta2Defaults,
  } as Partial<BGPPeerFields>;
  const given = new Set([...reading.given].map((key) => PEER_FIELDS[key as keyof typeof PEER_FIELDS]));
  const { value, findings } = finishPeer(
    {
      values: {
        ...values,
        ...(values.peerPort === 0 && { peerPort: 179 }),
        ...(values.bfdProfile !== undefined && { bfdProfile: kubernetesName(values.bfdProfile) }),
      },
      given,
      findings: reading.findings,
    },
    (field) => [...path, LEGACY_PEER_FIELDS.get(field) ?? field],
  );
  return { kind: 'BGPPeer', name: `peer${String(index + 1)}`, ...(value && { spec: value }), findings };
}

const LEGACY_PEER_FIELDS: ReadonlyMap<string, string> = new Map(
  Object.entries(PEER_FIELDS).map(([legacy, current]) => [current, legacy]),
);

/** Pools and their advertisements. Each kind of advertisement is numbered across the pools, wrong ones included. */
function poolEntries(pools: readonly unknown[]): Entry[] {
  let bgpCount = 0;
  let l2Count = 0;
  return pools.flatMap((raw, index) => {
    const path = [...TEXT_PATH, 'address-pools', index];
    const { pool, protocol, routes } = poolEntry(raw, path);
    const isWrong = pool.spec === undefined;
    const advertisements: Entry[] = routes.map((item, at) => {
      bgpCount += 1;
      const name = `bgpadvertisement${String(bgpCount)}`;
      if (isWrong) return { kind: 'BGPAdvertisement', name, findings: [] };
      return routesEntry(item, { name, pool: pool.name, path: [...path, 'bgp-advertisements', at] });
    });
    if (protocol === 'layer2') {
      l2Count += 1;
      const name = `l2advertisement${String(l2Count)}`;
      advertisements.push({
        kind: 'L2Advertisement',
        name,
        ...(!isWrong && { spec: l2AdvertisementOf(pool.name) }),
        findings: [],
      });
    }
    return [pool, ...advertisements];
  });
}

interface PoolEntry {
  readonly pool: Entry;
  /** The word nearest to what is written, when that is wrong: it decides only how what follows is numbered. */
  readonly protocol: string | undefined;
  /** `{}` stands for the defaults. */
  readonly routes: readonly unknown[];
}

function poolEntry(raw: unknown, path: FieldPath): PoolEntry {
  const reading = readFields(legacyPoolSchema, raw, path);
  const { values } = reading;
  const written: unknown = isRecord(raw) ? raw.protocol : undefined;
  const protocol = values.protocol ?? nearestName(typeof written === 'string' ? written : '', POOL_PROTOCOLS);
  const items = values['bgp-advertisements'] ?? [];
  const named = convertedName(values.name, [...path, 'name']);
  const findings: Finding[] = [...reading.findings, ...named.findings];
  if (protocol === 'layer2' && items.length > 0) {
    findings.push(
      invalid([...path, 'bgp-advertisements'], 'must be absent: the protocol of this pool is layer2'),
    );
  }
  const checked = { ...reading, findings };
  const spec = isComplete(checked)
    ? {
        addresses: checked.values.addresses,
        autoAssign: checked.values['auto-assign'],
        avoidBuggyIPs: checked.values['avoid-buggy-ips'],
      }
    : undefined;
  return {
    pool: { kind: 'IPAddressPool', name: named.name, ...(spec && { spec }), findings },
    protocol,
    routes: items.length === 0 && protocol === 'bgp' ? [{}] : items,
  };
}

function routesEntry(
  raw: unknown,
  { name, pool, path }: { readonly name: string; readonly pool: string; readonly path: FieldPath },
): Entry {
  const reading = readFields(legacyRoutesSchema, raw, path);
  const { findings } = reading;
  if (!isComplete(reading)) return { kind: 'BGPAdvertisement', name, findings };
  const spec = bgpAdvertisementOf(pool, {
    aggregationLength: reading.values['aggregation-length'],
    aggregationLengthV6: reading.values['aggregation-length-v6'],
    localPref: reading.values.localpref,
    communities: reading.values.communities,
  });
  return { kind: 'BGPAdvertisement', name, spec, findings };
}

function profileEntry(raw: unknown, index: number): Entry {
  const path = [...TEXT_PATH, 'bfd-profiles', index];
  const reading = readFields(legacyProfileSchema, raw, path);
  const named = convertedName(reading.values.name, [...path, 'name']);
  const findings = [
    ...reading.findings,
    ...named.findings,
    ...profileNameFindings(named.name, [...path, 'name']),
  ];
  const checked = { ...reading, findings };
  if (!isComplete(checked)) return { kind: 'BFDProfile', name: named.name, findings };
  const { values } = checked;
  const numbers = {
    receiveInterval: values['receive-interval'],
    transmitInterval: values['transmit-interval'],
    detectMultiplier: values['detect-multiplier'],
    echoInterval: values['echo-interval'],
    minimumTtl: values['minimum-ttl'],
  };
  const spec: BFDProfileSpec = {
    ...(Object.fromEntries(
      Object.entries(numbers).filter(([, value]) => value !== undefined),
    ) as Partial<BFDProfileSpec>),
    echoMode: values['echo-mode'],
    passiveMode: values['passive-mode'],
  };
  return { kind: 'BFDProfile', name: named.name, spec, findings };
}

function communityEntries(aliases: Readonly<Record<string, unknown>>): Entry[] {
  const names = Object.keys(aliases).sort();
  if (names.length === 0) return [];
  const findings = names.flatMap((name): Finding[] => {
    const value = aliases[name];
    const fault =
      typeof value === 'string' ? communityFault(value) : `${shown(value)}: must be text such as "64496:100"`;
    return fault === undefined ? [] : [invalid([...TEXT_PATH, 'bgp-communities', name], fault)];
  });
  const communities = names.map((name) => ({ name, value: String(aliases[name]) }));
  return [
    {
      kind: 'Community',
      name: 'communities',
      ...(findings.length === 0 && { spec: { communities } }),
      findings,
    },
  ];
}

interface ConvertedName {
  readonly name: string;
  readonly findings: readonly Finding[];
}

/** The name that a pool or profile gets, with a warning when it is not the one that was written. */
function convertedName(written: string | undefined, path: FieldPath): ConvertedName {
  if (written === undefined) return { name: '', findings: [] };
  const name = kubernetesName(written);
  const fault = objectNameFault(name);
  if (fault !== undefined) return { name, findings: [invalid(path, `${shown(written)}: ${fault}`)] };
  if (name === written) return { name, findings: [] };
  const message = `${shown(written)}: is no name of a Kubernetes object and is used as ${shown(name)}; annotations must name it so`;
  return { name, findings: [{ path, reason: 'InvalidValue', message, severity: 'warning' }] };
}

/** The old form took any text as a name. What is changed is what MetalLB's own converter changes. */
function kubernetesName(written: string): string {
  if (/^[a-z][-a-z0-9]{0,61}[a-z0-9]$/.test(written)) return written;
  return written
    .slice(0, 63)
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/^[^a-z]+/, '');
}
