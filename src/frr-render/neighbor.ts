import { createHash } from 'node:crypto';
import type { Peer } from '../config/index.ts';
import { neighborFilterId, peerFamilies } from '../reconciler/index.ts';

/** The name FRR knows the neighbor by: its address, or the interface of an unnumbered one. */
export function neighborName(peer: Peer): string {
  return peer.endpoint.kind === 'address' ? peer.endpoint.address.text : peer.endpoint.interface;
}

/** Statements about one neighbor directly under `router bgp` (FRR documentation, "BGP", Configuring Peers). */
export function neighborStatements(peer: Peer): string[] {
  const neighbor = `neighbor ${neighborName(peer)}`;
  const unnumbered = peer.endpoint.kind === 'interface' ? ' interface' : '';
  const statements = [`${neighbor}${unnumbered} remote-as ${peer.remoteAs}`];
  const add = (present: unknown, statement: string): void => {
    if (present !== undefined && present !== false) statements.push(`${neighbor} ${statement}`);
  };
  add(peer.ebgpMultiHop && mayBeFarAway(peer), 'ebgp-multihop');
  add(peer.localAsn, `local-as ${peer.localAsn ?? ''} no-prepend replace-as`);
  add(peer.port !== 0, `port ${peer.port}`);
  add(peer.timers, `timers ${peer.timers?.keepaliveSeconds ?? ''} ${peer.timers?.holdSeconds ?? ''}`);
  add(peer.connectSeconds, `timers connect ${peer.connectSeconds ?? ''}`);
  add(peer.password, `password ${peer.password?.reveal() ?? ''}`);
  add(peer.sourceAddress, `update-source ${peer.sourceAddress?.text ?? ''}`);
  add(peer.gracefulRestart, 'graceful-restart');
  add(peer.bfdProfile, 'bfd');
  add(peer.bfdProfile, `bfd profile ${peer.bfdProfile ?? ''}`);
  add(skipsConnectedCheck(peer), 'disable-connected-check');
  return statements;
}

/** Equal for two peers that FRR would be told the same about. A digest, since a password is part of it. */
export function neighborFingerprint(peer: Peer): string {
  const said = [peer.vrf, peer.myAsn, ...neighborStatements(peer), ...peerFamilies(peer)];
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}

/** Statements about one neighbor under an address family that it carries. */
export function neighborFamilyStatements(peer: Peer): string[] {
  const neighbor = `neighbor ${neighborName(peer)}`;
  const id = neighborFilterId(peer);
  return [`${neighbor} activate`, `${neighbor} route-map ${id}-in in`, `${neighbor} route-map ${id}-out out`];
}

/**
 * FRR refuses `ebgp-multihop` for an unnumbered neighbor, which is always at the other end of the link, and drops it
 * without a word for an internal one, which may be many hops away anyway.
 */
function mayBeFarAway(peer: Peer): boolean {
  return peer.endpoint.kind === 'address' && isExternal(peer);
}

function isExternal(peer: Peer): boolean {
  return peer.remoteAs === 'external' || (peer.remoteAs !== 'internal' && peer.remoteAs !== peer.myAsn);
}

/**
 * A single-hop eBGP neighbor with an IPv6 address of its own may be reached over another interface's subnet, as
 * MetalLB allows; FRR would refuse to connect without this.
 */
function skipsConnectedCheck(peer: Peer): boolean {
  const families = peerFamilies(peer);
  return (
    peer.endpoint.kind === 'address' &&
    isExternal(peer) &&
    !peer.ebgpMultiHop &&
    families.length === 1 &&
    families[0] === 'ipv6'
  );
}
