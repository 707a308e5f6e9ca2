import { compareCommunity, parseCommunity, type Community } from '../core/community.ts';
import { comparePrefix, parseIp, parsePrefix, type IpAddress, type Prefix } from '../core/ip.ts';
import type { Problem } from '../core/problem.ts';
import {
  addProblem,
  countAt,
  quote,
  readAnswer,
  recordAt,
  recordOf,
  textAt,
  type JsonRecord,
} from './answer.ts';

/** One prefix of a neighbor's Adj-RIB-Out, with the attributes that its outbound policy gave it. */
export interface AdvertisedRoute {
  readonly prefix: Prefix;
  /** Absent: the route is this router's own and the next hop its address on the session. */
  readonly nextHop?: IpAddress;
  /** LOCAL_PREF; sent to iBGP peers only (RFC 4271 section 5.1.5), though FRR shows it for every neighbor. */
  readonly localPref?: number;
  /** MULTI_EXIT_DISC. */
  readonly med?: number;
  /** Before this router's own ASN is put in front; empty for own routes. */
  readonly asPath: string;
  /** Ascending; undefined when the answer does not tell communities. */
  readonly communities: readonly Community[] | undefined;
}

export interface AdvertisedRoutes {
  /** Sorted by prefix. */
  readonly routes: readonly AdvertisedRoute[];
  /** What could not be read; the rest is in `routes` nevertheless. */
  readonly problems: readonly Problem[];
}

/** Well-known communities (IANA registry "BGP Well-known Communities") as FRR names them in JSON. */
const WELL_KNOWN: ReadonlyMap<string, string> = new Map([
  ['internet', '0:0'],
  ['gracefulShutdown', '65535:0'],
  ['acceptOwn', '65535:1'],
  ['routeFilterTranslatedV4', '65535:2'],
  ['routeFilterV4', '65535:3'],
  ['routeFilterTranslatedV6', '65535:4'],
  ['routeFilterV6', '65535:5'],
  ['llgrStale', '65535:6'],
  ['noLlgr', '65535:7'],
  ['acceptOwnNexthop', '65535:8'],
  ['blackhole', '65535:666'],
  ['noExport', '65535:65281'],
  ['noAdvertise', '65535:65282'],
  ['localAs', '65535:65283'],
  ['noPeer', '65535:65284'],
]);

/** Parses the answer to {@link advertisedRoutesCommand}, with `detail` or without: text, or the value parsed from it. */
export function parseAdvertisedRoutes(answer: unknown): AdvertisedRoutes {
  const problems: Problem[] = [];
  const read = readAnswer(answer, 'advertised routes');
  if (!read.ok) return { routes: [], problems: [read.problem] };
  const top = recordOf(read.value);
  const byPrefix = top && recordAt(top, 'advertisedRoutes');
  if (!byPrefix) {
    const warning = top && textAt(top, 'warning');
    const said = warning === undefined ? `not ${quote(read.value)}` : `FRR says ${quote(warning)}`;
    addProblem(problems, 'advertisedRoutes', `advertised routes: expected an object by prefix; ${said}`);
    return { routes: [], problems };
  }
  const routes = new Map<string, AdvertisedRoute>();
  for (const [name, value] of Object.entries(byPrefix)) {
    const route = routeOf(name, value, problems);
    if (route) routes.set(route.prefix.text, route);
  }
  return { routes: [...routes.values()].sort((a, b) => comparePrefix(a.prefix, b.prefix)), problems };
}

function routeOf(name: string, value: unknown, problems: Problem[]): AdvertisedRoute | undefined {
  const field = `advertisedRoutes.${name}`;
  const record = recordOf(value);
  const prefix = parsePrefix(name);
  if (!prefix || !record) {
    const message = `advertised route ${quote(name)}: ${quote(value)}: must be a prefix and an object`;
    addProblem(problems, field, message);
    return undefined;
  }
  const paths = record.paths;
  const detail = Array.isArray(paths);
  // Adj-RIB-Out has one path for each prefix, since add-path is not used (RFC 7911).
  const path = detail ? (recordOf((paths as readonly unknown[])[0]) ?? {}) : record;
  const nextHop = nextHopOf(path);
  const localPref = countAt(path, 'locPrf');
  const med = countAt(path, 'metric');
  return {
    prefix,
    ...(nextHop && { nextHop }),
    ...(localPref !== undefined && { localPref }),
    ...(med !== undefined && { med }),
    asPath: detail ? asPathOf(path) : (textAt(path, 'path') ?? ''),
    communities: detail ? communitiesOf(path, field, problems) : undefined,
  };
}

/** FRR shows the unspecified address for its own routes. */
function nextHopOf(path: JsonRecord): IpAddress | undefined {
  const nexthops = path.nexthops;
  const first = Array.isArray(nexthops) ? recordOf((nexthops as readonly unknown[])[0]) : undefined;
  const text = first
    ? textAt(first, 'ip')
    : (textAt(path, 'nextHop') ?? textAt(path, 'nextHopGlobal') ?? undefined);
  const address = parseIp(text ?? '');
  return address && address.value !== 0n ? address : undefined;
}

function asPathOf(path: JsonRecord): string {
  const text = textAt(recordAt(path, 'aspath') ?? {}, 'string') ?? '';
  return text === 'Local' ? '' : text;
}

function communitiesOf(path: JsonRecord, field: string, problems: Problem[]): readonly Community[] {
  const found: Community[] = [];
  const kinds = [
    ['community', ''],
    ['largeCommunity', 'large:'],
  ] as const;
  for (const [member, prefix] of kinds) {
    const list = recordAt(path, member)?.list;
    if (!Array.isArray(list)) continue;
    for (const item of list as readonly unknown[]) {
      const text = typeof item === 'string' ? (WELL_KNOWN.get(item) ?? item) : '';
      const parsed = parseCommunity(`${prefix}${text}`);
      if (parsed.ok) found.push(parsed.community);
      else
        addProblem(problems, `${field}.${member}`, `${member} ${quote(item)}: is not one that is known here`);
    }
  }
  return found.sort(compareCommunity);
}
