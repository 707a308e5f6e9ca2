import {
  parseManifest,
  type ApiKind,
  type ApiObject,
  type ApiObjectOfKind,
  type ClusterSnapshot,
} from '../api/index.ts';
import { compareMeta } from '../core/order.ts';
import { formatProblem, type Problem, type ResourceRef } from '../core/problem.ts';
import { parseManifestText } from '../manifest/index.ts';
import { buildConfig } from './build-config.ts';
import type { Config } from './types.ts';

/** For this folder's tests: manifests as text, to the snapshot that a source would give. */

export const NAMESPACE = 'metallb-system';

export interface Manifests {
  readonly objects: readonly ApiObject[];
  readonly rejected: readonly ResourceRef[];
  readonly problems: readonly Problem[];
}

export function read(yaml: string): Manifests {
  const { documents, problems } = parseManifestText({ text: yaml, file: 'in.yaml' });
  if (problems[0]) throw new Error(formatProblem(problems[0]));
  const results = documents.map(({ value }) => parseManifest(value, { defaultNamespace: NAMESPACE }));
  return {
    objects: results.flatMap(({ objects }) => objects),
    rejected: results.flatMap(({ rejected }) => rejected),
    problems: results.flatMap((result) => result.problems),
  };
}

/** A snapshot of manifests that are joined as the documents of one stream. */
export function snapshot(...yaml: readonly string[]): ClusterSnapshot {
  const { objects, rejected } = read(yaml.join('\n---\n'));
  const ofKind = <K extends ApiKind>(kind: K): readonly ApiObjectOfKind<K>[] =>
    objects
      .filter((object): object is ApiObjectOfKind<K> & ApiObject => object.kind === kind)
      .sort((a, b) => compareMeta(a.metadata, b.metadata));
  return {
    namespace: NAMESPACE,
    objects: {
      IPAddressPool: ofKind('IPAddressPool'),
      BGPAdvertisement: ofKind('BGPAdvertisement'),
      L2Advertisement: ofKind('L2Advertisement'),
      BGPPeer: ofKind('BGPPeer'),
      BFDProfile: ofKind('BFDProfile'),
      Community: ofKind('Community'),
      Service: ofKind('Service'),
      EndpointSlice: ofKind('EndpointSlice'),
      Node: ofKind('Node'),
      Namespace: ofKind('Namespace'),
      Secret: ofKind('Secret'),
      ConfigMap: ofKind('ConfigMap'),
    },
    rejected,
  };
}

export interface DocumentOptions {
  readonly labels?: string;
  readonly created?: string;
  readonly namespace?: string;
}

/** One object; `spec` is YAML in flow style, such as `{ addresses: [198.51.100.0/24] }`. */
export function document(kind: string, name: string, spec: string, options: DocumentOptions = {}): string {
  const version = kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1';
  const { labels = '{}', created, namespace } = options;
  return [
    `apiVersion: metallb.io/${version}`,
    `kind: ${kind}`,
    'metadata:',
    `  name: ${name}`,
    `  labels: ${labels}`,
    ...(created === undefined ? [] : [`  creationTimestamp: ${created}`]),
    ...(namespace === undefined ? [] : [`  namespace: ${namespace}`]),
    `spec: ${spec}`,
  ].join('\n');
}

/** An IPAddressPool of these addresses. */
export function pool(name: string, addresses: string, options?: DocumentOptions): string {
  return document('IPAddressPool', name, `{ addresses: [${addresses}] }`, options);
}

/** A BGPPeer with ASNs and an address, and what `more` adds. */
export function peer(name: string, address: string, more = '', options?: DocumentOptions): string {
  const spec = `{ myASN: 64512, peerASN: 64500, peerAddress: "${address}"${more === '' ? '' : `, ${more}`} }`;
  return document('BGPPeer', name, spec, options);
}

export function secret(name: string, password: string): string {
  return `apiVersion: v1
kind: Secret
metadata: { name: ${name} }
type: kubernetes.io/basic-auth
stringData: { password: ${JSON.stringify(password)} }`;
}

/** Problems as a user would read them, one line each, warnings marked. */
export function lines(problems: readonly Problem[]): string[] {
  return problems.map(
    (problem) => `${problem.severity === 'warning' ? 'warning: ' : ''}${formatProblem(problem)}`,
  );
}

export interface Built {
  readonly config: Config;
  readonly problems: string[];
}

/** Builds each set of manifests after the other, as edits of one cluster; gives the last result. */
export function edits(...sets: readonly (readonly string[])[]): Built {
  let result = buildConfig(snapshot());
  for (const set of sets) result = buildConfig(snapshot(...set), result.memory);
  return { config: result.config, problems: lines(result.problems) };
}

/** Builds with nothing in use before. */
export function fresh(...manifests: readonly string[]): Built {
  const { config, problems } = buildConfig(snapshot(...manifests));
  return { config, problems: lines(problems) };
}

/** The prefixes of each item of each pool. */
export function poolTexts(config: Config): Record<string, string[][]> {
  return Object.fromEntries(
    config.pools.map(({ name, addresses }) => [name, addresses.map((item) => item.map(({ text }) => text))]),
  );
}

export const GOLD = pool('gold', '198.51.100.0/24');
