import { isDeepStrictEqual } from 'node:util';
import type { BFDProfile, BGPAdvertisement, BGPPeer, L2Advertisement as L2Object } from '../api/index.ts';
import { parseDuration } from '../core/duration.ts';
import { byText } from '../core/order.ts';
import type { Problem } from '../core/problem.ts';
import { isSameList } from '../core/same-list.ts';
import { profileFault } from './draft.ts';
import { LAST_GOOD_STAYS, originOf, problemOf, type Fault } from './fault.ts';
import type { ConfigMemory, HeldPeer } from './memory.ts';
import { configKey, type ConfigKind, type ConfigObject } from './objects.ts';
import { peerFrom, type Secrets } from './peer.ts';
import type { PoolSelector } from './pool-selection.ts';
import { communitiesOf, type Aliases } from './routes.ts';
import type { BfdProfile, BgpAdvertisement, Failback, L2Advertisement, Peer } from './types.ts';
import { quote } from '../core/quote.ts';

/**
 * The last stage: the objects that are used become the items of the Config. An item that says the same as the one
 * before keeps its identity. An object in use whose reference is gone stays as it was.
 */

export interface ResolvedPeers {
  readonly peers: readonly Peer[];
  readonly bfdProfiles: readonly BfdProfile[];
  readonly held: ReadonlyMap<string, HeldPeer>;
  readonly problems: readonly Problem[];
}

/** Peers and the profiles, including a profile that is gone but that a peer in use still has. */
export function resolvePeers(options: {
  readonly peers: readonly BGPPeer[];
  readonly profiles: readonly BFDProfile[];
  readonly secrets: Secrets;
  readonly previous: ConfigMemory | undefined;
}): ResolvedPeers {
  const { secrets, previous } = options;
  const profiles = new Map(options.profiles.map((profile) => [profile.metadata.name, profile]));
  const held = new Map<string, HeldPeer>();
  const problems: Problem[] = [];
  for (const object of options.peers) {
    const { name } = object.metadata;
    const before = previous?.peers.get(name);
    const reading = peerFrom(object, secrets);
    const missing = profileFault(object, (profile) => profiles.has(profile));
    if (reading.ok && !missing) {
      const profile = profiles.get(object.spec.bfdProfile ?? '');
      held.set(name, { peer: keepPeer(before?.peer, reading.peer), ...(profile && { profile }) });
    } else {
      if (before) held.set(name, before);
      const faults = [...(reading.ok ? [] : reading.faults), ...(missing ? [missing] : [])];
      problems.push(...stays(object, faults));
    }
  }
  const retained = [...held.values()].flatMap(({ profile }) => (profile ? [profile] : []));
  for (const profile of retained) {
    if (!profiles.has(profile.metadata.name)) profiles.set(profile.metadata.name, profile);
  }
  const peers = [...held.values()].map(({ peer }) => peer).sort(byText(({ name }) => name));
  const bfdProfiles = [...profiles.values()].map(bfdProfileFrom).sort(byText(({ name }) => name));
  return {
    peers: keepList(previous?.config.peers, peers),
    bfdProfiles: keepItems(previous?.config.bfdProfiles ?? [], bfdProfiles),
    held,
    problems,
  };
}

function stays(object: ConfigObject, faults: readonly Fault[]): Problem[] {
  return faults.map((fault) => problemOf(object, fault, { outcome: LAST_GOOD_STAYS }));
}

function bfdProfileFrom({ metadata, spec }: BFDProfile): BfdProfile {
  const { receiveInterval, transmitInterval, echoInterval, ...rest } = spec;
  return {
    name: metadata.name,
    ...(receiveInterval !== undefined && { receiveIntervalMs: receiveInterval }),
    ...(transmitInterval !== undefined && { transmitIntervalMs: transmitInterval }),
    ...(echoInterval !== undefined && { echoIntervalMs: echoInterval }),
    ...rest,
  };
}

/** Secrets hide their text from a comparison, so they are compared by themselves. */
function keepPeer(before: Peer | undefined, now: Peer): Peer {
  if (!before) return now;
  const { password: oldPassword, ...old } = before;
  const { password, ...rest } = now;
  const isSamePassword = password ? password.equals(oldPassword) : oldPassword === undefined;
  return isSamePassword && isDeepStrictEqual(old, rest) ? before : now;
}

export interface ResolvedAdvertisements {
  readonly bgp: readonly BgpAdvertisement[];
  readonly l2: readonly L2Advertisement[];
  readonly problems: readonly Problem[];
}

export function resolveAdvertisements(options: {
  readonly bgp: readonly BGPAdvertisement[];
  readonly l2: readonly L2Object[];
  readonly aliases: Aliases;
  readonly poolsOf: PoolSelector;
  readonly previous: ConfigMemory | undefined;
}): ResolvedAdvertisements {
  const { aliases, poolsOf, previous } = options;
  const problems: Problem[] = [];
  const old = new Map((previous?.config.bgpAdvertisements ?? []).map((item) => [item.name, item]));
  const bgp = options.bgp.map((object): BgpAdvertisement => {
    const { metadata, spec } = object;
    const reading = communitiesOf(object, aliases);
    if (!reading.ok) problems.push(...stays(object, reading.faults));
    const communities = reading.ok ? reading.communities : (old.get(metadata.name)?.communities ?? []);
    return {
      name: metadata.name,
      origin: originOf(object),
      aggregationLengthV4: spec.aggregationLength,
      aggregationLengthV6: spec.aggregationLengthV6,
      ...(spec.localPref !== 0 && { localPref: spec.localPref }),
      communities,
      pools: poolsOf(object),
      nodeSelectors: spec.nodeSelectors,
      peers: [...spec.peers].sort(),
      serviceSelectors: spec.serviceSelectors,
    };
  });
  const l2 = options.l2.map((object): L2Advertisement => {
    const { metadata, spec } = object;
    return {
      name: metadata.name,
      pools: poolsOf(object),
      nodeSelectors: spec.nodeSelectors,
      interfaces: spec.interfaces,
      serviceSelectors: spec.serviceSelectors,
      preferredNodes: spec.preferredNodeSelectors.map(({ weight, preference }) => ({
        weight,
        selector: preference,
      })),
      balance: spec.balance,
      failback: failbackOf(spec),
      announceIntervalMs: millisecondsOf(spec.announceInterval ?? DEFAULT_ANNOUNCE_INTERVAL),
    };
  });
  return {
    bgp: keepItems(previous?.config.bgpAdvertisements ?? [], bgp.sort(byText(({ name }) => name))),
    l2: keepItems(previous?.config.l2Advertisements ?? [], l2.sort(byText(({ name }) => name))),
    problems,
  };
}

const DEFAULT_FAILBACK_DELAY = '5m';
const DEFAULT_ANNOUNCE_INTERVAL = '60s';

function failbackOf({ failback, failbackDelay = DEFAULT_FAILBACK_DELAY }: L2Object['spec']): Failback {
  switch (failback) {
    case 'Never':
      return { kind: 'never' };
    case 'Immediate':
      return { kind: 'immediate' };
    case 'AfterStable':
      return { kind: 'afterStable', delayMs: millisecondsOf(failbackDelay) };
  }
}

/** Of a duration that was checked when its object was read. */
function millisecondsOf(duration: string): number {
  return Number((parseDuration(duration) ?? 0n) / 1_000_000n);
}

/** Puts the old item in the place of an equal new one, and the old list in the place of an equal new one. */
export function keepItems<T extends { readonly name: string }>(
  before: readonly T[],
  now: readonly T[],
): readonly T[] {
  const old = new Map(before.map((item) => [item.name, item]));
  const items = now.map((item) => {
    const candidate = old.get(item.name);
    return candidate !== undefined && (candidate === item || isDeepStrictEqual(candidate, item))
      ? candidate
      : item;
  });
  return keepList(before, items);
}

function keepList<T>(before: readonly T[] | undefined, now: readonly T[]): readonly T[] {
  return before && isSameList(before, now) ? before : now;
}

/**
 * Names that nothing answers to. MetalLB passes them over, and so do we, but a name that is only misspelt should not
 * go unnoticed.
 */
export function danglingNames(options: {
  readonly advertisements: readonly (BGPAdvertisement | L2Object)[];
  readonly inUse: ReadonlyMap<string, ConfigObject>;
}): Problem[] {
  const { advertisements, inUse } = options;
  const exists = (kind: ConfigKind, name: string): boolean =>
    inUse.has(configKey({ kind, metadata: { name } }));
  return advertisements.flatMap((object) => {
    const { spec } = object;
    const peers = object.kind === 'BGPAdvertisement' ? object.spec.peers : [];
    const dangling = (kind: ConfigKind, field: string, names: readonly string[]): Problem[] =>
      names.flatMap((name, index) => {
        if (exists(kind, name)) return [];
        const message = `${quote(name)}: there is no usable ${kind} of this name; it is passed over`;
        const fault = { field: `spec.${field}[${String(index)}]`, message, transient: true } as const;
        return [problemOf(object, { ...fault, reason: 'UnresolvedReference' }, { severity: 'warning' })];
      });
    return [
      ...dangling('IPAddressPool', 'ipAddressPools', spec.ipAddressPools),
      ...dangling('BGPPeer', 'peers', peers),
    ];
  });
}
