import type { BFDProfile, BGPAdvertisement, BGPPeer, CommunityObject, IPAddressPool } from '../api/index.ts';
import type { Community } from '../core/community.ts';
import { echoFault, reachesPeer, usesEcho } from './echo.ts';
import type { Fault } from './fault.ts';
import type { ConfigObject } from './objects.ts';
import { peerFrom, type Secrets } from './peer.ts';
import { createPoolIndex, type PoolIndex } from './pool-index.ts';
import { selectsPool } from './pool-selection.ts';
import { hasIpv6, type PoolReading } from './pool.ts';
import { aggregationFault, aliasesIn, announcesWholeAddresses, communitiesOf } from './routes.ts';
import type { Pool } from './types.ts';
import { quote } from '../core/quote.ts';

export interface DraftContext {
  readonly poolOf: (object: IPAddressPool) => PoolReading;
  readonly secrets: Secrets;
  /** Profiles that are gone but that a peer in use still has, by the peer's name. */
  readonly heldProfiles: ReadonlyMap<string, BFDProfile>;
}

/** What is accepted so far, arranged for the questions that a newcomer raises. */
interface Draft {
  readonly context: DraftContext;
  readonly aliases: Map<string, Community>;
  readonly aliasOwners: Map<string, string>;
  readonly profiles: Map<string, BFDProfile>;
  readonly pools: Map<string, { readonly object: IPAddressPool; readonly pool: Pool }>;
  readonly index: PoolIndex;
  readonly peers: Map<string, BGPPeer>;
  readonly advertisements: Map<string, BGPAdvertisement>;
}

/**
 * Starts with what is in use. Each call then adds a newcomer, or gives the reasons why it cannot be used beside the
 * rest or for want of what it refers to.
 */
export function createDraft(
  inUse: Iterable<ConfigObject>,
  context: DraftContext,
): (newcomer: ConfigObject) => readonly Fault[] {
  const objects = [...inUse];
  const pools = objects.flatMap((object) => {
    const reading = object.kind === 'IPAddressPool' ? context.poolOf(object) : undefined;
    return reading?.ok ? [reading.pool] : [];
  });
  const draft: Draft = {
    context,
    aliases: new Map(),
    aliasOwners: new Map(),
    profiles: new Map(),
    pools: new Map(),
    index: createPoolIndex(pools),
    peers: new Map(),
    advertisements: new Map(),
  };
  for (const object of objects) add(draft, object);
  return (newcomer) => {
    const faults = faultsOf(draft, newcomer);
    if (faults.length > 0) return faults;
    add(draft, newcomer);
    const added = newcomer.kind === 'IPAddressPool' ? draft.pools.get(newcomer.metadata.name) : undefined;
    if (added) draft.index.add(added.pool);
    return [];
  };
}

function add(draft: Draft, object: ConfigObject): void {
  const { name } = object.metadata;
  switch (object.kind) {
    case 'Community':
      for (const [alias, community] of aliasesIn(object)) {
        draft.aliases.set(alias, community);
        draft.aliasOwners.set(alias, name);
      }
      break;
    case 'BFDProfile':
      draft.profiles.set(name, object);
      break;
    case 'IPAddressPool': {
      const reading = draft.context.poolOf(object);
      if (reading.ok) draft.pools.set(name, { object, pool: reading.pool });
      break;
    }
    case 'BGPPeer':
      draft.peers.set(name, object);
      break;
    case 'BGPAdvertisement':
      draft.advertisements.set(name, object);
      break;
    case 'L2Advertisement':
      break;
  }
}

function faultsOf(draft: Draft, newcomer: ConfigObject): readonly Fault[] {
  switch (newcomer.kind) {
    case 'Community':
      return communityFaults(draft, newcomer);
    case 'BFDProfile':
      return usesEcho(newcomer) ? echoFaults(draft, { profile: newcomer }) : [];
    case 'IPAddressPool':
      return poolFaults(draft, newcomer);
    case 'BGPPeer':
      return peerFaults(draft, newcomer);
    case 'BGPAdvertisement':
      return advertisementFaults(draft, newcomer);
    case 'L2Advertisement':
      return [];
  }
}

function communityFaults(draft: Draft, newcomer: CommunityObject): Fault[] {
  return newcomer.spec.communities.flatMap(({ name }, index): Fault[] => {
    const owner = draft.aliasOwners.get(name);
    if (owner === undefined) return [];
    const message = `${quote(name)}: is defined by Community ${quote(owner)} already; define it once`;
    return [{ field: `spec.communities[${String(index)}].name`, reason: 'Conflict', message }];
  });
}

function poolFaults(draft: Draft, newcomer: IPAddressPool): readonly Fault[] {
  const reading = draft.context.poolOf(newcomer);
  if (!reading.ok) return reading.faults;
  const overlaps = draft.index.overlapsOf(reading.pool).map(({ item, other, otherText }): Fault => {
    const text = newcomer.spec.addresses[item] ?? '';
    const message = `${quote(text)}: overlaps ${otherText} of IPAddressPool ${quote(other.name)}; an address must be in one pool only`;
    return { field: `spec.addresses[${String(item)}]`, reason: 'Conflict', message };
  });
  const tooWide = [...draft.advertisements.values()].flatMap((advertisement): Fault[] => {
    if (announcesWholeAddresses(advertisement) || !selectsPool(advertisement, newcomer)) return [];
    const fault = aggregationFault(advertisement, reading.pool);
    if (!fault) return [];
    const message = `BGPAdvertisement ${quote(advertisement.metadata.name)} announces this pool, and its ${fault.field} ${fault.message}`;
    return [{ field: 'spec.addresses', reason: 'Conflict', message }];
  });
  const echo = hasIpv6(reading.pool)
    ? echoFaults(draft, { pool: { object: newcomer, pool: reading.pool } })
    : [];
  return [...overlaps, ...tooWide, ...echo];
}

function peerFaults(draft: Draft, newcomer: BGPPeer): readonly Fault[] {
  const reading = peerFrom(newcomer, draft.context.secrets);
  const faults: Fault[] = reading.ok ? [] : [...reading.faults];
  const missing = profileFault(newcomer, (name) => draft.profiles.has(name));
  if (missing) faults.push(missing);
  return [...faults, ...echoFaults(draft, { peer: newcomer })];
}

/** The fault of a peer whose BFDProfile is not there. */
export function profileFault({ spec }: BGPPeer, exists: (name: string) => boolean): Fault | undefined {
  const { bfdProfile } = spec;
  if (bfdProfile === undefined || exists(bfdProfile)) return undefined;
  const message = `${quote(bfdProfile)}: there is no usable BFDProfile of this name; create it`;
  return { field: 'spec.bfdProfile', reason: 'UnresolvedReference', message, transient: true };
}

function advertisementFaults(draft: Draft, newcomer: BGPAdvertisement): readonly Fault[] {
  const communities = communitiesOf(newcomer, draft.aliases);
  const faults: Fault[] = communities.ok ? [] : [...communities.faults];
  if (!announcesWholeAddresses(newcomer)) {
    for (const { object, pool } of draft.pools.values()) {
      const fault = selectsPool(newcomer, object) ? aggregationFault(newcomer, pool) : undefined;
      if (fault) faults.push({ ...fault, reason: 'Conflict' });
    }
  }
  return [...faults, ...echoFaults(draft, { advertisement: newcomer })];
}

/** One part of what echo mode and IPv6 depend on; the other parts are looked for in the draft. */
interface EchoFocus {
  readonly profile?: BFDProfile;
  readonly pool?: { readonly object: IPAddressPool; readonly pool: Pool };
  readonly peer?: BGPPeer;
  readonly advertisement?: BGPAdvertisement;
}

const ECHO_FIELDS = {
  profile: 'spec.echoMode',
  pool: 'spec.addresses',
  peer: 'spec.bfdProfile',
  advertisement: 'spec.peers',
} as const;

/** The first way in which an IPv6 pool, with this newcomer, would be announced to a peer under echo mode. */
function echoFaults(draft: Draft, focus: EchoFocus): Fault[] {
  const peers = (focus.peer ? [focus.peer] : [...draft.peers.values()]).flatMap((peer) => {
    const profile = profileOf(draft, peer, focus.profile);
    const isConcerned = usesEcho(profile) && (focus.profile === undefined || focus.profile === profile);
    return profile && isConcerned ? [{ peer, profile }] : [];
  });
  if (peers.length === 0) return [];
  const pools = (focus.pool ? [focus.pool] : [...draft.pools.values()]).filter(({ pool }) => hasIpv6(pool));
  if (pools.length === 0) return [];
  const advertisements = focus.advertisement ? [focus.advertisement] : draft.advertisements.values();
  for (const advertisement of advertisements) {
    const reached = peers.find(({ peer }) => reachesPeer(advertisement, peer));
    const pool = reached && pools.find(({ object }) => selectsPool(advertisement, object));
    if (!pool) continue;
    const message = echoFault({
      pool: pool.pool.name,
      advertisement: advertisement.metadata.name,
      peer: reached.peer.metadata.name,
      profile: reached.profile.metadata.name,
    });
    const [part = 'advertisement'] = Object.keys(focus) as (keyof EchoFocus)[];
    return [{ field: ECHO_FIELDS[part], reason: 'Conflict', message }];
  }
  return [];
}

function profileOf(draft: Draft, peer: BGPPeer, newcomer: BFDProfile | undefined): BFDProfile | undefined {
  const { bfdProfile } = peer.spec;
  if (bfdProfile === undefined) return undefined;
  if (newcomer?.metadata.name === bfdProfile) return newcomer;
  return draft.profiles.get(bfdProfile) ?? draft.context.heldProfiles.get(peer.metadata.name);
}
