import type { BgpAdvertisement, Peer } from '../config/index.ts';
import { compareCommunity, type Community } from '../core/community.ts';
import type { IpFamily } from '../core/ip.ts';
import { compareText } from '../core/order.ts';
import { peerFamilies } from './neighbor.ts';
import type { PeerTreatment, Treatment } from './types.ts';

/**
 * How one router treats a prefix that the given advertisements lead to: for each neighbor that may receive it and
 * carries its family, the union of the communities and the highest local preference.
 *
 * @returns undefined when no neighbor of the router gets the prefix
 */
export function treatmentFor(
  advertisements: readonly BgpAdvertisement[],
  neighbors: readonly Peer[],
  family: IpFamily,
): Treatment | undefined {
  const peers: PeerTreatment[] = [];
  for (const neighbor of neighbors) {
    if (!peerFamilies(neighbor).includes(family)) continue;
    const reaching = advertisements.filter(
      ({ peers: names }) => names.length === 0 || names.includes(neighbor.name),
    );
    if (reaching.length > 0) peers.push(peerTreatment(neighbor.name, reaching));
  }
  if (peers.length === 0) return undefined;
  peers.sort((a, b) => compareText(a.peer, b.peer));
  return { key: keyOf(peers), peers };
}

function peerTreatment(peer: string, advertisements: readonly BgpAdvertisement[]): PeerTreatment {
  const communities = new Map<string, Community>();
  let localPref: number | undefined;
  for (const advertisement of advertisements) {
    for (const community of advertisement.communities) communities.set(community.text, community);
    if (advertisement.localPref !== undefined) localPref = Math.max(localPref ?? 0, advertisement.localPref);
  }
  return {
    peer,
    ...(localPref === undefined ? {} : { localPref }),
    communities: [...communities.values()].sort(compareCommunity),
  };
}

function keyOf(peers: readonly PeerTreatment[]): string {
  return JSON.stringify(
    peers.map(({ peer, localPref, communities }) => [
      peer,
      localPref ?? null,
      communities.map(({ text }) => text),
    ]),
  );
}
