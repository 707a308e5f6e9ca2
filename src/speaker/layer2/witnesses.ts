import type { IpAddress } from '../../core/ip.ts';
import { isAmongOthers, recordOf, type Layer2Group } from '../../l2/index.ts';
import type { Gateways } from './gateways.ts';
import type { Ports } from './ports.ts';
import { probeFrames } from './questions.ts';
import type { Sights } from './sights.ts';
import type { Situation } from './situation.ts';

/** So many are asked whether this node is on the LAN: one that answers will do. */
const MOST = 12;
/** Groups that begin to ask at the same moment ask once. */
const TOGETHER_MS = 10;

/**
 * Whom a node asks that wants to know whether it is on the LAN: anybody but the one whose addresses it is about to take.
 */
export interface Witnesses {
  readonly ask: (group: Layer2Group, link: string, now: number) => void;
  /** Whether the node is among others on the LAN of a group that it has asked about since then. */
  readonly isAmongOthers: (group: Layer2Group, since: number, now: number) => boolean;
}

export function createWitnesses(options: {
  readonly me: string;
  readonly situation: () => Situation;
  readonly sights: Sights;
  readonly ports: Ports;
  readonly gateways: Gateways;
}): Witnesses {
  const { me, situation, sights, ports, gateways } = options;
  const askedAt = new Map<string, number>();

  const hostsOf = (group: Layer2Group, link: string, now: number): readonly IpAddress[] => {
    const { view, owners } = situation();
    const owner = recordOf(group, view)?.node;
    const others = sights.over(link).filter(({ node }) => node !== owner);
    const hosts = ports.companyOn(link)?.hosts(now) ?? [];
    return [
      ...others.map(({ address }) => address),
      ...hosts.filter(({ mac }) => owner === undefined || owners.get(mac) !== owner).map(({ ip }) => ip),
    ];
  };
  return {
    ask: (group, link, now) => {
      if (now - (askedAt.get(link) ?? -Infinity) < TOGETHER_MS) return;
      askedAt.set(link, now);
      gateways.ask(link, now);
      for (const ip of hostsOf(group, link, now).slice(0, MOST)) {
        ports.send(link, (port) => probeFrames(port, ip));
      }
    },
    isAmongOthers: (group, since, now) => {
      const { view, places } = situation();
      const link = places.linkOf(group);
      const company = link === undefined ? undefined : ports.companyOn(link);
      if (link === undefined || !company) return false;
      const owner = recordOf(group, view)?.node;
      return isAmongOthers({
        since,
        hasWitnesses: hostsOf(group, link, now).length > 0 || ports.gatewaysOn(link).length > 0,
        heardAt: company.heardAt(),
        gatewayAt: gateways.answeredAt(link),
        ownerHolds:
          owner !== undefined && owner !== me && view.isFresh && view.speakers.get(owner)?.isHeld === true,
        lostAt: owner === undefined ? 0 : sights.lostAt(owner, link),
      });
    },
  };
}
