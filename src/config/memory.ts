import type { BFDProfile, ClusterSnapshot, IPAddressPool, NamespaceObject } from '../api/index.ts';
import type { Problem } from '../core/problem.ts';
import { CONFIG_KINDS, type InUse } from './objects.ts';
import type { Config, Peer, Pool } from './types.ts';

/** What was in force, kept by the caller from one call of `buildConfig` to the next, and opaque to it. */
export interface ConfigMemory {
  readonly config: Config;
  readonly problems: readonly Problem[];
  /** The parts of the snapshot that the result depends on. */
  readonly inputs: readonly unknown[];
  readonly inUse: InUse;
  /** By name, what each BGPPeer in use came to, and the profile it referred to. */
  readonly peers: ReadonlyMap<string, HeldPeer>;
  /** By object, so that an object that did not change is not read again. */
  readonly pools: ReadonlyMap<IPAddressPool, HeldPool>;
  readonly poolSets: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface HeldPeer {
  readonly peer: Peer;
  readonly profile?: BFDProfile;
}

export interface HeldPool {
  readonly pool: Pool;
  /** The list that its namespaceSelectors were resolved with. */
  readonly namespaces: readonly NamespaceObject[];
}

/** What the Config depends on, for comparing by identity. */
export function inputsOf({ namespace, objects, rejected }: ClusterSnapshot): readonly unknown[] {
  const kinds = [...CONFIG_KINDS, 'Secret', 'ConfigMap', 'Namespace'] as const;
  return [namespace, rejected, ...kinds.map((kind) => objects[kind])];
}
