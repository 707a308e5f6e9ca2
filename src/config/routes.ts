import type { BGPAdvertisement, CommunityObject } from '../api/index.ts';
import { compareCommunity, parseCommunity, type Community } from '../core/community.ts';
import type { Fault } from './fault.ts';
import type { Pool } from './types.ts';
import { quote } from '../core/quote.ts';

/** Communities by the name that a Community object gives them. */
export type Aliases = ReadonlyMap<string, Community>;

/** MetalLB's limit for one route. */
const MAX_COMMUNITIES = 63;

export type CommunitiesReading =
  | { readonly ok: true; readonly communities: readonly Community[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** The communities of an advertisement: each item is an alias if there is one of that name, and otherwise a literal. */
export function communitiesOf({ spec }: BGPAdvertisement, aliases: Aliases): CommunitiesReading {
  const byText = new Map<string, Community>();
  const faults: Fault[] = [];
  spec.communities.forEach((text, index) => {
    const community = aliases.get(text) ?? literal(text, `spec.communities[${String(index)}]`, faults);
    if (community) byText.set(community.text, community);
  });
  if (byText.size > MAX_COMMUNITIES) {
    const message = `${String(byText.size)} communities: must be at most ${String(MAX_COMMUNITIES)}`;
    faults.push({ field: 'spec.communities', reason: 'InvalidValue', message });
  }
  return faults.length === 0
    ? { ok: true, communities: [...byText.values()].sort(compareCommunity) }
    : { ok: false, faults };
}

function literal(text: string, field: string, faults: Fault[]): Community | undefined {
  const parsed = parseCommunity(text);
  if (parsed.ok) return parsed.community;
  if (parsed.fault === 'value') {
    const message = `${quote(text)}: must be a community such as "64496:100" (two numbers up to 65535) or "large:64496:1:2" (three up to 4294967295), or the name of one`;
    faults.push({ field, reason: 'InvalidValue', message });
  } else {
    const message = `${quote(text)}: no Community object defines this name, and it is no community such as "64496:100"`;
    faults.push({ field, reason: 'UnresolvedReference', message, transient: true });
  }
  return undefined;
}

/** The aliases of one Community object. Values that cannot be parsed were refused when it was read. */
export function aliasesIn(object: CommunityObject): [string, Community][] {
  return object.spec.communities.flatMap(({ name, value }): [string, Community][] => {
    const parsed = parseCommunity(value);
    return parsed.ok ? [[name, parsed.community]] : [];
  });
}

/**
 * Why this advertisement must not announce this pool: an aggregate wider than what the pool holds would draw traffic
 * for addresses that are not ours. Each item of the pool is looked at by itself.
 */
export function aggregationFault(
  { spec }: BGPAdvertisement,
  pool: Pool,
): { readonly field: string; readonly message: string } | undefined {
  for (const prefixes of pool.addresses) {
    const isIpv6 = prefixes[0]?.family === 'ipv6';
    const length = isIpv6 ? spec.aggregationLengthV6 : spec.aggregationLength;
    const shortest = Math.min(...prefixes.map((prefix) => prefix.length));
    if (length >= shortest) continue;
    const held = prefixes.map(({ text }) => text).join(', ');
    return {
      field: `spec.aggregationLength${isIpv6 ? 'V6' : ''}`,
      message: `${String(length)}: is wider than IPAddressPool ${quote(pool.name)} (${held}); must be at least ${String(shortest)}`,
    };
  }
  return undefined;
}

/** Whether it announces addresses one by one, so that it cannot be too wide for any pool. */
export function announcesWholeAddresses({ spec }: BGPAdvertisement): boolean {
  return spec.aggregationLength >= 32 && spec.aggregationLengthV6 >= 128;
}
