import { isDeepStrictEqual } from 'node:util';
import { byText, compareText } from '../core/order.ts';
import type { Problem } from '../core/problem.ts';
import { isSameList } from '../core/same-list.ts';
import { anySelectorMatches, type Labels, type LabelSelector } from '../core/selector.ts';
import { admit, type Candidate } from './admission.ts';
import { LAST_GOOD_STAYS, problemAbout, type Fault } from './fault.ts';
import { localPrefConflict } from './local-pref-conflict.ts';
import type { BgpAdvertisement, Config, L2Advertisement, Origin, Peer, Pool } from './types.ts';
import { quote } from '../core/quote.ts';

export interface NodeIdentity {
  readonly name: string;
  /** Of the Node object; `{}` when there is none. `kubernetes.io/hostname` is taken to be the name when it is not there. */
  readonly labels: Labels;
}

/** The part of a Config that one node has to act on. Every list is sorted by name. */
export interface NodeSelection {
  readonly peers: readonly Peer[];
  readonly bgpAdvertisements: readonly BgpAdvertisement[];
  readonly l2Advertisements: readonly L2Advertisement[];
  readonly problems: readonly Problem[];
}

const HOSTNAME_LABEL = 'kubernetes.io/hostname';

/**
 * Selects what concerns one node, and applies the rules that hold among the peers and advertisements of one node:
 * what conflicts with something in use there is set aside, or stays as it was, on this node only. FRR has one BGP
 * Identifier for all of a node's sessions here, one ASN for each VRF, and one neighbor for each address or interface.
 * @param previous the result of the call before for the same node: what is in use wins over a newcomer
 * @returns lists that did not change keep their identity
 */
export function selectForNode(config: Config, node: NodeIdentity, previous?: NodeSelection): NodeSelection {
  const labels = labelsOf(node);
  const isSelected = ({ nodeSelectors }: { readonly nodeSelectors: readonly LabelSelector[] }): boolean =>
    anySelectorMatches(nodeSelectors, labels);

  const peers = choose({
    kind: 'BGPPeer',
    items: config.peers.filter(isSelected),
    before: previous?.peers ?? [],
    sameClaim: isSamePeerClaim,
    conflict: peerConflict,
  });
  const pools = new Map(config.pools.map((pool) => [pool.name, pool]));
  const bgp = chooseAdvertisements(
    config.bgpAdvertisements.filter(isSelected),
    previous?.bgpAdvertisements ?? [],
    pools,
  );
  const l2 = config.l2Advertisements.filter(isSelected);
  const l2Before = previous?.l2Advertisements ?? [];
  return {
    peers: peers.items,
    bgpAdvertisements: bgp.items,
    l2Advertisements: isSameList(l2Before, l2) ? l2Before : l2,
    problems: [...peers.problems, ...bgp.problems],
  };
}

export function labelsOf({ name, labels }: NodeIdentity): Labels {
  return { [HOSTNAME_LABEL]: name, ...labels };
}

interface Item {
  readonly name: string;
  readonly origin?: Origin;
}

interface Choice<T extends Item> {
  readonly kind: string;
  /** Of this node, newest versions, sorted by name. */
  readonly items: readonly T[];
  /** In use on this node until now. */
  readonly before: readonly T[];
  /** Whether two versions of an item claim the same, so that one may take the place of the other unheard. */
  readonly sameClaim: (a: T, b: T) => boolean;
  readonly conflict: (newcomer: T, other: T) => Fault | undefined;
}

interface Chosen<T> {
  readonly items: readonly T[];
  readonly problems: readonly Problem[];
}

function choose<T extends Item>({ kind, items, before, sameClaim, conflict }: Choice<T>): Chosen<T> {
  const old = new Map(before.map((item) => [item.name, item]));
  const candidates = items.map((current): Candidate<T> => {
    const last = old.get(current.name);
    return {
      key: current.name,
      current,
      ...(last && { last }),
      isUnchanged: last !== undefined && sameClaim(current, last),
    };
  });
  candidates.sort((a, b) => compareText(ageText(a.current), ageText(b.current)) || compareText(a.key, b.key));
  const { accepted, refused } = admit<T, Fault>(candidates, (inUse) => {
    const there = [...inUse.values()];
    return (newcomer) => {
      const faults = there.flatMap((other) => conflict(newcomer, other) ?? []);
      if (faults.length === 0) there.push(newcomer);
      return faults;
    };
  });
  const problems = items.flatMap(({ name, origin }) =>
    (refused.get(name) ?? []).map((fault) => {
      const resource = origin?.resource ?? { kind, namespace: '', name };
      return problemAbout({ kind, name, resource }, fault, old.has(name) ? { outcome: LAST_GOOD_STAYS } : {});
    }),
  );
  const chosen = [...accepted.values()].sort(byText(({ name }) => name));
  return { items: isSameList(before, chosen) ? before : chosen, problems };
}

/** Sorts an object without a time behind those with one. */
function ageText(item: Item | undefined): string {
  return item?.origin?.createdAt ?? '~';
}

function isSamePeerClaim(a: Peer, b: Peer): boolean {
  return (
    a.routerId?.text === b.routerId?.text &&
    endpointText(a) === endpointText(b) &&
    a.vrf === b.vrf &&
    a.myAsn === b.myAsn
  );
}

function endpointText({ endpoint }: Peer): string {
  return endpoint.kind === 'address' ? endpoint.address.text : endpoint.interface;
}

function peerConflict(newcomer: Peer, other: Peer): Fault | undefined {
  const name = quote(other.name);
  if (newcomer.routerId?.text !== other.routerId?.text) {
    const [ours, theirs] = [newcomer.routerId?.text ?? 'absent', other.routerId?.text ?? 'absent'];
    const message = `${ours}: BGPPeer ${name} on the same node has ${theirs}; peers of one node must have the same routerID`;
    return { field: 'spec.routerID', reason: 'Conflict', message };
  }
  if (newcomer.vrf !== other.vrf) return undefined;
  if (endpointText(newcomer) === endpointText(other)) {
    const field = newcomer.endpoint.kind === 'address' ? 'spec.peerAddress' : 'spec.interface';
    const message = `${endpointText(newcomer)}: BGPPeer ${name} has a session with this neighbor on the same node and in the same VRF`;
    return { field, reason: 'Conflict', message };
  }
  if (newcomer.myAsn !== other.myAsn) {
    const message = `${String(newcomer.myAsn)}: BGPPeer ${name} on the same node and in the same VRF has ${String(other.myAsn)}; a VRF has one ASN`;
    return { field: 'spec.myASN', reason: 'Conflict', message };
  }
  return undefined;
}

function chooseAdvertisements(
  items: readonly BgpAdvertisement[],
  before: readonly BgpAdvertisement[],
  pools: ReadonlyMap<string, Pool>,
): Chosen<BgpAdvertisement> {
  // Only where two different values meet can there be a conflict, and mostly there is one value or none.
  const isUniform = new Set([...items, ...before].map(({ localPref }) => localPref)).size < 2;
  return choose({
    kind: 'BGPAdvertisement',
    items,
    before,
    sameClaim: isUniform ? () => true : isSameRouteClaim,
    conflict: isUniform ? () => undefined : (newcomer, other) => routeConflict(newcomer, other, pools),
  });
}

function isSameRouteClaim(a: BgpAdvertisement, b: BgpAdvertisement): boolean {
  return (
    a.localPref === b.localPref &&
    a.aggregationLengthV4 === b.aggregationLengthV4 &&
    a.aggregationLengthV6 === b.aggregationLengthV6 &&
    isDeepStrictEqual([a.peers, a.pools, a.serviceSelectors], [b.peers, b.pools, b.serviceSelectors])
  );
}

/** Advertisements of some Services only are compared when it is known which Services they meet at. */
function routeConflict(
  newcomer: BgpAdvertisement,
  other: BgpAdvertisement,
  pools: ReadonlyMap<string, Pool>,
): Fault | undefined {
  if (newcomer.serviceSelectors.length > 0 || other.serviceSelectors.length > 0) return undefined;
  if (newcomer.localPref === other.localPref) return undefined;
  for (const name of newcomer.pools) {
    const pool = other.pools.has(name) ? pools.get(name) : undefined;
    if (!pool || !localPrefConflict(newcomer, other, pool)) continue;
    const [ours, theirs] = [String(newcomer.localPref ?? 0), String(other.localPref ?? 0)];
    const message = `${ours}: BGPAdvertisement ${quote(other.name)} announces IPAddressPool ${quote(name)} to the same peers with ${theirs}; the routes of a pool must have one localPref`;
    return { field: 'spec.localPref', reason: 'Conflict', message };
  }
  return undefined;
}
