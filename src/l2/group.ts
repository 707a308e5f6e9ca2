import type { Failback } from '../config/index.ts';
import type { IpAddress } from '../core/ip.ts';
import { byText } from '../core/order.ts';
import type { Candidate } from './election.ts';

/** What the configuration says of a Service that is announced on layer 2 by some node. */
export interface Layer2Service {
  /** `namespace/name`. */
  readonly key: string;
  readonly ips: readonly IpAddress[];
  readonly pool: string;
  /** Sorted by name; one list for all Services whose candidates are the same. */
  readonly candidates: readonly Candidate[];
  /** The interfaces that the advertisements for this node name; `undefined`: any that can hold the address. */
  readonly interfaces: readonly string[] | undefined;
  readonly balance: boolean;
  readonly failback: Failback;
  /** 0: not announced again. */
  readonly announceIntervalMs: number;
}

/** Services that have an address in common, and so must have one owner. */
export interface Layer2Group {
  /** The first address of the first Service: what the order of nodes is derived from. */
  readonly key: string;
  /** Sorted by key. */
  readonly services: readonly Layer2Service[];
  readonly ips: readonly IpAddress[];
  readonly pool: string;
  /** Nodes that every Service of the group has among its candidates. */
  readonly candidates: readonly Candidate[];
  readonly balance: boolean;
  readonly failback: Failback;
  readonly announceIntervalMs: number;
}

/**
 * Gives the function that ties Services with common addresses, groups in the order of their keys; a group stays the same
 * object while its Services do.
 */
export function createGrouping(): (services: readonly Layer2Service[]) => readonly Layer2Group[] {
  let known = new Map<string, Layer2Group>();
  return (services) => {
    const groups = new Map<string, Layer2Group>();
    for (const members of tied(services)) {
      const key = members[0]?.ips[0]?.text;
      if (key === undefined) continue;
      const before = known.get(key);
      const isSame =
        before?.services.length === members.length &&
        before.services.every((service, index) => service === members[index]);
      groups.set(key, isSame ? before : groupOf(key, members));
    }
    // In the order of before, which makes the sort one pass over what is sorted nearly.
    const stayed = [...known.keys()].flatMap((key) => groups.get(key) ?? []);
    const came = [...groups.values()].filter(({ key }) => !known.has(key));
    const sorted = [...stayed, ...came].sort(byText(({ key }) => key));
    known = new Map(sorted.map((group) => [group.key, group]));
    return sorted;
  };
}

/** Services in sets that share addresses, directly or over others; each set sorted. */
function tied(services: readonly Layer2Service[]): Layer2Service[][] {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { ips } of services) {
    for (const { text } of ips) {
      if (seen.has(text)) shared.add(text);
      else seen.add(text);
    }
  }
  const isSharing = ({ ips }: Layer2Service): boolean => ips.some(({ text }) => shared.has(text));
  // Most share nothing, and need no sets.
  if (shared.size === 0) return services.map((service) => [service]);
  const alone = services.filter((service) => !isSharing(service)).map((service) => [service]);
  return [...alone, ...joined(services.filter(isSharing))];
}

function joined(services: readonly Layer2Service[]): Layer2Service[][] {
  const byIp = new Map<string, Set<Layer2Service>>();
  for (const service of services) {
    let set = new Set([service]);
    for (const ip of service.ips) {
      const other = byIp.get(ip.text);
      if (!other || other === set) continue;
      const [small, large] = other.size < set.size ? [other, set] : [set, other];
      for (const each of small) large.add(each);
      set = large;
    }
    for (const member of set) for (const ip of member.ips) byIp.set(ip.text, set);
  }
  return [...new Set(byIp.values())].map((set) => [...set].sort(byText(({ key }) => key)));
}

function groupOf(key: string, services: readonly Layer2Service[]): Layer2Group {
  const [first] = services;
  if (!first) throw new Error('a group has a Service');
  const ips = new Map(services.flatMap((service) => service.ips.map((ip) => [ip.text, ip])));
  return {
    key,
    services,
    ips: [...ips.values()],
    pool: first.pool,
    candidates: commonCandidates(services, first.candidates),
    balance: services.some(({ balance }) => balance),
    failback: first.failback,
    announceIntervalMs: shortestOf(services.map(({ announceIntervalMs }) => announceIntervalMs)),
  };
}

/** Of intervals of which 0 means never. */
function shortestOf(intervals: readonly number[]): number {
  const some = intervals.filter((interval) => interval > 0);
  return some.length === 0 ? 0 : Math.min(...some);
}

function commonCandidates(
  services: readonly Layer2Service[],
  first: readonly Candidate[],
): readonly Candidate[] {
  if (services.every(({ candidates }) => candidates === first)) return first;
  return first.filter(({ node }) =>
    services.every(({ candidates }) => candidates.some((candidate) => candidate.node === node)),
  );
}
